"""Questions about waivers, and about how versions answered their examples on the installed worker."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor, relations, require
from troth.clock import now, stamp
from troth.errors import NotFound
from troth.queries.algorithms import unknown, visible
from troth.registry import catalog, replays, waivers
from troth.versions.numbers import Number


def of_algorithm(connection: Connection, caller: Actor, subject: str) -> dict[str, Any]:
    """The waivers of an algorithm, the newest first: all for members, for others those of versions that they see."""
    algorithm, member = visible(connection, caller, subject)
    moment = stamp(now())
    found = [
        row.as_dict(moment)
        for row in waivers.of_algorithm(connection, algorithm.id)
        if member or caller.administrator or _is_shown(connection, row)
    ]
    if not found and not member and not caller.administrator:
        _check_known(connection, algorithm, subject)
    return {"algorithm": algorithm.subject, "waivers": found}


def one(connection: Connection, caller: Actor, identity: str) -> dict[str, Any]:
    """One waiver, to whom `of_algorithm` would show it. Raises NotFound."""
    row = waivers.find(connection, identity)
    if row is not None:
        algorithm = catalog.get_algorithm(connection, row.algorithm_id)
        member = catalog.sees_private(connection, algorithm, caller)
        if member or caller.administrator or _is_shown(connection, row):
            return row.as_dict(stamp(now()))
    raise NotFound(
        f"there is no waiver {identity[:60]}",
        why="it was never asked for, or is of an algorithm that you may not know of",
        repair="troth waiver list OWNER/NAME shows those of an algorithm",
        asked=identity[:100],
    )


def worker(connection: Connection, caller: Actor, version: int) -> dict[str, Any]:
    """How every version with examples answered them on a version of the worker, for administrators."""
    require("read_engine", relations(caller), "")
    found = replays.on_worker(connection, version)
    counts = {outcome: sum(row["outcome"] == outcome for row in found) for outcome in replays.OUTCOMES}
    return {
        "worker": version,
        "counts": {**counts, "waiting": len(replays.unknown(connection, version))},
        "versions": found,
    }


def _is_shown(connection: Connection, row: waivers.WaiverRow) -> bool:
    """Whether it is on the page of a public version."""
    if row.used_at is None:
        return False
    version = catalog.find_version(connection, row.algorithm_id, Number.parse(row.number))
    return version is not None and version.permissions.public


def _check_known(connection: Connection, algorithm: catalog.AlgorithmRow, subject: str) -> None:
    """Raises NotFound, as of what never existed, where strangers know of no version (ALG-25)."""
    if not any(row.permissions.public for row in catalog.all_versions(connection, algorithm.id)):
        raise unknown(subject)
