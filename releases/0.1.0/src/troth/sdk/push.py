"""A folder sent to the server by git: as one commit on its branch, made beside the author's own repository."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from troth import git
from troth.contracts.project import Project
from troth.errors import (
    Failed,
    Forbidden,
    NameTaken,
    NotFound,
    Overloaded,
    ServerUnreachable,
    TooLarge,
    TrothError,
    Unauthenticated,
    Unavailable,
)
from troth.sdk.client import Client, is_loopback
from troth.sdk.folder import read_files, read_project
from troth.versions.manifest import Entry, Manifest

_REMOTE, _HEAD = "troth", "refs/troth/head"
#: How often a commit is laid on a head that others keep moving.
_ATTEMPTS = 8
#: seconds of one fetch or push
_SECONDS = 1800.0
#: Answers git from two variables of its surroundings, so that the key stands in no command line and in no address.
_HELPER = '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$TROTH_GIT_ACCOUNT" "$TROTH_GIT_KEY"; }; f'
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
#: how the Python client is told of certificates, and how git is
_CERTIFICATES = {"SSL_CERT_FILE": "GIT_SSL_CAINFO", "SSL_CERT_DIR": "GIT_SSL_CAPATH"}
_LOST_RACE = re.compile(r"\[rejected\]|fetch first|non-fast-forward|cannot lock ref|failed to update ref")
_UNREACHABLE = r"Could not resolve|Failed to connect|Couldn't connect|Connection (refused|reset|timed out)|Empty reply"


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What words of git mean: the error, what happened, and what helps."""

    words: str
    error: type[TrothError]
    what: str
    repair: str


_MEANINGS = (
    _Meaning(_UNREACHABLE, ServerUnreachable, "no server answers at {address}",
             "start one with troth up, or name another with --server or TROTH_SERVER"),
    _Meaning(r"Authentication failed|could not read Username|error: 401", Unauthenticated,
             "the server takes no push with this key", "set TROTH_KEY, or name a file with the key by --key-file"),
    _Meaning(r"error: 403", Forbidden, "the server refuses to take a push of {subject}", "ask its operator"),
    _Meaning(r"repository '.*' not found|error: 404", NotFound, "there is no repository of {subject}",
             "look at its spelling, and whether you are a member of its owner"),
    _Meaning(r"(error:|HTTP) 413|exceeds maximum allowed size", TooLarge, "the push of {subject} is too large",
             "leave large data out of the source; it belongs beside a version, not in it"),
    _Meaning(r"(error:|HTTP) (429|5\d\d)", Unavailable, "the server cannot take a push now",
             "try again a little later; troth doctor asks the server how it is"),
)  # fmt: skip


def available() -> bool:
    """Whether git is installed here."""
    return shutil.which("git") is not None


def pushed(
    client: Client, address: str, account: str, key: str, folder: Path, message: str = "", algorithm: str | None = None
) -> str:
    """The commit on the server's branch that holds exactly the folder's source: its head, else a new one on it.

    The folder is only read; of the author's own git no more than the name and address for the commit. The algorithm is
    created where it does not exist yet. Raises MalformedSource, TooLarge, Unauthenticated, Forbidden, NotFound,
    Unavailable or Failed.
    """
    project, source = read_project(folder, algorithm), _Source.read(folder)
    words = (message or f"Source {source.manifest.digest[:12]}").encode(errors="replace")
    try:
        with tempfile.TemporaryDirectory(prefix="troth-") as scratch:
            repository = Path(scratch, "repository.git")
            git.run(None, "init", "--quiet", "--bare", "--template=", str(repository))
            surroundings = _surroundings(address, project.subject, account, key)
            branch = _Branch(client, project, address, repository, surroundings)
            commit = _laid(branch, source, words, _identity(folder, account))
    except git.GitFailed as failure:
        raise _meant(failure, address, project.subject) from None
    if commit:
        return commit
    raise Overloaded(
        f"{project.subject} was pushed to by others, {_ATTEMPTS} times before this push was through",
        why="a commit is laid on the newest one, and never over it",
        repair="try again a little later",
    )


def _laid(branch: _Branch, source: _Source, words: bytes, identity: dict[str, str]) -> str | None:
    """The commit with the source; None where others were faster each time."""
    repository = branch.repository
    for _ in range(_ATTEMPTS):
        head = branch.head()
        tree = source.tree(repository, head)
        if head and git.tree_of(repository, head) == tree:
            return head
        parents = ["-p", head] if head else []
        made = git.run(repository, "commit-tree", tree, *parents, given=words, surroundings=identity)
        if branch.takes(commit := made.decode().strip()):
            return commit
    return None


@dataclass(frozen=True, slots=True)
class _Source:
    """A folder's source as it was read once: what is made of it fits together though files change meanwhile."""

    manifest: Manifest
    #: content by git's id of it
    blobs: dict[str, bytes]
    #: git's id by path
    ids: dict[str, str]

    @classmethod
    def read(cls, folder: Path) -> _Source:
        """The source of a folder. Raises MalformedSource."""
        entries, blobs, ids = [], {}, {}
        for entry, content in read_files(folder):
            blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
            entries.append(entry)
            blobs[blob] = content
            ids[entry.path] = blob
        return cls(Manifest.of(entries), blobs, ids)

    def tree(self, repository: Path, head: str | None) -> str:
        """The id of a tree with exactly these files. What the head has already is not written: the server has it."""
        known = _blobs_of(repository, head) if head else set()
        with tempfile.TemporaryDirectory(dir=repository) as scratch:
            for blob in self.blobs.keys() - known:
                Path(scratch, blob).write_bytes(self.blobs[blob])
            paths = "".join(f"{file}\n" for file in Path(scratch).iterdir()).encode()
            git.run(repository, "hash-object", "-w", "--no-filters", "--stdin-paths", given=paths)
            index = {"GIT_INDEX_FILE": str(Path(scratch, "index"))}
            listing = "".join(self._line(entry) for entry in self.manifest.entries)
            git.run(repository, "update-index", "-z", "--index-info", given=listing.encode(), surroundings=index)
            return git.run(repository, "write-tree", "--missing-ok", surroundings=index).decode().strip()

    def _line(self, entry: Entry) -> str:
        mode = git.EXECUTABLE if entry.executable else git.REGULAR
        return f"{mode} {self.ids[entry.path]}\t{entry.path}\0"


@dataclass(frozen=True, slots=True)
class _Branch:
    """The server's branch of one algorithm, as a repository on this machine reaches it."""

    client: Client
    project: Project
    address: str
    repository: Path
    surroundings: dict[str, str]

    def head(self) -> str | None:
        """Its newest commit, fetched without older ones and without content; None where there is none."""
        try:
            return self._fetched()
        except NotFound:
            self._create()
            return self._fetched()

    def takes(self, commit: str) -> bool:
        """Pushes a commit; False where somebody else was faster."""
        try:
            # not thin: the objects that a delta would lean on were never fetched
            self._git("push", "--quiet", "--no-thin", _REMOTE, f"{commit}:{git.BRANCH}")
        except git.GitFailed as failure:
            if _LOST_RACE.search(failure.said):
                return False
            raise
        return True

    def _fetched(self) -> str | None:
        bounds = ("--depth=1", "--filter=blob:none", "--no-tags")
        try:
            self._git("fetch", "--quiet", *bounds, _REMOTE, f"+{git.BRANCH}:{_HEAD}")
        except git.GitFailed as failure:
            if "couldn't find remote ref" in failure.said:
                return None
            raise _meant(failure, self.address, self.project.subject) from None
        return git.ask(self.repository, "rev-parse", _HEAD)

    def _create(self) -> None:
        try:
            self.client.command("create_algorithm", algorithm=self.project.subject, summary=self.project.summary)
        except NameTaken:
            pass  # somebody else was faster; if it is not to be seen, the next fetch says so

    def _git(self, *arguments: str) -> None:
        git.run(self.repository, *arguments, surroundings=self.surroundings, seconds=_SECONDS)


def _meant(failure: git.GitFailed, address: str, subject: str) -> TrothError:
    """A failure of git as an error of troth, with the server's own words where it said any."""
    said = failure.said
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    remote = [line.removeprefix("remote:").strip() for line in lines if line.startswith("remote: troth:")]
    why = "; ".join(remote or lines[-3:])[:500]
    for meaning in _MEANINGS:
        if re.search(meaning.words, said):
            return meaning.error(meaning.what.format(address=address, subject=subject), why=why, repair=meaning.repair)
    return Failed(f"git could not push {subject}", why=why, repair="mend what git says, or try again")


def _blobs_of(repository: Path, commit: str) -> set[str]:
    """git's ids of the files of a commit, none of which need be here."""
    listing = git.run(repository, "ls-tree", "-r", "-z", "--full-tree", commit)
    return {line.split(maxsplit=3)[2].decode() for line in listing.split(b"\0")[:-1]}


def _surroundings(address: str, subject: str, account: str, key: str) -> dict[str, str]:
    """The variables under which git reaches the server, and only it, as this account."""
    parts = urlsplit(address)
    host = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    settings = {
        f"remote.{_REMOTE}.url": f"{host}{parts.path.rstrip('/')}/git/{subject}.git",
        f"credential.{host}.helper": _HELPER,
        "http.followRedirects": "false",
        "gc.auto": "0",
        "pack.useSparse": "false",  # what the head has somewhere is not to be packed, wherever it lies now
    }
    found = {"TROTH_GIT_ACCOUNT": account, "TROTH_GIT_KEY": key, "GIT_CONFIG_COUNT": str(len(settings))}
    for number, (name, value) in enumerate(settings.items()):
        found |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return found | _network(address)


def _network(address: str) -> dict[str, str]:
    """Proxies and certificates as the Python client takes them from its environment; none on this machine."""
    if is_loopback(address):
        return {"no_proxy": "*", "NO_PROXY": "*"}
    found = {git_name: os.environ[name] for name, git_name in _CERTIFICATES.items() if name in os.environ}
    proxies = [name for proxy in _PROXIES for name in (proxy, proxy.upper())]
    return found | {name: os.environ[name] for name in proxies if name in os.environ}


def _identity(folder: Path, account: str) -> dict[str, str]:
    """Who the commit is by: as the author's own git says, else the account."""
    name = _configured(folder, "user.name") or account
    email = _configured(folder, "user.email") or f"{account}@troth.invalid"
    return {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER")
            for part, value in (("NAME", name), ("EMAIL", email))}  # fmt: skip


def _configured(folder: Path, setting: str) -> str:
    """One setting of the author's own git; empty where there is none that can stand in a commit."""
    command = ["git", "-C", str(folder), "config", "--get", setting]
    said = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
    )
    value = re.sub(r"[<>\x00-\x1f]", "", said.stdout).strip()
    return value if any(character.isalnum() for character in value) else ""
