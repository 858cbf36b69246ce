"""Operations on calls that were not waited for."""

from __future__ import annotations

import json
from typing import Any

from troth.calls.results import Results
from troth.doors.native.operations import Asked, Operation
from troth.errors import NotFound


class RunningApi:
    """Handlers over the results that are kept."""

    def __init__(self, results: Results) -> None:
        self._results = results

    def operations(self) -> list[Operation]:
        """Their rows."""
        return [
            Operation("GET", "/api/v1/calls/{request}", "read_call", "What came of a call that was not waited for.",
                      self._call, errors=(NotFound,)),
        ]  # fmt: skip

    async def _call(self, asked: Asked) -> dict[str, Any]:
        request = asked.path["request"]
        found = self._results.find(request, asked.caller.id, asked.actor.scope)
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
