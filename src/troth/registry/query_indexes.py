"""Indexes that only queries need: what they name things by, and the orders in which they ask for many."""

from __future__ import annotations

from sqlalchemy import Index

from troth.registry.tables import accounts, algorithms, builds, call_records, versions

# Answers are in the order of bytes: on PostgreSQL what is named ordered has the collation "C", which only its migration says.
INDEXES = (
    Index("ix_accounts_name", accounts.c.name),
    Index("ix_algorithms_name", algorithms.c.name),
    Index("ix_algorithms_ordered", algorithms.c.owner_id, algorithms.c.folded),
    Index("ix_builds_hash", builds.c.hash),
    Index("ix_builds_started_at", builds.c.started_at),
    Index("ix_versions_build", versions.c.build_id),
    Index("ix_versions_valid_from", versions.c.valid_from),
    Index("ix_call_records_caller", call_records.c.caller, call_records.c.position),
)
