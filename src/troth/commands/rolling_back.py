"""The command that takes settings back to what they were at a position of the journal."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.commands.algorithms import require_for
from troth.commands.bus import Transaction
from troth.commands.formats import Payload
from troth.errors import NotFound, Refused
from troth.registry.former_settings import SETTABLE, difference, set_all, settings_at


def named(payload: Payload) -> tuple[str, str]:
    """(kind, owner/name) of what a payload names."""
    return next((kind, payload[kind]) for kind in SETTABLE if kind in payload)


class RollBack:
    """Sets what `values` say, which has to be what the journal says of the position: so nobody sets what was not shown."""

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        kind, subject = named(payload)
        require_for("roll_back", connection, actor, subject)
        require_for(SETTABLE[kind].action, connection, actor, subject)

    async def prepare(self, actor: Actor, payload: Payload) -> None:
        return None

    def handle(self, transaction: Transaction, payload: Payload, prepared: None) -> dict[str, Any]:
        kind, subject = named(payload)
        now = SETTABLE[kind].present(transaction.connection, subject)
        then = settings_at(transaction.connection, kind, subject, payload["position"])
        if now is None or then is None:
            raise NotFound(
                f"there is no {kind} {subject} to be rolled back to position {payload['position']}",
                why="it is not there now, or was not made by then",
                repair=f"troth journal --about {subject} shows its entries",
            )
        if then != payload["values"]:
            raise Refused(
                f"these were not the settings of {subject} at position {payload['position']}",
                why="what is set has to be what the journal says",
                repair="look at the difference again: troth rollback",
                asked=payload["values"],
                found=then,
            )
        changed = difference(now, then)
        identity = set_all(transaction.connection, kind, subject, then, transaction.now)
        if kind == "algorithm":
            transaction.changed_algorithms.add(identity)
        return {kind: subject, "position": payload["position"], "changed": changed}
