"""Scratch databases: a file of SQLite, or databases that are made on a PostgreSQL and dropped again."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, create_engine, event, func, inspect, select, table
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from troth.errors import Malformed, Unavailable

#: Tables in which tools write down what they ran.
BOOKKEEPING: Final = frozenset({"alembic_version", "django_migrations", "schema_migrations", "flyway_schema_history"})
INSIDE: Final = "/scratch"
_MOST_ROWS: Final = 10_000
#: how often, in tenths of a second, it is looked whether a connection has ended
_PATIENCE: Final = 600
_ENDED: Final = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
#: how Python ends a stack, and how tools begin a complaint
_NAMED: Final = re.compile(r"[\w.]*(Error|Exception|Failed|FAILED|ERROR)\b.*:")


@dataclass(frozen=True, slots=True)
class Database:
    """One scratch database. `address` is what a migration connects to, where it sees the folder at `INSIDE`."""

    name: str
    engine: Engine
    #: the file of SQLite; None for PostgreSQL
    file: Path | None
    _address: str

    def address(self, folder: str | None) -> str:
        """The address for a process that sees the scratch folder at `folder`; None: as it is here."""
        if self.file is None:
            return self._address
        return f"sqlite:///{Path(folder or self.file.parent) / self.file.name}"

    def open_to_all(self) -> None:
        """Lets whoever runs the migrations write to the file."""
        if self.file is not None and self.file.exists():
            self.file.chmod(0o666)

    def tables(self) -> list[str]:
        """The names of its tables, those of bookkeeping left out."""
        return sorted(set(inspect(self.engine).get_table_names()) - BOOKKEEPING)

    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        with self.engine.connect() as connection:
            counts = {name: select(func.count()).select_from(table(name)) for name in self.tables()}
            return {name: int(connection.execute(count).scalar_one()) for name, count in counts.items()}

    def answer(self, sql: str) -> list[tuple[Any, ...]] | str:
        """The rows that a query gives, at most ten thousand; what the database says where it cannot be asked."""
        try:
            with self.engine.connect() as connection:
                return [tuple(row) for row in connection.exec_driver_sql(sql).fetchmany(_MOST_ROWS)]
        except SQLAlchemyError as error:
            return first_line(error)

    def execute_script(self, script: str) -> None:
        """Runs statements of SQL from a file of fixtures. Raises Malformed."""
        try:
            connection = self.engine.raw_connection()
            try:
                driver: Any = connection.driver_connection
                if self.file is not None:
                    driver.executescript(script)
                else:
                    driver.execute(script)
                connection.commit()
            finally:
                connection.close()
        except Exception as error:
            raise Malformed(
                f"the fixtures do not fit: {first_line(error)}", repair="write them for the release that they are of"
            ) from None


class Server:
    """Where scratch databases are made: in a folder, or on a PostgreSQL at `url`."""

    def __init__(self, folder: Path, url: str | None) -> None:
        self._folder = folder
        self._made = 0
        self._url = None if url is None else _postgres(url)
        self.kind = "SQLite" if url is None else "PostgreSQL"

    @property
    def is_remote(self) -> bool:
        """Whether a process needs a network, or a socket, to reach it."""
        return self._url is not None

    @contextmanager
    def database(self, copied: Database | None = None) -> Iterator[Database]:
        """A new database, empty or a copy of another; it is gone afterwards."""
        self._made += 1
        made = self._in_folder(copied) if self._url is None else self._on_server(copied)
        try:
            yield made
        finally:
            made.engine.dispose()
            self._drop(made)

    def _in_folder(self, copied: Database | None) -> Database:
        file = self._folder / f"database-{self._made}.sqlite"
        if copied is not None and copied.file is not None and copied.file.exists():
            shutil.copyfile(copied.file, file)
        engine = create_engine(f"sqlite:///{file}", poolclass=NullPool)
        made = Database(file.name, engine, file, str(engine.url))
        made.open_to_all()
        return made

    def _on_server(self, copied: Database | None) -> Database:
        name = f"troth_proof_{secrets.token_hex(8)}"
        template = f' TEMPLATE "{copied.name}"' if copied else ""
        if copied:
            copied.engine.dispose()
            self._leave(copied.name)
        self._administer(f'CREATE DATABASE "{name}"{template}')
        url = make_url(str(self._url)).set(database=name)
        engine = create_engine(url, poolclass=NullPool)
        event.listen(engine, "connect", _statement_timeout)
        address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        return Database(name, engine, None, address)

    def _leave(self, name: str) -> None:
        """Ends what is still connected to a database, and waits until it is gone: only then it can be copied."""
        for _ in range(_PATIENCE):
            if not self._administer(_ENDED.format(name=name)):
                return
            time.sleep(0.1)

    def _drop(self, made: Database) -> None:
        if made.file is not None:
            for ending in ("", "-journal", "-wal", "-shm"):
                Path(f"{made.file}{ending}").unlink(missing_ok=True)
        else:
            self._administer(f'DROP DATABASE IF EXISTS "{made.name}" WITH (FORCE)')

    def _administer(self, statement: str) -> int:
        """How many rows a statement gave that is run outside of any scratch database. Raises Unavailable."""
        engine = create_engine(str(self._url), poolclass=NullPool, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                result = connection.exec_driver_sql(statement)
                return len(result.all()) if result.returns_rows else 0
        except SQLAlchemyError as error:
            raise Unavailable(
                f"the PostgreSQL for proofs cannot be used: {first_line(error)}",
                why="databases are made on it and dropped again",
                repair="name one by --database where this user may create databases",
            ) from None
        finally:
            engine.dispose()


def _statement_timeout(connection: Any, record: Any) -> None:
    connection.execute("SET statement_timeout = '60s'")
    connection.commit()


def _postgres(url: str) -> str:
    try:
        parsed = make_url(url)
    except SQLAlchemyError:
        parsed = None
    if parsed is None or not parsed.drivername.startswith(("postgresql", "postgres")):
        raise Malformed(
            "--database is no address of a PostgreSQL",
            why="without it, scratch databases are files of SQLite",
            repair="write it like postgresql://user@host/postgres",
        )
    return parsed.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def first_line(error: Exception | str) -> str:
    """What an error says, in a line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:400] if lines else type(error).__name__


def last_line(output: bytes) -> str:
    """The reason that a program gave: the last line that names an error, else the last line."""
    lines = [line.strip() for line in output.decode(errors="replace").splitlines() if line.strip()]
    named = [line for line in lines if _NAMED.match(line)]
    return (named or lines or ["it said nothing"])[-1][:400]


def writable(folder: Path) -> Path:
    """A folder that whoever runs the migrations may write to."""
    folder.mkdir(parents=True, exist_ok=True)
    os.chmod(folder, 0o777)
    return folder
