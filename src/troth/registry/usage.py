"""How often versions were called: one row for each minute, version, caller and outcome, with a histogram of latencies.

Rows are added to, never set, so that several servers and several runs can count into one minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, case, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from troth.observe.latency import BUCKETS
from troth.registry.tables import accounts, members, usage

#: minutes in one step of deletion
_MINUTES_AT_ONCE = 10
BUCKET_NAMES = tuple(f"bucket_{number}" for number in range(BUCKETS))
_KEY = ("minute", "owner", "name", "version", "caller", "outcome")
_SUMS = ("calls", "seconds", *BUCKET_NAMES)


class Series(NamedTuple):
    """What calls are counted by; `minute` counts from 1970 in UTC, `caller` is an account's name."""

    minute: int
    owner: str
    name: str
    version: str
    caller: str
    outcome: str


@dataclass(frozen=True, slots=True)
class UsageRow:
    """The calls of one series in one period, which begins with `minute`."""

    series: Series
    calls: int
    seconds: float
    buckets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class UsageTotal:
    """What was called under these names: how often, how often in vain, and for how many seconds."""

    names: tuple[str, ...]
    calls: int
    errors: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which usage is asked for: minutes from `since` up to but not `until`, and only these names where they are given."""

    since: int
    until: int
    minutes: int
    owner: str = ""
    name: str = ""
    version: str = ""
    caller: str = ""


def add_usage(connection: Connection, counts: Mapping[Series, Sequence[float]]) -> None:
    """Adds to what is there: for each series its calls, their seconds, and their number in each bucket."""
    if not counts:
        return
    kind = postgresql if connection.dialect.name == "postgresql" else sqlite
    new = kind.insert(usage)
    summed = {name: usage.c[name] + new.excluded[name] for name in _SUMS}
    # in one order, so that two servers that count into the same rows wait for each other instead of both failing
    rows = [dict(zip((*_KEY, *_SUMS), (*series, *found), strict=True)) for series, found in sorted(counts.items())]
    connection.execute(new.on_conflict_do_update(index_elements=_KEY, set_=summed), rows)


def usage_of(
    connection: Connection, wanted: Wanted, *, own: str, owners: Iterable[str] | None, most: int
) -> list[UsageRow]:
    """Usage in periods of `wanted.minutes`, oldest first, at most so many rows.

    Only calls made by `own` and calls of algorithms of `owners`; None stands for all owners.
    """
    period = (usage.c.minute - usage.c.minute % wanted.minutes).label("minute")
    keys: list[ColumnElement[Any]] = [period, *(usage.c[name] for name in _KEY[1:])]
    sums = [func.sum(usage.c[name]).label(name) for name in _SUMS]
    found = select(*keys, *sums).where(_wanted(wanted), _visible(own, owners)).group_by(*keys).order_by(*keys)
    return [
        UsageRow(Series(*row[:6]), int(row[6]), float(row[7]), tuple(map(int, row[8:])))
        for row in connection.execute(found.limit(most))
    ]


def usage_totals(
    connection: Connection, wanted: Wanted, columns: Sequence[str], *, after: Sequence[str], most: int
) -> list[UsageTotal]:
    """Calls of the whole period summed up by these columns, in their order, behind the names `after` where there are any."""
    keys = [usage.c[column] for column in columns]
    failed = func.sum(case((usage.c.outcome == "ok", 0), else_=usage.c.calls))
    found = select(*keys, func.sum(usage.c.calls), failed, func.sum(usage.c.seconds)).where(_wanted(wanted))
    if after:
        found = found.where(_behind(keys, after))
    rows = connection.execute(found.group_by(*keys).order_by(*keys).limit(most))
    return [UsageTotal(tuple(row[:-3]), int(row[-3]), int(row[-2]), float(row[-1])) for row in rows]


def _behind(keys: Sequence[ColumnElement[Any]], place: Sequence[str]) -> ColumnElement[bool]:
    """Whether the keys come behind this place, in the order of the list."""
    (key, *others), (name, *further) = keys, place
    return or_(key > name, and_(key == name, _behind(others, further))) if others else key > name


def owners_of(connection: Connection, account_id: str) -> list[str]:
    """Names of the accounts whose algorithms are the account's own affair: itself, and what it belongs to now (ALG-26)."""
    present = select(members.c.organization_id).where(members.c.account_id == account_id, members.c.valid_to.is_(None))
    found = select(accounts.c.name).where(or_(accounts.c.id == account_id, accounts.c.id.in_(present)))
    return list(connection.execute(found).scalars())


def forget_usage(connection: Connection, before: int) -> bool:
    """Deletes a few of the minutes before this one; whether there may be more of them."""
    old = select(usage.c.minute).where(usage.c.minute < before).distinct().order_by(usage.c.minute)
    minutes = list(connection.execute(old.limit(_MINUTES_AT_ONCE)).scalars())
    if minutes:
        connection.execute(delete(usage).where(usage.c.minute.in_(minutes)))
    return len(minutes) == _MINUTES_AT_ONCE


def _wanted(wanted: Wanted) -> ColumnElement[bool]:
    named = [
        usage.c[column] == value
        for column in ("owner", "name", "version", "caller")
        if (value := getattr(wanted, column))
    ]
    return and_(usage.c.minute >= wanted.since, usage.c.minute < wanted.until, *named)


def _visible(own: str, owners: Iterable[str] | None) -> ColumnElement[bool]:
    if owners is None:
        return and_(True)
    return or_(usage.c.caller == own, usage.c.owner.in_(list(owners)))
