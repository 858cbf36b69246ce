"""Operations on what algorithms are given and what they report."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from sqlalchemy import Connection

from troth.clock import now
from troth.doors.native.operations import Asked, Operation
from troth.errors import Forbidden, Malformed, NotFound
from troth.queries import inside
from troth.registry.database import Database


class _Secrets(msgspec.Struct):
    of: str


class _Insights(msgspec.Struct, rename={"since": "from", "until": "to"}):
    algorithm: str
    key: str = ""
    version: str = ""
    request: str = ""
    since: str = ""
    until: str = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=inside.LARGEST_ANSWER)] = inside.LARGEST_ANSWER


class InsideApi:
    """Handlers of the rows below. Whoever may not see an algorithm is told that there is none."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def operations(self) -> list[Operation]:
        """The rows."""
        return [
            Operation("GET", "/api/v1/query/secrets", "query_secrets",
                      "The secrets of an algorithm or account, without their values, for members of the owner.",
                      self._secrets, query=_Secrets, errors=(NotFound, Forbidden)),
            Operation("GET", "/api/v1/query/insights", "query_insights",
                      "Figures that an algorithm reported of its calls, newest first, for members of its owner.",
                      self._insights, query=_Insights, errors=(NotFound, Forbidden, Malformed)),
        ]  # fmt: skip

    async def _secrets(self, asked: Asked) -> dict[str, Any]:
        def ask(connection: Connection) -> dict[str, Any]:
            found = inside.secrets(connection, asked.actor, asked.query.of)
            return {"of": asked.query.of, "secrets": [inside.described(row) for row in found]}

        return await self._read(ask)

    async def _insights(self, asked: Asked) -> dict[str, Any]:
        wanted = msgspec.structs.asdict(asked.query)
        algorithm = wanted.pop("algorithm")
        return await self._read(lambda c: inside.insights(c, asked.actor, algorithm, now(), **wanted))

    async def _read(self, ask: Callable[[Connection], dict[str, Any]]) -> dict[str, Any]:
        def read() -> dict[str, Any]:
            with self._database.read() as connection:
                return ask(connection)

        return await asyncio.to_thread(read)
