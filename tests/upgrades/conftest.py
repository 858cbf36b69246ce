"""Homes that released programs made."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.upgrades.make_home import HOMES

RELEASED = sorted(path.name.removesuffix(".tar.gz") for path in HOMES.glob("*.tar.gz"))


@pytest.fixture(scope="session")
def released_home(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives a new home with data in it, as the release with that number left it."""

    def unpacked(version: str) -> Path:
        home = tmp_path_factory.mktemp("home")
        with tarfile.open(HOMES / f"{version}.tar.gz") as archive:
            archive.extractall(home, filter="data")
        return home

    return unpacked
