"""Calls made within calls: the key of a call that runs, for whom it acts, and what it is good for.

A key of this kind is `call-SECRET-NUMBER`: the secret of one worker, and the number of the call that the worker runs. It
is stored nowhere and costs a call nothing that does not use it: the worker makes it up when the algorithm asks, and here it is
taken apart. It is good as long as this worker runs this call, for processes of the worker's sandbox, at the socket that leads
out of it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from troth.calls.routing import BoundCall, Caller, Route, RoutingTable
from troth.runtime.call import Call

#: what keys of calls begin with, and no other key holds
MARK = b"call-"
#: the key of a process in which a version is being loaded; it is known by the sandbox that it is in
LOADING = b"call-load"
#: what stands in place of a host where the other end is a process of this machine
PROCESS = "process"
#: where ASGI's scope has a `Relayed`
RELAYED = "troth.relayed"
Peer = tuple[str, int] | None
_KEY = re.compile(rb"(?:(?:simple|bearer) +)?call-([0-9a-f]{32})-([0-9]{1,10})", re.IGNORECASE)


#: how often, and after how many seconds, a call is looked up again that may be about to run
_LOOKS, _LOOK = 100, 0.001


class Origin(Protocol):
    """What is known of a call that runs: whose it is, of what, and by which key."""

    request_id: str
    authorization: bytes
    head: Iterable[tuple[bytes, bytes]]
    caller: Caller | None
    route: Route | None
    parent: Call | None

    @property
    def subject(self) -> str:
        """`owner/name` of what runs."""
        ...


@dataclass(slots=True)
class Rehearsal:
    """The origin of a call that no request made: an example that is replayed, for an account and not by a key of it."""

    caller: Caller
    route: Route
    subject: str
    request_id: str
    authorization: bytes = b""
    head: Iterable[tuple[bytes, bytes]] = ()
    parent: Call | None = None


class Finder(Protocol):
    """The engine, as far as keys of calls are concerned."""

    def call_of(self, secret: str, number: int, process: int) -> tuple[Call | None, bool]:
        """The call with this key, and whether it runs, for a process of its sandbox; one that lies behind may be about to."""
        ...


class NotYet(Exception):
    """The call of this key lies behind another that seems to run: the answer of that one may be on its way."""


@dataclass(frozen=True, slots=True)
class Within:
    """A call that runs, found by its key, and the caller as which the key acts."""

    call: Call
    origin: Origin
    caller: Caller
    #: whom the key belongs to with which the outermost call came
    holder: Caller


@dataclass(frozen=True, slots=True)
class Relayed:
    """What another process of this server found out of a request that it hands on, and answers for."""

    #: the call that runs there, whose outermost one came with the key that the request has here
    within: BoundCall | None = None
    #: the id of the algorithm of which a version is being loaded there
    loading: str = ""


class CallKeys:
    """Looks keys of calls up. `holder` gives the present caller of the key with which an outermost call came."""

    def __init__(self, engine: Finder, table: RoutingTable, holder: Callable[[Origin], Caller | None]) -> None:
        self._engine = engine
        self._table = table
        self._holder = holder

    def find(self, authorization: bytes, client: Peer) -> Within | None:
        """The call that the key belongs to, if it runs and its caller's own key still holds. Raises NotYet.

        `client` is who asks, as ASGI has it: (PROCESS, its number) at the socket of workers.
        """
        parts = _KEY.fullmatch(authorization.strip())
        if parts is None or client is None or client[0] != PROCESS:
            return None
        call, runs = self._engine.call_of(parts[1].decode().lower(), int(parts[2]), client[1])
        if call is None or call.request.origin is None:
            return None
        if not runs:
            raise NotYet
        origin: Origin = call.request.origin
        caller = self._holder(outermost(origin))
        if caller is None:
            return None
        known: Within | None = call.within
        if known is None or known.holder is not caller:  # the rights of a caller can change meanwhile
            call.family()  # which forgets this when the call ends
            known = call.within = Within(call, origin, self._bound(origin, caller), caller)
        return known

    async def awaited(self, authorization: bytes, client: Peer) -> Within | None:
        """The same, after a moment where the call may be about to run."""
        for _ in range(_LOOKS):
            try:
                return self.find(authorization, client)
            except NotYet:
                await asyncio.sleep(_LOOK)
        return None

    async def caller(self, authorization: bytes, client: Peer) -> Caller | None:
        """The caller as which the key acts: never an administrator, with nothing to manage, within the call."""
        found = await self.awaited(authorization, client)
        return found.caller if found else None

    def _bound(self, origin: Origin, caller: Caller) -> Caller:
        routes = self._table.algorithms.get(origin.subject)
        above = origin.parent.request.origin if origin.parent is not None else None
        within = BoundCall(
            origin.request_id,
            origin.subject,
            routes.owner_id if routes else "",
            parent=above.request_id if above is not None else "",
            outermost=outermost(origin).request_id,
            depth=depth_of(origin),
        )
        return bound(caller, within)


def bound(caller: Caller, within: BoundCall) -> Caller:
    """As whom an algorithm acts in a call of this caller: never as an administrator, and with nothing to manage."""
    scope = replace(caller.scope, manage=False, administrator=False)
    return replace(caller, administrator=False, scope=scope, within=within)


def outermost(origin: Origin) -> Origin:
    """The call that came from outside, in which this one is made, or this one itself."""
    while origin.parent is not None and origin.parent.request.origin is not None:
        origin = origin.parent.request.origin
    return origin


def depth_of(origin: Origin) -> int:
    """How many calls are above this one."""
    depth = 0
    while origin.parent is not None and origin.parent.request.origin is not None:
        origin = origin.parent.request.origin
        depth += 1
    return depth
