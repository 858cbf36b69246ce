"""Places where others keep git repositories, and which algorithms have their source there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, Column, Connection, ForeignKey, String, Table, Text, select, update

from troth.registry.tables import accounts, metadata

scms = Table(
    "scms",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("provider", String(40), nullable=False),
    Column("base", Text, nullable=False),  # what OWNER/NAME.git is appended to: an address, or a folder
    Column("enabled", Boolean, nullable=False),
    Column("preferred", Boolean, nullable=False),  # taken where an algorithm names none; else troth's own
    Column("created_at", String(27), nullable=False),
    Column("valid_to", String(27)),
)

origins = Table(
    "origins",
    metadata,
    Column("algorithm_id", String(36), ForeignKey("algorithms.id"), primary_key=True),
    Column("scm_id", String(36), ForeignKey("scms.id"), nullable=False, index=True),
    Column("owner", Text, nullable=False),  # as the place itself names the repository
    Column("name", Text, nullable=False),
    Column("linked_by", String(36), ForeignKey("accounts.id"), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Scm:
    """One place with git repositories."""

    id: str
    provider: str
    base: str
    enabled: bool
    preferred: bool


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the source of an algorithm is kept, and who said so."""

    scm: Scm
    owner: str
    name: str
    linked_by: str
    linked_by_name: str


_COLUMNS = [scms.c[name] for name in Scm.__slots__]


def all_scms(connection: Connection) -> list[Scm]:
    """Every place that was not deleted, oldest first."""
    rows = select(*_COLUMNS).where(scms.c.valid_to.is_(None)).order_by(scms.c.created_at, scms.c.id)
    return [Scm(*row) for row in connection.execute(rows)]


def find_scm(connection: Connection, scm_id: str) -> Scm | None:
    """The place with this id, unless it was deleted."""
    return next((one for one in all_scms(connection) if one.id == scm_id), None)


def add_scm(connection: Connection, scm: Scm, now: str) -> None:
    """Adds a place."""
    values = {name: getattr(scm, name) for name in Scm.__slots__}
    connection.execute(scms.insert().values(**values, created_at=now))


def change_scm(connection: Connection, scm_id: str, **values: Any) -> None:
    """Changes what is said of a place."""
    connection.execute(update(scms).where(scms.c.id == scm_id).values(**values))


def prefer_scm(connection: Connection, scm_id: str) -> None:
    """Makes a place the one that is taken where none is named; an id that is none makes troth's own that."""
    connection.execute(update(scms).values(preferred=scms.c.id == scm_id))


def is_used(connection: Connection, scm_id: str) -> bool:
    """Whether an algorithm has its source there."""
    return connection.execute(select(origins.c.algorithm_id).where(origins.c.scm_id == scm_id)).first() is not None


def link(connection: Connection, algorithm_id: str, scm_id: str, owner: str, name: str, account_id: str) -> None:
    """Notes that an algorithm has its source there."""
    unlink(connection, algorithm_id)
    connection.execute(
        origins.insert().values(algorithm_id=algorithm_id, scm_id=scm_id, owner=owner, name=name, linked_by=account_id)
    )


def unlink(connection: Connection, algorithm_id: str) -> None:
    """Notes that troth keeps the source of an algorithm itself."""
    connection.execute(origins.delete().where(origins.c.algorithm_id == algorithm_id))


def origin_of(connection: Connection, algorithm_id: str) -> Origin | None:
    """Where the source of an algorithm is kept; None where troth does that itself."""
    found = (
        select(*_COLUMNS, origins.c.owner, origins.c.name, origins.c.linked_by, accounts.c.name.label("by"))
        .select_from(origins)
        .join(scms, scms.c.id == origins.c.scm_id)
        .join(accounts, accounts.c.id == origins.c.linked_by)
        .where(origins.c.algorithm_id == algorithm_id)
    )
    row = connection.execute(found).first()
    if row is None:
        return None
    return Origin(Scm(*row[:5]), row.owner, row.name, row.linked_by, row.by)
