"""Runs migrations on the connection that `Database.migrate` hands over."""

from alembic import context

from troth.registry import access_tables, data_tables, product_tables, replays, waivers  # noqa: F401 - their tables belong to the metadata
from troth.registry.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
