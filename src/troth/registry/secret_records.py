"""Secrets of algorithms and accounts: what is known of them, and their sealed values."""

from __future__ import annotations

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select

from troth.registry.inside_tables import secrets
from troth.registry.sealing import Sealing
from troth.registry.tables import algorithms


@dataclass(frozen=True, slots=True)
class SecretRow:
    """One secret, without its value. `owner_id` is that of an algorithm or an account."""

    id: str
    owner_id: str
    name: str
    label: str
    description: str
    created_at: str
    modified_at: str


_COLUMNS = tuple(
    secrets.c[name] for name in ("id", "owner_id", "name", "label", "description", "created_at", "modified_at")
)


def put_secret(
    connection: Connection, owner_id: str, name: str, sealed: bytes, *, label: str, description: str, now: str
) -> SecretRow:
    """Makes the secret, or gives it a new value and new words."""
    values = {"sealed": sealed, "label": label, "description": description, "modified_at": now}
    found = connection.execute(
        secrets.update().where(secrets.c.owner_id == owner_id, secrets.c.name == name).values(values)
    )
    if not found.rowcount:
        connection.execute(
            secrets.insert().values(id=str(uuid.uuid4()), owner_id=owner_id, name=name, created_at=now, **values)
        )
    row = connection.execute(select(*_COLUMNS).where(secrets.c.owner_id == owner_id, secrets.c.name == name)).one()
    return SecretRow(*row)


def delete_secret(connection: Connection, owner_id: str, name: str) -> bool:
    """Forgets the secret; whether there was one."""
    return bool(
        connection.execute(delete(secrets).where(secrets.c.owner_id == owner_id, secrets.c.name == name)).rowcount
    )


def count_secrets(connection: Connection, owner_id: str) -> int:
    """How many an algorithm or account has itself."""
    found = connection.execute(select(func.count()).select_from(secrets).where(secrets.c.owner_id == owner_id))
    return int(found.scalar_one())


def secrets_of(connection: Connection, owner_ids: Iterable[str]) -> list[SecretRow]:
    """The secrets of these algorithms and accounts, by name."""
    found = select(*_COLUMNS).where(secrets.c.owner_id.in_(list(owner_ids))).order_by(secrets.c.name, secrets.c.id)
    return [SecretRow(*row) for row in connection.execute(found)]


def variables_of(connection: Connection, algorithm_id: str, sealing: Sealing) -> dict[str, str]:
    """The variables of an algorithm with their values: its account's, and its own, which take their place. Raises Failed."""
    account_id = connection.execute(select(algorithms.c.owner_id).where(algorithms.c.id == algorithm_id)).scalar_one()
    found: dict[str, str] = {}
    for owner_id in (account_id, algorithm_id):
        rows = select(secrets.c.name, secrets.c.sealed).where(secrets.c.owner_id == owner_id)
        for name, sealed in connection.execute(rows):
            found[name] = sealing.opened(bytes(sealed), place_of(owner_id, name))
    return found


def place_of(owner_id: str, name: str) -> str:
    """What a value is sealed for."""
    return f"{owner_id}/{name}"


def states(connection: Connection) -> dict[str, str]:
    """By algorithm or account that has secrets: a text that changes with every one of them."""
    gathered: dict[str, list[str]] = defaultdict(list)
    for row in connection.execute(select(secrets.c.owner_id, secrets.c.id, secrets.c.sealed).order_by(secrets.c.id)):
        gathered[row.owner_id].append(f"{row.id} {hashlib.sha256(bytes(row.sealed)).hexdigest()}")
    return {owner: hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12] for owner, lines in gathered.items()}
