"""The tables of the registry, the same on SQLite and PostgreSQL.

Moments are text as `troth.clock.stamp` writes them, documents are text exactly as they were digested, so that both
databases keep the same bytes. `valid_from` and `valid_to` bound when a row held: an open end is the present.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from troth.observe.latency import BUCKETS
from troth.registry.column_types import DIGEST, LONG, MOMENT, SHA, UUID

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


accounts = Table(
    "accounts",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("name", String(63), nullable=False),
    Column("folded", String(63), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),  # user, organization or system
    Column("administrator", Boolean, nullable=False),
    Column("created_at", MOMENT, nullable=False),
)

members = Table(
    "members",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("organization_id", UUID, ForeignKey("accounts.id"), nullable=False),
    Column("account_id", UUID, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("role", String(16), nullable=False),  # admin or member
    Column("valid_from", MOMENT, nullable=False),
    Column("valid_to", MOMENT),
    Index("ix_members_organization", "organization_id", "account_id"),
)

keys = Table(
    "keys",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("account_id", UUID, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("digest", DIGEST, nullable=False, unique=True),
    Column("label", String(100), nullable=False),
    Column("valid_from", MOMENT, nullable=False),
    Column("valid_to", MOMENT),
)

algorithms = Table(
    "algorithms",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("owner_id", UUID, ForeignKey("accounts.id"), nullable=False),
    Column("name", String(63), nullable=False),
    Column("folded", String(63), nullable=False),
    Column("summary", Text, nullable=False),
    Column("details", Text, nullable=False),  # JSON: label and tagline
    Column("settings", Text, nullable=False),  # JSON: licence, language and the permissions that sources leave open
    Column("created_at", MOMENT, nullable=False),
    UniqueConstraint("owner_id", "folded"),
)

sources = Table(
    "sources",
    metadata,
    Column("digest", DIGEST, primary_key=True),  # of the manifest
    Column("files", Integer, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("created_at", MOMENT, nullable=False),
)

environments = Table(
    "environments",
    metadata,
    Column("digest", DIGEST, primary_key=True),  # of the document: interpreter, machine and locked requirements
    Column("content", DIGEST, nullable=False),  # of the installed files
    Column("packages", Text, nullable=False),  # JSON list of name==version
    Column("created_at", MOMENT, nullable=False),
)

builds = Table(
    "builds",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("algorithm_id", UUID, ForeignKey("algorithms.id"), nullable=False),
    Column("hash", SHA, nullable=False),
    Column("status", String(16), nullable=False),
    # what a build found out; empty while it is under way, and where it failed before
    Column("source", DIGEST, ForeignKey("sources.digest")),
    Column("entry", Text, nullable=False),
    Column("environment", DIGEST, ForeignKey("environments.digest")),
    Column("permissions", Text, nullable=False),  # JSON, as declared by the source
    Column("visibility_declared", Boolean, nullable=False),
    Column("contract", Text, nullable=False),  # JSON, with its format number
    Column("log", Text, nullable=False),
    Column("started_by", UUID, ForeignKey("accounts.id"), nullable=False),
    Column("started_at", MOMENT, nullable=False),
    Column("finished_at", MOMENT),
    UniqueConstraint("algorithm_id", "hash"),
)

versions = Table(
    "versions",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("algorithm_id", UUID, ForeignKey("algorithms.id"), nullable=False),
    Column("build_id", UUID, ForeignKey("builds.id"), nullable=False),
    Column("major", Integer, nullable=False),
    Column("minor", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("visibility", String(16), nullable=False),
    Column("permissions", Text, nullable=False),  # JSON
    Column("contract", Text, nullable=False),  # JSON, with its format number
    Column("contract_digest", DIGEST, nullable=False),
    Column("verdict", Text, nullable=False),  # JSON
    Column("policy_revision", Integer, nullable=False),
    Column("notes", Text, nullable=False),
    Column("details", Text, nullable=False),  # JSON: what else was said at publication
    Column("published_by", UUID, ForeignKey("accounts.id"), nullable=False),
    Column("valid_from", MOMENT, nullable=False),
    Column("valid_to", MOMENT),
    UniqueConstraint("algorithm_id", "major", "minor", "revision"),
)

journal = Table(
    "journal",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("entry", LargeBinary, nullable=False),  # the exact bytes that are hashed
    Column("previous", DIGEST, nullable=False),
    Column("digest", DIGEST, nullable=False),
)

commands = Table(
    "commands",
    metadata,
    Column("actor_id", UUID, ForeignKey("accounts.id"), primary_key=True),
    Column("uuid", UUID, primary_key=True),
    Column("name", String(63), nullable=False),
    Column("version", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),  # as it was submitted
    Column("outcome", Text, nullable=False),  # JSON, without secrets
    Column("position", Integer, ForeignKey("journal.position"), nullable=False),
)

# Counts, not history: calls by minute (since 1970, UTC), and how many of them fell into each bucket of `troth.observe.latency`.
# Names instead of ids, because they are what is asked for, are never given to somebody else, and are shorter.
usage = Table(
    "usage",
    metadata,
    Column("minute", Integer, primary_key=True, autoincrement=False),
    Column("owner", String(63), primary_key=True),
    Column("name", String(63), primary_key=True),
    Column("version", String(40), primary_key=True),  # a number, or the hash of a build
    Column("caller", String(63), primary_key=True),
    Column("outcome", String(32), primary_key=True),
    Column("calls", Integer, nullable=False),
    Column("seconds", Float(53), nullable=False),
    *(Column(f"bucket_{number}", Integer, nullable=False) for number in range(BUCKETS)),
    # whoever may see a part only is answered from that part; adding to a row leaves both as they are
    Index("ix_usage_caller", "caller", "minute"),
    Index("ix_usage_owner", "owner", "minute"),
    sqlite_with_rowid=False,
)

call_circumstances = Table(
    "call_circumstances",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", DIGEST, nullable=False, unique=True),
    Column("document", Text, nullable=False),  # JSON: what the receipts of many calls have in common
    Column("used_at", LONG, nullable=False),
)

call_records = Table(
    "call_records",
    metadata,
    Column("position", LONG, primary_key=True),
    Column("at", LONG, nullable=False),
    Column("request", DIGEST, nullable=False, unique=True),
    Column("caller", String(63), nullable=False),
    Column("reference", Text, nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("seconds", Float(53), nullable=False),
    Column(
        "circumstances", Integer, nullable=False
    ),  # kept a day longer than the last call; a foreign key would cost each
)
