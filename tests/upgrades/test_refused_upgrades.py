"""Upgrades that are not done, and leave the registry as it was; and those that a server does when it starts."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.server import running_server
from tests.upgrades.registries import moved_to_postgresql, revision_of, rows_of, schema_of, url_of
from troth.doors.cli.main import execute
from troth.doors.server.assembly import open_server
from troth.errors import Failed, NewerRegistry
from troth.home import Home
from troth.registry import schema
from troth.registry.upgrading import _copy_sqlite
from troth.settings import Settings

NEWEST = schema.known()[-1].id


@pytest.fixture
def home(released_home: Callable[[str], Path]) -> Path:
    """A home of the first release."""
    return released_home("0.1.0")


def upgrade(home: Path, *more: str) -> int:
    return execute(["upgrade", "--home", str(home), *more])


def digest(home: Path) -> str:
    return hashlib.sha256((home / "registry.sqlite").read_bytes()).hexdigest()


def change(home: Path, statement: str) -> None:
    with closing(sqlite3.connect(home / "registry.sqlite")) as connection:
        connection.execute(statement)
        connection.commit()


def test_it_may_be_run_again(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert upgrade(home) == 0
    assert f"upgraded from 0001 to {NEWEST}" in capsys.readouterr().out
    backups = sorted((home / "backups").iterdir())
    assert upgrade(home) == 0
    assert "nothing was done" in capsys.readouterr().out
    assert sorted((home / "backups").iterdir()) == backups


def test_progress_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert upgrade(home) == 0
    said = capsys.readouterr().err
    assert "is copied to" in said
    assert all(f"{one.id}: {one.words}" in said for one in schema.known()[1:])


def test_the_copy_is_the_registry_as_it_was(home: Path) -> None:
    before = rows_of(url_of(home), schema_of(url_of(home)))
    assert upgrade(home) == 0
    (copy,) = (home / "backups").iterdir()
    assert revision_of(f"sqlite:///{copy}") == "0001"
    assert rows_of(f"sqlite:///{copy}", schema_of(f"sqlite:///{copy}")) == before


def test_a_folder_for_copies_is_made_with_what_is_above_it(home: Path, tmp_path: Path) -> None:
    backups = tmp_path / "new" / "a" / "b"
    assert upgrade(home, "--backups", str(backups)) == 0
    (copy,) = backups.iterdir()
    assert (revision_of(f"sqlite:///{copy}"), revision_of(url_of(home))) == ("0001", NEWEST)
    assert backups.stat().st_mode & 0o777 == 0o700
    assert not (home / "backups").exists()


def test_a_registry_of_a_later_release_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(home, "UPDATE alembic_version SET version_num = '9999'")
    before = digest(home)
    assert upgrade(home) == 3
    said = capsys.readouterr().err
    assert "revision 9999" in said
    assert "restore the backup" in said
    with pytest.raises(NewerRegistry):
        asyncio.run(open_server(Settings(home=str(home))))
    assert digest(home) == before
    assert not (home / "backups").exists()


def test_a_home_with_a_running_server_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(Home.open(home).lock()):
        assert upgrade(home) == 2
    assert "another server runs on" in capsys.readouterr().err
    assert revision_of(url_of(home)) == "0001"


def test_without_room_nothing_is_begun(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A registry with a hole in it, larger than the disk, takes no room itself."""
    os.truncate(home / "registry.sqlite", 1 << 42)
    assert upgrade(home) == 5
    assert "there is no room for an upgrade" in capsys.readouterr().err
    assert revision_of(url_of(home)) == "0001"
    assert not (home / "backups").exists()


def test_a_migration_that_fails_leaves_the_registry_as_it_was(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(home, "CREATE TABLE releases (id INTEGER)")
    tables = sorted(schema_of(url_of(home)).tables)
    assert upgrade(home) == 1
    said = capsys.readouterr().err
    assert "is at 0001 as before" in said
    assert "already exists" in said
    assert (revision_of(url_of(home)), sorted(schema_of(url_of(home)).tables)) == ("0001", tables)


def test_what_is_no_registry_is_told(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert upgrade(tmp_path / "nowhere") == 4
    assert not (tmp_path / "nowhere").exists()
    (home / "registry.sqlite").write_bytes(b"no registry" * 1000)
    assert upgrade(home) == 5
    assert "the registry cannot be read" in capsys.readouterr().err


def test_a_damaged_page_is_told_and_nothing_is_begun(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = home / "registry.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'journal'").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    with file.open("r+b") as written:
        written.seek((page - 1) * size)
        written.write(b"\xff" * size)
    before = digest(home)
    assert upgrade(home) == 1
    said = capsys.readouterr().err
    assert "the registry's file is damaged, and was left as it is" in said
    assert "restore a backup" in said
    assert digest(home) == before
    assert list((home / "backups").iterdir()) == []


@pytest.mark.parametrize("damage", ["cut off", "no database"])
def test_a_file_that_cannot_be_read_while_it_is_copied_is_damaged(home: Path, tmp_path: Path, damage: str) -> None:
    file, copy = home / "registry.sqlite", tmp_path / "copy.sqlite.part"
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2] if damage == "cut off" else b"no registry" * 1000)
    with pytest.raises(Failed, match="damaged"):
        _copy_sqlite(file, copy)
    assert not copy.exists()


def test_a_server_upgrades_its_home_when_it_starts(home: Path) -> None:
    with running_server(home) as server:
        assert server.owner.health()["status"] == "ok"
    (copy,) = (home / "backups").iterdir()
    assert (revision_of(f"sqlite:///{copy}"), revision_of(url_of(home))) == ("0001", NEWEST)
    with running_server(home):
        pass
    assert list((home / "backups").iterdir()) == [copy]


def test_a_postgresql_without_a_dump_is_left_as_it_is(
    home: Path, postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = moved_to_postgresql(home, postgres)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert upgrade(home, "--database", url) == 5
    assert "pg_dump is not installed" in capsys.readouterr().err
    assert revision_of(url) == "0001"
    assert upgrade(home, "--database", url, "--no-backup") == 0
    assert revision_of(url) == NEWEST
