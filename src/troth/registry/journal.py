"""The append-only record of all commands and what came of them, each entry chained to the one before by SHA-256."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, bindparam, select

from troth.registry.journal_facts import add_facts
from troth.registry.tables import commands, journal
from troth.versions.chain import BEGINNING, Link, chained

# what every command asks and writes, built once
_LAST = select(journal.c.position, journal.c.digest).order_by(journal.c.position.desc()).limit(1)
_ADD = journal.insert()
_SENT = select(commands.c.name, commands.c.version, commands.c.payload, commands.c.outcome).where(
    commands.c.actor_id == bindparam("actor"), commands.c.uuid == bindparam("identity")
)


def append(connection: Connection, entry: dict[str, Any]) -> int:
    """Adds an entry and returns its position, counted from 1."""
    last = connection.execute(_LAST).first()
    position, previous = (last.position + 1, last.digest) if last else (1, BEGINNING)
    content = json.dumps({"position": position, **entry}, ensure_ascii=False, separators=(",", ":")).encode()
    row = {"position": position, "entry": content, "previous": previous, "digest": chained(previous, content)}
    connection.execute(_ADD, row)
    add_facts(connection, position, entry)
    return position


def read(connection: Connection, after: int, limit: int) -> list[Link]:
    """Entries behind a position, in order."""
    rows = select(journal).where(journal.c.position > after).order_by(journal.c.position).limit(limit)
    return [Link(row.position, row.entry, row.previous, row.digest) for row in connection.execute(rows)]


def recorded_outcome(connection: Connection, actor_id: str, uuid: str) -> tuple[str, int, bytes, dict[str, Any]] | None:
    """(command, version, payload, outcome) of the command that the actor sent under this uuid."""
    row = connection.execute(_SENT, {"actor": actor_id, "identity": uuid}).first()
    return (row.name, row.version, row.payload, json.loads(row.outcome)) if row else None
