"""An existing algorithm's git repository taken over: its tags are versions, imported in the order in which they were made.

Commits keep their hashes. What the policy objects to is told and not repaired: these versions exist, and people rely on them.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from troth import git
from troth.contracts.project import FILE, LEGACY_FILE, Project, parse_project
from troth.errors import Failed, Forbidden, MalformedNumber, MalformedSource, Overloaded, Refused
from troth.sdk.client import Client
from troth.sdk.push import Branch, meant, surroundings_of
from troth.versions import names
from troth.versions.numbers import Number
from troth.versions.permissions import Permissions

#: characters of a failed build's log that are told, and tags that are read
_LONGEST_TOLD, _MOST_TAGS = 400, 5000
_PREFIX = re.compile(r"v(?=\d)", re.ASCII)
_FORM = "--format=%(refname:strip=2)%00%(objectname)%00%(*objectname)%00%(creatordate:unix)"
#: One of the ways that the import of a tag ends.
IMPORTED, PRESENT, MOVED, NOT_BUILT, REFUSED = "imported", "already there", "moved", "not built", "refused"


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of the repository: the commit that it is on, when it was made, and the version that its name is."""

    name: str
    commit: str
    made_at: int
    number: Number | None


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of one version: how it ended, what the policy objects to, and why it was not imported."""

    tag: Tag
    outcome: str
    breaches: tuple[dict[str, Any], ...] = ()
    why: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "tag": self.tag.name,
            "version": str(self.tag.number),
            "hash": self.tag.commit,
            "outcome": self.outcome,
            "breaches": [{"clause": one["clause"], "text": one["text"]} for one in self.breaches],
            "why": self.why,
        }


@dataclass(slots=True)
class History:
    """What a repository has: its tags that are versions in the order in which they were made, and the others with the reason."""

    repository: Path
    versions: list[Tag] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def read(cls, repository: Path) -> History:
        """Everything that is tagged in a repository."""
        found = cls(repository)
        by_number: dict[Number, Tag] = {}
        for tag in _tags(repository):
            other = by_number.get(tag.number) if tag.number else None
            if tag.number is None:
                found.left_out.append((tag.name, "its name is no complete version number"))
            elif not tag.commit:
                found.left_out.append((tag.name, "it is on something that is no commit"))
            elif other is not None:
                same = other.commit == tag.commit
                found.left_out.append(
                    (tag.name, f"{other.name} is the same version{'' if same else ', of another commit'}")
                )
            else:
                by_number[tag.number] = tag
                found.versions.append(tag)
        return found

    def subject(self) -> str:
        """The algorithm that the newest commit declares itself to be. Raises MalformedSource."""
        for name in (FILE, LEGACY_FILE):
            try:
                content = git.run(self.repository, "show", f"HEAD:{name}")
            except git.GitFailed:
                continue
            if name == FILE:
                return parse_project(content).subject
            if declared := _legacy_subject(content):
                return declared
        raise MalformedSource(
            "the repository does not say which algorithm it is",
            why=f"neither {FILE} nor {LEGACY_FILE} of its newest commit names owner and algorithm",
            repair="name it behind the repository: troth import REPOSITORY OWNER/NAME",
        )


def cloned(source: str, folder: Path) -> Path:
    """A copy of the repository at an address or in a folder, with all its tags. The user's own git configuration holds."""
    target = folder / "source.git"
    options = ["-c", "protocol.ext.allow=never", "-c", "core.hooksPath=/dev/null"]
    command = ["git", *options, "clone", "--quiet", "--mirror", "--", source, str(target)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise Failed(
            f"{source[:200]} cannot be cloned", why=" ".join(done.stderr.split())[-500:],
            repair="look at its spelling, and whether git clone takes it",
        )  # fmt: skip
    return target


def imported(
    client: Client, key: str, source: str, algorithm: str | None, visibility: str | None, told: Callable[[str], None]
) -> tuple[str, History, list[Taken]]:
    """Imports a repository: the algorithm, what the repository has, and what came of each of its versions."""
    with tempfile.TemporaryDirectory(prefix="troth-") as scratch:
        history = History.read(cloned(source, Path(scratch)))
        subject = algorithm or history.subject()
        owner, _, name = subject.partition("/")
        project = Project(names.check_account(owner), names.check_algorithm(name), "", (), Permissions(), False)
        present = _present(client, project.subject)
        if any(str(tag.number) not in present for tag in history.versions):
            told(f"pushing {project.subject} ...")
            _push(client, key, project, history)
        return project.subject, history, list(_taken(client, project.subject, history, present, visibility, told))


def _taken(
    client: Client, subject: str, history: History, present: dict[str, str], visibility: str | None,
    told: Callable[[str], None],
) -> Iterator[Taken]:  # fmt: skip
    for tag in history.versions:
        known = present.get(str(tag.number))
        if known == tag.commit:
            yield Taken(tag, PRESENT)
        elif known is not None:
            yield Taken(
                tag, MOVED, why=f"{tag.number} is {known[:12]} here, and a published version never changes (ALG-02)"
            )
        else:
            told(f"building {tag.name} ({tag.commit[:12]}) ...")
            yield _one(client, subject, tag, visibility)


def _one(client: Client, subject: str, tag: Tag, visibility: str | None) -> Taken:
    """Builds and imports one version."""
    built = client.build(subject, tag.commit)
    if built["status"] != "succeeded":
        return Taken(tag, NOT_BUILT, why=" ".join(built["log"].split())[-_LONGEST_TOLD:])
    payload: dict[str, Any] = {"algorithm": subject, "hash": tag.commit, "number": str(tag.number)}
    payload |= {"visibility": visibility} if visibility else {}
    try:
        done = client.command("import_version", **payload)
    except Forbidden:
        raise  # it holds for every version
    except Refused as error:
        return Taken(tag, REFUSED, why=f"{error.what} ({', '.join(error.clauses)})" if error.clauses else error.what)
    return Taken(tag, IMPORTED, (*done["verdict"]["findings"], *done["verdict"]["warnings"]))


def _push(client: Client, key: str, project: Project, history: History) -> None:
    """Lays one commit on the server's branch that has every version behind it, so that their commits keep their hashes."""
    account = client.keys()["account"]
    surroundings = surroundings_of(client.address, project.subject, account, key)
    branch = Branch(client, project, client.address, history.repository, surroundings)
    tips = [tag.commit for tag in history.versions]
    identity = {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER")
                for part, value in (("NAME", account), ("EMAIL", f"{account}@troth.invalid"))}  # fmt: skip
    newest = _commit(history.repository, "HEAD") or tips[-1]
    apart = git.ask(history.repository, "merge-base", "--independent", *{*tips, newest}).split()
    try:
        head = branch.head()
        parents = [part for commit in [*([head] if head else []), *apart] for part in ("-p", commit)]
        words = f"Import of {len(tips)} versions".encode()
        made = git.run(
            history.repository, "commit-tree", f"{newest}^{{tree}}", *parents, given=words, surroundings=identity
        )
        if not branch.takes(made.decode().strip()):
            raise Overloaded(f"{project.subject} was pushed to meanwhile", repair="import again")
    except git.GitFailed as failure:
        raise meant(failure, client.address, project.subject) from None


def _present(client: Client, subject: str) -> dict[str, str]:
    """The versions that the algorithm has, with their hashes; none where there is no such algorithm yet."""
    try:
        return {row["version"]: row.get("hash", "") for row in client.versions(subject)["versions"]}
    except Exception as error:
        if getattr(error, "code", "") == "not-found":
            return {}
        raise


def _tags(repository: Path) -> Sequence[Tag]:
    """Every tag, in the order in which they were made; those of one second by their numbers."""
    listed = git.ask(repository, "for-each-ref", f"--count={_MOST_TAGS}", _FORM, "refs/tags")
    found = []
    for line in listed.splitlines():
        name, itself, peeled, made_at = line.split("\0")
        commit = _commit(repository, peeled or itself)
        found.append(Tag(name, commit, int(made_at or 0), _number(name)))
    return sorted(found, key=lambda tag: (tag.made_at, tag.number or Number(0, 0, 0), tag.name))


def _commit(repository: Path, found: str) -> str:
    """The commit that a tag leads to; nothing where it leads to something else."""
    try:
        return git.ask(repository, "rev-parse", "--verify", "--quiet", f"{found}^{{commit}}")
    except git.GitFailed:
        return ""


def _number(name: str) -> Number | None:
    try:
        return Number.parse(_PREFIX.sub("", name, count=1))
    except MalformedNumber:
        return None


def _legacy_subject(content: bytes) -> str:
    try:
        found = json.loads(content)
        return f"{found['username']}/{found['algoname']}"
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
