"""Why a reference has no answer, in the words of the resolver."""

from __future__ import annotations

import asyncio

from troth.calls.routing import Caller
from troth.errors import TrothError
from troth.queries import algorithms as algorithm_queries
from troth.registry.database import Database
from troth.versions.history import Readings


class Explaining:
    """Asks the registry on behalf of a member of the algorithm's owner."""

    def __init__(self, database: Database, readings: Readings) -> None:
        self._database = database
        self._readings = readings

    async def __call__(self, reference: str, caller: Caller) -> str | None:
        """The reason in brackets; None where the reference has an answer."""
        return await asyncio.to_thread(self._ask, reference, caller)

    def _ask(self, reference: str, caller: Caller) -> str | None:
        with self._database.read() as connection:
            try:
                found = algorithm_queries.resolution(connection, caller.actor, reference, self._readings)
            except TrothError as error:
                return f" ({', '.join(error.clauses)}: {error.why})" if error.clauses else ""
        if found.resolved:
            return None
        return "".join(f" ({reason.clause}: {reason.text})" for reason in found.reasons)
