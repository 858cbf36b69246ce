"""What is asked of journal entries, beside their exact bytes: one row for each, made from the entry when it is added."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Connection, ForeignKey, Index, Integer, String, Table, Text, select

from troth.registry.column_types import MOMENT, UUID
from troth.registry.prepared import Prepared
from troth.registry.tables import journal, metadata
from troth.versions.journal_subjects import subject_of

journal_facts = Table(
    "journal_facts",
    metadata,
    Column("position", Integer, ForeignKey(journal.c.position), primary_key=True, autoincrement=False),
    Column("at", MOMENT, nullable=False),
    Column("actor", String(63), nullable=False),
    Column("actor_id", UUID, nullable=False),
    Column("command", String(200), nullable=False),
    Column("version", Integer, nullable=False),
    Column("uuid", UUID, nullable=False),
    Column("outcome", String(16), nullable=False),  # done or refused
    Column("clauses", Text, nullable=False),  # of a refusal, with spaces between
    Column("subject", Text, nullable=False),  # what it was about, as far as its payload says
    Index("ix_journal_facts_at", "at"),
    Index("ix_journal_facts_subject", "subject", "position"),
    Index("ix_journal_facts_command", "command", "position"),
    Index("ix_journal_facts_actor", "actor", "position"),
)

# what every command writes, built once
_ADD = Prepared(journal_facts.insert(), waits=True)


def add_facts(connection: Connection, position: int, entry: dict[str, Any]) -> None:
    """Adds the row of an entry."""
    _ADD.run(connection, facts_of(position, entry))


def facts_of(position: int, entry: dict[str, Any]) -> dict[str, Any]:
    """The row of an entry; empty where the entry does not say."""
    refusal = entry.get("outcome", {}).get("refusal")
    return {
        "position": position,
        **{name: entry.get(name, "") for name in ("at", "actor", "actor_id", "command", "uuid")},
        "version": entry.get("version", 0),
        "outcome": "refused" if refusal else "done",
        "clauses": " ".join(refusal.get("clauses") or ()) if refusal else "",
        "subject": subject_of(entry.get("payload")),
    }


def moment_of(connection: Connection, position: int) -> str | None:
    """When the entry at a position was added, if there is one."""
    found = select(journal_facts.c.at).where(journal_facts.c.position == position)
    return connection.execute(found).scalar()


def position_at(connection: Connection, text: str) -> int | None:
    """The position that a number names, or the last one at a stamp; None where there is no entry."""
    if text.isascii() and text.isdigit():
        position = int(text) if len(text) < 10 else 0
        return position if moment_of(connection, position) is not None else None
    found = select(journal_facts.c.position).where(journal_facts.c.at <= text)
    return connection.execute(found.order_by(journal_facts.c.position.desc()).limit(1)).scalar()
