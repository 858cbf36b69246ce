"""The connection to the registry: many readers, one writer that commits together what was asked meanwhile.

On SQLite every commit is on disk before anybody is told of it (WAL, synchronous=FULL), and only the writer checkpoints.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from troth.errors import MalformedSetting
from troth.registry import prepared, schema
from troth.registry.upgrading import upgraded

log = structlog.get_logger()
Result = TypeVar("Result")
_BATCH = 256


@dataclass(slots=True)
class _Job:
    """`loop` is the one that the future belongs to, if it is one of asyncio's."""

    work: Callable[[Connection], Any]
    after: Callable[[Any], None]
    future: asyncio.Future[Any] | concurrent.futures.Future[Any]
    loop: asyncio.AbstractEventLoop | None = None
    result: Any = None
    error: Exception | None = None

    def settle(self) -> None:
        """Tells who asked what came of it, unless they went away."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Database:
    """One registry, by its SQLAlchemy URL (`sqlite:///...` or `postgresql+psycopg://...`).

    Raises MalformedSetting for an address that is none, or of a database that troth does not know.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        #: how often this process wrote: what was read is new as long as it has not moved
        self.commits = 0
        self._engine = _engine(url)
        # as transactions of SQLite see it anyway
        self._reading = (
            self._engine
            if url.startswith("sqlite")
            else self._engine.execution_options(isolation_level="REPEATABLE READ")
        )
        # statements are prepared on a PostgreSQL connection by connection, and forgotten where one is rolled back
        self._writing = self._engine if url.startswith("sqlite") else _engine(url)
        prepared.listen(self._writing)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write_all, name="registry writer", daemon=True)
        self._writer.start()

    def bring_up(self, backups: Path) -> None:
        """Upgrades the registry as a server does when it starts; what is wrong is raised as `upgraded` does, and closes it.

        A file is copied into `backups` first. Backups of a PostgreSQL are its operator's.
        """
        try:
            found = upgraded(self, backups, copy=self.url.startswith("sqlite"))
        except BaseException:
            self.close()
            raise
        if found.migrations and not found.is_new:
            log.warning(
                "the registry was upgraded", before=found.before, after=found.after, backup=str(found.backup or "")
            )

    def migrate(self, told: schema.Told = lambda revision: None) -> None:
        """Brings the schema up to this release, all or nothing; `told` hears of each migration."""
        with self._engine.connect() as connection:
            schema.migrate(connection, told)
            connection.commit()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for queries, which sees one consistent state."""
        with self._reading.connect() as connection:
            yield connection

    async def write(
        self, work: Callable[[Connection], Result], after: Callable[[Result], None] = lambda result: None
    ) -> Result:
        """What `work` returns, once it is durable. `after` runs in between, in the order of the commits.

        `work` shares its transaction with others' and may be run again, so it must have no effect but on the connection.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._jobs.put(_Job(work, after, future, loop))
        return await future

    def write_now(
        self, work: Callable[[Connection], Result], after: Callable[[Result], None] = lambda result: None
    ) -> Result:
        """`write` for threads without an event loop."""
        future: concurrent.futures.Future[Result] = concurrent.futures.Future()
        self._jobs.put(_Job(work, after, future))
        return future.result()

    def close(self) -> None:
        """Finishes what was asked and closes every connection."""
        self._jobs.put(None)
        self._writer.join()
        self._engine.dispose()
        self._writing.dispose()

    def _write_all(self) -> None:
        while (job := self._jobs.get()) is not None:
            batch = [job]
            while len(batch) < _BATCH and not self._jobs.empty():
                if (following := self._jobs.get()) is None:
                    self._jobs.put(None)
                    break
                batch.append(following)
            self._commit(batch)

    def _commit(self, batch: list[_Job]) -> None:
        """Commits all jobs together, or one by one where one of them fails, so that a failure is its own only."""
        try:
            with self._writing.begin() as connection, prepared.together(connection):
                results = [job.work(connection) for job in batch]
        except Exception as error:
            if len(batch) == 1:
                batch[0].error = error
                _tell(batch)
            else:
                for job in batch:
                    self._commit([job])
            return
        self.commits += 1
        for job, job.result in zip(batch, results, strict=True):
            try:
                job.after(job.result)
            except Exception as error:
                job.error = error
        _tell(batch)


def _server_engine(url: str) -> Engine:
    """The engine of a PostgreSQL. The address holds a password: no error tells it."""
    try:
        kind = make_url(url).get_backend_name()
        if kind == "postgresql":
            return create_engine(url, pool_pre_ping=True, hide_parameters=True)
        why = f"the registry lies in SQLite or PostgreSQL, and not in {kind}"
    except ModuleNotFoundError:
        raise MalformedSetting(
            "the setting database names a PostgreSQL, and its driver psycopg is not installed",
            why="troth comes without it",
            repair="pip install 'troth[postgres]'; in a clone: .venv/bin/uv pip install 'psycopg[binary]>=3.3,<4'",
        ) from None
    except ArgumentError:
        why = "it is no address of a database"
    raise MalformedSetting(
        "the setting database cannot be what it is",
        why=why,
        repair="write it like postgresql+psycopg://USER:PASSWORD@HOST:5432/NAME, or leave it out for a file in the home",
    )


def _tell(batch: list[_Job]) -> None:
    """Settles jobs, each loop's own together: to wake a loop takes as long as to write a row."""
    loops: dict[asyncio.AbstractEventLoop, list[_Job]] = defaultdict(list)
    for job in batch:
        if job.loop is None:
            job.settle()
        else:
            loops[job.loop].append(job)
    for loop, jobs in loops.items():
        try:
            loop.call_soon_threadsafe(_settle, jobs)
        except RuntimeError:  # it is closed, and nobody waits any more
            pass


def _settle(jobs: list[_Job]) -> None:
    for job in jobs:
        job.settle()


def _engine(url: str) -> Engine:
    # parameters hold payloads and hashes of keys: no error tells them
    if not url.startswith("sqlite"):
        return _server_engine(url)
    engine = create_engine(url, pool_size=8, max_overflow=8, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # transactions begin where SQLAlchemy says so
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = threading.current_thread().name == "registry writer"
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine
