"""What uv's failures mean for who waits for the environment: told apart by what uv prints, and said in troth's words."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, auto

from troth.builds.services import Ended
from troth.errors import BuildFailed, Failed, TrothError

_LONGEST_EXPLANATION = 2000
_UNPRINTABLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[^\x20-\x7e\n\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CREDENTIALS = re.compile(r"(?<=//)[^\s/@`\"']+@")
_NAME = r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"


class Trouble(Enum):
    """Kinds of failure that ask for different repairs."""

    DISK_FULL = auto()
    TOO_LONG = auto()
    HASH = auto()
    #: it was told to do without the network, and the cache does not have what it needs
    NOT_CACHED = auto()
    #: the index answers, and wants other credentials
    NOT_ADMITTED = auto()
    UNREACHABLE = auto()
    #: what the index gave is no wheel that can be installed
    BROKEN = auto()
    NO_WHEEL = auto()
    UNKNOWN_NAME = auto()
    UNKNOWN_VERSION = auto()
    CONFLICT = auto()
    OTHER = auto()


#: The first pattern that is found decides.
_SIGNS = (
    (Trouble.DISK_FULL, r"No space left on device|Disk quota exceeded|os error (28|122)\b"),
    (Trouble.HASH, r"Hash mismatch"),
    (Trouble.NOT_CACHED, r"Network connectivity is disabled|network was disabled"),
    (Trouble.NOT_ADMITTED, r"hint: An index\b.*\b40[13]\b|HTTP status client error \(40[13]\b"),
    (Trouble.UNREACHABLE, r"Request failed after|error sending request|dns error|tcp connect error|timed out|body error|"
                          r"HTTP status server error|error decoding response body|connection (?:closed|reset|error)"),
    (Trouble.BROKEN, r"Failed to (?:download|unzip|extract|install|read|parse)\b|has invalid metadata"),
    (Trouble.NO_WHEEL, r"no usable wheels|no wheels with a matching|marked as `--no-build`|no binary distribution"),
    (Trouble.UNKNOWN_NAME, r"was not found in the package registry|was not found in the provided package locations"),
    (Trouble.UNKNOWN_VERSION, r"resolving dependencies\W+(?:cause: )?Because (?:there (?:is|are) no versions? of|only )"),
    (Trouble.CONFLICT, r"No solution found|requirements are unsatisfiable"),
)  # fmt: skip

#: Where the distribution that a trouble is about stands in uv's words.
_NAMED = {
    Trouble.HASH: rf"Hash mismatch for `{_NAME}",
    Trouble.BROKEN: rf"Failed to \w+:? (?:\S+ \()?`?{_NAME}==|{_NAME}==\S+ has invalid metadata",
    Trouble.NO_WHEEL: rf"Wheels are required for `{_NAME}`|distribution `?{_NAME}",
    Trouble.UNKNOWN_NAME: rf"Because {_NAME} was not found",
    Trouble.UNKNOWN_VERSION: rf"no versions? of {_NAME}|Because only {_NAME}",
}

#: What happened and what helps; `{name}` is the distribution, or `a package`.
_WORDS = {
    Trouble.TOO_LONG: (
        "uv did not end in time",
        "try again; if it stays so, raise the time limit or need fewer packages",
    ),
    Trouble.HASH: (
        "the hash of {name} is not the one that was locked",
        "find out why the package index has another file under that name; if it is meant to be so, lock its new hash",
    ),
    Trouble.NOT_CACHED: (
        "the package index cannot be reached, and the cache does not have what is needed",
        "try again when the index can be reached",
    ),
    Trouble.NOT_ADMITTED: (
        "the package index does not admit this server",
        "the server's operator has to give it an address of the index with valid credentials",
    ),
    Trouble.UNREACHABLE: ("the package index cannot be reached", "try again when the index can be reached"),
    Trouble.BROKEN: ("{name} cannot be installed as it is in the package index", "choose another version of it"),
    Trouble.NO_WHEEL: (
        "{name} has no wheel that runs here",
        "choose a version that has one; building from source would run its author's code, so it is not done",
    ),
    Trouble.UNKNOWN_NAME: (
        "{name} does not exist in the package index",
        "check its spelling, or leave it out",
    ),
    Trouble.UNKNOWN_VERSION: ("there is no such version of {name}", "ask for a version that exists"),
    Trouble.CONFLICT: (
        "the dependencies contradict each other",
        "loosen one of the versions that contradict each other",
    ),
    Trouble.OTHER: ("uv failed", "look into what it said"),
}


@dataclass(slots=True)
class UvStopped(Exception):
    """uv ended without what it was asked for. `said` is its explanation, fit to be shown."""

    trouble: Trouble
    said: str
    name: str = ""

    def as_error(self) -> TrothError:
        """The failure as who waits for the environment is told of it."""
        if self.trouble is Trouble.DISK_FULL:
            return Failed(
                "the server's disk is full, so that no environment can be built",
                why=self.said,
                repair="the server's operator has to make room on the disk of the home and of the package cache",
            )
        what, repair = _WORDS[self.trouble]
        why = self.said or "it said nothing"
        return BuildFailed(what.format(name=self.name or "a package"), why=why, repair=repair)


def stopped(ended: Ended, secrets: Collection[str] = ()) -> UvStopped:
    """What the failure in `ended` is. `secrets` are texts that nobody may read."""
    said = readable(ended.errors, secrets)
    if ended.late:
        return UvStopped(Trouble.TOO_LONG, _explanation(said) or "it was stopped before it said anything")
    flat = " ".join(said.split())
    trouble = next((trouble for trouble, sign in _SIGNS if re.search(sign, flat)), Trouble.OTHER)
    found = re.search(_NAMED[trouble], flat) if trouble in _NAMED else None
    return UvStopped(trouble, _explanation(said), next(filter(None, found.groups()), "") if found else "")


def readable(said: bytes, secrets: Collection[str] = ()) -> str:
    """What uv printed, without control characters and credentials."""
    text = said.decode(errors="replace").replace("\r", "\n")
    for secret in secrets:
        text = text.replace(secret, "****")
    return _CREDENTIALS.sub("****@", _UNPRINTABLE.sub("", text))


def _explanation(said: str) -> str:
    """From the error on, without uv's own words for the parts of it."""
    start = said.find("error: ")
    lines = (re.sub(r"^\s*(error|cause): ", "", line).strip() for line in said[max(start, 0) :].splitlines())
    return "\n".join(line for line in lines if line)[:_LONGEST_EXPLANATION]
