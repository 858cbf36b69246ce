"""Two registries with the same rows, one on each database that troth runs on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text

from tests.queries.small_registry import Known, Making
from tests.registry.conftest import postgres  # noqa: F401 - a fixture
from troth.registry.database import Database

SEED = 8


@pytest.fixture(scope="package")
def registries(
    postgres: str,  # noqa: F811 - it is the fixture
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[dict[str, Database], Known]]:
    """The registries by the names of their databases, and what is in each."""
    engine = create_engine(postgres, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS troth_queries WITH (FORCE)"))
        connection.execute(text("CREATE DATABASE troth_queries"))
    engine.dispose()
    urls = {
        "sqlite": f"sqlite:///{tmp_path_factory.mktemp('queries') / 'registry.sqlite'}",
        "postgresql": postgres.replace("/postgres?", "/troth_queries?"),
    }
    opened = {name: Database(url) for name, url in urls.items()}
    known = Known()
    for database in opened.values():
        database.migrate()
        known = database.write_now(lambda connection: Making(connection, SEED).all())
    yield opened, known
    for database in opened.values():
        database.close()
