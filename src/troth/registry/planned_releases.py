"""Releases that were announced, and the tokens of calendars in which they stand."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update

from troth.registry.product_tables import calendars, planned_releases
from troth.registry.tables import accounts
from troth.versions.releases.numbers import ReleaseNumber


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """One announcement."""

    id: str
    product_id: str
    due: str
    number: str | None
    occasion: str
    note: str
    planned_by: str
    planned_at: str
    cancelled_at: str | None
    released: str | None

    @property
    def open(self) -> bool:
        """Whether it is still to come."""
        return self.cancelled_at is None and self.released is None

    def as_dict(self) -> dict[str, Any]:
        return {
            "plan": self.id,
            "due": self.due,
            "number": self.number,
            "occasion": self.occasion,
            "note": self.note,
            "planned_by": self.planned_by,
            "planned_at": self.planned_at,
            "cancelled_at": self.cancelled_at,
            "released": self.released,
        }


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """The token of a feed, without what is secret."""

    id: str
    account_id: str
    label: str
    created_at: str
    revoked_at: str | None

    def as_dict(self) -> dict[str, Any]:
        return {
            "calendar": self.id,
            "label": self.label,
            "created_at": self.created_at,
            "revoked_at": self.revoked_at,
        }


_PLANNED = select(
    planned_releases.c.id, planned_releases.c.product_id, planned_releases.c.due, planned_releases.c.number,
    planned_releases.c.occasion, planned_releases.c.note, accounts.c.name, planned_releases.c.planned_at,
    planned_releases.c.cancelled_at, planned_releases.c.released,
).join(accounts, accounts.c.id == planned_releases.c.planned_by)  # fmt: skip
_CALENDAR = select(
    calendars.c.id, calendars.c.account_id, calendars.c.label, calendars.c.created_at, calendars.c.revoked_at
)


def add(connection: Connection, product_id: str, values: dict[str, Any], actor_id: str, now: str) -> PlannedRow:
    """A new announcement; `values` are due, occasion, and number and note where there are some."""
    identity = str(uuid.uuid4())
    row = {"number": None, "note": "", **values, "product_id": product_id, "planned_by": actor_id, "planned_at": now}
    connection.execute(planned_releases.insert().values(id=identity, **row))
    found = find(connection, identity)
    assert found is not None
    return found


def find(connection: Connection, identity: str) -> PlannedRow | None:
    """The announcement with this id."""
    row = connection.execute(_PLANNED.where(planned_releases.c.id == identity)).first()
    return _planned(row) if row else None


def of_product(connection: Connection, product_id: str) -> list[PlannedRow]:
    """The announcements of a product, by day."""
    wanted = _PLANNED.where(planned_releases.c.product_id == product_id)
    rows = connection.execute(wanted.order_by(planned_releases.c.due, planned_releases.c.id))
    return [_planned(row) for row in rows]


def cancel(connection: Connection, identity: str, now: str) -> None:
    """Takes one back."""
    connection.execute(update(planned_releases).where(planned_releases.c.id == identity).values(cancelled_at=now))


def fulfil(connection: Connection, product_id: str, number: ReleaseNumber) -> None:
    """A release came: the announcement of its number is kept by it, else the earliest that names none."""
    waiting = [row for row in of_product(connection, product_id) if row.open]
    named = [row for row in waiting if row.number == str(number)]
    unnamed = [] if number.is_prerelease else [row for row in waiting if row.number is None]
    for row in (named or unnamed)[:1]:
        done = update(planned_releases).where(planned_releases.c.id == row.id).values(released=str(number))
        connection.execute(done)


def create_calendar(connection: Connection, account_id: str, label: str, now: str) -> tuple[CalendarRow, str]:
    """A new feed and its token, of which only the digest is stored."""
    token = secrets.token_urlsafe(32)
    identity = str(uuid.uuid4())
    values = {"id": identity, "account_id": account_id, "label": label, "created_at": now}
    connection.execute(calendars.insert().values(digest=_digest(token), **values))
    return CalendarRow(identity, account_id, label, now, None), token


def find_calendar(connection: Connection, identity: str) -> CalendarRow | None:
    """The feed with this id."""
    row = connection.execute(_CALENDAR.where(calendars.c.id == identity)).first()
    return CalendarRow(*row) if row else None


def calendar_of(connection: Connection, token: str) -> CalendarRow | None:
    """The feed that a token is of, unless it was revoked."""
    wanted = _CALENDAR.where(calendars.c.digest == _digest(token), calendars.c.revoked_at.is_(None))
    row = connection.execute(wanted).first()
    return CalendarRow(*row) if row else None


def calendars_of(connection: Connection, account_id: str) -> list[CalendarRow]:
    """The feeds of an account, the oldest first."""
    rows = connection.execute(_CALENDAR.where(calendars.c.account_id == account_id).order_by(calendars.c.created_at))
    return [CalendarRow(*row) for row in rows]


def revoke_calendar(connection: Connection, identity: str, now: str) -> None:
    """Its token opens nothing from now on."""
    connection.execute(update(calendars).where(calendars.c.id == identity).values(revoked_at=now))


def _planned(row: Any) -> PlannedRow:
    return PlannedRow(*row)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
