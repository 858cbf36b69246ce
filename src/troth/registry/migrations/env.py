"""Runs migrations on the connection that `Database.migrate` hands over."""

from alembic import context

from troth.registry import access_tables, inside_tables  # noqa: F401 - its tables belong to the metadata
from troth.registry.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
