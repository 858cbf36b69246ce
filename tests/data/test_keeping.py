"""What ends by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, update

from tests.data.conftest import User
from tests.server import RunningServer, running_server
from tests.within.author import wait_for
from troth.registry.data_tables import data_files

Make = Callable[..., User]


def aged(server: RunningServer, name: str) -> None:
    """Makes the files of this name days old."""

    def work(connection: Connection) -> None:
        old = update(data_files).where(data_files.c.name == name).values(modified_at="2026-01-01T00:00:00.000000Z")
        connection.execute(old)

    server.server.database.write_now(work)


def test_temporary_files_and_left_sessions_end(make_user: Make, data_server: RunningServer) -> None:
    caller, author = make_user(), make_user()
    inside = caller.inside(author, "thumb", session="req-left")
    directory = caller.directory()
    paths = [f".algo/{life}/{name}" for life in ("temp", "perm") for name in ("old", "new")]
    paths += [".session/old", ".session/new"]
    for path in paths:
        assert inside.put(path).status_code == 200
    caller.put(f"{directory}/old")
    aged(data_server, "old")
    asyncio.run_coroutine_threadsafe(data_server.server.data.expire(), data_server.loop).result(60)
    left = [path for path in paths if inside.ask("GET", path).status_code == 200]
    assert left == [".algo/temp/new", ".algo/perm/old", ".algo/perm/new", ".session/new"]
    assert caller.ask("GET", f"{directory}/old").status_code == 200


def test_what_a_crash_left_is_removed_at_the_start(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "data"
    orphan = folder / "blobs" / "ab" / ("ab" * 32)
    scratch = folder / "uploads" / "251506ec-5d95-40f9-9da1-24001c5f4ce2"
    for path in (orphan, scratch):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"cut off")
    with running_server(tmp_path / "home"):
        assert not scratch.exists()
        wait_for(lambda: not orphan.exists())
