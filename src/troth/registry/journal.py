"""The append-only record of all commands and what came of them, each entry chained to the one before by SHA-256."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select

from troth.clock import stamp
from troth.registry.journal_facts import add_facts, journal_facts
from troth.registry.prepared import Prepared
from troth.registry.tables import commands, journal
from troth.versions.chain import BEGINNING, Link, chained

# what every command asks and writes, built once
_LAST = Prepared(
    select(journal.c.position, journal.c.digest, journal_facts.c.at)
    .join(journal_facts, journal_facts.c.position == journal.c.position, isouter=True)
    .order_by(journal.c.position.desc())
    .limit(1)
)
_ADD = Prepared(journal.insert(), waits=True)
_SENT = Prepared(
    select(commands.c.name, commands.c.version, commands.c.payload, commands.c.outcome).where(
        commands.c.actor_id == bindparam("actor"), commands.c.uuid == bindparam("identity")
    )
)
_KEPT = "last entry of the journal"


@dataclass(frozen=True, slots=True)
class _Last:
    """The last entry, as one transaction knows it: others add none meanwhile, for there is one writer."""

    transaction: object
    position: int
    digest: str
    at: str


def _last(connection: Connection) -> _Last:
    known: _Last | None = connection.info.get(_KEPT)
    if known is not None and known.transaction is connection.get_transaction():
        return known
    row = _LAST.first(connection, {})
    position, digest, at = row or (0, BEGINNING, "")
    return _keep(connection, position, digest, at or "")


def _keep(connection: Connection, position: int, digest: str, at: str) -> _Last:
    found = _Last(connection.get_transaction(), position, digest, at)
    connection.info[_KEPT] = found
    return found


def next_moment(connection: Connection, now: datetime) -> str:
    """The moment of the next entry: `now`, or just behind the last one where the clock did not go on."""
    last, moment = _last(connection).at, stamp(now)
    if last < moment:
        return moment
    return stamp(datetime.fromisoformat(last) + timedelta(microseconds=1))


def append(connection: Connection, entry: dict[str, Any]) -> int:
    """Adds an entry and returns its position, counted from 1."""
    last = _last(connection)
    position, previous = last.position + 1, last.digest
    content = json.dumps({"position": position, **entry}, ensure_ascii=False, separators=(",", ":")).encode()
    digest = chained(previous, content)
    row = {"position": position, "entry": content, "previous": previous, "digest": digest}
    _ADD.run(connection, row)
    add_facts(connection, position, entry)
    _keep(connection, position, digest, entry.get("at", ""))
    return position


def read(connection: Connection, after: int, limit: int) -> list[Link]:
    """Entries behind a position, in order."""
    rows = select(journal).where(journal.c.position > after).order_by(journal.c.position).limit(limit)
    return [Link(row.position, row.entry, row.previous, row.digest) for row in connection.execute(rows)]


def recorded_outcome(connection: Connection, actor_id: str, uuid: str) -> tuple[str, int, bytes, dict[str, Any]] | None:
    """(command, version, payload, outcome) of the command that the actor sent under this uuid."""
    row = _SENT.first(connection, {"actor": actor_id, "identity": uuid})
    return (row[0], row[1], row[2], json.loads(row[3])) if row else None
