"""The question what rolling settings back would change."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor, relations, require
from troth.errors import NotFound
from troth.queries.language.hints import wrong
from troth.registry import accounts
from troth.registry.former_settings import SETTABLE, difference, settings_at
from troth.registry.journal_facts import moment_of, position_at


def rollback(connection: Connection, caller: Actor, kind: str, subject: str, to: str) -> dict[str, Any]:
    """What differs between now and a position of the journal or a moment, and the values of then, for who may set them.

    Raises Malformed, Forbidden, and NotFound where the subject is not there, or was not then.
    """
    row = SETTABLE.get(kind)
    if row is None or subject.count("/") != 1:
        raise wrong(
            f"{kind} {subject[:80]!r} has no settings", f"there are those of {' and '.join(SETTABLE)}, by OWNER/NAME"
        )
    owner = accounts.find_account(connection, subject.split("/")[0])
    role = accounts.role_of(connection, owner.id, caller.id) if owner else None
    require(row.action, relations(caller, owner.id if owner else None, role), subject)
    position = position_at(connection, to)
    now = row.present(connection, subject)
    then = None if position is None else settings_at(connection, kind, subject, position)
    if now is None or then is None or position is None:
        raise NotFound(
            f"there are no settings of the {kind} {subject[:130]} at {to[:40]!r}",
            why="it is not there now, was not made by then, or the journal has no such entry",
            repair=f"troth journal --about {subject[:130]} shows its entries",
        )
    return {
        kind: subject,
        "position": position,
        "at": moment_of(connection, position),
        "values": then,
        "difference": difference(now, then),
    }
