"""Operations on what is called and what runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from troth.access.roles import relations, require
from troth.clock import now
from troth.doors.native.operations import Asked, Operation
from troth.errors import Forbidden, Malformed, MalformedReference
from troth.observe.latency import BOUNDS
from troth.observe.metrics import CallTotals
from troth.queries.usage import LARGEST_ANSWER, Period, UsageQuestion, usage
from troth.registry.database import Database


class _Usage(msgspec.Struct, rename={"since": "from", "until": "to"}):
    algorithm: str = ""
    version: str = ""
    caller: str = ""
    since: str = ""
    until: str = ""
    by: Period = "hour"
    limit: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_ANSWER)] = LARGEST_ANSWER


class UsageApi:
    """Handlers of the rows below. `settle` brings `totals` up to now."""

    def __init__(
        self,
        database: Database,
        states: Callable[[], list[dict[str, Any]]],
        totals: CallTotals,
        settle: Callable[[], None],
        fronts: Callable[[], list[dict[str, Any]]],
    ) -> None:
        self._database = database
        self._states = states
        self._totals = totals
        self._settle = settle
        self._fronts = fronts

    def operations(self) -> list[Operation]:
        """The rows."""
        return [
            Operation("GET", "/api/v1/query/usage", "query_usage",
                      "Calls by period, version, caller and outcome: the caller's own, and those of algorithms of owners it belongs to.",
                      self._usage, query=_Usage, errors=(Malformed, MalformedReference)),
            Operation("GET", "/api/v1/engine", "read_engine",
                      "What the engine is doing now and what was called since the server started, for administrators.",
                      self._engine, errors=(Forbidden,)),
        ]  # fmt: skip

    async def _usage(self, asked: Asked) -> dict[str, Any]:
        question = UsageQuestion(**msgspec.structs.asdict(asked.query))

        def ask() -> dict[str, Any]:
            with self._database.read() as connection:
                return usage(connection, asked.actor, question, now())

        return await asyncio.to_thread(ask)

    async def _engine(self, asked: Asked) -> dict[str, Any]:
        require("read_engine", relations(asked.actor), "")
        self._settle()
        called = [
            {"algorithm": algorithm, "version": version, "outcomes": dict(found.outcomes),
             "seconds": found.seconds, "latency": found.buckets}
            for (algorithm, version), found in self._totals.versions.items()
        ]  # fmt: skip
        return {
            "at": now().timestamp(),
            "versions": self._states(),
            "called": called,
            "bounds": BOUNDS,
            "fronts": self._fronts(),
        }
