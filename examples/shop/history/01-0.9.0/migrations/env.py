"""How Alembic reaches the shop's database."""

import os

from alembic import context
from sqlalchemy import create_engine

from shop.tables import metadata

address = os.environ.get("DATABASE_URL") or context.config.get_main_option("sqlalchemy.url")
with create_engine(address).connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
