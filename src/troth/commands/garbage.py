"""What lies on the disk and no build needs: first listed, then, by command, removed.

Never what a successful build needs, published or not: members may call it by its hash.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import structlog
from sqlalchemy import Connection

from troth.access.roles import Actor, relations, require
from troth.builds.environments import Environments
from troth.builds.repository import Repositories
from troth.builds.trees import Trees
from troth.commands.bus import Transaction
from troth.commands.formats import Payload
from troth.registry import build_records, catalog
from troth.registry.database import Database

log = structlog.get_logger()

#: Seconds in which what was uploaded or begun may still be built.
_GRACE = 3600.0


class Garbage:
    """Knows what is not needed."""

    def __init__(self, trees: Trees, repositories: Repositories, environments: Environments, *, grace: float = _GRACE):
        self._trees = trees
        self._repositories = repositories
        self._environments = environments
        self._grace = grace

    def listed(self, connection: Connection, actor: Actor) -> list[dict[str, Any]]:
        """Everything on the disk that is not needed: kind, id and bytes. Raises Forbidden."""
        require("collect_garbage", relations(actor), "")
        return [*self._sources(connection), *self._old_environments(connection), *self._orphans(connection)]

    def unneeded(self, connection: Connection, actor: Actor, kind: str, identity: str) -> dict[str, Any] | None:
        """That thing as `listed` has it, if it still is not needed."""
        require("collect_garbage", relations(actor), "")
        listing = {"source": self._sources, "environment": self._old_environments, "repository": self._orphans}
        return next((thing for thing in listing[kind](connection, {identity}) if thing["id"] == identity), None)

    def remove(self, kind: str, identity: str) -> None:
        """Removes one thing that was listed."""
        stores = {"source": self._trees, "environment": self._environments, "repository": self._repositories}
        stores[kind].remove(identity)  # type: ignore[attr-defined]

    def _sources(self, connection: Connection, only: set[str] | None = None) -> list[dict[str, Any]]:
        needed = build_records.needed_sources(connection)
        recent = time.time() - self._grace
        return [
            {"kind": "source", "id": digest, "bytes": self._trees.size(digest)}
            for digest, arrived in self._trees.stored()
            if digest not in needed and arrived < recent and (only is None or digest in only)
        ]

    def _old_environments(self, connection: Connection, only: set[str] | None = None) -> list[dict[str, Any]]:
        found = self._environments.garbage(build_records.needed_environments(connection), older_than=self._grace)
        return [{"kind": "environment", "id": digest, "bytes": size} for digest, size in found]

    def _orphans(self, connection: Connection, only: set[str] | None = None) -> list[dict[str, Any]]:
        recent = time.time() - self._grace
        return [
            {"kind": "repository", "id": algorithm_id, "bytes": self._repositories.size(algorithm_id)}
            for algorithm_id in self._repositories.stored()
            if (only is None or algorithm_id in only)
            and catalog.find_algorithm_by_id(connection, algorithm_id, even_deleted=True) is None
            and self._repositories.path(algorithm_id).stat().st_mtime < recent
        ]


class CollectGarbage:
    """Removes what the payload lists, as far as it is still not needed."""

    def __init__(self, database: Database, garbage: Garbage) -> None:
        self._database = database
        self._garbage = garbage

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require("collect_garbage", relations(actor), "")

    async def prepare(self, actor: Actor, payload: Payload) -> list[dict[str, Any]]:
        return await asyncio.to_thread(self._removed, actor, payload)

    def handle(self, transaction: Transaction, payload: Payload, prepared: list[dict[str, Any]]) -> dict[str, Any]:
        return {"removed": prepared, "bytes": sum(thing["bytes"] for thing in prepared)}

    def _removed(self, actor: Actor, payload: Payload) -> list[dict[str, Any]]:
        """What was removed. Each thing is looked at again just before, because a build may have come to need it."""
        asked = dict.fromkeys((thing["kind"], thing["id"]) for thing in payload["things"])
        removed = []
        for kind, identity in asked:
            with self._database.read() as connection:
                found = self._garbage.unneeded(connection, actor, kind, identity)
            if found is None:
                continue
            try:
                self._garbage.remove(kind, identity)
            except OSError as error:
                log.warning("something could not be removed", kind=kind, id=identity, said=str(error))
            else:
                removed.append(found)
        return removed
