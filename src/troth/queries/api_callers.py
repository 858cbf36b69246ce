"""Who still uses a version of an API, where the API runs, and what an account was told of that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from troth.access.roles import GRANTS, Actor, relations, require
from troth.errors import Malformed
from troth.queries.apis import visible
from troth.registry import accounts, alerts, upstreams
from troth.registry.alerts import day_named, day_of
from troth.registry.api_callers import CallerRow, Wanted, callers_of
from troth.registry.upstreams import Upstream
from troth.versions.lifecycles.numbers import parsed
from troth.versions.lifecycles.table import version_name

LARGEST_ANSWER = 10_000
_USUAL_DAYS = 30


def callers(
    connection: Connection, asker: Actor, subject: str, version: str, since: str, until: str, limit: int, now: datetime
) -> dict[str, Any]:
    """Requests by day, version, operation and parameter, the newest first: with the callers' names for the API's owner,
    with their number for everybody else who may know of the API. Raises NotFound, Malformed and MalformedNumber.
    """
    row = visible(connection, asker, subject)
    last = _day("to", until) if until else day_of(now)
    first = _day("from", since) if since else last - _USUAL_DAYS + 1
    wanted = Wanted(row.subject, first, last, parsed(version) if version else None)
    role = accounts.role_of(connection, row.owner_id, asker.id)
    named = asker.scope.manage and bool(GRANTS["read_callers"] & relations(asker, row.owner_id, role))
    found = callers_of(connection, wanted, named=named, most=limit + 1)
    return {
        "api": row.subject,
        "from": day_named(first),
        "to": day_named(last),
        "named": named,
        "rows": [_row(one) for one in found[:limit]],
        "more": len(found) > limit,
    }


def served(
    connection: Connection, asker: Actor, subject: str, well: Callable[[Upstream], bool | None], now: datetime
) -> dict[str, Any]:
    """Where an API runs, whether it is `well` there, and which brownouts have not passed, for members of its owner.

    Raises NotFound and Forbidden.
    """
    row = visible(connection, asker, subject)
    role = accounts.role_of(connection, row.owner_id, asker.id)
    require("read_callers", relations(asker, row.owner_id, role), f"of {subject}")
    found = upstreams.upstreams_of(connection, row.id)
    planned = upstreams.brownouts_of(connection, row.id, upstreams.second(now))
    return {
        "api": row.subject,
        "upstreams": [
            {"version": version_name(number) if number else None, **one.as_dict(), "well": well(one)}
            for number, one in sorted(found.items())
        ],
        "brownouts": [
            {"brownout": one.id, "version": version_name(one.version), "begins": one.begins, "ends": one.ends,
             "production": one.production}
            for one in planned
        ],
    }  # fmt: skip


def told(connection: Connection, asker: Actor, name: str, after: int, limit: int) -> dict[str, Any]:
    """What an account was told of what its keys use, and its webhooks. Raises NotFound and Forbidden."""
    account = accounts.find_account(connection, name or asker.name)
    role = accounts.role_of(connection, account.id, asker.id) if account else None
    require("read_alerts", relations(asker, account.id if account else None, role), f"of {name}")
    assert account is not None
    found = alerts.alerts_after(connection, account.id, after, limit)
    return {
        "account": account.name,
        "alerts": [one.as_dict() for one in found],
        "next": found[-1].position if found else after,
        "hooks": [one.as_dict() for one in alerts.hooks_of(connection, account.id)],
    }


def _row(row: CallerRow) -> dict[str, Any]:
    found: dict[str, Any] = {
        "day": day_named(row.day),
        "version": version_name(row.version),
        "operation": row.operation,
        "parameter": row.parameter or None,
    }
    who: dict[str, Any] = {"callers": row.callers} if row.caller is None else {"caller": row.caller or None}
    return {**found, **who, "calls": row.calls}


def _day(name: str, text: str) -> int:
    try:
        return (date.fromisoformat(text) - date(1970, 1, 1)) // timedelta(days=1)
    except ValueError:
        raise Malformed(f"{name} cannot be {text[:40]!r}", why="it is a day", repair="write 2026-11-25") from None
