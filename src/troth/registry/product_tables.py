"""The tables of products: their releases, those that are planned, and the tokens of calendars."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from troth.registry.column_types import DIGEST, LONG, MOMENT, UUID
from troth.registry.tables import metadata

_NUMBER = String(128)

products = Table(
    "products",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("owner_id", UUID, ForeignKey("accounts.id"), nullable=False),
    Column("name", String(63), nullable=False),
    Column("folded", String(63), nullable=False),
    Column("summary", Text, nullable=False),
    Column("public", Boolean, nullable=False),
    Column("created_at", MOMENT, nullable=False),
    UniqueConstraint("owner_id", "folded"),
)

# A row stays for good, so that its number is never used again.
releases = Table(
    "releases",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("product_id", UUID, ForeignKey("products.id"), nullable=False),
    Column("number", _NUMBER, nullable=False),
    Column("precedence", _NUMBER, nullable=False),  # the number without what counts for nothing in it
    Column("prerelease", Boolean, nullable=False),
    Column("order_key", Text, nullable=False, server_default=""),  # its order by precedence, as text by bytes
    Column("former", _NUMBER),  # the release that it was judged beside
    Column("commit", String(64), nullable=False),
    Column("tag", String(255), nullable=False),
    Column("occasion", String(16), nullable=False),
    Column("policy_revision", Integer, nullable=False),
    Column("verdict", Text, nullable=False),  # JSON
    Column("evidence_digest", DIGEST, nullable=False),
    Column("docs_digest", DIGEST),  # of a tar.gz
    Column("state", DIGEST, nullable=False),  # a name for its migrations
    Column("told", Text, nullable=False),  # JSON: components, notes, facts that matter to who upgrades, paths
    Column("migrations", Text, nullable=False),  # JSON: every chain
    Column("settings", Text, nullable=False),  # JSON: documents of settings
    Column("cut_by", UUID, ForeignKey("accounts.id"), nullable=False),
    Column("cut_at", MOMENT, nullable=False),
    Column("stable_by", UUID, ForeignKey("accounts.id")),
    Column("stable_at", MOMENT),
    Column("yanked_by", UUID, ForeignKey("accounts.id")),
    Column("yanked_at", MOMENT),
    Column("yank_reason", Text),
    UniqueConstraint("product_id", "precedence"),
)

release_artifacts = Table(
    "release_artifacts",
    metadata,
    Column("release_id", UUID, ForeignKey("releases.id"), primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("digest", DIGEST, nullable=False, index=True),
    Column("bytes", LONG, nullable=False),
)

planned_releases = Table(
    "planned_releases",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("product_id", UUID, ForeignKey("products.id"), nullable=False, index=True),
    Column("due", String(10), nullable=False),  # a day
    Column("number", _NUMBER),
    Column("occasion", String(16), nullable=False),
    Column("note", Text, nullable=False),
    Column("planned_by", UUID, ForeignKey("accounts.id"), nullable=False),
    Column("planned_at", MOMENT, nullable=False),
    Column("cancelled_at", MOMENT),
    Column("released", _NUMBER),  # the release that it became
)

calendars = Table(
    "calendars",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("account_id", UUID, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("digest", DIGEST, nullable=False, unique=True),  # of the token
    Column("label", String(100), nullable=False),
    Column("created_at", MOMENT, nullable=False),
    Column("revoked_at", MOMENT),
)
