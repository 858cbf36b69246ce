"""Queries of a registry of 1,000,000 versions of 10,000 algorithms, on SQLite and on PostgreSQL.

Run as `python -m bench.queries [PostgreSQL]`: fills a registry, measures, and prints one JSON object. A process of its own, so that
the memory is that of the answers alone. What is measured is `troth.queries.asking.ask`, from the text of a query to the rows of its answer.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection
from sqlalchemy import Table as SqlTable

from bench.commands import empty_registry
from bench.processes import resident_bytes
from bench.section import Findings, Options
from bench.table import Table, met
from troth.access.roles import Actor
from troth.clock import stamp
from troth.queries.asking import Question, ask
from troth.queries.cursors import Cursors
from troth.registry.accounts import get_account
from troth.registry.database import Database
from troth.registry.tables import accounts, algorithms, builds, versions

_OWNERS, _ALGORITHMS, _VERSIONS = 100, 10_000, 100
_REGISTRIES = ("SQLite", "PostgreSQL")
_SEED, _TIMES, _PAGE = 9, 21, 50
_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
_MIDDLE = "2026-06-01T00:00:00Z"
TARGET_MILLISECONDS, TARGET_ROWS, TARGET_RATIO, TARGET_BYTES = 20.0, 20_000.0, 2.0, 64 << 20

_OLDEST = [["published_at", "asc"]]
#: Each as a page of fifty rows; the second half of each pair is the same of a moment of the past.
QUESTIONS: dict[str, dict[str, Any]] = {
    "every version": {},
    "of an owner": {"query": 'owner = "owner7"'},
    "of an algorithm": {"query": 'algorithm = "owner7/algorithm107"'},
    "of a name, from 2.0.0 on": {"query": 'name = "algorithm107" and version >= "2.0.0"'},
    "of an owner, by a pattern": {"query": 'owner = "owner7" and name ~ "^algorithm1"'},
    "the oldest of the last months": {"query": 'published_at > "2026-09-01T00:00:00Z"', "order_by": _OLDEST},
}
_PAST = ("every version", "of an owner", "of an algorithm")


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds (median, least, most) of each question, and of some as of a moment; rows a second and bytes of the stream."""

    registry: str
    versions: int
    fill_seconds: float
    milliseconds: dict[str, tuple[float, float, float]]
    past: dict[str, tuple[float, float, float]]
    rows: int
    rows_per_second: float
    grown_bytes: int
    wrong: int


def measure(options: Options) -> Findings:
    """Measures each kind of registry in a process of its own."""
    found, failures = [], []
    for kind in _REGISTRIES:
        options.say(
            f"queries: {_ALGORITHMS * _VERSIONS:,} versions on {kind}, {_TIMES} pages of each kind, then all of them as a stream"
        )
        command = [sys.executable, "-m", "bench.queries", kind]
        done = subprocess.run(command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, check=False, timeout=3600)
        if done.returncode:
            failures.append(f"{kind}: exit code {done.returncode}")
        else:
            found.append(Measured(**json.loads(done.stdout.splitlines()[-1])))
    return Findings([_table_of(one) for one in found], sum(one.wrong for one in found), failures)


def _table_of(found: Measured) -> Table:
    rows = [[kind, *(f"{value:.1f}" for value in values)] for kind, values in found.milliseconds.items()]
    rows += [[f"{kind}, as of a moment", *(f"{value:.1f}" for value in values)] for kind, values in found.past.items()]
    slowest = max(values[0] for values in found.milliseconds.values())
    ratio = max(found.past[kind][0] / found.milliseconds[kind][0] for kind in found.past)
    return Table(
        f"Queries of {found.versions:,} versions on {found.registry}, pages of {_PAGE}, ms",
        ["question", "median", "least", "most"],
        rows,
        f"Targets: each under {TARGET_MILLISECONDS:g} ms: {met(slowest < TARGET_MILLISECONDS)}; as of a moment at most "
        f"{TARGET_RATIO:g} times that ({ratio:.1f}): {met(ratio <= TARGET_RATIO)}; a stream of all at {TARGET_ROWS:,.0f} rows/s "
        f"({found.rows_per_second:,.0f}): {met(found.rows_per_second >= TARGET_ROWS)}, in constant memory "
        f"({found.grown_bytes / 1e6:,.0f} MB more): {met(found.grown_bytes < TARGET_BYTES)}.",
    )


def main() -> None:
    kind = sys.argv[1] if len(sys.argv) > 1 else "SQLite"
    with _registry(kind) as url:
        print(json.dumps(asdict(_measured(kind, url))))


@contextmanager
def _registry(kind: str) -> Iterator[str]:
    """The URL of an empty registry."""
    if kind == "PostgreSQL":
        with empty_registry("postgresql") as url:
            yield url
        return
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/registry.sqlite"


def _measured(kind: str, url: str) -> Measured:
    database = Database(url)
    database.migrate()
    started = time.perf_counter()
    database.write_now(lambda connection: _fill(connection, _ALGORITHMS))
    filled = time.perf_counter() - started
    if kind == "PostgreSQL":
        database.write_now(_settle)
    with database.read() as connection:
        caller = get_account(connection, "owner5")
    wrong: list[str] = []
    now = {kind: _timed(database, caller, kind, {}, wrong) for kind in QUESTIONS}
    past = {kind: _timed(database, caller, kind, {"as_of": _MIDDLE}, wrong) for kind in _PAST}
    rows, speed, grown = _streamed(database, caller)
    database.close()
    return Measured(kind, _ALGORITHMS * _VERSIONS, filled, now, past, rows, speed, grown, len(wrong))


def _settle(connection: Connection) -> None:
    """What PostgreSQL does by itself within a minute."""
    connection.exec_driver_sql("ANALYZE")


def _timed(
    database: Database, caller: Actor, kind: str, how: dict[str, Any], wrong: list[str]
) -> tuple[float, float, float]:
    spent = []
    for _ in range(_TIMES):
        with database.read() as connection:
            began = time.perf_counter()
            answer = ask(
                connection, caller, Question("versions", limit=_PAGE, **QUESTIONS[kind], **how), _CURSORS, seconds=60
            )
            found = list(answer.rows)
            spent.append(1000 * (time.perf_counter() - began))
        wrong += (
            [kind]
            if not found or any(row["visibility"] != "public" and row["owner"] != caller.name for row in found)
            else []
        )
    return statistics.median(spent), min(spent), max(spent)


def _streamed(database: Database, caller: Actor) -> tuple[int, float, int]:
    """(rows, rows a second, bytes that memory grew by at most) of an answer with every version, as lines of JSON."""
    with database.read() as connection:
        began, before, most, rows = time.perf_counter(), resident_bytes(), 0, 0
        for row in ask(connection, caller, Question("versions", limit=None), _CURSORS, seconds=3600).rows:
            msgspec.json.encode(row)
            rows += 1
            if rows % 20_000 == 0:
                most = max(most, resident_bytes() - before)
        return rows, rows / (time.perf_counter() - began), most


_CURSORS = Cursors(b"bench")


def _fill(connection: Connection, count: int) -> None:
    """Owners with equally many algorithms, each with a hundred versions, seven of ten public."""
    chance = random.Random(_SEED)
    begun = stamp(_BEGINNING)
    owners = [_identity(chance) for _ in range(_OWNERS)]
    _insert(
        connection, accounts, ((one, f"owner{n}", f"owner{n}", "user", False, begun) for n, one in enumerate(owners))
    )
    made = [(_identity(chance), owners[n % _OWNERS], f"algorithm{n}") for n in range(count)]
    _insert(connection, algorithms, ((*one, one[2], "", "{}", "{}", begun) for one in made))
    for start in range(0, count, 100):
        rows = list(_published(chance, made[start : start + 100], owners[0]))
        _insert(connection, builds, (build for build, _ in rows))
        _insert(connection, versions, (version for _, version in rows))


def _published(chance: random.Random, some: list[tuple[str, str, str]], by: str) -> Iterator[tuple[Any, Any]]:
    for identity, _, _ in some:
        for number in range(_VERSIONS):
            at = stamp(_BEGINNING + timedelta(seconds=chance.randrange(27_000_000)))
            build, digest = _identity(chance), "0" * 64
            public = "public" if chance.random() < 0.7 else "private"
            yield (
                (build, identity, f"{chance.getrandbits(160):040x}", "succeeded", None, "", None, "{}", False, "{}", "", by, at, at),
                (_identity(chance), identity, build, number // 20, number % 20, 0, public, "{}", "{}", digest, "{}", 1, "", "{}",
                 by, at, None),
            )  # fmt: skip


def _insert(connection: Connection, table: SqlTable, rows: Iterator[tuple[Any, ...]]) -> None:
    if connection.dialect.name == "postgresql":
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    marks = ", ".join("?" * len(table.columns))
    connection.exec_driver_sql(f"INSERT INTO {table.name} VALUES ({marks})", list(rows))


def _identity(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


if __name__ == "__main__":
    main()
