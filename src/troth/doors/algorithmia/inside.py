"""What algorithms are given and what they report: secrets, and insights (algorithmia-api, sections 12.3 and 12.4)."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection

from troth.calls.insights import Insights
from troth.commands.bus import Bus, Envelope
from troth.doors.algorithmia.endpoints import Asked, Row
from troth.doors.algorithmia.objects import moment
from troth.doors.algorithmia.refusals import INVALID_JSON, Numbered
from troth.errors import Malformed, Unauthenticated
from troth.queries import inside, management
from troth.registry.database import Database
from troth.registry.secret_records import SecretRow

Found = TypeVar("Found")
INSIGHTS = "/v1/insights"
_SECRETS = "/v1/algorithms/{algorithm:algorithm}/secrets"
#: The one provider there is: this server's registry.
PROVIDER = str(uuid.uuid5(uuid.NAMESPACE_URL, "troth:secret-provider:registry"))


class InsideRows:
    """Handlers of the rows below."""

    def __init__(self, bus: Bus, database: Database) -> None:
        self._bus = bus
        self._database = database

    def rows(self) -> list[Row]:
        """The table."""
        return [
            Row("GET", "/v1/secret-provider", self._providers),
            Row("GET", _SECRETS, self._secrets),
            Row("POST", _SECRETS, self._set),
        ]

    async def _providers(self, asked: Asked) -> list[Any]:
        return [{"id": PROVIDER, "name": "troth", "description": "the registry of this server", "is_default": True}]

    async def _secrets(self, asked: Asked) -> dict[str, Any]:
        def ask(connection: Connection) -> dict[str, Any]:
            found = management.seen_by_member(connection, asked.actor, asked.algorithm, "secrets").algorithm
            return {"secrets": [_object(row) for row in inside.secrets(connection, asked.actor, found.id)]}

        return await self._read(ask)

    async def _set(self, asked: Asked) -> dict[str, Any]:
        body = _json(asked.body)
        fields = {name: _text(body, name) for name in ("short_name", "secret_key", "secret_value", "description")}
        if _text(body, "provider_id") not in ("", PROVIDER):
            raise Malformed("there is no such secret provider", repair="see GET /v1/secret-provider")
        found = await self._read(
            lambda c: management.seen_by_member(c, asked.actor, asked.algorithm, "secrets").algorithm
        )
        payload = {
            "of": found.subject,
            "name": fields["secret_key"],
            "value": fields["secret_value"],
            "label": fields["short_name"],
            "description": fields["description"].strip(),
        }
        envelope = Envelope("set_secret", 1, json.dumps(payload).encode(), asked.actor, str(uuid.uuid4()))
        await self._bus.submit(envelope)

        def ask(connection: Connection) -> dict[str, Any]:
            rows = inside.secrets(connection, asked.actor, found.id)
            return next(_object(row) for row in rows if row.name == payload["name"])

        return await self._read(ask)

    async def _read(self, ask: Callable[[Connection], Found]) -> Found:
        def read() -> Found:
            with self._database.read() as connection:
                return ask(connection)

        return await asyncio.to_thread(read)


class InsightRow:
    """The handler of insights, which every process that takes calls has for its own."""

    def __init__(self, insights: Insights) -> None:
        self._insights = insights

    def rows(self) -> list[Row]:
        """The table."""
        return [Row("POST", INSIGHTS, self._report, inside=True)]

    async def _report(self, asked: Asked) -> dict[str, Any]:
        if asked.within is None:
            raise Unauthenticated(
                "insights are reported by algorithms while they run",
                why="the key of a call says which call they belong to",
                repair="call report_insights of a client that was made without a key, inside an algorithm",
            )
        self._insights.report(asked.within, _json(asked.body), int(time.time()))
        return {}


def _object(row: SecretRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "short_name": row.label,
        "description": row.description,
        "secret_key": row.name,
        "owner_type": "algorithm",
        "owner_id": row.owner_id,
        "provider_id": PROVIDER,
        "created": moment(row.created_at),
        "modified": moment(row.modified_at),
    }


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Numbered(INVALID_JSON, "the body is not JSON", repair="send JSON") from None


def _text(body: Any, name: str) -> str:
    """A field's text. Raises Malformed, which does not repeat it."""
    if not isinstance(body, dict):
        raise Malformed("the body is not a JSON object", repair="send one")
    found = body.get(name) or ""
    if not isinstance(found, str):
        raise Malformed(f"{name} is not text", repair="send text")
    return found
