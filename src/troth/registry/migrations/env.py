"""Runs migrations on the connection that `Database.migrate` hands over."""

from alembic import context

from troth.registry import (  # noqa: F401 - their tables belong to the metadata
    access_tables,
    api_tables,
    command_tables,
    data_tables,
    deletions,
    failures,
    former_rows,
    gateway_tables,
    inside_tables,
    journal_facts,
    lines,
    product_tables,
    query_indexes,
    release_files,
    replays,
    scms,
    waivers,
)
from troth.registry.tables import metadata

attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    target_metadata=metadata,
    on_version_apply=attributes.get("applied"),
    transactional_ddl=True,  # SQLite takes definitions back too; Alembic supposes that it does not
)
with context.begin_transaction():
    context.run_migrations()
