"""The tables of what keys are for and when they were used, and of what is known of people and organisations."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, String, Table, Text

from troth.registry.column_types import MOMENT, UUID
from troth.registry.tables import metadata

# A key without a row here has no limits: so were all before there were scopes.
key_scopes = Table(
    "key_scopes",
    metadata,
    Column("key_id", UUID, ForeignKey("keys.id"), primary_key=True),
    Column("prefix", String(8), nullable=False),  # what is shown of the secret; empty where it is not known
    Column("algorithms", Text, nullable=False),  # JSON list of patterns
    Column("data", String(8), nullable=False),  # none, read or write
    Column("manage", Boolean, nullable=False),
    Column("administrator", Boolean, nullable=False),
    Column("production", Boolean, nullable=False),
    Column("origin", String(253), nullable=False),
    Column("expires_at", MOMENT),
    Column("replaces", UUID, ForeignKey("keys.id"), unique=True),  # the key that was rotated into this one
)

key_uses = Table(
    "key_uses",
    metadata,
    Column("key_id", UUID, primary_key=True),  # no foreign key: it would cost each batch, and keys are never deleted
    Column("used_at", BigInteger, nullable=False),  # seconds since 1970
)

# Calls that a production key made by a reference that floats (ALG-14, ALG-20), by day since 1970.
floating_calls = Table(
    "floating_calls",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("reference", String(200), primary_key=True),
    Column("key_id", UUID, primary_key=True),
    Column("calls", Integer, nullable=False),
)

# What only people read: an account works without it.
account_details = Table(
    "account_details",
    metadata,
    Column("account_id", UUID, ForeignKey("accounts.id"), primary_key=True),
    Column("details", Text, nullable=False),  # JSON: email, full name, company; label and contact of an organisation
    Column("external_id", String(200), index=True),
    Column("deleted_at", MOMENT),
)
