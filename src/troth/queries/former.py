"""The question what rolling settings back would change."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor, relations, require
from troth.errors import NotFound
from troth.queries.language.hints import wrong
from troth.registry import accounts
from troth.registry.former_settings import difference, settings_at
from troth.registry.journal_facts import moment_of, position_at
from troth.registry.settable import SETTABLE


def rollback(connection: Connection, caller: Actor, kind: str, subject: str, to: str) -> dict[str, Any]:
    """What differs between now and a position of the journal or a moment, and the values of then, for who may set them.

    Raises Malformed, Forbidden, and NotFound where the subject is not there, or was not then.
    """
    row = SETTABLE.get(kind)
    found = row.pattern.fullmatch(subject) if row else None
    if row is None or found is None:
        kinds = ", ".join(f"{one.kind} {one.written}" for one in SETTABLE.values())
        raise wrong(f"{kind[:40]} {subject[:140]!r} cannot be rolled back", f"what can is {kinds}")
    named = row.named(found.groupdict())
    owner = accounts.find_account(connection, named.about.split("/")[0])
    role = accounts.role_of(connection, owner.id, caller.id) if owner else None
    require(row.action, relations(caller, owner.id if owner else None, role), named.about)
    position = position_at(connection, to)
    now = row.present(connection, named)
    then = None if position is None else settings_at(connection, named, position)
    if now is None or then is None or position is None:
        raise NotFound(
            f"there are no settings of the {kind} {named} at {to[:40]!r}",
            why="it is not there now, was not made by then, or the journal has no such entry",
            repair=f"troth journal --about {named.about} shows its entries",
        )
    return {
        "kind": kind,
        **named.members(),
        "names": named.members(),
        "position": position,
        "at": moment_of(connection, position),
        "values": then,
        "difference": difference(now, then),
    }
