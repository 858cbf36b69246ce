"""The question what a rollback would change, and what it would come to; the rollback itself is a command."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from troth.commands.bus import Bus
from troth.doors.native.operations import Asked, Operation
from troth.errors import Forbidden, Malformed, NotFound
from troth.queries.former import rollback
from troth.queries.language.values import moment
from troth.registry.database import Database
from troth.registry.settable import SETTABLE


class _Wanted(msgspec.Struct):
    to: str
    #: or one of the two behind
    kind: str = ""
    subject: str = ""
    algorithm: str = ""
    product: str = ""
    #: of versions: the release that the move would ride on
    release: str = ""


class RollbackApi:
    """The handler of the row below, over the registry."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._bus = bus

    def operations(self) -> list[Operation]:
        """The row."""
        return [
            Operation("GET", "/api/v1/rollback", "preview_rollback",
                      "What differs between settings or a state now and at a position or moment, and what a rollback would come to.",
                      self._preview, query=_Wanted, errors=(Malformed, Forbidden, NotFound)),
        ]  # fmt: skip

    async def _preview(self, asked: Asked) -> dict[str, Any]:
        query: _Wanted = asked.query
        kind = query.kind or ("product" if query.product else "algorithm")
        subject = query.subject or query.product or query.algorithm
        to = query.to if query.to.isdigit() else moment(query.to)

        def ask() -> dict[str, Any]:
            with self._database.read() as connection:
                return rollback(connection, asked.actor, kind, subject, to)

        found = await asyncio.to_thread(ask)
        return {**found, **(await self._rehearsed(asked, query, found) if found["difference"] else {})}

    async def _rehearsed(self, asked: Asked, query: _Wanted, found: dict[str, Any]) -> dict[str, Any]:
        if SETTABLE[found["kind"]].rides and not query.release:
            raise Malformed(
                f"the state of a version moves in a release, and none is named for {found['kind']} {query.subject[:140]}",
                why="whether the move is legal depends on the release that it rides on",
                repair="name one: --release X.Y.Z",
            )
        payload = {"kind": found["kind"], **found["names"], "position": found["position"], "values": found["values"]}
        also = {"release": query.release} if SETTABLE[found["kind"]].rides else {}
        return await self._bus.rehearse("roll_back", asked.actor, {**payload, **also, "reason": "to look"})
