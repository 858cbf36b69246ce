"""The durable half of a submission: into the queue, and only then back to the sender; and who waits for an end."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from troth.commands.queued.gathering import Gathering
from troth.errors import UuidReused
from troth.observe.queue_metrics import QueueTotals
from troth.registry import queue
from troth.registry.database import Database
from troth.registry.queue import Acceptance, Accepted, QueuedRow, QueueState

Name = tuple[str, str]


class Accepting:
    """Takes commands that passed the door."""

    def __init__(self, database: Database, totals: QueueTotals) -> None:
        self._database = database
        self._totals = totals
        self._gathering = Gathering(database, queue.accept)
        self._waiters: dict[Name, list[asyncio.Future[dict[str, Any]]]] = defaultdict(list)
        #: told that something new of a command waits
        self.wake: Callable[[str], None] = lambda command: None
        self.wake_from_thread: Callable[[], None] = lambda: None

    async def accept(self, one: Accepted) -> bool:
        """Whether it is new, once it is durable. Raises UuidReused."""
        said = await self._gathering.put(one)
        if said is Acceptance.REUSED:
            raise UuidReused(
                f"the uuid {one.uuid} was used for another command",
                why="a uuid belongs to one command, version and payload",
                repair="send a new command with a new uuid",
                asked=one.command,
            )
        if said is Acceptance.ACCEPTED:
            self._totals.accepted[one.command] += 1
            self.wake(one.command)
        return said is Acceptance.ACCEPTED

    async def accept_and_wait(self, one: Accepted, seconds: float) -> dict[str, Any] | None:
        """What came of it, or None where it has not ended within so many seconds; it is durable in any case."""
        name, future = (one.actor_id, one.uuid), asyncio.get_running_loop().create_future()
        self._waiters[name].append(future)
        try:
            if not await self.accept(one) and (ended := await asyncio.to_thread(self._ended, name)):
                return ended
            async with asyncio.timeout(seconds):
                found: dict[str, Any] = await future
                return found
        except TimeoutError:
            return None
        finally:
            self._waiters[name].remove(future)
            if not self._waiters[name]:
                del self._waiters[name]

    def ended(self, name: Name, state: QueueState, outcome: dict[str, Any]) -> None:
        """Tells those who wait for it."""
        for future in self._waiters.get(name, ()):
            if not future.done():
                future.set_result({"state": state.value, **outcome})

    def _ended(self, name: Name) -> dict[str, Any] | None:
        with self._database.read() as connection:
            row = _of_sender(connection, name)
        if row is None or row.state.value in queue.OPEN:
            return None
        return {"state": row.state.value, **(row.outcome or {})}


def _of_sender(connection: Connection, name: Name) -> QueuedRow | None:
    return next((row for row in queue.find(connection, name[1]) if row.actor_id == name[0]), None)


def ordered_key(value: Any) -> str:
    """A name of fixed length for the value that commands are kept in order by."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
