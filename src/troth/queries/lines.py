"""Questions about the major lines of an algorithm: their states, what was announced, and who calls them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.clock import now
from troth.queries.algorithms import unknown, visible
from troth.registry import catalog, lines
from troth.versions.lifecycles.lines import lines_of

_MINUTE = 60


def of_algorithm(connection: Connection, caller: Actor, subject: str) -> dict[str, Any]:
    """The public lines of an algorithm, the lowest first, with the notice that its owner gives.

    How much others called each in the quiet days is told to everybody, their names to members of the owner.
    An algorithm without a public version is found by members only (ALG-25).
    """
    algorithm, member = visible(connection, caller, subject)
    found = lines_of(catalog.history_of(connection, algorithm.id), lines.recorded(connection, algorithm.id))
    if not found and not member:
        raise unknown(subject)
    notice = lines.notice_of(connection, algorithm.id)
    minute = int((now() - timedelta(days=notice.quiet_days)).timestamp()) // _MINUTE
    told = []
    for line in found.values():
        uses = lines.uses_of(connection, algorithm.owner_id, algorithm.owner, algorithm.name, line.major, minute)
        callers: dict[str, Any] = {"callers": len(uses), "calls": sum(use.calls for use in uses)}
        if member:
            callers["called_by"] = {use.caller: use.calls for use in uses}
        told.append({**line.as_dict(), **callers})
    return {"algorithm": algorithm.subject, "days": notice.days, "quiet_days": notice.quiet_days, "lines": told}
