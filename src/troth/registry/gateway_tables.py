"""The tables of the gateway: where APIs run, when they are browned out, who calls them, and who is told of what will go."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from troth.registry.column_types import DIGEST, LONG, MOMENT, UUID
from troth.registry.tables import metadata

_NAME = String(63)

api_upstreams = Table(
    "api_upstreams",
    metadata,
    Column("api_id", UUID, ForeignKey("apis.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),  # 0: every version without a row of its own
    Column("url", Text, nullable=False),
    Column("connect_seconds", Float, nullable=False),
    Column("seconds", Float, nullable=False),  # without a byte from it
    Column("body_bytes", LONG, nullable=False),  # of a request
    Column("health_path", Text),
    Column("set_by", UUID, ForeignKey("accounts.id"), nullable=False),
    Column("set_at", MOMENT, nullable=False),
)

api_brownouts = Table(
    "api_brownouts",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("api_id", UUID, ForeignKey("apis.id"), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("begins", String(20), nullable=False),
    Column("ends", String(20), nullable=False),
    Column("production", Boolean, nullable=False),
    Column("planned_by", UUID, ForeignKey("accounts.id"), nullable=False),
    Column("planned_at", MOMENT, nullable=False),
    Column("cancelled_at", MOMENT),
)

# Counted by names, as calls of algorithms are, so that counting asks for nothing else.
api_callers = Table(
    "api_callers",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),  # since 1970, in UTC
    Column("api", String(127), primary_key=True),  # OWNER/API
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("operation", String(300), primary_key=True),
    Column("parameter", String(64), primary_key=True),  # empty: calls of the operation, with whatever parameters
    Column("caller", _NAME, primary_key=True),  # an account's name; empty: without a key
    Column("calls", LONG, nullable=False),
    Index("ix_api_callers_api_day", "api", "day"),
)

api_alerts = Table(
    "api_alerts",
    metadata,
    Column("position", Integer, primary_key=True),
    Column("account_id", UUID, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("api", String(127), nullable=False),
    Column("version", Integer, nullable=False),
    Column("day", Integer, nullable=False),
    Column("told", Text, nullable=False),  # JSON: what is sent
    Column("made_at", MOMENT, nullable=False),
    UniqueConstraint("account_id", "api", "version", "day"),
    sqlite_autoincrement=True,
)

alert_hooks = Table(
    "alert_hooks",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("account_id", UUID, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("salt", DIGEST, nullable=False),  # what its secret is derived from, with the server's key
    Column("delivered", Integer, nullable=False),  # position of the last alert that was taken
    Column("failures", Integer, nullable=False),  # in a row
    Column("next_at", MOMENT),  # before which it is not tried again
    Column("problem", Text, nullable=False),
    Column("created_at", MOMENT, nullable=False),
    Column("removed_at", MOMENT),
)
