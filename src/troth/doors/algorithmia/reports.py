"""`/v1/admin/usage`: reports of calls for administrators (algorithmia-api, section 11), and what is refused beside them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from troth.doors.algorithmia.endpoints import Asked, Row
from troth.doors.algorithmia.paging import limit_of, marker_of, names_of
from troth.doors.algorithmia.refusals import INVALID_REQUEST, NO_CONFIGURATION, NO_DATES, NOT_IMPLEMENTED, Numbered
from troth.queries.usage import moment_of, totals
from troth.registry.database import Database
from troth.registry.usage import UsageTotal

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_QUERY = ("user", "start_date", "end_date", "marker", "page_size")
#: What a column of a report is called in it.
_WORDS = {"owner": "algorithm_owner", "name": "algorithm_name", "version": "algorithm_version", "caller": "username"}
_LISTENERS = "/v1/users/{user}/event-listeners"


class ReportRows:
    """Handlers of the rows below. `settle` has what is known of calls written down."""

    def __init__(self, database: Database, settle: Callable[[], Awaitable[object]]) -> None:
        self._database = database
        self._settle = settle

    def rows(self) -> list[Row]:
        """The table."""
        return [
            Row("GET", "/v1/admin/usage", self._usage, query=_QUERY),
            Row("GET", "/v1/admin/usage/algorithms", self._by_algorithm, query=_QUERY),
            Row("GET", "/v1/admin/usage/users", self._by_user, query=_QUERY),
            Row("GET", "/v1/organizations/{organization}/utility-algorithms", self._utilities),
            Row("GET", _LISTENERS, self._listeners),
            Row("POST", _LISTENERS, self._listeners),
            Row("GET", _LISTENERS + "/{listener}", self._listeners),
            Row("PUT", _LISTENERS + "/{listener}", self._listeners),
            Row("DELETE", _LISTENERS + "/{listener}", self._listeners),
            *(Row("GET", f"/v1/config/{what}", self._configuration) for what in ("frontend", "logo", "favicon")),
            Row("GET", "/v1/config/frontend/{key}", self._configuration),
        ]

    async def _usage(self, asked: Asked) -> dict[str, Any]:
        """Calls in a period by algorithm, version and user."""
        return await self._report(asked, ("owner", "name", "version", "caller"))

    async def _by_algorithm(self, asked: Asked) -> dict[str, Any]:
        """Calls in a period by algorithm."""
        return await self._report(asked, ("owner", "name"))

    async def _by_user(self, asked: Asked) -> dict[str, Any]:
        """Calls in a period by who made them."""
        return await self._report(asked, ("caller",))

    async def _report(self, asked: Asked, columns: Sequence[str]) -> dict[str, Any]:
        since, until = _period(asked)
        if not asked.query("user").isprintable():
            raise Numbered(INVALID_REQUEST, "user is no name")
        limit, after = limit_of(asked, "page_size"), names_of(asked, len(columns))
        await self._settle()

        def ask() -> list[UsageTotal]:
            with self._database.read() as connection:
                return totals(
                    connection, asked.actor, since, until, columns,
                    caller=asked.query("user"), after=after, most=limit + 1,
                )  # fmt: skip

        found = await asyncio.to_thread(ask)
        following = found[limit - 1].names if len(found) > limit else None
        results = [_row(columns, total) for total in found[:limit]]
        return {"results": results, "next_marker": marker_of(following) if following else None}

    async def _utilities(self, asked: Asked) -> None:
        """Refused: organisations have no algorithms that are called for them."""
        raise Numbered(NOT_IMPLEMENTED, "there are no utility algorithms", why="nothing calls algorithms by itself")

    async def _listeners(self, asked: Asked) -> None:
        """Refused: algorithms are called by who calls them, and not by events."""
        raise Numbered(
            NOT_IMPLEMENTED,
            "there are no event listeners",
            why="algorithms are called by requests only",
            repair="have the source of the events call the algorithm",
        )

    async def _configuration(self, asked: Asked) -> None:
        """Refused: there is no front to configure."""
        raise Numbered(NO_CONFIGURATION, "there is no such entry", why="this server has no front to configure",
                       http_status=404)  # fmt: skip


def _period(asked: Asked) -> tuple[datetime, datetime]:
    """From the first moment on, up to the last one; an end that is a day is included. Raises Numbered and Malformed."""
    start, end = asked.query("start_date"), asked.query("end_date")
    if not start or not end:
        raise Numbered(
            NO_DATES, "start_date or end_date is missing", why="a report is of a period", repair="write 2026-11-25"
        )
    until = moment_of("end_date", end)
    try:
        return moment_of("start_date", start), until + timedelta(days=1) if _DAY.fullmatch(end) else until
    except OverflowError:
        return moment_of("start_date", start), until


def _row(columns: Sequence[str], total: UsageTotal) -> dict[str, Any]:
    named = {_WORDS[column]: name for column, name in zip(columns, total.names, strict=True)}
    return {**named, "calls": total.calls, "errors": total.errors, "duration_seconds": round(total.seconds, 6)}
