"""Fixtures that all tests share."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, settings

from tests.databases import new_database, running_postgres
from tests.server import RunningServer, running_server

Report: TypeAlias = pytest.TestReport

settings.register_profile("troth", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("troth")

for name in [name for name in os.environ if name.startswith("TROTH_")]:
    del os.environ[name]
os.environ.pop("COLUMNS", None)  # set where tests run beside each other, and it decides how wide tables are


#: Files that take a minute and more, the longest first. Workers begin with them, or one is left with such a file when the others are done.
LONGEST = (
    "docs/test_examples.py", "faults/test_server_death.py", "promises/test_properties.py", "releases/test_example.py",
    "queue/test_death.py", "faults/test_fronts.py", "cli/test_run.py", "demo/test_demo.py", "products/test_trust.py",
    "cli/test_builds.py", "releases/test_django.py",
)  # fmt: skip


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for all tests that leave no trace beyond accounts and algorithms of their own."""
    with running_server(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RunningServer]:
    """A server for one test, which may break it."""
    with running_server(tmp_path / "home") as running:
        yield running


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server of our own."""
    runtime = tmp_path_factory.mktemp("runtime")
    (runtime / "python_PostgresServer").mkdir()
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_RUNTIME_DIR", str(runtime))  # the package keeps a lock there
        with running_postgres(tmp_path_factory.mktemp("postgres")) as url:
            patched.undo()
            yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'registry.sqlite'}"
    return new_database(request.getfixturevalue("postgres"), database_name(request))


def database_name(request: pytest.FixtureRequest) -> str:
    """The name of the database of one test."""
    return f"troth_{abs(hash(request.node.nodeid)) % 10**9}"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--clause", help="run the tests marked with this clause only")
    parser.addoption("--mutant", help="break the product by this mutant of tests.mutants.table first")
    parser.addoption("--no-skips", action="store_true", help="a skipped test is a failure")


def pytest_configure(config: pytest.Config) -> None:
    if name := config.getoption("--mutant"):
        from tests.mutants import table

        table.find(name).apply()


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Bytes that are no text are called by their argument: archives hold the time, and each process has its own."""
    return argname if isinstance(val, bytes) and not (val.isascii() and val.decode().isprintable()) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        order = {Path(__file__).parent / file: place for place, file in enumerate(LONGEST)}
        items.sort(key=lambda item: order.get(item.path, len(order)))
    clause = config.getoption("--clause")
    if clause:
        chosen = [item for item in items if any(mark.args == (clause,) for mark in item.iter_markers("clause"))]
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Report, Report]:
    """Turns skips into failures where everything optional is installed, as in .ci/run."""
    report = yield
    if report.skipped and item.config.getoption("--no-skips"):
        report.outcome = "failed"
        report.longrepr = f"skipped: {report.longrepr}"
    return report
