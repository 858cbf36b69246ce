"""Nothing that was acknowledged is lost: servers killed at any moment, commits that are held up, disks that are full."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import Connection, Engine, event

from tests.queue.conftest import HANDLER, Publisher, until
from tests.queue.killing import Ordeal
from tests.server import RunningServer, running_server
from troth.clock import now
from troth.commands.queued import processing, submission
from troth.errors import Unavailable
from troth.registry import database as databases
from troth.registry.database import Database

ANY: dict[str, Any] = {"type": "object"}


def test_acknowledged_commands_survive_a_server_that_is_killed(tmp_path: Path) -> None:
    """120 commands and 2 kills; `make killing` is the same with 10,000 and 20."""
    ordeal = Ordeal(tmp_path / "home", 120, 2, seed=9)
    try:
        found = ordeal.run()
    finally:
        if ordeal.up is not None:
            ordeal.up.kill()
    assert found["commands"] == 120


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningServer, Publisher, str]]:
    """A server with a command, whose registry the tests hold up."""
    folder = tmp_path_factory.mktemp("held")
    with running_server(folder / "home", command_retry_seconds=0.02, command_attempts=3) as running:
        publisher = Publisher(running, folder)
        command = publisher.command()
        golden: list[Any] = [{"payload": {}, "result": {"handled": {}}}]
        publisher.publish(command, 1, ANY, publisher.algorithm(HANDLER), golden)
        yield running, publisher, command


@contextmanager
def _locked(running: RunningServer) -> Iterator[None]:
    """Somebody else is writing to the registry."""
    other = sqlite3.connect(running.home / "registry.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def test_no_answer_comes_before_the_commit(held: tuple[RunningServer, Publisher, str]) -> None:
    running, publisher, command = held
    publisher.client.command("pause_command", command=command)
    identity = str(uuid.uuid4())
    with ThreadPoolExecutor() as pool:
        with _locked(running):
            sent = pool.submit(publisher.client.submit, command, 1, {}, uuid=identity)
            until(lambda: running.server.queue.submissions._accepting._gathering._writing)
            with pytest.raises(TimeoutError):
                sent.result(1.0)
            with sqlite3.connect(running.home / "registry.sqlite") as other:
                assert other.execute("SELECT * FROM queued_commands WHERE uuid = ?", (identity,)).fetchall() == []
        assert sent.result(60) == {"uuid": identity}
    with sqlite3.connect(running.home / "registry.sqlite") as other:
        assert len(other.execute("SELECT * FROM queued_commands WHERE uuid = ?", (identity,)).fetchall()) == 1
    publisher.client.command("resume_command", command=command)


@contextmanager
def _impatient(database: Database) -> Iterator[None]:
    """Who finds the registry locked gives up after a moment. SQLite has that limit connection by connection."""
    engine = database._engine

    def limit(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA busy_timeout=200").scalar_one()

    event.listen(engine, "begin", limit, insert=True)  # before the transaction begins, which is what waits
    try:
        yield
    finally:
        event.remove(engine, "begin", limit)
        engine.dispose()


def test_a_registry_that_stays_locked_refuses_and_loses_nothing(held: tuple[RunningServer, Publisher, str]) -> None:
    running, publisher, command = held
    identity = str(uuid.uuid4())
    impatient, refused = _impatient(running.server.database), pytest.raises(Unavailable, match="cannot take it now")
    with impatient, _locked(running), refused:
        publisher.client.submit(command, 1, {}, uuid=identity)
    assert publisher.send(command, 1, {}, f"&uuid={identity}&secondsToWaitForCompletion=60")["state"] == "done"


@contextmanager
def _full(database: Database) -> Iterator[None]:
    """There is room for 20 KiB more. SQLite keeps to that connection by connection, so all of them are told."""
    engine = database._engine
    with database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one() + 5

    def limit(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}").scalar_one()

    event.listen(engine, "begin", limit)
    try:
        yield
    finally:
        event.remove(engine, "begin", limit)
        engine.dispose()


def test_a_full_disk_refuses_and_is_survived(held: tuple[RunningServer, Publisher, str]) -> None:
    running, publisher, command = held
    large = json.dumps({"text": "x" * 500_000}).encode()
    with _full(running.server.database):
        answers = [publisher.curl(f"command={command}&version=1", large) for _ in range(8)]
    refused = [problem for status, problem in answers if status == 503]
    assert refused, answers
    assert all("cannot take it now" in problem["detail"] for problem in refused)
    assert publisher.send(command, 1, {}, "&secondsToWaitForCompletion=60")["state"] == "done"


def test_a_clock_that_goes_back_neither_loses_nor_disorders(held: tuple[RunningServer, Publisher, str]) -> None:
    _, publisher, command = held
    ordered = publisher.command()
    golden: list[Any] = [{"payload": {}, "result": {"handled": {}}}]
    handler = publisher.client.command_format(command)["versions"][0]["handler"]
    publisher.publish(ordered, 1, ANY, handler, golden, ordered_by="/node")
    first = publisher.send(ordered, 1, {"node": "a", "number": 1})["uuid"]
    publisher.ended(first)

    def earlier() -> datetime:
        return now() - timedelta(hours=1)

    with patch.object(processing, "now", earlier), patch.object(submission, "now", earlier):
        second = publisher.send(ordered, 1, {"node": "a", "number": 2}, "&secondsToWaitForCompletion=60")
    assert second["state"] == "done"
    rows = {one["uuid"]: one for one in publisher.client.queue(command=ordered)["queue"]}
    assert list(rows) == [second["uuid"], first]
    assert rows[second["uuid"]]["seconds"] >= 0


# --- what is on disk


def _is_durable(database: Database) -> bool:
    """Whether a commit of the writer is on disk before anybody is told of it."""

    def ask(connection: Any) -> tuple[Any, Any]:
        asked = (connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous"))
        return tuple(asked)

    return database.write_now(ask) == ("wal", 2)


def test_commits_are_on_disk_and_it_would_be_seen_if_they_were_not(tmp_path: Path) -> None:
    """A killed process loses nothing that the system has; a power cut does. So the fsync itself is looked at."""
    database = Database(f"sqlite:///{tmp_path / 'durable.sqlite'}")
    assert _is_durable(database)
    database.close()
    made = databases._engine

    def without_fsync(url: str) -> Engine:
        engine = made(url)
        event.listen(engine, "connect", lambda connection, record: connection.execute("PRAGMA synchronous=OFF"))
        return engine

    with patch.object(databases, "_engine", without_fsync):
        lazy = Database(f"sqlite:///{tmp_path / 'lazy.sqlite'}")
        assert not _is_durable(lazy)
        lazy.close()
