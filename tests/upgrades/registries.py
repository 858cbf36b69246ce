"""Registries of released schemas: their rows, and the same registry on a PostgreSQL."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, MetaData, create_engine, text

Rows = dict[str, list[tuple[Any, ...]]]


def url_of(home: Path) -> str:
    """The address of the SQLite registry in a home."""
    return f"sqlite:///{home / 'registry.sqlite'}"


def schema_of(url: str) -> MetaData:
    """The tables of a registry, that of Alembic left out."""
    engine, found = create_engine(url), MetaData()
    found.reflect(engine)
    engine.dispose()
    found.remove(found.tables["alembic_version"])
    return found


def rows_of(url: str, schema: MetaData) -> Rows:
    """All rows in the tables and columns of a schema, in an order of their own."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = {
            table.name: sorted((tuple(row) for row in connection.execute(table.select())), key=repr)
            for table in schema.sorted_tables
        }
    engine.dispose()
    return found


def revision_of(url: str) -> str:
    """The revision that Alembic wrote down."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    engine.dispose()
    return str(found)


def moved_to_postgresql(home: Path, server: str) -> str:
    """The address of a new database on the server with the registry of the home, made by the migrations of its release."""
    name = f"troth_upgrade_{uuid.uuid4().hex[:12]}"
    administering = create_engine(server, isolation_level="AUTOCOMMIT")
    with administering.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    administering.dispose()
    url = server.replace("/postgres?", f"/{name}?")
    rows, engine = rows_of(url_of(home), schema_of(url_of(home))), create_engine(url)
    _migrate(engine, revision_of(url_of(home)))
    with engine.begin() as connection:
        for table in reversed(schema_of(url).sorted_tables):
            connection.execute(table.delete())  # the migrations put troth's own account there
        for table in schema_of(url).sorted_tables:
            names = [column.name for column in table.columns]
            connection.execute(table.insert(), [dict(zip(names, row, strict=True)) for row in rows[table.name]])
    engine.dispose()
    return url


def _migrate(engine: Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "troth.registry:migrations")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()
