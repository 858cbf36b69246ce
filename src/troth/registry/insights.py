"""Figures that algorithms reported: added many at a time, read by algorithm, forgotten by age and number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, delete, func, select

from troth.registry.inside_tables import insights

#: rows that one transaction deletes at most
_ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Insight:
    """One figure of one call; `at` is in seconds since 1970, `value` is JSON."""

    at: int
    request: str
    owner: str
    name: str
    version: str
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class WantedInsights:
    """Which figures are asked for; empty texts leave it open. Moments are seconds since 1970, the later one not included."""

    owner: str
    name: str
    since: int
    until: int
    key: str = ""
    version: str = ""
    request: str = ""
    most: int = 1000


def add_insights(connection: Connection, found: Sequence[Insight]) -> None:
    """Adds the figures, in order."""
    if found:
        last = connection.execute(select(func.max(insights.c.position))).scalar() or 0
        rows = [{"position": last + number, **asdict(one)} for number, one in enumerate(found, 1)]
        connection.execute(insights.insert(), rows)


def insights_of(connection: Connection, wanted: WantedInsights) -> list[Insight]:
    """The newest figures that are asked for, newest first."""
    columns = [insights.c[name] for name in Insight.__dataclass_fields__]
    found = select(*columns).where(
        insights.c.owner == wanted.owner,
        insights.c.name == wanted.name,
        insights.c.at >= wanted.since,
        insights.c.at < wanted.until,
    )
    for column, value in (
        (insights.c.key, wanted.key),
        (insights.c.version, wanted.version),
        (insights.c.request, wanted.request),
    ):
        if value:
            found = found.where(column == value)
    return [Insight(*row) for row in connection.execute(found.order_by(insights.c.position.desc()).limit(wanted.most))]


def forget_insights(connection: Connection, *, before: int, most: int) -> bool:
    """Deletes a few that are older than the moment `before` or beyond the `most` newest; whether there may be more."""
    last = connection.execute(select(func.max(insights.c.position))).scalar() or 0
    oldest = select(insights.c.position, insights.c.at).order_by(insights.c.position).limit(_ROWS_AT_ONCE)
    gone = [row.position for row in connection.execute(oldest) if row.at < before or row.position <= last - most]
    if gone:
        connection.execute(delete(insights).where(insights.c.position.in_(gone)))
    return len(gone) == _ROWS_AT_ONCE
