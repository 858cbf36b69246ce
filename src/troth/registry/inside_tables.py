"""The tables of what algorithms are given, and of what they report."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint

from troth.registry.column_types import MOMENT, UUID
from troth.registry.tables import metadata

# The value is sealed with a key that is not in the registry. It is overwritten and deleted for good, unlike everything else.
secrets = Table(
    "secrets",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("owner_id", UUID, nullable=False),  # of an algorithm, or of an account for all of its algorithms
    Column("name", String(100), nullable=False),  # of the variable
    Column("label", String(100), nullable=False),
    Column("description", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", MOMENT, nullable=False),
    Column("modified_at", MOMENT, nullable=False),
    UniqueConstraint("owner_id", "name"),
)

# Figures that algorithms report of their calls. Names instead of ids, as in `usage`.
insights = Table(
    "insights",
    metadata,
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", BigInteger, nullable=False),  # seconds since 1970
    Column("request", String(64), nullable=False),
    Column("owner", String(63), nullable=False),
    Column("name", String(63), nullable=False),
    Column("version", String(40), nullable=False),
    Column("key", String(100), nullable=False),
    Column("value", Text, nullable=False),  # JSON
    Index("ix_insights_owner", "owner", "name", "at"),
)
