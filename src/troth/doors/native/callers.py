"""Operations on who uses APIs, where these run, and what accounts are told of that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from sqlalchemy import Connection

from troth.clock import now
from troth.doors.native.operations import Asked, Operation
from troth.errors import Malformed, MalformedNumber, NotFound
from troth.queries import api_callers as queries
from troth.queries.api_callers import LARGEST_ANSWER
from troth.registry.database import Database
from troth.registry.upstreams import Upstream

Limit = Annotated[int, msgspec.Meta(ge=1, le=LARGEST_ANSWER)]


class _Callers(msgspec.Struct, rename={"since": "from", "until": "to"}):
    version: str = ""
    since: str = ""
    until: str = ""
    limit: Limit = LARGEST_ANSWER


class _Alerts(msgspec.Struct):
    account: str = ""
    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    limit: Limit = 100


class CallersApi:
    """Handlers of the rows below. `settle` writes down what was counted until now, `well` knows how upstreams are."""

    def __init__(self, database: Database, settle: Callable[[], Any], well: Callable[[Upstream], bool | None]) -> None:
        self._database = database
        self._settle = settle
        self._well = well

    def operations(self) -> list[Operation]:
        """The rows."""
        return [
            Operation("GET", "/api/v1/apis/{owner}/{api}/callers", "query_api_callers",
                      "Requests to an API through the gateway by day, version, operation and parameter: names for its owner, numbers for others.",
                      self._callers, query=_Callers, errors=(NotFound, Malformed, MalformedNumber), public=True),
            Operation("GET", "/api/v1/apis/{owner}/{api}/upstreams", "query_upstreams",
                      "Where an API runs and which brownouts are planned, for members of its owner.",
                      self._upstreams, errors=(NotFound,)),
            Operation("GET", "/api/v1/alerts", "query_alerts",
                      "What an account was told of what its keys use and what will go, behind a position, and its webhooks.",
                      self._alerts, query=_Alerts),
        ]  # fmt: skip

    async def _callers(self, asked: Asked) -> dict[str, Any]:
        query: _Callers = asked.query
        subject = f"{asked.path['owner']}/{asked.path['api']}"
        await self._settle()
        return await self._read(
            lambda c: queries.callers(
                c, asked.actor, subject, query.version, query.since, query.until, query.limit, now()
            )
        )

    async def _upstreams(self, asked: Asked) -> dict[str, Any]:
        subject = f"{asked.path['owner']}/{asked.path['api']}"
        return await self._read(lambda c: queries.served(c, asked.actor, subject, self._well, now()))

    async def _alerts(self, asked: Asked) -> dict[str, Any]:
        query: _Alerts = asked.query
        return await self._read(lambda c: queries.told(c, asked.actor, query.account, query.after, query.limit))

    async def _read(self, ask: Callable[[Connection], dict[str, Any]]) -> dict[str, Any]:
        def read() -> dict[str, Any]:
            with self._database.read() as connection:
                return ask(connection)

        return await asyncio.to_thread(read)
