"""Operations on what runs: the results of calls that were not waited for, and the state of the engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from troth.calls.results import Results
from troth.doors.native.operations import Asked, Operation
from troth.errors import Forbidden, NotFound


class RunningApi:
    """Handlers over the results that are kept and over the engine."""

    def __init__(self, results: Results, states: Callable[[], list[dict[str, Any]]]) -> None:
        self._results = results
        self._states = states

    def operations(self) -> list[Operation]:
        """Their rows."""
        return [
            Operation("GET", "/api/v1/calls/{request}", "read_call", "What came of a call that was not waited for.",
                      self._call, errors=(NotFound,)),
            Operation("GET", "/api/v1/engine", "read_engine", "The versions that take memory, for administrators.",
                      self._engine, errors=(Forbidden,)),
        ]  # fmt: skip

    async def _call(self, asked: Asked) -> dict[str, Any]:
        request = asked.path["request"]
        found = self._results.find(request, asked.caller.id)
        if found is None:
            raise NotFound(
                "there is no such call",
                why="calls made with output=void are kept for who made them, for a while",
                repair="use the request_id that the call was answered with",
                asked=request[:100],
            )
        if found.body is None:
            return {"request": request, "status": "running", "answer": None}
        return {"request": request, "status": "done", "answer": json.loads(found.body)}

    async def _engine(self, asked: Asked) -> dict[str, Any]:
        if not asked.caller.administrator:  # versions of everybody are named
            raise Forbidden("the state of the engine is for administrators of this server")
        return {"versions": self._states()}
