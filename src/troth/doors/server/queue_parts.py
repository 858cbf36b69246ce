"""The parts of a server that take and process commands of teams, put together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from prometheus_client.core import Metric

from troth.calls.routing import RoutingTable
from troth.clock import now
from troth.commands.bus import Bus, Handler
from troth.commands.formats import shipped
from troth.commands.queued.accepting import Accepting
from troth.commands.queued.book import CommandBook
from troth.commands.queued.converting import Converting
from troth.commands.queued.handlers import CallAlgorithm
from troth.commands.queued.jsonata import Jsonata
from troth.commands.queued.operating import ChangeQueued, SetFlow
from troth.commands.queued.processing import Processor, Retries
from troth.commands.queued.proving import Proving
from troth.commands.queued.publishing import CreateCommand, PublishCommandVersion, SetCommandState
from troth.commands.queued.submission import Submissions
from troth.commands.queued.work import Working
from troth.observe.queue_metrics import Depth, QueueTotals
from troth.registry import queue
from troth.registry.database import Database
from troth.sandbox.launcher import Launcher
from troth.settings import Settings


@dataclass(slots=True)
class QueueParts:
    """What the rest of the server knows of the queue."""

    database: Database
    submissions: Submissions
    processor: Processor
    jsonata: Jsonata
    totals: QueueTotals
    handlers: dict[str, Handler]
    _depths: list[Depth] = field(default_factory=list)

    async def close(self, seconds: float) -> None:
        """Takes nothing more from the queue, and lets what runs end for so long."""
        await self.processor.close(seconds)
        await asyncio.to_thread(self.jsonata.close)

    async def look(self) -> None:
        """Counts anew what is not done, away from the event loop."""
        self._depths = await asyncio.to_thread(self._found)

    def metrics(self) -> Iterable[Metric]:
        """Everything that is counted of the queue, as it was at the last `look`."""
        return self.totals.metrics(self._depths)

    def _found(self) -> list[Depth]:
        with self.database.read() as connection:
            found = queue.depths(connection)
        moment = now()
        return [Depth(name, state, count, _age(moment, since)) for name, state, count, since in found]


def open_queue(
    settings: Settings, database: Database, bus: Bus, launcher: Launcher, table: RoutingTable, call: CallAlgorithm
) -> QueueParts:
    """The parts; `processor` is still to be started."""
    book = CommandBook(database, lambda account, owner: account in table.members.get(owner, frozenset()))
    totals = QueueTotals()
    accepting = Accepting(database, totals)
    jsonata = Jsonata(launcher, seconds=settings.jsonata_seconds)
    converting = Converting(jsonata, call, seconds=settings.command_seconds)
    working = Working(book, bus, converting, call, seconds=settings.command_seconds)
    retries = Retries(max(1, settings.command_attempts), settings.command_retry_seconds)
    processor = Processor(database, book, accepting, working.done, totals, retries, days=settings.command_days)
    proving = Proving(converting, call, shipped(), settings.proving_seconds)
    tolerant = settings.command_additions == "allow"
    handlers: dict[str, Handler] = {
        "create_command": CreateCommand(),
        "publish_command_version": PublishCommandVersion(database, book, proving, tolerant=tolerant),
        "set_command_state": SetCommandState(book),
    }
    flows = ("pause_command", "resume_command")
    changes = ("retry_queued_command", "discard_queued_command", "replay_queued_command")
    handlers |= {action: SetFlow(action, book, accepting) for action in flows}
    handlers |= {action: ChangeQueued(action, accepting) for action in changes}
    return QueueParts(database, Submissions(bus, book, accepting), processor, jsonata, totals, handlers)


def _age(moment: datetime, since: str) -> float:
    return max(0.0, (moment - datetime.fromisoformat(since)).total_seconds())
