"""The tables of products: their releases, those that are planned, and the tokens of calendars."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from troth.registry.tables import metadata

_UUID = String(36)
_DIGEST = String(64)
_MOMENT = String(27)
_NUMBER = String(128)
_LONG = BigInteger().with_variant(Integer, "sqlite")

products = Table(
    "products",
    metadata,
    Column("id", _UUID, primary_key=True),
    Column("owner_id", _UUID, ForeignKey("accounts.id"), nullable=False),
    Column("name", String(63), nullable=False),
    Column("folded", String(63), nullable=False),
    Column("summary", Text, nullable=False),
    Column("public", Boolean, nullable=False),
    Column("created_at", _MOMENT, nullable=False),
    UniqueConstraint("owner_id", "folded"),
)

# A row stays for good, so that its number is never used again.
releases = Table(
    "releases",
    metadata,
    Column("id", _UUID, primary_key=True),
    Column("product_id", _UUID, ForeignKey("products.id"), nullable=False),
    Column("number", _NUMBER, nullable=False),
    Column("precedence", _NUMBER, nullable=False),  # the number without what counts for nothing in it
    Column("prerelease", Boolean, nullable=False),
    Column("former", _NUMBER),  # the release that it was judged beside
    Column("commit", String(64), nullable=False),
    Column("tag", String(255), nullable=False),
    Column("occasion", String(16), nullable=False),
    Column("policy_revision", Integer, nullable=False),
    Column("verdict", Text, nullable=False),  # JSON
    Column("evidence_digest", _DIGEST, nullable=False),
    Column("docs_digest", _DIGEST),  # of a tar.gz
    Column("state", _DIGEST, nullable=False),  # a name for its migrations
    Column("told", Text, nullable=False),  # JSON: components, notes, facts that matter to who upgrades, paths
    Column("migrations", Text, nullable=False),  # JSON: every chain
    Column("settings", Text, nullable=False),  # JSON: documents of settings
    Column("cut_by", _UUID, ForeignKey("accounts.id"), nullable=False),
    Column("cut_at", _MOMENT, nullable=False),
    Column("stable_by", _UUID, ForeignKey("accounts.id")),
    Column("stable_at", _MOMENT),
    Column("yanked_by", _UUID, ForeignKey("accounts.id")),
    Column("yanked_at", _MOMENT),
    Column("yank_reason", Text),
    UniqueConstraint("product_id", "precedence"),
)

release_artifacts = Table(
    "release_artifacts",
    metadata,
    Column("release_id", _UUID, ForeignKey("releases.id"), primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("digest", _DIGEST, nullable=False, index=True),
    Column("bytes", _LONG, nullable=False),
)

planned_releases = Table(
    "planned_releases",
    metadata,
    Column("id", _UUID, primary_key=True),
    Column("product_id", _UUID, ForeignKey("products.id"), nullable=False, index=True),
    Column("due", String(10), nullable=False),  # a day
    Column("number", _NUMBER),
    Column("occasion", String(16), nullable=False),
    Column("note", Text, nullable=False),
    Column("planned_by", _UUID, ForeignKey("accounts.id"), nullable=False),
    Column("planned_at", _MOMENT, nullable=False),
    Column("cancelled_at", _MOMENT),
    Column("released", _NUMBER),  # the release that it became
)

calendars = Table(
    "calendars",
    metadata,
    Column("id", _UUID, primary_key=True),
    Column("account_id", _UUID, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("digest", _DIGEST, nullable=False, unique=True),  # of the token
    Column("label", String(100), nullable=False),
    Column("created_at", _MOMENT, nullable=False),
    Column("revoked_at", _MOMENT),
)
