"""Operations on upgrades and on what is to come: the plan of an upgrade, and the cadence of a product."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from troth.contracts.upgrades.page import as_page
from troth.contracts.upgrades.rendering import as_markdown, as_text
from troth.doors.native.operations import Asked, Operation, problem_response
from troth.errors import Malformed, MalformedNumber, NotFound
from troth.queries import cadence as cadence_queries
from troth.queries.upgrades import upgrade
from troth.registry.database import Database
from troth.versions.pages import SECURITY_POLICY

_FORMS: dict[str, tuple[Callable[[dict[str, Any]], str], str]] = {
    "text": (as_text, "text/plain"),
    "markdown": (as_markdown, "text/markdown"),
    "html": (as_page, "text/html"),
}


class _Upgrade(msgspec.Struct, rename={"begins": "from", "ends": "to"}):
    product: str
    begins: str
    ends: str = "latest"
    form: Literal["json", "text", "markdown", "html"] = "json"


class _Product(msgspec.Struct):
    product: str


class UpgradeApi:
    """Handlers of the rows below."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def operations(self) -> list[Operation]:
        """The rows."""
        return [
            Operation("GET", "/api/v1/upgrade-plan", "plan_upgrade",
                      "One plan from a release to another: notes, migrations, breaks, settings, and where to stop.",
                      self._plan, query=_Upgrade, errors=(NotFound, MalformedNumber, Malformed), page=as_page),
            Operation("GET", "/api/v1/query/cadence", "query_cadence",
                      "How often a product is released, what is announced, and what of it is late (PLX-14).",
                      self._cadence, query=_Product, errors=(NotFound,)),
            Operation("GET", "/api/v1/query/calendars", "query_calendars", "The caller's calendar feeds.", self._calendars),
        ]  # fmt: skip

    async def feed(self, request: Request) -> Response:
        """The calendar that the token in the path opens. It comes from calendars, which send no key."""
        try:
            text: str = await self._read(lambda c: cadence_queries.feed(c, request.path_params["token"]))
        except NotFound as error:
            return problem_response(error, f"req-{uuid.uuid4()}")
        return Response(text, media_type="text/calendar", headers={"cache-control": "private, max-age=3600"})

    async def _cadence(self, asked: Asked) -> Any:
        return await self._read(lambda c: cadence_queries.of_product(c, asked.actor, asked.query.product))

    async def _calendars(self, asked: Asked) -> Any:
        return await self._read(lambda c: cadence_queries.calendars(c, asked.actor))

    async def _plan(self, asked: Asked) -> Any:
        query: _Upgrade = asked.query
        found: dict[str, Any] = await self._read(
            lambda c: upgrade(c, asked.actor, query.product, query.begins, query.ends)
        )
        if query.form == "json":
            return found
        render, media_type = _FORMS[query.form]
        headers = {"content-security-policy": SECURITY_POLICY, "x-content-type-options": "nosniff"}
        return Response(render(found), 200, headers, media_type=media_type)

    async def _read(self, ask: Callable[[Connection], Any]) -> Any:
        def read() -> Any:
            with self._database.read() as connection:
                return ask(connection)

        return await asyncio.to_thread(read)
