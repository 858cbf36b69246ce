"""What ran in each of the last calls, so that receipts outlive the server that made them.

What many calls have in common (version, digests, isolation) is one document, their circumstances; a call's own row is short.
Many rows go in by one statement: handing them over one by one would take the interpreter's lock from the server's loop once
for each call.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from troth.registry.tables import call_circumstances, call_records

#: rows in one step of deletion
_ROWS_AT_ONCE = 2000
_DAY = 86400
#: rows in one statement; larger ones are not faster
_ROWS_TOGETHER = 500


class CallRecord(NamedTuple):
    """One call: `at` in seconds since 1970, `circumstances` as `circumstances_id` gives them."""

    at: int
    request: str
    caller: str
    reference: str
    outcome: str
    seconds: float
    circumstances: int


_COLUMNS = ", ".join(CallRecord._fields)


def circumstances_id(connection: Connection, document: dict[str, Any], at: int) -> int:
    """The number under which this document is kept, used at this moment."""
    content = json.dumps(document, sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(content.encode()).hexdigest()
    kind = postgresql if connection.dialect.name == "postgresql" else sqlite
    new = kind.insert(call_circumstances).values(digest=digest, document=content, used_at=at)
    latest = {"used_at": new.excluded.used_at}
    connection.execute(new.on_conflict_do_update(index_elements=["digest"], set_=latest))
    return int(
        connection.execute(select(call_circumstances.c.id).where(call_circumstances.c.digest == digest)).scalar_one()
    )


def mark_used(connection: Connection, numbers: Sequence[int], at: int) -> None:
    """Notes that calls with these circumstances were made until now, so that they are kept as long as those."""
    connection.execute(update(call_circumstances).where(call_circumstances.c.id.in_(numbers)).values(used_at=at))


def add_records(connection: Connection, records: Sequence[CallRecord]) -> None:
    """Adds the records; a request that is recorded already stays as it is."""
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    row = f"({', '.join([mark] * len(CallRecord._fields))})"
    for first in range(0, len(records), _ROWS_TOGETHER):
        part = records[first : first + _ROWS_TOGETHER]
        rows = ", ".join([row] * len(part))
        statement = f"INSERT INTO call_records ({_COLUMNS}) VALUES {rows} ON CONFLICT (request) DO NOTHING"  # noqa: S608 - marks
        connection.exec_driver_sql(statement, tuple(chain.from_iterable(part)))


def find_record(connection: Connection, request: str) -> dict[str, Any] | None:
    """The receipt of a call: its circumstances, and what is its own."""
    found = (
        select(call_records, call_circumstances.c.document)
        .join(call_circumstances, call_circumstances.c.id == call_records.c.circumstances)
        .where(call_records.c.request == request)
    )
    row = connection.execute(found).first()
    if row is None:
        return None
    own = {name: getattr(row, name) for name in ("request", "caller", "reference", "outcome", "seconds", "at")}
    document: dict[str, Any] = json.loads(row.document)
    return {**document, **own}


def forget_records(connection: Connection, *, before: int, most: int) -> bool:
    """Deletes a few records that are older than the moment `before`, or beyond the `most` newest; whether there may be more.

    Their circumstances go a day after the last of them.
    """
    last = connection.execute(select(func.max(call_records.c.position))).scalar() or 0
    oldest = call_records.select().with_only_columns(call_records.c.position, call_records.c.at)
    rows = connection.execute(oldest.order_by(call_records.c.position).limit(_ROWS_AT_ONCE)).all()
    gone = [row.position for row in rows if row.at < before or row.position <= last - most]
    if gone:
        connection.execute(
            delete(call_records).where(
                call_records.c.position.between(gone[0], gone[-1]), _expired(before, last - most)
            )
        )
    connection.execute(delete(call_circumstances).where(call_circumstances.c.used_at < before - _DAY))
    return len(gone) == _ROWS_AT_ONCE


def _expired(before: int, position: int) -> Any:
    return (call_records.c.at < before) | (call_records.c.position <= position)
