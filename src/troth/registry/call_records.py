"""What ran in each of the last calls, so that receipts outlive the server that made them.

What many calls have in common (version, digests, isolation) is one document, their circumstances; a call's own row is short.
Rows go in as one JSON document for each batch, which the database takes apart by itself: handing them over one by one would
take the interpreter's lock from the server's loop once for each call.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from troth.registry.tables import call_circumstances, call_records

#: rows in one step of deletion
_ROWS_AT_ONCE = 2000
_DAY = 86400
_INSERT = {
    "sqlite": """
        INSERT INTO call_records (at, request, caller, reference, outcome, seconds, circumstances)
        SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
        FROM json_each(:batch) WHERE true ON CONFLICT (request) DO NOTHING""",
    "postgresql": """
        INSERT INTO call_records (at, request, caller, reference, outcome, seconds, circumstances)
        SELECT CAST(one ->> 0 AS bigint), one ->> 1, one ->> 2, one ->> 3, one ->> 4,
               CAST(one ->> 5 AS double precision), CAST(one ->> 6 AS integer)
        FROM json_array_elements(CAST(:batch AS json)) AS one ON CONFLICT (request) DO NOTHING""",
}


class CallRecord(NamedTuple):
    """One call: `at` in seconds since 1970, `circumstances` as `circumstances_id` gives them."""

    at: int
    request: str
    caller: str
    reference: str
    outcome: str
    seconds: float
    circumstances: int


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
    if records:
        batch = json.dumps(records, ensure_ascii=False, separators=(",", ":"))
        connection.execute(text(_INSERT[connection.dialect.name]), {"batch": batch})


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
