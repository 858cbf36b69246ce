"""Registries out there were made by the released migrations, so those stay as they are."""

from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import Path

FOLDER = Path(str(resources.files("troth.registry").joinpath("migrations")))


def test_a_released_migration_is_never_edited() -> None:
    lines = [line.split() for line in (FOLDER / "released.txt").read_text().splitlines()]
    released = {name: digest for digest, name in lines}
    found = {name: hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() for name in released}
    assert found == released
    assert "versions/0001_first_registry.py" in released
