"""As whom a call acts that did not come out of another call."""

from __future__ import annotations

from troth.calls.routing import Caller, RoutingTable
from troth.calls.within import Origin, Rehearsal
from troth.doors.authorization import caller_of
from troth.doors.server.handler_calls import CommandOrigin


def holder_of(table: RoutingTable, origin: Origin) -> Caller | None:
    """Whose rights it has now: those of its key, of who set up the command it handles, or of whom its example is replayed for."""
    if isinstance(origin, CommandOrigin):
        return origin.holder()
    if isinstance(origin, Rehearsal):
        return origin.caller
    return caller_of(table, origin.authorization, origin.head)
