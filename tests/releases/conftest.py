"""Products in repositories of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.releases.product import CONTRACT, HEAD, MIGRATED, OPENAPI, ORDERS, Repository, policy


@pytest.fixture
def empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Repository:
    """A repository without a commit."""
    folder = tmp_path / "shop"
    folder.mkdir()
    repository = Repository(folder, capsys)
    repository.git("init", "--quiet", "--initial-branch", "main")
    return repository


@pytest.fixture
def shop(empty: Repository) -> Repository:
    """A product with an API and numbered migrations, released as 1.0.0."""
    files = {"troth.toml": HEAD + policy("polyaxon") + CONTRACT + MIGRATED, "openapi.json": json.dumps(OPENAPI)}
    empty.commit({**files, "migrations/0001_orders.sql": ORDERS}, tag="v1.0.0")
    return empty
