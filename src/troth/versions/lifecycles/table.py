"""The states of an API's versions as one value: what doors, the gateway and middleware go by while they answer.

It goes over the wire and into files as JSON, and back through `StateTable.from_dict`. What is in it ends up in header lines of
replies, so every member has a form of its own, and nothing else is taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from troth.errors import Malformed
from troth.versions.lifecycles.states import State

#: of the document that `as_dict` makes
FORMAT = 1
#: Members of one table; more is no table.
MOST_VERSIONS, MOST_BROWNOUTS = 1000, 100
_LARGEST_NUMBER = 10**9
_NAME = re.compile(r"v([1-9][0-9]{0,8})", re.ASCII)
_API = re.compile(r"[A-Za-z0-9_.-]{1,128}/[A-Za-z0-9_.-]{1,128}", re.ASCII)
_RELEASE = re.compile(r"(?:0|[1-9][0-9]{0,8})(?:\.(?:0|[1-9][0-9]{0,8})){2}", re.ASCII)
#: RFC 3339, section 5.6
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)
#: an address, or a path on the same host, that can stand in a header Link (RFC 8288)
_ADDRESS = re.compile(r"(?:https?://|/)[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]{0,2000}", re.ASCII)


def version_name(number: int) -> str:
    """The name of a version: `v4`."""
    return f"v{number}"


def version_number(name: str) -> int | None:
    """The number in a name like `v4`; None for `4`, `v04`, `v4.1` and everything else."""
    found = _NAME.fullmatch(name)
    return int(found[1]) if found else None


def moment(text: str) -> datetime:
    """An RFC 3339 time as a moment. Raises Malformed."""
    if isinstance(text, str) and _TIME.fullmatch(text):
        try:
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise _unfit(f"{text!r:.60} is no time", "write it as RFC 3339 has it, like 2027-01-31T00:00:00Z")


def given_moment(text: str, what: str, repair: str) -> datetime:
    """A time that somebody gave as `what`, as a moment. Raises Malformed, which says what was given and how it is written."""
    try:
        return moment(text)
    except Malformed:
        why = "it is a day or a time that there is, as RFC 3339 writes it"
        raise Malformed(f"{what} is no time: {text[:60]!r}", why=why, repair=repair, asked=text[:60]) from None


@dataclass(frozen=True, slots=True)
class ApiVersion:
    """One version and its state.

    `since` is the release in which it came into its state, `retires_in` the one in which it will be gone (PDB-35), `sunset` the
    recorded time of that, `successor` the number to go to, `documentation` an address that tells more. A deprecated version has
    `deprecated_at`, because `Deprecation` is a time (RFC 9745). Raises Malformed.
    """

    number: int
    state: State
    since: str | None = None
    retires_in: str | None = None
    sunset: str | None = None
    successor: int | None = None
    documentation: str | None = None
    deprecated_at: str | None = None

    def __post_init__(self) -> None:
        _check_number(self.number)
        if self.successor is not None:
            _check_number(self.successor)
        for said in (self.since, self.retires_in):
            if said is not None and not (isinstance(said, str) and _RELEASE.fullmatch(said)):
                raise _unfit(f"{said!r:.60} is no release", "name releases by three numbers, like 8.0.0")
        for said in (self.sunset, self.deprecated_at):
            if said is not None:
                moment(said)
        if self.documentation is not None and not _ADDRESS.fullmatch(self.documentation):
            raise _unfit(f"{self.documentation!r:.60} is no address", "begin it with http://, https:// or /")
        if self.state is State.DEPRECATED and self.deprecated_at is None:
            raise _unfit(f"{self.name} is deprecated and has no deprecated_at", "say since when, in RFC 3339")

    @property
    def name(self) -> str:
        """`v4`."""
        return version_name(self.number)


@dataclass(frozen=True, slots=True)
class Brownout:
    """A time in which a version refuses what it will soon refuse for good. `production` says whether production keys feel it."""

    version: int
    begins: str
    ends: str
    production: bool = False

    def __post_init__(self) -> None:
        _check_number(self.version)
        if moment(self.begins) >= moment(self.ends):
            raise _unfit(f"a brownout of v{self.version} ends before it begins", "let it end later")


@dataclass(frozen=True, slots=True)
class StateTable:
    """All versions of `OWNER/API`. `revision` rises with each change."""

    api: str
    revision: int
    versions: Mapping[int, ApiVersion]
    brownouts: tuple[Brownout, ...] = field(default=())

    def __post_init__(self) -> None:
        if not (isinstance(self.api, str) and _API.fullmatch(self.api)):
            raise _unfit(f"{self.api!r:.60} is no API", "name it OWNER/API")
        if len(self.versions) > MOST_VERSIONS or len(self.brownouts) > MOST_BROWNOUTS:
            raise _unfit("there are too many", f"a table has {MOST_VERSIONS} versions and {MOST_BROWNOUTS} brownouts")
        for number, version in self.versions.items():
            if version.number != number:
                raise _unfit(f"{version.name} stands in the place of v{number}", "let them be the same")
        object.__setattr__(self, "versions", MappingProxyType(dict(sorted(self.versions.items()))))

    @classmethod
    def of(cls, api: str, revision: int, *versions: ApiVersion, brownouts: tuple[Brownout, ...] = ()) -> StateTable:
        """A table of these versions."""
        return cls(api, revision, {version.number: version for version in versions}, brownouts)

    def as_dict(self) -> dict[str, Any]:
        """The table as JSON has it; members without a value are left out."""
        found: dict[str, Any] = {"format": FORMAT, "api": self.api, "revision": self.revision}
        found["versions"] = [_written(version) for version in self.versions.values()]
        if self.brownouts:
            found["brownouts"] = [_written(brownout) for brownout in self.brownouts]
        return found

    @classmethod
    def from_dict(cls, document: Any) -> StateTable:
        """The table that `as_dict` wrote. Raises Malformed, which says what does not fit."""
        _members(document, "a table", {"format", "api", "revision", "versions"}, {"brownouts"})
        if document["format"] != FORMAT or isinstance(document["format"], bool):
            raise _unfit(f"its format is {document['format']!r:.40}", f"this release of troth reads format {FORMAT}")
        revision = document["revision"]
        if not isinstance(revision, int) or isinstance(revision, bool) or revision < 0:
            raise _unfit(f"{revision!r:.40} is no revision", "count from 0 on")
        versions = [_version(row) for row in _listed(document["versions"], "versions")]
        brownouts = tuple(_brownout(row) for row in _listed(document.get("brownouts", []), "brownouts"))
        if len({version.number for version in versions}) < len(versions):
            raise _unfit("a version stands in it twice", "name each once")
        return cls.of(document["api"], revision, *versions, brownouts=brownouts)


_VERSION_MEMBERS = frozenset(["since", "retires_in", "sunset", "successor", "documentation", "deprecated_at"])


def _version(row: Any) -> ApiVersion:
    _members(row, "a version", {"number", "state"}, _VERSION_MEMBERS)
    for name in _VERSION_MEMBERS - {"successor"}:
        if not isinstance(row.get(name, ""), str):
            raise _unfit(f"{name} is {row[name]!r:.40}", "write it as text, or leave it out")
    try:
        state = State(row["state"])
    except ValueError:
        raise _unfit(f"{row['state']!r:.40} is no state", f"it is one of {', '.join(State)}") from None
    return ApiVersion(**{**row, "state": state})


def _brownout(row: Any) -> Brownout:
    _members(row, "a brownout", {"version", "begins", "ends"}, {"production"})
    if not isinstance(row.get("production", False), bool):
        raise _unfit(f"production is {row['production']!r:.40}", "it is true or false")
    return Brownout(**row)


def _written(row: ApiVersion | Brownout) -> dict[str, Any]:
    found = {name: getattr(row, name) for name in row.__slots__}
    return {name: value for name, value in found.items() if value is not None and value is not False}


def _members(row: Any, what: str, needed: set[str] | frozenset[str], allowed: set[str] | frozenset[str]) -> None:
    if not isinstance(row, dict):
        raise _unfit(f"{what} is {type(row).__name__}", f"{what} is an object")
    if missing := needed - row.keys():
        raise _unfit(f"{what} has no {min(missing)}", f"it has {', '.join(sorted(needed))}")
    if strange := row.keys() - needed - allowed:
        raise _unfit(f"{what} has {min(map(str, strange))!r:.60}", "nobody knows what that is; leave it out")


def _listed(rows: Any, name: str) -> list[Any]:
    if not isinstance(rows, list):
        raise _unfit(f"{name} is {type(rows).__name__}", f"{name} is a list")
    return rows


def _check_number(number: object) -> None:
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < _LARGEST_NUMBER:
        raise _unfit(f"{number!r:.40} is no number of a version", "write 4 for v4")


def _unfit(what: str, repair: str) -> Malformed:
    return Malformed(f"the table of states does not fit: {what}", repair=repair)
