"""Repositories that others keep: which addresses may be asked, and how the newest commits come from there.

A place is a folder or an HTTP address that the operator allowed (`scm_allow`); authors name a repository below it, never an
address. No redirect is followed, no credentials of this machine are sent, and the address that a name had when it was looked
at is the one that is spoken to.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

from troth import git
from troth.builds.repository import Repositories
from troth.errors import Malformed, MalformedSource, Unavailable

_SEGMENT = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]|\.(?!\.)){0,99}"
_OWNER = re.compile(f"{_SEGMENT}(?:/{_SEGMENT}){{0,4}}", re.ASCII)
_NAME = re.compile(_SEGMENT, re.ASCII)
_LONGEST_BASE = 1000
#: seconds for a look at whether a repository answers
_LOOK = 15.0


class OriginInvalid(Malformed):
    """A place with repositories is not one that this server may ask."""


class OriginUnreachable(Unavailable):
    """A repository that others keep could not be read."""


class Origins:
    """Fetches from places below what `allowed` lists: absolute folders, and addresses that begin with http or https."""

    def __init__(self, repositories: Repositories, allowed: Sequence[str], *, seconds: float) -> None:
        self._repositories = repositories
        self._allowed = [_normal(one) for one in allowed]
        self._seconds = seconds

    def checked(self, base: str) -> str:
        """The place in its one spelling. Raises OriginInvalid for one that the operator did not allow."""
        found = _normal(base)
        if any(found == one or found.startswith(one + "/") for one in self._allowed):
            return found
        raise OriginInvalid(
            f"{base[:200]!r} is no place that this server may ask for sources",
            why="its operator lists those places, so that nobody makes the server speak to others",
            repair="add it to the setting scm_allow (TROTH_SCM_ALLOW) and start the server again",
        )

    def address(self, base: str, owner: str, name: str) -> str:
        """Where a repository lies, as git takes it. Raises OriginInvalid."""
        base = self.checked(base)
        name = name.removesuffix(".git")
        if not _OWNER.fullmatch(owner) or not _NAME.fullmatch(name):
            raise OriginInvalid(
                f"{owner[:80]}/{name[:80]} is not the name of a repository",
                why="owner and name have letters, digits, dots, dashes and underscores",
                repair="take them from the repository's address",
            )
        if not base.startswith("/"):
            return f"{base}/{owner}/{name}.git"
        found = [Path(base, owner, name + ending) for ending in (".git", "")]
        path = next((one for one in found if one.is_dir()), found[0])
        if not os.path.realpath(path).startswith(os.path.realpath(base) + os.sep):
            raise OriginInvalid(f"{owner}/{name} leads out of {base}", repair="put the repository itself there")
        return "file://" + quote(str(path))

    def look(self, address: str) -> None:
        """Raises OriginUnreachable where no repository with a commit answers there."""
        if not self._git(None, address, "ls-remote", "--exit-code", "--", address, "HEAD", seconds=_LOOK):
            raise OriginUnreachable(f"there is no commit in {address}", repair="push one there")

    def fetch(self, algorithm_id: str, address: str) -> None:
        """Brings the algorithm's branch to the head of that repository.

        Raises OriginUnreachable, and MalformedSource where history was rewritten there.
        """
        path = self._repositories.path(algorithm_id)
        wanted = f"HEAD:{git.BRANCH}"
        try:
            self._git(path, address, "fetch", "--no-tags", "--", address, wanted, seconds=self._seconds)
        except git.GitFailed as error:
            if "non-fast-forward" not in error.said:
                raise
            raise MalformedSource(
                f"the history of {address} was rewritten",
                why="commits that were built stay part of the algorithm's history (ALG-02)",
                repair="put the new commits on top of the old ones",
                clauses=["ALG-02"],
            ) from None

    def _git(self, repository: Path | None, address: str, *arguments: str, seconds: float) -> bytes:
        """One command that speaks to the repository at this address and to nobody else."""
        settings = {
            "protocol.allow": "never",
            f"protocol.{urlsplit(address).scheme}.allow": "always",
            "http.followRedirects": "false",
            "http.lowSpeedLimit": "1000",
            "http.lowSpeedTime": "30",
            "credential.helper": "",
            "fetch.fsckObjects": "true",
            "gc.auto": "0",
            "maintenance.auto": "false",
            **({"http.curloptResolve": pinned} if (pinned := _pinned(address)) else {}),
        }
        surroundings = {"GIT_CONFIG_COUNT": str(len(settings))}
        for number, (name, value) in enumerate(settings.items()):
            surroundings |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
        try:
            return git.run(repository, *arguments, surroundings=surroundings, seconds=seconds)
        except git.GitFailed as error:
            if "non-fast-forward" in error.said:
                raise
            raise OriginUnreachable(
                f"{address} cannot be read",
                why=" ".join(error.why.split()),
                repair="look at its spelling, and whether it answers",
            ) from None


def _normal(base: str) -> str:
    """A folder or address in one spelling. Raises OriginInvalid for what is neither."""
    text = base.strip().removeprefix("file://") if base.startswith("file:///") else base.strip()
    wrong = OriginInvalid(
        f"{base[:200]!r} is no place for repositories",
        why="it is an absolute folder, or an address of http or https without account, query and fragment",
        repair="write e.g. https://git.example.org or /srv/git",
    )
    if not text.isprintable() or len(text) > _LONGEST_BASE or "\\" in text or ".." in text.split("/"):
        raise wrong
    if text.startswith("/"):
        return os.path.normpath(text) if text.strip("/") else "/"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise wrong from None
    plain = parts.scheme in ("http", "https") and parts.hostname and not (parts.query or parts.fragment)
    if not plain or parts.username is not None or parts.password is not None or "%" in text:
        raise wrong
    assert parts.hostname is not None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def _pinned(address: str) -> str:
    """What keeps curl at the address that a host's name has now. Raises OriginUnreachable for one that is never asked."""
    parts = urlsplit(address)
    if parts.scheme == "file" or parts.hostname is None:
        return ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise OriginUnreachable(f"{parts.hostname} has no address: {error}", repair="look at its spelling") from None
    addresses = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    for one in addresses:
        if one.is_link_local or one.is_multicast or one.is_unspecified:
            raise OriginUnreachable(
                f"{parts.hostname} is {one}, which is never asked", why="metadata services live there"
            )
    first = addresses[0]
    return f"{parts.hostname}:{port}:{f'[{first}]' if first.version == 6 else first}"
