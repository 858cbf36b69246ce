"""Fixtures of the tests that build environments: real uv, real sandboxes, and a package index of our own where it may lie."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builds.index import PackageIndex
from tests.builds.workshop import Workshop
from troth.sandbox.launcher import Launcher, find_bubblewrap

#: Kept between runs, so that only the first one downloads. Environments have to lie on the same file system.
KEPT = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "troth-tests"


@pytest.fixture(scope="session")
def launcher() -> Launcher:
    """What confines uv."""
    return Launcher(worker_uid=60001, bubblewrap=find_bubblewrap())


@pytest.fixture
def place() -> Iterator[Path]:
    """An empty folder on the file system of the kept cache."""
    KEPT.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(prefix="environments-", dir=KEPT))
    yield path
    for folder, _, _ in os.walk(path):
        os.chmod(folder, 0o755)
    shutil.rmtree(path)


@pytest.fixture
def workshop(launcher: Launcher, place: Path) -> Workshop:
    """Environments from the real package index, over the cache that is kept."""
    return Workshop(launcher, place, KEPT / "packages")


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    """An empty package index on this machine."""
    with PackageIndex() as running:
        yield running


@pytest.fixture
def own(launcher: Launcher, place: Path, index: PackageIndex) -> Workshop:
    """Environments from our own index, over a cache of their own, which may be spoilt."""
    for known in (KEPT / "packages" / "uv").glob("interpreter-*"):  # else uv asks the interpreter anew in every test
        shutil.copytree(known, place / "packages" / "uv" / known.name)
    return Workshop(launcher, place, place / "packages", {"UV_DEFAULT_INDEX": index.address})
