"""Algorithms called by the queue: in the name of who set a command up, counted and recorded as other calls are."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from troth.calls.routing import Caller, Route, RoutingTable
from troth.commands.queued.handlers import Definer
from troth.errors import CallFailed, NotFound
from troth.registry import accounts
from troth.registry.database import Database
from troth.runtime import worker
from troth.runtime.call import Call
from troth.runtime.engine import CallRequest, CallResult, Engine


@dataclass(slots=True)
class CommandOrigin:
    """Of a call that handles a command, or is an example: there is no request, and so no key, behind it."""

    request_id: str
    subject: str
    holder: Callable[[], Caller | None]
    caller: Caller | None
    route: Route | None
    parent: Call | None = None
    authorization: bytes = b""
    head: Iterable[tuple[bytes, bytes]] = field(default_factory=tuple)


class HandlerCalls:
    """Calls algorithms for `troth.commands.queued`. `told` hears of each call that handled a command."""

    def __init__(
        self,
        database: Database,
        table: RoutingTable,
        engine: Engine,
        told: Callable[[str, Caller, str, Route, CallResult], None],
    ) -> None:
        self._database = database
        self._table = table
        self._engine = engine
        self._told = told
        self._names: dict[str, str] = {}

    async def __call__(self, reference: str, by: Definer, given: Any, *, seconds: float, keyed: bool) -> Any:
        """The result of a call. Raises NotFound, CallFailed and Unavailable."""
        if by.account_id not in self._names:
            await asyncio.to_thread(self._learn, by.account_id)
        caller = self._caller(by)
        owner, name, *version = reference.split("/")
        subject = f"{owner}/{name}"
        route = None
        if caller is not None and caller.reaches(subject):
            route = self._table.resolve(subject, version[0] if version else "", caller)
        if caller is None or route is None:
            raise NotFound(
                f"{reference} leads nowhere for who made it a handler",
                why="it was deleted or never published, or that account or its rights are gone",
                repair="publish it, or publish the command's version again with another handler, and retry the command",
                asked=reference,
            )
        request = CallRequest(worker.JSON, json.dumps(given).encode(), seconds)
        if not keyed:
            return _value(reference, await self._engine.call(route.spec, request))
        request_id = f"req-{uuid.uuid4()}"
        request.origin = CommandOrigin(request_id, subject, lambda: self._caller(by), caller, route)
        result = await self._engine.call(route.spec, request)
        self._told(request_id, caller, reference, route, result)
        return _value(reference, result)

    def _caller(self, by: Definer) -> Caller | None:
        """The account as it is now, with what its key was for."""
        found = self._table.accounts.get(self._names.get(by.account_id, ""))
        return None if found is None or found.id != by.account_id else replace(found, scope=by.scope)

    def _learn(self, account_id: str) -> None:
        with self._database.read() as connection:
            found = accounts.account_by_id(connection, account_id)
        if found is not None:
            self._names[account_id] = found.name


def _value(reference: str, result: CallResult) -> Any:
    try:
        found = json.loads(result.body)
    except (ValueError, RecursionError):
        raise CallFailed("the algorithm answered what is no JSON", repair="return JSON") from None
    if result.failed:
        raise CallFailed(
            str(found["message"])[:2000],
            why=str(found["error_type"])[:200],
            repair=f"to see what it prints, troth call {reference} '{{\"payload\": ...}}' --stdout",
        )
    return found
