"""A registry brought up to this release: looked at, copied, migrated, looked at again."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from troth.clock import now
from troth.errors import Failed, Unavailable
from troth.registry import schema

if TYPE_CHECKING:
    from troth.registry.database import Database

#: room that is left for the server itself
_LEFT_OVER: Final = 64 << 20
#: what a migration may write beside the copy: the registry once more, in the log of its transaction
_TIMES: Final = 2


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What was done: nothing, where there are no migrations."""

    before: str | None
    after: str
    migrations: tuple[str, ...] = ()
    backup: Path | None = None

    @property
    def is_new(self) -> bool:
        """Whether there was no registry before."""
        return self.before is None


def upgraded(
    database: Database, backups: Path, *, copy: bool, told: Callable[[str], None] = lambda words: None
) -> Upgraded:
    """Runs the migrations that are pending, all or none; `copy` puts a copy of the registry into `backups` first.

    Raises NewerRegistry for a registry of a later release, Unavailable where it cannot be read, there is no room or no copy can be
    made, and Failed where a migration fails.
    """
    try:
        with database.read() as connection:
            before = schema.revision_of(connection)
    except SQLAlchemyError as error:
        raise Unavailable(
            "the registry cannot be read",
            why=str(error).partition("\n")[0],
            repair="look whether its file is whole, or its server runs; docs/operations.md tells how to restore a backup",
        ) from error
    waiting = schema.pending(before)
    after = schema.known()[-1].id
    if not waiting:
        return Upgraded(before, after)
    backup = None
    if copy and before is not None:
        url = make_url(database.url)
        _require_room(_size(database, url), backups)
        backup = _copied(url, backups, before)
        told(f"the registry of revision {before} is copied to {backup}")
    try:
        database.migrate(lambda revision: told(f"{revision.id}: {revision.words}"))
    except (SQLAlchemyError, NotImplementedError) as error:
        raise Failed(
            f"the registry could not be upgraded, and is at {before or 'nothing'} as before",
            why=str(error).partition("\n")[0],
            repair="go on with the release that you had, and tell the authors of troth",
        ) from error
    return Upgraded(before, after, tuple(one.id for one in waiting), backup)


def _size(database: Database, url: URL) -> int:
    """How many bytes the registry takes."""
    if url.get_backend_name() == "sqlite":
        files = [Path(f"{url.database}{ending}") for ending in ("", "-wal")]
        return sum(file.stat().st_size for file in files if file.exists())
    with database.read() as connection:
        return int(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())


def _require_room(size: int, backups: Path) -> None:
    needed = size * _TIMES + _LEFT_OVER
    backups.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(backups.parent).free
    if free < needed:
        raise Unavailable(
            f"there is no room for an upgrade: {needed >> 20} MiB are needed beside {backups}, and {free >> 20} are free",
            why="the registry is copied first, and migrated in one transaction",
            repair="make room, or name a folder on another disk with --backups",
        )


def _copied(url: URL, backups: Path, revision: str) -> Path:
    """A copy of the registry, whole and on the disk, readable by the server's user only."""
    backups.mkdir(exist_ok=True, mode=0o700, parents=True)
    stem = f"registry-{revision}-{now():%Y%m%dT%H%M%SZ}"
    is_sqlite = url.get_backend_name() == "sqlite"
    target = backups / f"{stem}{'.sqlite' if is_sqlite else '.dump'}"
    scratch = target.with_name(f"{target.name}.part")
    scratch.unlink(missing_ok=True)
    scratch.touch(mode=0o600)
    _copy_sqlite(Path(url.database or ""), scratch) if is_sqlite else _dump_postgresql(url, scratch)
    with scratch.open("rb") as written:
        os.fsync(written.fileno())
    scratch.replace(target)
    return target


def _copy_sqlite(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        try:
            old.backup(new)
            new.execute("PRAGMA journal_mode=DELETE")
            (verdict,) = new.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.DatabaseError as error:
            verdict = str(error)
    if verdict != "ok":
        target.unlink(missing_ok=True)
        raise Failed(
            "the registry's file is damaged, and was left as it is",
            why=verdict,
            repair="restore a backup; docs/operations.md tells how",
        )


def _dump_postgresql(url: URL, target: Path) -> None:
    """A dump in PostgreSQL's own format. The password is in no command line."""
    try:
        done = subprocess.run(
            ["pg_dump", "--format=custom", f"--file={target}"],
            env={"PATH": os.environ.get("PATH", os.defpath), **_connection(url)},
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise _no_dump("pg_dump is not installed") from None
    if done.returncode:
        target.unlink(missing_ok=True)
        raise _no_dump(
            "; ".join(done.stderr.decode(errors="replace").split("\n")).strip("; ")[:400] or "pg_dump failed"
        )


def _connection(url: URL) -> Mapping[str, str]:
    """The variables by which PostgreSQL's programs find a database."""
    query = {name: value if isinstance(value, str) else value[0] for name, value in url.query.items()}
    given = {
        "PGHOST": url.host or query.get("host"),
        "PGPORT": str(url.port or query.get("port") or ""),
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
        "PGSSLMODE": query.get("sslmode"),
    }
    return {name: value for name, value in given.items() if value}


def _no_dump(why: str) -> Unavailable:
    return Unavailable(
        "the registry was not upgraded, because no backup of it could be made",
        why=why,
        repair="install the pg_dump of your PostgreSQL's release, or take a backup yourself and say --no-backup",
    )
