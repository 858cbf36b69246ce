"""When keys were used, and what production keys called that floats (ALG-14, ALG-20)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from troth.registry.access_tables import floating_calls, key_uses
from troth.registry.tables import accounts, keys

#: characters of a reference that are kept
LONGEST_REFERENCE = 200


@dataclass(frozen=True, slots=True)
class FloatingRow:
    """Calls by one floating reference with one production key since a day; `last` is the last day, counted from 1970."""

    reference: str
    account: str
    key_id: str
    label: str
    calls: int
    last: int


def add_uses(connection: Connection, used: Mapping[str, int]) -> None:
    """Notes when each key was used last, in seconds since 1970."""
    if not used:
        return
    kind = postgresql if connection.dialect.name == "postgresql" else sqlite
    new = kind.insert(key_uses)
    rows = [{"key_id": key, "used_at": at} for key, at in sorted(used.items())]
    latest = {"used_at": new.excluded.used_at}
    connection.execute(new.on_conflict_do_update(index_elements=["key_id"], set_=latest), rows)


def add_floating(connection: Connection, counts: Mapping[tuple[int, str, str], int]) -> None:
    """Adds to the calls of each (day, reference, key)."""
    if not counts:
        return
    kind = postgresql if connection.dialect.name == "postgresql" else sqlite
    new = kind.insert(floating_calls)
    rows = [
        {"day": day, "reference": reference[:LONGEST_REFERENCE], "key_id": key, "calls": calls}
        for (day, reference, key), calls in sorted(counts.items())
    ]
    summed = {"calls": floating_calls.c.calls + new.excluded.calls}
    connection.execute(new.on_conflict_do_update(index_elements=["day", "reference", "key_id"], set_=summed), rows)


def floating_of(connection: Connection, account_ids: Sequence[str] | None, since: int, most: int) -> list[FloatingRow]:
    """Calls of these accounts' keys since a day, those of most calls first; None stands for all accounts."""
    calls = func.sum(floating_calls.c.calls)
    found = (
        select(floating_calls.c.reference, accounts.c.name, keys.c.id, keys.c.label, calls, func.max(floating_calls.c.day))
        .join(keys, keys.c.id == floating_calls.c.key_id)
        .join(accounts, accounts.c.id == keys.c.account_id)
        .where(floating_calls.c.day >= since)
        .group_by(floating_calls.c.reference, accounts.c.name, keys.c.id, keys.c.label)
        .order_by(calls.desc(), floating_calls.c.reference, keys.c.id)
        .limit(most)
    )  # fmt: skip
    if account_ids is not None:
        found = found.where(keys.c.account_id.in_(account_ids))
    return [FloatingRow(*row[:4], int(row[4]), int(row[5])) for row in connection.execute(found)]


def forget_floating(connection: Connection, before: int) -> None:
    """Deletes what was counted before this day."""
    connection.execute(delete(floating_calls).where(floating_calls.c.day < before))
