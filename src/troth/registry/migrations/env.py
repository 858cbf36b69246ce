"""Runs migrations on the connection that `Database.migrate` hands over."""

from alembic import context

from troth.registry import (  # noqa: F401 - their tables belong to the metadata
    access_tables,
    api_tables,
    command_tables,
    data_tables,
    deletions,
    failures,
    gateway_tables,
    inside_tables,
    journal_facts,
    product_tables,
    query_indexes,
    replays,
    scms,
    waivers,
)
from troth.registry.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
