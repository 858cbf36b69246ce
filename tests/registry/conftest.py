"""The registry on each database that troth runs on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import database_name
from tests.databases import migrated_file, new_database
from troth.registry.database import Database


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An open registry with its schema."""
    if request.param == "sqlite":
        url = migrated_file(tmp_path / "registry.sqlite")
    else:
        url = new_database(request.getfixturevalue("postgres"), database_name(request), migrated=True)
    found = Database(url)
    yield found
    found.close()
