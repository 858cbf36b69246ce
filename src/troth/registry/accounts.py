"""Accounts, memberships and keys."""

from __future__ import annotations

import uuid
from dataclasses import replace

from sqlalchemy import Connection, bindparam, select, update

from troth.access.roles import Actor
from troth.access.scopes import Scope
from troth.errors import NameTaken, NotFound
from troth.registry.access_tables import account_details
from troth.registry.prepared import Prepared
from troth.registry.tables import accounts, members
from troth.versions import names

SYSTEM = Actor("00000000-0000-0000-0000-000000000000", "troth", "system", administrator=True)
_PRESENT = (
    select(accounts.c.id, accounts.c.name, accounts.c.kind, accounts.c.administrator)
    .join(account_details, account_details.c.account_id == accounts.c.id, isouter=True)
    .where(account_details.c.deleted_at.is_(None))
)

# what every command asks, built once
_NAMED = Prepared(_PRESENT.where(accounts.c.name == bindparam("named")))
_BELONGING = select(members.c.organization_id).where(
    members.c.account_id == bindparam("account"), members.c.valid_to.is_(None)
)
_ROLE = Prepared(
    select(members.c.role).where(
        members.c.organization_id == bindparam("organization"),
        members.c.account_id == bindparam("account"),
        members.c.valid_to.is_(None),
    )
)


def find_account(connection: Connection, name: str) -> Actor | None:
    """The account with exactly this name, unless it was deleted."""
    row = _NAMED.first(connection, {"named": name})
    return Actor(*row) if row else None


def account_by_id(connection: Connection, account_id: str) -> Actor | None:
    """The account with this id, unless it was deleted."""
    row = connection.execute(_PRESENT.where(accounts.c.id == account_id)).first()
    return Actor(*row) if row else None


def actor_of(connection: Connection, account_id: str, scope: Scope) -> Actor | None:
    """The account with this id as it acts with a key of this scope, unless it was deleted."""
    found = account_by_id(connection, account_id)
    return found and replace(found, administrator=found.administrator and scope.administrator, scope=scope)


def get_account(connection: Connection, name: str) -> Actor:
    """`find_account`, or NotFound."""
    if found := find_account(connection, name):
        return found
    raise NotFound(
        f"there is no account {name[:80]!r}",
        why="it was never made, or has other letters",
        repair="troth account create makes one",
        asked=name[:200],
    )


def create_account(connection: Connection, name: str, kind: str, now: str, *, administrator: bool = False) -> Actor:
    """A new account. Raises NameTaken, also for a name that differs in letter case only."""
    folded = names.folded(names.check_account(name))
    taken = connection.execute(select(accounts.c.name).where(accounts.c.folded == folded)).scalar()
    if taken is not None:
        raise NameTaken(
            f"the name {name!r} is taken",
            why=f"{taken} exists, and names are unique whatever the case of their letters",
            repair="choose another name",
            asked=name,
            found=taken,
        )
    actor = Actor(str(uuid.uuid4()), name, kind, administrator)
    connection.execute(
        accounts.insert().values(
            id=actor.id, name=name, folded=folded, kind=kind, administrator=administrator, created_at=now
        )
    )
    return actor


def role_of(connection: Connection, organization_id: str, account_id: str) -> str | None:
    """The account's present role in the organisation (ALG-26)."""
    row = _ROLE.first(connection, {"organization": organization_id, "account": account_id})
    return row[0] if row else None


def members_of(connection: Connection, organization_id: str) -> list[tuple[str, str]]:
    """(account id, role) of everybody who belongs to the organisation now."""
    rows = select(members.c.account_id, members.c.role).where(
        members.c.organization_id == organization_id, members.c.valid_to.is_(None)
    )
    return [(row.account_id, row.role) for row in connection.execute(rows)]


def set_member(connection: Connection, organization_id: str, account_id: str, role: str | None, now: str) -> None:
    """Gives the account a role in the organisation from now on, or with None takes it away."""
    connection.execute(
        update(members)
        .where(
            members.c.organization_id == organization_id,
            members.c.account_id == account_id,
            members.c.valid_to.is_(None),
        )
        .values(valid_to=now)
    )
    if role is not None:
        connection.execute(
            members.insert().values(
                id=str(uuid.uuid4()), organization_id=organization_id, account_id=account_id, role=role, valid_from=now
            )
        )


def administrators(connection: Connection) -> list[str]:
    """Names of the users that administer this server, the oldest first."""
    found = _PRESENT.where(accounts.c.administrator, accounts.c.kind == "user").order_by(accounts.c.created_at)
    return [row.name for row in connection.execute(found)]


def belonging(connection: Connection, account_id: str) -> list[str]:
    """Ids of the organisations that the account belongs to now (ALG-26)."""
    return list(connection.execute(_BELONGING, {"account": account_id}).scalars())
