"""Questions about keys, users and organisations. What the caller may not know of is not found, like what never was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from troth.access.roles import GRANTS, Actor, relations, require
from troth.access.scopes import require_scope
from troth.errors import NotFound
from troth.registry import accounts, key_records, people
from troth.registry.key_uses import floating_of
from troth.registry.people import Membership, Person, Place

_MOST_ROWS = 1000
_DAY = 86400


class NoSuchUser(NotFound):
    """There is no such user, or none that the caller may know of."""


class NoSuchOrganization(NotFound):
    """There is no such organisation, or none that the caller may know of."""


@dataclass(frozen=True, slots=True)
class PersonPage:
    """Some users or organisations; `more` tells whether others follow."""

    results: Sequence[Person]
    more: bool


@dataclass(frozen=True, slots=True)
class MemberPage:
    """Some members; `more` tells whether others follow."""

    results: Sequence[Membership]
    more: bool


def keys(connection: Connection, caller: Actor, account: str = "") -> dict[str, Any]:
    """The keys of the caller, or of an organisation that it is an admin of, without what is secret."""
    owner = accounts.find_account(connection, account or caller.name)
    role = accounts.role_of(connection, owner.id, caller.id) if owner else None
    if owner is None or not _allowed("read_keys", caller, owner.id, role):
        raise NotFound(
            f"there are no keys of {account[:80]!r} to be seen",
            why="keys are seen by their account, admins of their organisation and administrators of the server",
            repair="leave the account out to see your own",
            asked=account[:200],
        )
    rows = key_records.keys_of(connection, owner.id)
    return {"account": owner.name, "keys": [row.as_dict() for row in rows]}


def floating(connection: Connection, caller: Actor, days: int, now: datetime) -> dict[str, Any]:
    """What production keys called by references that float, in so many days (ALG-14, ALG-20).

    Keys of the caller and of organisations that it is an admin of; administrators see all.
    """
    since = int(now.timestamp()) // _DAY - days + 1
    everything = bool(GRANTS["read_all_usage"] & relations(caller))
    owned = [
        organization.id
        for organization in people.organizations_of(connection, caller.id)
        if accounts.role_of(connection, organization.id, caller.id) == "admin"
    ]
    rows = floating_of(connection, None if everything else [caller.id, *owned], since, _MOST_ROWS)
    return {
        "from": _day(since),
        "rows": [
            {
                "reference": row.reference,
                "account": row.account,
                "key_id": row.key_id,
                "label": row.label,
                "calls": row.calls,
                "last": _day(row.last),
            }
            for row in rows
        ],
    }


def user(connection: Connection, caller: Actor, name: str) -> Person:
    """A user by its name or id, for itself and administrators."""
    found = people.find_person(connection, name)
    if found is not None and found.kind == "user" and _allowed("read_account", caller, found.id, None):
        return found
    raise NoSuchUser(f"there is no user {name[:80]!r}", asked=name[:200])


def users(connection: Connection, caller: Actor, limit: int, after: Place | None = None) -> PersonPage:
    """All users, the oldest first, for administrators."""
    require_scope("query_people", caller.scope)
    require("read_accounts", relations(caller), "")
    rows = people.page(connection, "user", limit + 1, after)
    return PersonPage(rows[:limit], len(rows) > limit)


def organization(connection: Connection, caller: Actor, name: str) -> Person:
    """An organisation by its name or id, for its members and administrators."""
    found = people.find_person(connection, name)
    if found is not None and found.kind == "organization":
        role = accounts.role_of(connection, found.id, caller.id)
        if _allowed("read_organization", caller, found.id, role):
            return found
    raise NoSuchOrganization(f"there is no organisation {name[:80]!r}", asked=name[:200])


def external_organization(connection: Connection, caller: Actor, external_id: str) -> Person:
    """An organisation by the id that an outer directory knows it by."""
    found = people.find_external(connection, external_id)
    return organization(connection, caller, found.name if found else "")


def organizations(connection: Connection, caller: Actor, limit: int, after: Place | None = None) -> PersonPage:
    """The organisations that the caller belongs to, or all for administrators, the oldest first."""
    everything = GRANTS["read_accounts"] & relations(caller)
    rows = people.page(connection, "organization", limit + 1, after, member=None if everything else caller.id)
    return PersonPage(rows[:limit], len(rows) > limit)


def members(connection: Connection, caller: Actor, name: str, limit: int, after: Place | None = None) -> MemberPage:
    """Who belongs to an organisation now (ALG-26), for its members and administrators."""
    found = organization(connection, caller, name)
    rows = people.memberships(connection, found.id, limit + 1, after)
    return MemberPage(rows[:limit], len(rows) > limit)


def member(connection: Connection, organization_id: str, name: str) -> Person:
    """Who belongs to an organisation now, by name or id."""
    found = people.find_person(connection, name)
    if found is not None and accounts.role_of(connection, organization_id, found.id):
        return found
    raise NoSuchUser(f"there is no member {name[:80]!r}", asked=name[:200])


def role(connection: Connection, organization_id: str, account: str) -> str | None:
    """The present role of an account in an organisation."""
    found = accounts.find_account(connection, account)
    return accounts.role_of(connection, organization_id, found.id) if found else None


def _allowed(action: str, caller: Actor, account_id: str, role: str | None) -> bool:
    return bool(GRANTS[action] & relations(caller, account_id, role))


def _day(number: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()
