"""Keys: what they are for, until when, and when they were used. Of a secret only its SHA-256 and its beginning are kept."""

from __future__ import annotations

import hashlib
import json
import secrets
import string
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from troth.access.scopes import EVERYTHING, DataAccess, Scope
from troth.registry.access_tables import account_details, key_scopes, key_uses
from troth.registry.tables import accounts, keys

#: accounts that are asked for one by one; of more all are read
_FEW_ACCOUNTS = 100
_LETTERS = string.ascii_letters + string.digits
#: characters of a secret that are shown; the rest has more than 120 random bits
_SHOWN = 6


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A key with whose it is, as the call path needs it. `expires` is in seconds since 1970."""

    id: str
    digest: str
    account_id: str
    account: str
    kind: str
    administrator: bool
    scope: Scope
    expires: float | None
    #: not revoked; whether it expired meanwhile is seen when it is used
    valid: bool


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key as its owner sees it."""

    id: str
    account_id: str
    label: str
    #: the secret's beginning; empty where it is not known
    prefix: str
    scope: Scope
    since: str
    expires_at: str | None
    revoked_at: str | None
    #: the id of the key that was rotated into this one
    replaces: str | None
    #: when it was used last, in seconds since 1970
    used_at: int | None

    def as_dict(self) -> dict[str, Any]:
        return {
            "key_id": self.id,
            "label": self.label,
            "masked": f"{self.prefix}..." if self.prefix else "sim...",
            "scope": self.scope.as_dict(),
            "since": self.since,
            "expires_at": self.expires_at,
            "replaces": self.replaces,
            "used_at": self.used_at,
        }


@dataclass(frozen=True, slots=True)
class SigningAccount:
    """An account as one signs in to it without a key."""

    id: str
    name: str
    kind: str
    administrator: bool
    #: what another directory knows it by; empty where it does not
    external_id: str
    valid: bool


_SCOPE = (
    key_scopes.c.algorithms, key_scopes.c.data, key_scopes.c.manage, key_scopes.c.administrator.label("as_administrator"),
    key_scopes.c.production, key_scopes.c.origin, key_scopes.c.expires_at,
)  # fmt: skip
_KEY = (
    select(keys.c.id, keys.c.account_id, keys.c.label, keys.c.valid_from, keys.c.valid_to, *_SCOPE,
           key_scopes.c.prefix, key_scopes.c.replaces, key_uses.c.used_at)
    .join(key_scopes, key_scopes.c.key_id == keys.c.id, isouter=True)
    .join(key_uses, key_uses.c.key_id == keys.c.id, isouter=True)
)  # fmt: skip


def mint_key(
    connection: Connection,
    account_id: str,
    label: str,
    now: str,
    scope: Scope = EVERYTHING,
    *,
    expires_at: str | None = None,
    replaces: str | None = None,
) -> tuple[str, str]:
    """(id, key) of a new key: `sim` and 25 letters or digits. Only its SHA-256 is stored, so it cannot be shown again."""
    key = "sim" + "".join(secrets.choice(_LETTERS) for _ in range(25))
    key_id = str(uuid.uuid4())
    connection.execute(
        keys.insert().values(id=key_id, account_id=account_id, digest=key_digest(key), label=label, valid_from=now)
    )
    stored = {**scope.as_dict(), "algorithms": json.dumps(scope.algorithms)}
    connection.execute(
        key_scopes.insert().values(
            key_id=key_id, prefix=key[:_SHOWN], expires_at=expires_at, replaces=replaces, **stored
        )
    )
    return key_id, key


def key_digest(key: str) -> str:
    """What is stored of a key. It has 148 random bits, so one SHA-256 is enough."""
    return hashlib.sha256(key.encode()).hexdigest()


def find_key(connection: Connection, key_id: str) -> KeyRow | None:
    """The key with this id, also one that was revoked."""
    row = connection.execute(_KEY.where(keys.c.id == key_id)).first()
    return _key(row) if row else None


def keys_of(connection: Connection, account_id: str) -> list[KeyRow]:
    """An account's keys that are not revoked, the oldest first; those that expired are among them."""
    found = _KEY.where(keys.c.account_id == account_id, keys.c.valid_to.is_(None))
    return [_key(row) for row in connection.execute(found.order_by(keys.c.valid_from, keys.c.id))]


def was_replaced(connection: Connection, key_id: str) -> bool:
    """Whether the key was rotated already."""
    return connection.execute(select(key_scopes.c.key_id).where(key_scopes.c.replaces == key_id)).first() is not None


def revoke_key(connection: Connection, key_id: str, now: str) -> str | None:
    """Ends a key from now on; the id of its account, or None where there is no such valid key."""
    row = connection.execute(select(keys.c.account_id).where(keys.c.id == key_id, keys.c.valid_to.is_(None))).first()
    if row is None:
        return None
    connection.execute(update(keys).where(keys.c.id == key_id).values(valid_to=now))
    return str(row.account_id)


def revoke_keys(connection: Connection, account_id: str, now: str) -> None:
    """Ends all keys of an account from now on."""
    connection.execute(
        update(keys).where(keys.c.account_id == account_id, keys.c.valid_to.is_(None)).values(valid_to=now)
    )


def expire_key(connection: Connection, row: KeyRow, moment: str) -> None:
    """Lets a key end at this moment, unless it ends earlier anyway."""
    if row.expires_at is not None and row.expires_at <= moment:
        return
    known = update(key_scopes).where(key_scopes.c.key_id == row.id).values(expires_at=moment)
    if connection.execute(known).rowcount == 0:  # a key from before there were scopes
        stored = {**row.scope.as_dict(), "algorithms": json.dumps(row.scope.algorithms)}
        connection.execute(key_scopes.insert().values(key_id=row.id, prefix="", expires_at=moment, **stored))


def callable_keys(connection: Connection, account_ids: Collection[str]) -> list[HeldKey]:
    """The keys of these accounts, and perhaps of others; also those that were revoked."""
    found = (
        select(keys.c.id, keys.c.digest, keys.c.valid_to, accounts.c.id.label("account_id"), accounts.c.name,
               accounts.c.kind, accounts.c.administrator, *_SCOPE)
        .join(accounts, accounts.c.id == keys.c.account_id)
        .join(key_scopes, key_scopes.c.key_id == keys.c.id, isouter=True)
    )  # fmt: skip
    if len(account_ids) < _FEW_ACCOUNTS:
        found = found.where(keys.c.account_id.in_(account_ids))
    return [
        HeldKey(
            row.id,
            row.digest,
            row.account_id,
            row.name,
            row.kind,
            bool(row.administrator),
            _scope(row),
            _seconds(row.expires_at),
            row.valid_to is None,
        )
        for row in connection.execute(found)
    ]


def signing_accounts(connection: Connection, account_ids: Collection[str]) -> list[SigningAccount]:
    """The users among these accounts, and perhaps others; also those that were deleted."""
    found = (
        select(*accounts.c["id", "name", "kind", "administrator"], *account_details.c["external_id", "deleted_at"])
        .join(account_details, account_details.c.account_id == accounts.c.id, isouter=True)
        .where(accounts.c.kind == "user")
    )
    if len(account_ids) < _FEW_ACCOUNTS:
        found = found.where(accounts.c.id.in_(account_ids))
    return [
        SigningAccount(
            row.id, row.name, row.kind, bool(row.administrator), row.external_id or "", row.deleted_at is None
        )
        for row in connection.execute(found)
    ]


def _key(row: Any) -> KeyRow:
    return KeyRow(
        row.id,
        row.account_id,
        row.label,
        row.prefix or "",
        _scope(row),
        row.valid_from,
        row.expires_at,
        row.valid_to,
        row.replaces,
        row.used_at,
    )


def _scope(row: Any) -> Scope:
    """The scope in a row with the columns of one, which are empty where the key has no limits."""
    if row.algorithms is None:
        return EVERYTHING
    return Scope(
        tuple(json.loads(row.algorithms)),
        DataAccess(row.data),
        manage=bool(row.manage),
        administrator=bool(row.as_administrator),
        production=bool(row.production),
        origin=row.origin,
    )


def _seconds(moment: str | None) -> float | None:
    """A moment of the registry in seconds since 1970."""
    return datetime.fromisoformat(moment).timestamp() if moment else None
