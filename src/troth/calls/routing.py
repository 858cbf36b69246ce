"""The routing table: what the call path knows of accounts, keys and versions, as persistent maps in memory.

Each commit replaces the entries that it touched; readers never lock and never see half of a change. The answers equal
those of `troth.versions.resolution`, with which this shares no code; tests hold the two together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from immutables import Map

from troth.runtime.engine import VersionSpec

_HASH = re.compile(r"[0-9a-fA-F]{40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Route:
    """What one reference leads to: the exact version in words, what to run, and what the receipt says."""

    version: str
    source: str
    spec: VersionSpec
    pipeline_enabled: bool
    source_open: bool


@dataclass(frozen=True, slots=True)
class AlgorithmRoutes:
    """All answers of one algorithm. `open` are for everybody, `closed` for members of the owner."""

    owner_id: str
    #: by the version segment of a reference: exact public versions, `M.m`, `M.m.*`, `M.*`, `latest` and nothing
    open: Map[str, Route]
    #: exact private versions, `latestPrivate`, and hashes
    closed: Map[str, Route]


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key a request came with."""

    id: str
    name: str
    administrator: bool


@dataclass(slots=True)
class RoutingTable:
    """Three maps, each replaced as a whole: algorithms by `owner/name`, callers by key digest, members by owner."""

    algorithms: Map[str, AlgorithmRoutes]
    callers: Map[str, Caller]
    members: Map[str, frozenset[str]]

    @classmethod
    def empty(cls) -> RoutingTable:
        return cls(Map(), Map(), Map())

    def belongs(self, caller: Caller, owner_id: str) -> bool:
        """Whether the caller is the owner or, at this moment, a member of it (ALG-26)."""
        return caller.id == owner_id or caller.id in self.members.get(owner_id, _NOBODY)

    def resolve(self, subject: str, version: str, caller: Caller) -> Route | None:
        """Where `subject/version` leads for the caller; None for everything that has no answer for them (ALG-25)."""
        routes = self.algorithms.get(subject)
        if routes is None:
            return None
        found = routes.open.get(version)
        if found is not None:
            return found
        if not self.belongs(caller, routes.owner_id):
            return None
        found = routes.closed.get(version)
        if found is None and _HASH.fullmatch(version):
            found = routes.closed.get(version.lower())
        return found


_NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class VersionFact:
    """One published version, as the table is built from it."""

    number: tuple[int, int, int]
    public: bool
    route: Route
    #: whether it answers to more than its complete number
    floats: bool = True


def algorithm_routes(
    owner_id: str,
    published: list[VersionFact],
    built: dict[str, Route],
    *,
    latest_private: Literal["always", "only-private"] = "always",
) -> AlgorithmRoutes:
    """The answers for one algorithm: `published` in any order, `built` the successful builds by their hash."""
    open_routes: dict[str, Route] = {}
    closed_routes: dict[str, Route] = dict(built)
    for fact in sorted(published, key=lambda fact: fact.number):
        major, minor, revision = fact.number
        exact = f"{major}.{minor}.{revision}"
        routes = open_routes if fact.public else closed_routes
        line = (f"{major}.{minor}", f"{major}.{minor}.*", f"{major}.*", "latest", "")
        floating = line if fact.public else ("latestPrivate",)
        # ascending, so that the last to be written is the highest
        for text in (exact, *(floating if fact.floats else ())):
            routes[text] = fact.route
    if latest_private == "only-private" and "latest" in open_routes:
        closed_routes.pop("latestPrivate", None)
    return AlgorithmRoutes(owner_id, Map(open_routes), Map(closed_routes))
