"""Memory: of an idle server, of the same with 10,000 published versions, and of four workers with scikit-learn.

Memory is PSS: pages that several processes share are spread over those that share them, so that a sum counts each once.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path

from bench import predict
from bench.idle_states import FOUR_WORKERS_SETTINGS, worked_up
from bench.load import own
from bench.processes import below, proportional_bytes
from bench.section import Findings, Options
from bench.servers import OWNER, TrothServer, published, troth_server
from bench.table import Table, met

ALGORITHMS, VERSIONS_EACH = 100, 100
VERSIONS = ALGORITHMS * VERSIONS_EACH
WORKERS = 4
#: Bytes of an idle server, of 10,000 versions beside, and of four workers with scikit-learn.
TARGET_IDLE, TARGET_VERSIONS, TARGET_WORKERS = 120 << 20, 50 << 20, 200 << 20
_MIB = 1 << 20
#: Seconds that a server may settle in after its start.
_SETTLING = 2.0


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes that a server and the processes below it hold, and how many processes they are."""

    bytes: int
    processes: int

    @classmethod
    def by(cls, server: TrothServer) -> Held:
        processes = [server.process_id, *below(server.process_id)]
        return cls(proportional_bytes(processes), len(processes))


def measure(options: Options) -> Findings:
    """Each once: memory does not scatter as time does."""
    options.say(f"memory: an idle server, then with {VERSIONS:,} versions")
    idle, grown, wrong = _idle_and_grown()
    options.say(f"memory: {WORKERS} workers with scikit-learn")
    workers, number, bad = _workers()
    added = grown.bytes - idle.bytes
    rows = [
        _row("idle server", idle.bytes, idle.processes, TARGET_IDLE, fits=True),
        _row(f"idle server, {VERSIONS:,} versions", grown.bytes, grown.processes, None, fits=True),
        _row("what they add", added, grown.processes - idle.processes, TARGET_VERSIONS, fits=True),
        _row(
            f"{number} workers, scikit-learn", workers.bytes, workers.processes, TARGET_WORKERS, fits=number >= WORKERS
        ),
    ]
    note = (
        f"{VERSIONS_EACH} versions of each of {ALGORITHMS} algorithms. Idle servers are restarted before they are measured. "
        "Workers: all processes below the server, on which nothing else runs; the version tells scikit-learn's libraries to "
        f"start no threads, so that its workers are forks. {wrong + bad} wrong answers."
    )
    return Findings([Table("Memory (PSS)", ["", "MiB", "processes", "target", ""], rows, note)], wrong + bad)


def _row(name: str, size: int, processes: int, target: int | None, *, fits: bool) -> Sequence[str]:
    judged = "-" if target is None else met(size <= target) if fits else "not measured"
    return [name, f"{size / _MIB:.1f}", str(processes), "-" if target is None else str(target // _MIB), judged]


def _idle_and_grown() -> tuple[Held, Held, int]:
    """An idle server before and after its registry grew, and how many of three versions then answered wrongly."""
    with tempfile.TemporaryDirectory(prefix="troth-bench-") as name:
        folder = Path(name)
        with troth_server(folder=folder) as server:
            version = published(server, "echo")
        with troth_server(folder=folder) as server:
            idle = _settled(server)
        _grow(folder / "home" / "registry.sqlite")
        with troth_server(folder=folder) as server:
            grown = _settled(server)
            with server.client() as client:
                value = json.loads(version.target.body)
                named = [f"{OWNER}/echo-{algorithm}/0.{VERSIONS_EACH}.0" for algorithm in (0, 57, ALGORITHMS - 1)]
                wrong = sum(client.call(reference, value).result != value for reference in named)
    return idle, grown, wrong


def _settled(server: TrothServer) -> Held:
    time.sleep(_SETTLING)
    return Held.by(server)


def _grow(registry: Path) -> None:
    """Copies the registry's one algorithm, build and version, as rows, until there are 10,000 versions."""
    with sqlite3.connect(registry) as connection:
        connection.row_factory = sqlite3.Row
        algorithm, build, version = (
            dict(connection.execute(f"select * from {table}").fetchone())
            for table in ("algorithms", "builds", "versions")
        )
        for number in range(ALGORITHMS):
            name = f"echo-{number}"
            mine = {**algorithm, "id": str(uuid.uuid4()), "name": name, "folded": name}
            builds, versions = [], []
            for minor in range(1, VERSIONS_EACH + 1):
                commit = sha1(f"{name}/{minor}".encode(), usedforsecurity=False).hexdigest()
                builds.append({**build, "id": str(uuid.uuid4()), "algorithm_id": mine["id"], "hash": commit})
                named = {
                    "id": str(uuid.uuid4()),
                    "algorithm_id": mine["id"],
                    "build_id": builds[-1]["id"],
                    "minor": minor,
                }
                versions.append({**version, **named})
            _insert(connection, "algorithms", [mine])
            _insert(connection, "builds", builds)
            _insert(connection, "versions", versions)


def _insert(connection: sqlite3.Connection, table: str, rows: list[dict[str, object]]) -> None:
    columns = list(rows[0])
    places = ", ".join(f":{column}" for column in columns)
    connection.executemany(f"insert into {table} ({', '.join(columns)}) values ({places})", rows)


def _workers() -> tuple[Held, int, int]:
    """What the processes below a server with one loaded version hold, its number of workers, and its wrong answers."""
    with troth_server(FOUR_WORKERS_SETTINGS) as server:
        version = published(
            server, "predict", predict.ONE_THREAD_SOURCE, predict.REQUIREMENTS, body=predict.ROW, result=predict.RESULT
        )
        first = own(version.target, 1, 0.0, patience=60.0)
        number = worked_up(server, version.target, WORKERS)
        processes = below(server.process_id)
        return Held(proportional_bytes(processes), len(processes)), number, first.wrong
