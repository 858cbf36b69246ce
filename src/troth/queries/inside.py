"""Questions about what algorithms are given and what they report: for members of their owner."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.errors import NotFound
from troth.queries import management
from troth.queries.usage import moment_of
from troth.registry import accounts, secret_records
from troth.registry.insights import WantedInsights, insights_of
from troth.registry.secret_records import SecretRow

LARGEST_ANSWER = 1000
_BACK = timedelta(days=1)


def secrets(connection: Connection, asker: Actor, of: str) -> list[SecretRow]:
    """The secrets of an algorithm (by name or uuid) or account, without their values. Raises NotFound and Forbidden."""
    return secret_records.secrets_of(connection, [_owner_id(connection, asker, of)])


def described(row: SecretRow) -> dict[str, Any]:
    """One secret, for people."""
    return {
        "name": row.name,
        "label": row.label,
        "description": row.description,
        "id": row.id,
        "created_at": row.created_at,
        "modified_at": row.modified_at,
    }


def insights(
    connection: Connection,
    asker: Actor,
    algorithm: str,
    now: datetime,
    *,
    key: str = "",
    version: str = "",
    request: str = "",
    since: str = "",
    until: str = "",
    limit: int = LARGEST_ANSWER,
) -> dict[str, Any]:
    """The newest figures that an algorithm reported, newest first: of the last day, unless moments (RFC 3339) say otherwise.

    What was reported in the last second or two may be missing. Raises NotFound, Forbidden and Malformed.
    """
    found = management.seen_by_member(connection, asker, algorithm, "insights").algorithm
    end = moment_of("to", until) if until else now + timedelta(seconds=1)
    start = moment_of("from", since) if since else end - _BACK
    owner, _, name = found.subject.partition("/")
    wanted = WantedInsights(
        owner, name, int(start.timestamp()), int(end.timestamp()) + 1, key, version, request, min(limit, LARGEST_ANSWER)
    )
    rows = [
        {
            "at": datetime.fromtimestamp(one.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "request": one.request,
            "version": one.version,
            "key": one.key,
            "value": json.loads(one.value),
        }
        for one in insights_of(connection, wanted)
    ]
    return {"algorithm": found.subject, "insights": rows}


def _owner_id(connection: Connection, asker: Actor, of: str) -> str:
    if "/" in of or len(of) == 36:
        return management.seen_by_member(connection, asker, of, "secrets").algorithm.id
    account = accounts.find_account(connection, of)
    if account is None or (account.id != asker.id and accounts.role_of(connection, account.id, asker.id) is None):
        raise NotFound(
            f"there is no account {of[:63]} of yours", repair="name yours, or an organisation that you belong to"
        )
    return account.id
