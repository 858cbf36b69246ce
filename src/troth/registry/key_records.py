"""Keys: what they are for, until when, and when they were used. Of a secret only its SHA-256 and its beginning are kept."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from troth.access.scopes import EVERYTHING, DataAccess, Scope
from troth.registry.access_tables import key_scopes
from troth.registry.tables import accounts, keys

#: accounts whose keys are asked for one by one; of more all keys are read
_FEW_ACCOUNTS = 100


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


_SCOPE = (
    key_scopes.c.algorithms, key_scopes.c.data, key_scopes.c.manage, key_scopes.c.administrator.label("as_administrator"),
    key_scopes.c.production, key_scopes.c.origin, key_scopes.c.expires_at,
)  # fmt: skip


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
            scope_in(row),
            seconds(row.expires_at),
            row.valid_to is None,
        )
        for row in connection.execute(found)
    ]


def scope_in(row: Any) -> Scope:
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


def seconds(moment: str | None) -> float | None:
    """A moment of the registry in seconds since 1970."""
    return datetime.fromisoformat(moment).timestamp() if moment else None
