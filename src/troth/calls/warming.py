"""References that always have a worker: looked up again and again, because what a floating one means moves on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from troth.calls.routing import Route, RoutingTable
from troth.errors import MalformedSetting, TrothError
from troth.runtime.engine import VersionSpec
from troth.runtime.local import LocalEngine

log = structlog.get_logger()

_PAUSE = 2.0


class Warming:
    """Keeps a worker of each of these references."""

    def __init__(self, references: Sequence[str], table: RoutingTable, engine: LocalEngine) -> None:
        self._wanted = [_parts(reference) for reference in references]
        self._table = table
        self._engine = engine
        self._kept: dict[str, VersionSpec] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins, if there is anything to keep warm."""
        if self._wanted:
            self._task = asyncio.get_running_loop().create_task(self._go_on())

    def stop(self) -> None:
        """Keeps nothing warm any more."""
        if self._task is not None:
            self._task.cancel()

    def look(self) -> None:
        """Starts what is wanted and has no worker, and lets go of what is not wanted any more."""
        found = {route.spec.id: route.spec for route in map(self._route, self._wanted) if route is not None}
        for version in self._kept.keys() - found.keys():
            self._engine.release(version)
        for spec in found.values():
            try:
                self._engine.keep(spec)
            except TrothError as error:
                log.warning("a version cannot be kept warm", version=spec.id, why=str(error))
        self._kept = found

    def _route(self, wanted: tuple[str, str]) -> Route | None:
        """What a reference means to a member of its owner."""
        routes = self._table.algorithms.get(wanted[0])
        if routes is None:
            return None
        return routes.open.get(wanted[1]) or routes.closed.get(wanted[1])

    async def _go_on(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(_PAUSE)


def _parts(reference: str) -> tuple[str, str]:
    owner, _, rest = reference.partition("/")
    name, _, version = rest.partition("/")
    if not owner or not name:
        raise MalformedSetting(
            f"keep_warm cannot hold {reference[:80]!r}",
            why="it holds references of algorithms",
            repair="write owner/name or owner/name/version",
        )
    return f"{owner}/{name}", version
