"""Calls that an algorithm answered with an error, for those who look after it: what was said, and never what was given to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Column, Connection, Index, String, Table, Text, delete, func, select

from troth.registry.column_types import LONG
from troth.registry.tables import metadata

#: failures in one answer
_MOST = 100

failures = Table(
    "failures",
    metadata,
    Column("position", LONG, primary_key=True),
    Column("at", LONG, nullable=False),
    Column("request", String(64), nullable=False),
    Column("caller", String(63), nullable=False),
    Column("owner", String(63), nullable=False),
    Column("name", String(63), nullable=False),
    Column("version", String(40), nullable=False),
    Column("error", Text, nullable=False),
    Column("error_type", String(64), nullable=False),
    Index("ix_failures_algorithm", "owner", "name", "position"),
    Index("ix_failures_caller", "caller", "position"),
)


class Failure(NamedTuple):
    """One failed call: `at` in milliseconds since 1970, `version` as in its receipt."""

    at: int
    request: str
    caller: str
    owner: str
    name: str
    version: str
    error: str
    error_type: str


def add_failures(connection: Connection, found: Sequence[Failure]) -> None:
    """Adds them."""
    if found:
        connection.execute(failures.insert(), [one._asdict() for one in found])


def failures_of_algorithm(connection: Connection, owner: str, name: str, since: int = 0) -> list[Failure]:
    """The last failures of an algorithm since a moment, newest first."""
    return _newest(connection, (failures.c.owner == owner) & (failures.c.name == name) & (failures.c.at >= since))


def failures_of_caller(connection: Connection, caller: str) -> list[Failure]:
    """The last failures of calls that this account made, newest first."""
    return _newest(connection, failures.c.caller == caller)


def failures_of_owner(connection: Connection, owner: str) -> list[Failure]:
    """The last failures of all algorithms of this account, newest first."""
    return _newest(connection, failures.c.owner == owner)


def forget_failures(connection: Connection, *, before: int, most: int) -> None:
    """Deletes what is older than a moment, and what is beyond the `most` newest."""
    last = connection.execute(select(func.max(failures.c.position))).scalar() or 0
    connection.execute(delete(failures).where((failures.c.at < before) | (failures.c.position <= last - most)))


def _newest(connection: Connection, which: object) -> list[Failure]:
    columns = [failures.c[name] for name in Failure._fields]
    rows = select(*columns).where(which).order_by(failures.c.position.desc()).limit(_MOST)  # type: ignore[arg-type]
    return [Failure(*row) for row in connection.execute(rows)]
