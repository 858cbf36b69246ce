"""The tables of APIs: their versions and states, the moves that led there, and what was decided where no clause speaks."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from troth.registry.column_types import DIGEST, MOMENT, UUID
from troth.registry.tables import metadata

_NUMBER = String(128)
_ADDRESS = String(2000)

apis = Table(
    "apis",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("owner_id", UUID, ForeignKey("accounts.id"), nullable=False),
    Column("name", String(63), nullable=False),
    Column("folded", String(63), nullable=False),
    Column("summary", Text, nullable=False),
    Column("public", Boolean, nullable=False),
    Column("product_id", UUID, ForeignKey("products.id"), index=True),  # whose releases it follows
    Column("starting_point", Integer),  # the first version that the policy governs
    Column("documentation", _ADDRESS),
    Column("revision", Integer, nullable=False),  # rises with each change of a state
    Column("newest", _NUMBER),  # the highest release that a move rode on
    Column("created_at", MOMENT, nullable=False),
    UniqueConstraint("owner_id", "folded"),
)

# A row stays for good, also of what was dropped or retired.
api_versions = Table(
    "api_versions",
    metadata,
    Column("api_id", UUID, ForeignKey("apis.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("state", String(16), nullable=False),
    Column("since", _NUMBER),  # the release in which it came into its state
    Column("deprecated_at", MOMENT),
    Column("extended", _NUMBER),  # the release that its retirement was put off to
    Column("sunset", String(20)),
    Column("dropped_in", _NUMBER),
    Column("contract", Text),  # JSON: an OpenAPI document
    Column("contract_digest", DIGEST),
    Column("created_at", MOMENT, nullable=False),
)

api_moves = Table(
    "api_moves",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("api_id", UUID, ForeignKey("apis.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("move", String(16), nullable=False),
    Column("release", _NUMBER, nullable=False),
    Column("verdict", Text, nullable=False),  # JSON
    Column("policy_revision", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("reference", Text, nullable=False),  # of a security fix
    Column("note", Text, nullable=False),  # what users are told
    Column("moved_by", UUID, ForeignKey("accounts.id"), nullable=False),
    Column("moved_at", MOMENT, nullable=False),
    UniqueConstraint("api_id", "position"),
)

api_decisions = Table(
    "api_decisions",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("api_id", UUID, ForeignKey("apis.id"), nullable=False, index=True),
    Column("about", String(200), nullable=False),
    Column("allowed", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("policy_revision", Integer, nullable=False),
    Column("decided_by", UUID, ForeignKey("accounts.id"), nullable=False),
    Column("decided_at", MOMENT, nullable=False),
)
