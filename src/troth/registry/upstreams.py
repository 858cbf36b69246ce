"""Where APIs run that the gateway hands requests on to, and when their versions are browned out."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from troth.registry.gateway_tables import api_brownouts, api_upstreams
from troth.versions.lifecycles.table import MOST_BROWNOUTS, Brownout, StateTable

#: Stands for every version that has no upstream of its own.
EVERY_VERSION = 0


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where a version runs: the address below which its paths lie, and what is let pass."""

    url: str
    connect_seconds: float = 5.0
    #: without a byte from it
    seconds: float = 60.0
    #: of a request's body
    body_bytes: int = 10 << 20
    #: what is asked every few seconds to see whether it is well; None: nothing
    health_path: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _SHOWN}


_SHOWN = ("url", "connect_seconds", "seconds", "body_bytes", "health_path")


@dataclass(frozen=True, slots=True)
class PlannedBrownout:
    """A brownout with its id, for who may cancel it."""

    id: str
    api_id: str
    version: int
    begins: str
    ends: str
    production: bool
    cancelled_at: str | None

    @property
    def brownout(self) -> Brownout:
        return Brownout(self.version, self.begins, self.ends, self.production)


def set_upstream(
    connection: Connection, api_id: str, version: int, upstream: Upstream | None, by: str, now: str
) -> None:
    """Sets where a version runs; None takes that away."""
    mine = (api_upstreams.c.api_id == api_id) & (api_upstreams.c.version == version)
    connection.execute(delete(api_upstreams).where(mine))
    if upstream is not None:
        row = {"api_id": api_id, "version": version, "set_by": by, "set_at": now, **upstream.as_dict()}
        connection.execute(api_upstreams.insert().values(**row))


def upstreams_of(connection: Connection, api_id: str) -> dict[int, Upstream]:
    """Where the versions of an API run, by number; `EVERY_VERSION` stands for the others."""
    columns = [api_upstreams.c[name] for name in ("version", *_SHOWN)]
    rows = connection.execute(select(*columns).where(api_upstreams.c.api_id == api_id))
    return {row[0]: Upstream(*row[1:]) for row in rows}


def plan_brownout(connection: Connection, api_id: str, brownout: Brownout, by: str, now: str) -> str:
    """The id of a new brownout."""
    row = {
        "id": str(uuid.uuid4()), "api_id": api_id, "version": brownout.version, "begins": brownout.begins,
        "ends": brownout.ends, "production": brownout.production, "planned_by": by, "planned_at": now,
    }  # fmt: skip
    connection.execute(api_brownouts.insert().values(**row))
    return str(row["id"])


def find_brownout(connection: Connection, identity: str) -> PlannedBrownout | None:
    """The brownout with this id."""
    row = connection.execute(_BROWNOUTS.where(api_brownouts.c.id == identity)).first()
    return PlannedBrownout(*row) if row else None


def cancel_brownout(connection: Connection, identity: str, now: str) -> None:
    """The brownout does not come, or ends now."""
    connection.execute(update(api_brownouts).where(api_brownouts.c.id == identity).values(cancelled_at=now))


def second(when: datetime) -> str:
    """A moment as the ends of brownouts are written, which compare as texts."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def brownouts_of(connection: Connection, api_id: str, after: str) -> list[PlannedBrownout]:
    """Brownouts of an API that nobody cancelled and that end after a time, the earliest first."""
    mine = (api_brownouts.c.api_id == api_id) & api_brownouts.c.cancelled_at.is_(None) & (api_brownouts.c.ends > after)
    return [
        PlannedBrownout(*row) for row in connection.execute(_BROWNOUTS.where(mine).order_by(api_brownouts.c.begins))
    ]


def with_brownouts(connection: Connection, api_id: str, table: StateTable, now: datetime) -> StateTable:
    """The table with the brownouts that have not passed."""
    planned = brownouts_of(connection, api_id, second(now))[:MOST_BROWNOUTS]
    return replace(table, brownouts=tuple(one.brownout for one in planned if one.version in table.versions))


_BROWNOUTS = select(
    *(api_brownouts.c[name] for name in ("id", "api_id", "version", "begins", "ends", "production", "cancelled_at"))
)
