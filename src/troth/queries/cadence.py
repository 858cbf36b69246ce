"""Questions about when products are released: their cadence, and the calendar of what is announced (PLX-14)."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.clock import now
from troth.errors import NotFound
from troth.queries.products import visible
from troth.registry import accounts, planned_releases, products
from troth.registry.planned_releases import PlannedRow
from troth.registry.products import ProductRow
from troth.versions.releases.cadence import Cadence, Planned, cadence
from troth.versions.releases.calendar import Event, calendar


def of_product(connection: Connection, caller: Actor, subject: str) -> dict[str, Any]:
    """How often a product is released, what is announced, and what of it is late."""
    row = visible(connection, caller, subject)
    waiting = [one for one in planned_releases.of_product(connection, row.id) if one.open]
    found = _cadence(connection, row, waiting)
    return {"product": row.subject, **found.as_dict(), "planned": [one.as_dict() for one in waiting]}


def calendars(connection: Connection, caller: Actor) -> dict[str, Any]:
    """The caller's feeds, without what is secret."""
    return {"calendars": [row.as_dict() for row in planned_releases.calendars_of(connection, caller.id)]}


def feed(connection: Connection, token: str) -> str:
    """The calendar that a token opens, as iCalendar: products of its account, and public ones. Raises NotFound."""
    row = planned_releases.calendar_of(connection, token)
    account = accounts.account_by_id(connection, row.account_id) if row else None
    if account is None:
        raise NotFound(
            "there is no such calendar", why="its token was revoked, or never made", repair="make another one"
        )
    reader = Actor(account.id, account.name, account.kind, administrator=False)
    events: list[Event] = []
    for product in products.all_products(connection):
        if products.shows(connection, product, reader):
            waiting = [one for one in planned_releases.of_product(connection, product.id) if one.open]
            events += [_event(product, one) for one in waiting]
            events += _usual(product, _cadence(connection, product, waiting), waiting)
    return calendar("Releases", events)


def _cadence(connection: Connection, row: ProductRow, waiting: list[PlannedRow]) -> Cadence:
    released = [
        date.fromisoformat(one.cut_at[:10])
        for one in products.all_releases(connection, row.id)
        if not one.number.is_prerelease
    ]
    planned = [Planned(_name(row, one), date.fromisoformat(one.due)) for one in waiting]
    return cadence(released, planned, now().date())


def _event(product: ProductRow, row: PlannedRow) -> Event:
    late = "late: " if date.fromisoformat(row.due) < now().date() else ""
    return Event(
        f"{row.id}@troth",
        date.fromisoformat(row.due),
        f"{late}{_name(product, row)} ({row.occasion})",
        row.note,
        row.planned_at,
    )


def _usual(product: ProductRow, found: Cadence, waiting: list[PlannedRow]) -> list[Event]:
    """By when a release would be usual, where none is announced."""
    if found.latest is None or found.last is None or waiting:
        return []
    words = "Two weeks to a month lie between releases (PLX-14). Nothing is refused."
    stamped = f"{found.last.isoformat()}T00:00:00.000000Z"
    return [
        Event(
            f"{product.id}-next@troth", found.latest, f"{product.subject}: a release is usual by today", words, stamped
        )
    ]


def _name(product: ProductRow, row: PlannedRow) -> str:
    return f"{product.subject} {row.number or 'next release'}"
