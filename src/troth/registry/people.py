"""What is known of users and organisations beyond their names, and lists of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, tuple_, update

from troth.access.roles import Actor
from troth.registry.access_tables import account_details
from troth.registry.former_rows import keep
from troth.registry.tables import accounts, members

#: The place of an account in a list: when it was made, and its id.
Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Person:
    """A user or an organisation, with what people want to know of it."""

    id: str
    name: str
    kind: str
    administrator: bool
    created_at: str
    details: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Membership:
    """One member of an organisation: when it became one, and in which role."""

    id: str
    name: str
    role: str
    since: str


_PERSON = (
    select(accounts.c.id, accounts.c.name, accounts.c.kind, accounts.c.administrator, accounts.c.created_at,
           account_details.c.details)
    .join(account_details, account_details.c.account_id == accounts.c.id, isouter=True)
    .where(account_details.c.deleted_at.is_(None))
)  # fmt: skip


def describe(connection: Connection, account_id: str, changes: Mapping[str, str], now: str) -> dict[str, str]:
    """The details after these changes; what is not named stays, and an empty text takes away."""
    found = select(accounts.c.created_at, account_details.c.details).where(accounts.c.id == account_id)
    joined = found.join(account_details, account_details.c.account_id == accounts.c.id, isouter=True)
    created_at, stored = connection.execute(joined).one()
    details = {name: text for name, text in {**json.loads(stored or "{}"), **changes}.items() if text}
    values = {"details": json.dumps(details, sort_keys=True), "external_id": details.get("external_id")}
    if stored is None and details:  # so that what it was before can be kept
        connection.execute(account_details.insert().values(account_id=account_id, details="{}"))
    if created_at != now:
        keep(connection, account_details, now, account_id=account_id)
    connection.execute(update(account_details).where(account_details.c.account_id == account_id).values(**values))
    return details


def end(connection: Connection, account_id: str, now: str) -> None:
    """Marks an account as deleted, and forgets what was known of it, but for what `as_of` tells of the past."""
    gone = {"details": "{}", "external_id": None, "deleted_at": now}
    keep(connection, account_details, now, account_id=account_id)
    known = update(account_details).where(account_details.c.account_id == account_id).values(**gone)
    if connection.execute(known).rowcount == 0:
        connection.execute(account_details.insert().values(account_id=account_id, **gone))


def find_person(connection: Connection, name: str) -> Person | None:
    """The user or organisation of this name or id."""
    row = connection.execute(_PERSON.where((accounts.c.name == name) | (accounts.c.id == name.lower()))).first()
    return _person(row) if row and row.kind != "system" else None


def find_external(connection: Connection, external_id: str) -> Person | None:
    """The oldest organisation with this external id."""
    found = _PERSON.where(account_details.c.external_id == external_id, accounts.c.kind == "organization")
    row = connection.execute(found.order_by(accounts.c.created_at, accounts.c.id).limit(1)).first()
    return _person(row) if row else None


def external_users(connection: Connection, external_id: str) -> set[str]:
    """Ids of the users with this external id."""
    found = (
        select(accounts.c.id)
        .join(account_details, account_details.c.account_id == accounts.c.id)
        .where(account_details.c.external_id == external_id, accounts.c.kind == "user")
    )
    return set(connection.execute(found).scalars())


def page(
    connection: Connection, kind: str, limit: int, after: Place | None = None, *, member: str | None = None
) -> list[Person]:
    """So many accounts of a kind, the oldest first; with `member`, organisations that this account belongs to."""
    found = _PERSON.where(accounts.c.kind == kind)
    if after is not None:
        found = found.where(tuple_(accounts.c.created_at, accounts.c.id) > after)
    if member is not None:
        present = select(members.c.organization_id).where(members.c.account_id == member, members.c.valid_to.is_(None))
        found = found.where(accounts.c.id.in_(present))
    rows = connection.execute(found.order_by(accounts.c.created_at, accounts.c.id).limit(limit))
    return [_person(row) for row in rows]


def memberships(
    connection: Connection, organization_id: str, limit: int | None = None, after: Place | None = None
) -> list[Membership]:
    """Who belongs to the organisation now, the eldest members first."""
    found = (
        select(members.c.id, accounts.c.name, members.c.role, members.c.valid_from)
        .join(accounts, accounts.c.id == members.c.account_id)
        .where(members.c.organization_id == organization_id, members.c.valid_to.is_(None))
        .order_by(members.c.valid_from, members.c.id)
    )
    if after is not None:
        found = found.where(tuple_(members.c.valid_from, members.c.id) > after)
    return [Membership(*row) for row in connection.execute(found.limit(limit) if limit else found)]


def organizations_of(connection: Connection, account_id: str) -> list[Actor]:
    """The organisations that the account belongs to now."""
    found = (
        select(accounts.c.id, accounts.c.name, accounts.c.kind, accounts.c.administrator)
        .join(members, members.c.organization_id == accounts.c.id)
        .where(members.c.account_id == account_id, members.c.valid_to.is_(None))
    )
    return [Actor(*row) for row in connection.execute(found)]


def _person(row: Any) -> Person:
    return Person(row.id, row.name, row.kind, bool(row.administrator), row.created_at, json.loads(row.details or "{}"))
