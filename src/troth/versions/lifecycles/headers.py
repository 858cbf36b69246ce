"""What replies say of the state of the API version that answers, made beforehand so that it costs a request nothing.

`Deprecation` is RFC 9745, `Sunset` and the relation `sunset` RFC 8594, `successor-version` RFC 5829, `deprecation` RFC 9745.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from functools import partial
from typing import Any

from troth.errors import BrownedOut, Gone, TrothError
from troth.versions.lifecycles.states import State
from troth.versions.lifecycles.table import ApiVersion, Brownout, StateTable, moment, version_name

Pairs = tuple[tuple[bytes, bytes], ...]
Native = tuple[tuple[str, str], ...]
#: Where a version is found: from its number to an address or a path.
Address = Callable[[int], str]
#: brownouts that are announced at once
_ANNOUNCED = 8


@dataclass(frozen=True, slots=True)
class Refusal:
    """A whole reply without the API having been asked."""

    status: int
    headers: Pairs
    body: bytes
    #: the same headers as text
    native: Native = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "native", _native(self.headers))


@dataclass(frozen=True, slots=True)
class Window:
    """A brownout, in seconds of the clock, and what is answered in it."""

    begins: float
    ends: float
    production: bool
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Marking:
    """What holds for every reply of one version."""

    version: ApiVersion
    headers: Pairs
    #: the answer on every path of a retired version (PDB-38)
    gone: Refusal | None = None
    windows: tuple[Window, ...] = ()
    #: the same headers as text, and the names of those that a reply has once, as bytes and as text
    native: Native = field(init=False, compare=False)
    once: frozenset[bytes] = field(init=False, compare=False)
    once_native: frozenset[str] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        native = _native(self.headers)
        object.__setattr__(self, "native", native)
        object.__setattr__(self, "once_native", frozenset(name for name, _ in native) - {"link"})
        object.__setattr__(self, "once", frozenset(name.encode() for name in self.once_native))

    def refused(self, now: float, *, production: bool) -> Refusal | None:
        """What is answered instead of the API's own reply at this second, if anything is."""
        if self.gone is not None:
            return self.gone
        for window in self.windows:
            if window.begins <= now < window.ends and (window.production or not production):
                return window.refusal
        return None


@dataclass(frozen=True, slots=True)
class Markings:
    """The markings of a whole table. They hold from `begins` until `ends`, then what is announced is another."""

    table: StateTable
    versions: dict[int, Marking]
    begins: float
    ends: float


def markings(table: StateTable, address: Address, now: float) -> Markings:
    """What replies say of each version of a table at a time; its edges are the begins and ends of brownouts."""
    edges = [moment(text).timestamp() for brownout in table.brownouts for text in (brownout.begins, brownout.ends)]
    begins = max((edge for edge in edges if edge <= now), default=float("-inf"))
    ends = min((edge for edge in edges if edge > now), default=float("inf"))
    made = {number: _marking(table, version, address, now) for number, version in table.versions.items()}
    return Markings(table, made, begins, ends)


def prefix_address(prefix: str) -> Address:
    """Addresses of versions that lie side by side: `/api/` has `/api/v4`."""
    return partial(_below, prefix)


def headers_of(version: ApiVersion, address: Address, brownouts: tuple[Brownout, ...] = ()) -> Pairs:
    """The headers of every reply of a version; none for a current one (PDB-26, PDB-34)."""
    found: list[tuple[str, str]] = []
    if version.state is not State.CURRENT:
        found.append(("troth-api-state", version.state))
    if version.state is State.DEPRECATED and version.deprecated_at is not None:
        found.append(("deprecation", f"@{int(moment(version.deprecated_at).timestamp())}"))
    if version.state is State.DEPRECATED and version.retires_in is not None:
        found.append(("troth-retires-in", version.retires_in))
    if version.state in (State.DEPRECATED, State.RETIRED) and version.sunset is not None:
        found.append(("sunset", _http_date(moment(version.sunset))))
    if links := _links(version, address):
        found.append(("link", ", ".join(links)))
    if brownouts:
        found.append(("troth-brownout", ", ".join(f"{one.begins}/{one.ends}" for one in brownouts[:_ANNOUNCED])))
    return tuple((name.encode("ascii"), value.encode("ascii")) for name, value in found)


def gone(table: StateTable, version: ApiVersion, address: Address) -> Refusal:
    """The answer on every path of a retired version: gone, with a pointer (PDB-38)."""
    since = f" since {version.since}" if version.since else ""
    error = Gone(
        f"{table.api} {version.name} is retired{since}",
        why="what is retired has no functionality left",
        repair=_pointer(version, address),
        clauses=["PDB-38"],
        asked=version.name,
        found=State.RETIRED,
    )
    return _refusal(error, table, version, address, ())


def _marking(table: StateTable, version: ApiVersion, address: Address, now: float) -> Marking:
    if version.state is State.RETIRED:
        return Marking(version, headers_of(version, address), gone(table, version, address))
    ahead = [one for one in table.brownouts if one.version == version.number and moment(one.ends).timestamp() > now]
    ahead.sort(key=lambda one: moment(one.begins))
    windows = tuple(_window(table, version, address, one) for one in ahead)
    return Marking(version, headers_of(version, address, tuple(ahead)), None, windows)


def _window(table: StateTable, version: ApiVersion, address: Address, brownout: Brownout) -> Window:
    begins, ends = moment(brownout.begins), moment(brownout.ends)
    planned = f"it retires in {version.retires_in}" if version.retires_in else "it is to retire"
    error = BrownedOut(
        f"{table.api} {version.name} is refused until {brownout.ends}",
        why=f"{planned}, and this brownout shows who still uses it",
        repair=_pointer(version, address),
        clauses=["PDB-34"],
        asked=version.name,
        found=version.state,
    )
    retry = ((b"retry-after", _http_date(ends).encode()),)
    refusal = _refusal(error, table, version, address, retry)
    return Window(begins.timestamp(), ends.timestamp(), brownout.production, refusal)


def _refusal(error: TrothError, table: StateTable, version: ApiVersion, address: Address, more: Pairs) -> Refusal:
    problem: dict[str, Any] = {**error.as_problem(), "api": table.api, "version": version.name}
    if version.successor is not None:
        problem["successor"] = address(version.successor)
    body = json.dumps(problem, separators=(",", ":")).encode()
    plain = (
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    )
    return Refusal(error.status, (*plain, *headers_of(version, address), *more), body)


def _pointer(version: ApiVersion, address: Address) -> str:
    if version.successor is not None:
        return f"use {version_name(version.successor)} at {address(version.successor)}"
    return f"see {version.documentation}" if version.documentation else "ask its owner for what takes its place"


def _links(version: ApiVersion, address: Address) -> list[str]:
    links = []
    if version.successor is not None and version.state in (State.DEPRECATED, State.RETIRED):
        links.append(f'<{address(version.successor)}>; rel="successor-version"')
    if version.documentation is not None and version.state in (State.DEPRECATED, State.RETIRED):
        links.append(f'<{version.documentation}>; rel="deprecation"')
        if version.sunset is not None:
            links.append(f'<{version.documentation}>; rel="sunset"')
    return links


def _below(prefix: str, number: int) -> str:
    return prefix + version_name(number)


def _native(headers: Pairs) -> Native:
    return tuple((name.decode("ascii"), value.decode("ascii")) for name, value in headers)


def _http_date(when: datetime) -> str:
    """IMF-fixdate (RFC 9110, section 5.6.7)."""
    return format_datetime(when, usegmt=True)
