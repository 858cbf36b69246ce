"""The tables of commands with wire formats: what they are, their versions, and those that were accepted."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from troth.registry.column_types import DIGEST, LONG, MOMENT, UUID
from troth.registry.tables import metadata

command_subjects = Table(
    "command_subjects",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("owner_id", UUID, ForeignKey("accounts.id"), nullable=False),
    Column("name", String(63), nullable=False),
    Column("folded", String(63), nullable=False),
    Column("summary", Text, nullable=False),
    Column("public", Boolean, nullable=False),  # whether everybody may send it
    Column("flow", String(16), nullable=False),  # running, paused or draining
    Column("created_at", MOMENT, nullable=False),
    UniqueConstraint("owner_id", "folded"),
)

# A row stays for good: its number is never used again, and what was accepted under it can be processed.
command_versions = Table(
    "command_versions",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("command_id", UUID, ForeignKey("command_subjects.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("schema", Text, nullable=False),  # JSON
    Column("serialisation", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("release", String(128), nullable=False),  # of the owner's software, in which it came
    Column("deprecated_in", String(128)),
    Column("retired_in", String(128)),
    Column("ordered_by", Text),  # a JSON Pointer into the payload
    Column("handler", String(200), nullable=False),
    Column("handler_by", UUID, ForeignKey("accounts.id"), nullable=False),
    Column("handler_scope", Text, nullable=False),  # JSON
    Column("up_conversion", Text),  # JSON
    Column("golden", Text, nullable=False),  # JSON
    Column("proof", Text, nullable=False),  # JSON
    Column("published_by", UUID, ForeignKey("accounts.id"), nullable=False),
    Column("published_at", MOMENT, nullable=False),
    UniqueConstraint("command_id", "version"),
)

queued_commands = Table(
    "queued_commands",
    metadata,
    Column("position", LONG, primary_key=True),  # in the order of acceptance
    Column("actor_id", UUID, ForeignKey("accounts.id"), nullable=False),
    Column("uuid", UUID, nullable=False),
    Column("scope", Text, nullable=False),  # JSON: what the key was for that it came with
    Column("command", String(127), nullable=False),
    Column("version", Integer, nullable=False),
    Column("serialisation", String(64), nullable=False),
    Column("payload", LargeBinary, nullable=False),  # as it came, unpacked
    Column("digest", DIGEST, nullable=False),
    Column("ordered_key", DIGEST),  # digest of the value that commands are kept in order by
    Column("priority", Integer, nullable=False),  # lower is sooner
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", MOMENT, nullable=False),
    Column("accepted_at", MOMENT, nullable=False),
    Column("lease", UUID),  # of the run of a server that processes it
    Column("finished_at", MOMENT),
    Column("seconds", Float(53)),  # from acceptance to the end
    Column("outcome", Text),  # JSON
    UniqueConstraint("actor_id", "uuid"),
    Index("ix_queued_commands_next", "state", "priority", "position"),
    Index("ix_queued_commands_order", "command", "ordered_key", "position"),
    Index("ix_queued_commands_finished", "state", "finished_at"),
)
