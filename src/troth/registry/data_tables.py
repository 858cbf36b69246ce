"""The tables of the data API: collections, the files in them, and how much each account keeps."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, String, Table, UniqueConstraint

from troth.registry.column_types import DIGEST, LONG, MOMENT, UUID
from troth.registry.tables import metadata

data_collections = Table(
    "data_collections",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("owner_id", UUID, ForeignKey("accounts.id"), nullable=False),
    Column("name", String(255), nullable=False),  # begins with a dot where it is one of troth's own
    Column("acl", String(16), nullable=False),
    Column("created_at", MOMENT, nullable=False),
    UniqueConstraint("owner_id", "name"),
)

data_files = Table(
    "data_files",
    metadata,
    Column("id", UUID, primary_key=True),  # of the upload
    Column("collection_id", UUID, ForeignKey("data_collections.id"), nullable=False),
    Column("name", String(255), nullable=False),
    Column("bytes", LONG, nullable=False),
    Column("digest", DIGEST, nullable=False),  # SHA-256 of the content, which names its blob
    Column("modified_at", MOMENT, nullable=False),
    UniqueConstraint("collection_id", "name"),
    Index("ix_data_files_digest", "digest"),
)

# What an account keeps, added up as files come and go, so that a quota is not asked of every file.
data_accounts = Table(
    "data_accounts",
    metadata,
    Column("account_id", UUID, ForeignKey("accounts.id"), primary_key=True),
    Column("bytes", LONG, nullable=False),
    Column("quota", LONG),  # bytes; none: the setting's
)
