"""The routing table: what the call path knows of accounts, keys and versions, as persistent maps in memory.

Each commit replaces the entries that it touched; readers never lock and never see half of a change. The answers equal
those of `troth.versions.resolution`, with which this shares no code; tests hold the two together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from immutables import Map

from troth.access.roles import Actor
from troth.access.scopes import EVERYTHING, Reach, Scope, reach_of
from troth.calls.key_uses import KeyUses
from troth.calls.line_headers import NOTHING, LineHeaders
from troth.runtime.engine import VersionSpec

#: Before what another directory knows an account by, in `RoutingTable.accounts`; no account's name holds a colon.
EXTERNAL = "external:"
_HASH = re.compile(r"[0-9a-fA-F]{40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Route:
    """What one reference leads to: the exact version in words, what to run, and what the receipt says."""

    version: str
    source: str
    spec: VersionSpec
    pipeline_enabled: bool
    source_open: bool
    #: what replies say of a line that is on its way out, as header lines
    lines: bytes = b""


@dataclass(frozen=True, slots=True)
class AlgorithmRoutes:
    """All answers of one algorithm. `open` are for everybody, `closed` for members of the owner."""

    owner_id: str
    #: by the version segment of a reference: exact public versions, `M.m`, `M.m.*`, `M.*`, `latest` and nothing
    open: Map[str, Route]
    #: exact private versions, `latestPrivate`, and hashes
    closed: Map[str, Route]
    #: what people call each runnable build, by its `id`: the highest of its numbers, a public one where there is one; else its hash
    names: Map[str, str] = field(default_factory=Map)
    #: why what led somewhere does not any more, for everybody, by the version segment
    stopped: Map[str, str] = field(default_factory=Map)


@dataclass(frozen=True, slots=True)
class BoundCall:
    """The call inside which a key works, and with whose end it ends."""

    #: the call's own request id, that of the call that made it (empty: none), and that of the outermost
    request: str
    #: `owner/name` of the algorithm that runs, and the id of its owner
    algorithm: str
    algorithm_owner_id: str
    parent: str = ""
    outermost: str = ""
    #: calls between this one and the outermost
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key a request came with, and what that key is for."""

    id: str
    name: str
    #: whether the account is an administrator, and the key one of an administrator
    administrator: bool
    key_id: str = ""
    scope: Scope = EVERYTHING
    #: seconds since 1970 at which the key ends
    expires: float | None = None
    within: BoundCall | None = None
    kind: str = "user"
    #: what the scope lets it call, made ready for look-ups; None is everything
    reach: Reach | None = field(init=False, compare=False)
    #: whether a call has to look at anything of the key but whose it is
    limited: bool = field(init=False, compare=False)

    def __post_init__(self) -> None:
        scope = self.scope
        reach = reach_of(scope.algorithms)
        limited = reach is not None or self.expires is not None or scope.production or bool(scope.origin)
        object.__setattr__(self, "reach", reach)
        object.__setattr__(self, "limited", limited)

    def reaches(self, subject: str) -> bool:
        """Whether the key may call `owner/name`."""
        return self.reach is None or self.reach.allows(subject)

    @property
    def actor(self) -> Actor:
        """Who asks, as commands and queries take it."""
        return Actor(self.id, self.name, self.kind, self.administrator, self.scope)


@dataclass(slots=True)
class RoutingTable:
    """Maps, each replaced as a whole: algorithms by `owner/name`, callers by key digest, members by owner, and what algorithms
    are called by their ids."""

    algorithms: Map[str, AlgorithmRoutes]
    callers: Map[str, Caller]
    members: Map[str, frozenset[str]]
    subjects: Map[str, str] = field(default_factory=Map)
    #: which keys were used, and which production keys called what floats
    uses: KeyUses = field(default_factory=KeyUses)
    #: users by name, and by `EXTERNAL` and external id, with all their rights, for who signs in by other means than a key
    accounts: Map[str, Caller] = field(default_factory=Map)
    #: the caller that a signed token stands for; None where no tokens are taken
    sign_in: Callable[[bytes], Caller | None] | None = None

    @classmethod
    def empty(cls) -> RoutingTable:
        return cls(Map(), Map(), Map())

    def belongs(self, caller: Caller, owner_id: str) -> bool:
        """Whether the caller is the owner or, at this moment, a member of it (ALG-26)."""
        return caller.id == owner_id or caller.id in self.members.get(owner_id, _NOBODY)

    def name(self, algorithm_id: str, build: str) -> tuple[str, str]:
        """`owner/name` of an algorithm and the version that a build of it is, by their ids; empty where they are gone.

        Two look-ups, however much is published.
        """
        subject = self.subjects.get(algorithm_id, "")
        routes = self.algorithms.get(subject)
        version = routes.names.get(build) if routes is not None else None
        return (subject, version) if version is not None else ("", "")

    def public(self, subject: str, version: str) -> bool:
        """Whether `subject/version` leads somewhere for everybody."""
        routes = self.algorithms.get(subject)
        return routes is not None and version in routes.open

    def stopped(self, subject: str, version: str) -> str:
        """Why `subject/version` leads nowhere any more; empty where it never did, or still does."""
        routes = self.algorithms.get(subject)
        return routes.stopped.get(version, "") if routes is not None else ""

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
    headers: LineHeaders = NOTHING


def algorithm_routes(
    owner_id: str,
    published: list[VersionFact],
    built: dict[str, Route],
    *,
    latest_private: Literal["always", "only-private"] = "always",
    stopped: Mapping[int, str] | None = None,
) -> AlgorithmRoutes:
    """The answers for one algorithm: `published` in any order, `built` the successful builds by their hash.

    `stopped` are the majors whose floating references lead nowhere any more, with why.
    """
    why, gone = stopped or {}, {}
    open_routes: dict[str, Route] = {}
    closed_routes: dict[str, Route] = dict(built)
    names = {route.spec.id: route.version for route in built.values()}
    for fact in sorted(published, key=lambda fact: (fact.public, fact.number)):
        names[fact.route.spec.id] = fact.route.version
    for fact in sorted(published, key=lambda fact: fact.number):
        major, minor, revision = fact.number
        exact = f"{major}.{minor}.{revision}"
        routes = open_routes if fact.public else closed_routes
        line = (f"{major}.{minor}", f"{major}.{minor}.*", f"{major}.*", "latest", "")
        # ascending, so that the last to be written is the highest
        routes[exact] = _with(fact.route, fact.headers.exact)
        if fact.floats and not fact.public:
            routes["latestPrivate"] = routes[exact]
        elif fact.floats and major in why:
            gone.update(dict.fromkeys(line[:3], why[major]))
        elif fact.floats:
            routes.update(dict.fromkeys(line, _with(fact.route, fact.headers.floating)))
    if latest_private == "only-private" and "latest" in open_routes:
        closed_routes.pop("latestPrivate", None)
    return AlgorithmRoutes(owner_id, Map(open_routes), Map(closed_routes), Map(names), Map(gone))


def _with(route: Route, lines: bytes) -> Route:
    return replace(route, lines=lines) if lines else route
