"""How published versions answered their examples on each version of troth's worker."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, ForeignKey, Integer, String, Table, Text, and_, select

from troth.registry.tables import accounts, algorithms, metadata, versions

OUTCOMES = REPRODUCED, DIFFERS, NOT_RUN = "reproduced", "differs", "not-run"

worker_replays = Table(
    "worker_replays",
    metadata,
    Column("version_id", String(36), ForeignKey("versions.id"), primary_key=True),
    Column("worker", Integer, primary_key=True, autoincrement=False),
    Column("outcome", String(16), nullable=False),  # reproduced, differs or not-run
    Column("faults", Text, nullable=False),  # JSON list of what differs, in words
    Column("replayed_at", String(27), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Known:
    """What came of the examples of one version on one version of the worker."""

    worker: int
    outcome: str
    faults: tuple[str, ...]
    replayed_at: str

    def as_dict(self) -> dict[str, Any]:
        told = {"worker": self.worker, "outcome": self.outcome}
        return {**told, "faults": list(self.faults), "replayed_at": self.replayed_at}


def record(
    connection: Connection, version_id: str, worker: int, outcome: str, faults: tuple[str, ...], now: str
) -> None:
    """Keeps an outcome; a later one of the same worker takes its place."""
    key = and_(worker_replays.c.version_id == version_id, worker_replays.c.worker == worker)
    connection.execute(worker_replays.delete().where(key))
    connection.execute(
        worker_replays.insert().values(
            version_id=version_id, worker=worker, outcome=outcome, faults=json.dumps(list(faults)), replayed_at=now
        )
    )


def known(connection: Connection, algorithm_id: str) -> dict[str, list[Known]]:
    """What is known of the versions of an algorithm, by their ids, the newest worker first."""
    rows = (
        select(worker_replays)
        .join(versions, versions.c.id == worker_replays.c.version_id)
        .where(versions.c.algorithm_id == algorithm_id)
        .order_by(worker_replays.c.worker.desc())
    )
    found: dict[str, list[Known]] = {}
    for row in connection.execute(rows):
        one = Known(row.worker, row.outcome, tuple(json.loads(row.faults)), row.replayed_at)
        found.setdefault(row.version_id, []).append(one)
    return found


def on_worker(connection: Connection, worker: int) -> list[dict[str, Any]]:
    """What came of the examples of every version on this worker, as JSON, by their references."""
    number = (versions.c.major, versions.c.minor, versions.c.revision)
    rows = (
        select(worker_replays, accounts.c.name.label("owner"), algorithms.c.name, *number)
        .join(versions, versions.c.id == worker_replays.c.version_id)
        .join(algorithms, algorithms.c.id == versions.c.algorithm_id)
        .join(accounts, accounts.c.id == algorithms.c.owner_id)
        .where(worker_replays.c.worker == worker)
        .order_by(accounts.c.name, algorithms.c.name, *number)
    )
    return [
        {
            "version": f"{row.owner}/{row.name}/{row.major}.{row.minor}.{row.revision}",
            "outcome": row.outcome,
            "faults": json.loads(row.faults),
            "replayed_at": row.replayed_at,
        }
        for row in connection.execute(rows)
    ]


def unknown(connection: Connection, worker: int) -> list[tuple[str, str]]:
    """(algorithm id, version id) of every version with examples that was not replayed on this worker, oldest first."""
    replayed = and_(worker_replays.c.version_id == versions.c.id, worker_replays.c.worker == worker)
    rows = (
        select(versions.c.algorithm_id, versions.c.id, versions.c.contract)
        .join(algorithms, algorithms.c.id == versions.c.algorithm_id)
        .join(worker_replays, replayed, isouter=True)
        .where(worker_replays.c.version_id.is_(None))
        .order_by(versions.c.valid_from, versions.c.id)
    )
    return [(row.algorithm_id, row.id) for row in connection.execute(rows) if json.loads(row.contract).get("examples")]
