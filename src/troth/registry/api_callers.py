"""Who called which operation of which version of an API on which day. Rows are added to, never set, as those of calls are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, delete, distinct, func, select
from sqlalchemy.dialects import postgresql, sqlite

from troth.registry.gateway_tables import api_callers

_KEY = ("day", "api", "version", "operation", "parameter", "caller")
#: (day, owner/name, version, operation, parameter, caller)
Series = tuple[int, str, int, str, str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which counts are asked for: days from `since` up to and with `until`, of one version where one is named."""

    api: str
    since: int
    until: int
    version: int | None = None


@dataclass(frozen=True, slots=True)
class CallerRow:
    """Calls of one operation on one day. `caller` is None where only their number is told."""

    day: int
    version: int
    operation: str
    parameter: str
    caller: str | None
    callers: int
    calls: int


def add_callers(connection: Connection, counts: Mapping[Series, int]) -> None:
    """Adds to what is there."""
    if not counts:
        return
    kind = postgresql if connection.dialect.name == "postgresql" else sqlite
    new = kind.insert(api_callers)
    summed = {"calls": api_callers.c.calls + new.excluded.calls}
    # in one order, so that two servers that count into the same rows wait for each other instead of both failing
    rows = [{**dict(zip(_KEY, series, strict=True)), "calls": calls} for series, calls in sorted(counts.items())]
    connection.execute(new.on_conflict_do_update(index_elements=_KEY, set_=summed), rows)


def callers_of(connection: Connection, wanted: Wanted, *, named: bool, most: int) -> list[CallerRow]:
    """Counts by day, version, operation and parameter, the newest day first; by caller too where they are named."""
    keys = [api_callers.c[name] for name in ("day", "version", "operation", "parameter")]
    sums = [func.count(distinct(api_callers.c.caller)), func.sum(api_callers.c.calls)]
    groups = [*keys, api_callers.c.caller] if named else keys
    found = select(*groups, *sums).where(_wanted(wanted)).group_by(*groups)
    order = (api_callers.c.day.desc(), *groups[1:])
    rows = connection.execute(found.order_by(*order).limit(most))
    return [
        CallerRow(row[0], row[1], row[2], row[3], row[4] if named else None, int(row[-2]), int(row[-1])) for row in rows
    ]


def forget_callers(connection: Connection, before: int) -> None:
    """Deletes the days before this one."""
    connection.execute(delete(api_callers).where(api_callers.c.day < before))


def _wanted(wanted: Wanted) -> ColumnElement[bool]:
    found = [api_callers.c.api == wanted.api, api_callers.c.day >= wanted.since, api_callers.c.day <= wanted.until]
    if wanted.version is not None:
        found.append(api_callers.c.version == wanted.version)
    return and_(*found)
