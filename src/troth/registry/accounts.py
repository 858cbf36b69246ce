"""Accounts, memberships and keys."""

from __future__ import annotations

import hashlib
import secrets
import string
import uuid

from sqlalchemy import Connection, select, update

from troth.access.roles import Actor
from troth.errors import NameTaken, NotFound
from troth.registry.tables import accounts, keys, members
from troth.versions import names

SYSTEM = Actor("00000000-0000-0000-0000-000000000000", "troth", "system", administrator=True)
_LETTERS = string.ascii_letters + string.digits
_COLUMNS = (accounts.c.id, accounts.c.name, accounts.c.kind, accounts.c.administrator)


def find_account(connection: Connection, name: str) -> Actor | None:
    """The account with exactly this name."""
    row = connection.execute(select(*_COLUMNS).where(accounts.c.name == name)).first()
    return Actor(*row) if row else None


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
    found = select(members.c.role).where(
        members.c.organization_id == organization_id, members.c.account_id == account_id, members.c.valid_to.is_(None)
    )
    return connection.execute(found).scalar()


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


def mint_key(connection: Connection, account_id: str, label: str, now: str) -> tuple[str, str]:
    """(id, key) of a new key: `sim` and 25 letters or digits. Only its SHA-256 is stored, so it cannot be shown again."""
    key = "sim" + "".join(secrets.choice(_LETTERS) for _ in range(25))
    key_id = str(uuid.uuid4())
    connection.execute(
        keys.insert().values(id=key_id, account_id=account_id, digest=key_digest(key), label=label, valid_from=now)
    )
    return key_id, key


def key_digest(key: str) -> str:
    """What is stored of a key. It has 148 random bits, so one SHA-256 is enough."""
    return hashlib.sha256(key.encode()).hexdigest()


def account_of_key(connection: Connection, key: str) -> Actor | None:
    """The account to which a key belongs that is not revoked."""
    row = connection.execute(
        select(*_COLUMNS)
        .join(keys, keys.c.account_id == accounts.c.id)
        .where(keys.c.digest == key_digest(key), keys.c.valid_to.is_(None))
    ).first()
    return Actor(*row) if row else None


def revoke_key(connection: Connection, key_id: str, now: str) -> str | None:
    """Ends a key from now on; the id of its account, or None where there is no such valid key."""
    row = connection.execute(select(keys.c.account_id).where(keys.c.id == key_id, keys.c.valid_to.is_(None))).first()
    if row is None:
        return None
    connection.execute(update(keys).where(keys.c.id == key_id).values(valid_to=now))
    return str(row.account_id)


def owner_of_key(connection: Connection, key_id: str) -> str | None:
    """The id of the account that a key belongs or belonged to."""
    return connection.execute(select(keys.c.account_id).where(keys.c.id == key_id)).scalar()


def keys_of(connection: Connection, account_id: str) -> list[dict[str, str]]:
    """An account's valid keys, without what is secret."""
    rows = select(keys.c.id, keys.c.label, keys.c.valid_from).where(
        keys.c.account_id == account_id, keys.c.valid_to.is_(None)
    )
    return [{"key_id": row.id, "label": row.label, "since": row.valid_from} for row in connection.execute(rows)]


def administrators(connection: Connection) -> list[str]:
    """Names of the users that administer this server, the oldest first."""
    found = (
        select(accounts.c.name)
        .where(accounts.c.administrator, accounts.c.kind == "user")
        .order_by(accounts.c.created_at)
    )
    return list(connection.execute(found).scalars())
