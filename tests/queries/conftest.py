"""Two registries with the same rows, one on each database that troth runs on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.databases import migrated_file, new_database
from tests.queries.small_registry import Known, Making
from troth.registry.database import Database

SEED = 8


@pytest.fixture(scope="package")
def registries(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Database], Known]]:
    """The registries by the names of their databases, and what is in each."""
    urls = {
        "sqlite": migrated_file(tmp_path_factory.mktemp("queries") / "registry.sqlite"),
        "postgresql": new_database(postgres, "troth_queries", migrated=True),
    }
    opened = {name: Database(url) for name, url in urls.items()}
    known = Known()
    for database in opened.values():
        known = database.write_now(lambda connection: Making(connection, SEED).all())
    yield opened, known
    for database in opened.values():
        database.close()
