"""The question what a rollback would change; the rollback itself is a command."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from troth.doors.native.operations import Asked, Operation
from troth.errors import Forbidden, Malformed, NotFound
from troth.queries.former import rollback
from troth.queries.language.values import moment
from troth.registry.database import Database


class _Wanted(msgspec.Struct):
    to: str
    algorithm: str = ""
    product: str = ""


class RollbackApi:
    """The handler of the row below, over the registry."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def operations(self) -> list[Operation]:
        """The row."""
        return [
            Operation("GET", "/api/v1/rollback", "preview_rollback",
                      "What differs between the settings of an algorithm or product and those at a position or moment.",
                      self._preview, query=_Wanted, errors=(Malformed, Forbidden, NotFound)),
        ]  # fmt: skip

    async def _preview(self, asked: Asked) -> dict[str, Any]:
        query: _Wanted = asked.query
        kind, subject = ("product", query.product) if query.product else ("algorithm", query.algorithm)
        to = query.to if query.to.isdigit() else moment(query.to)

        def ask() -> dict[str, Any]:
            with self._database.read() as connection:
                return rollback(connection, asked.actor, kind, subject, to)

        return await asyncio.to_thread(ask)
