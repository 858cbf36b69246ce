"""The queue at work: leases, attempts, retries with backoff and jitter, dead letters with their diagnosis.

At least once: an attempt counts when it begins, and what a crash cut off is tried again with the same idempotency key. The
clock decides when something is due and nothing else; order is that of acceptance.
"""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.access.scopes import Scope
from troth.clock import now, stamp
from troth.commands.queued.accepting import Accepting
from troth.commands.queued.book import CommandBook
from troth.commands.queued.gathering import Gathering
from troth.commands.queued.work import Work
from troth.errors import CallFailed, Failed, TrothError, Unavailable
from troth.observe.queue_metrics import QueueTotals
from troth.registry import accounts, queue
from troth.registry.database import Database
from troth.registry.queue import Ended, Leased, QueueState

log = structlog.get_logger()

_AT_ONCE = 64
#: seconds after which the queue is looked at though nothing happened
_LOOK = 5.0
#: seconds before what came of a command is written once more where that failed
_RESTING = 1.0
_FORGETTING = 3600.0
_FORGOTTEN_AT_ONCE = 5000
_KEPT_FAILURES = 20


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a command is tried, and how long it waits: `seconds` after the first failure, then twice as long each time."""

    attempts: int
    seconds: float
    longest: float = 3600.0

    def wait(self, attempts: int) -> float:
        """Seconds until the next attempt, with jitter so that what failed together does not come back together."""
        return min(self.longest, self.seconds * 2.0 ** min(attempts - 1, 30)) * random.uniform(0.5, 1.5)  # noqa: S311


class Processor:
    """Processes what is due, at most `_AT_ONCE` commands at a time, until it is closed."""

    def __init__(
        self,
        database: Database,
        book: CommandBook,
        accepting: Accepting,
        work: Callable[[Work], Awaitable[Any]],
        totals: QueueTotals,
        retries: Retries,
        *,
        days: int,
    ) -> None:
        self._database = database
        self._book = book
        self._accepting = accepting
        self._work = work
        self._totals = totals
        self._retries = retries
        self._days = days
        #: of this run of the server
        self._lease = str(uuid.uuid4())
        self._ending: Gathering[Ended, None] = Gathering(database, self._end)
        #: whether commands are leased here that nobody processes any more
        self._lost = True
        self._running: dict[int, asyncio.Task[None]] = {}
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self._forgot: datetime | None = None

    def start(self) -> None:
        """Goes on with what an earlier run of the server left, and with everything that comes."""
        loop = asyncio.get_running_loop()
        self._accepting.wake = self._woken

        def from_thread() -> None:
            loop.call_soon_threadsafe(self._news.set)

        self._accepting.wake_from_thread = from_thread
        self._task = asyncio.ensure_future(self._go())

    def _woken(self, command: str) -> None:
        if command not in self._book.held:
            self._news.set()

    async def close(self, seconds: float = 0.0) -> None:
        """Takes nothing more, and lets what runs end for so long. What does not end is tried again by the next server."""
        self._closing = True
        self._news.set()
        if self._task is not None:
            await self._task
        if self._running:
            await asyncio.wait(self._running.values(), timeout=seconds or 0.01)
        for task in self._running.values():
            task.cancel()
        await self._ending.settled()

    async def _go(self) -> None:
        while not self._closing:
            self._news.clear()
            try:
                if self._lost:
                    await asyncio.to_thread(self._book.refresh)
                    await self._database.write(lambda c: queue.give_back(c, list(self._running)))
                    self._lost = False
                await self._round()
                await self._pause()
            except Exception:
                log.exception("the queue stumbled")
                await self._sleep(_LOOK)

    async def _round(self) -> None:
        """Leases and begins what there is room for."""
        room = _AT_ONCE - len(self._running)
        if room < _AT_ONCE // 2:
            return
        found = await self._leased(room)
        for work in found:
            task = asyncio.ensure_future(self._process(work))
            self._running[work.leased.position] = task

    async def _pause(self) -> None:
        """Until something happens, or the next command is due."""
        await self._forget()
        if self._news.is_set():
            return
        if len(self._running) > _AT_ONCE // 2:  # the end of one is what there is to wait for
            await self._sleep(_LOOK)
            return
        due = await asyncio.to_thread(self._next_due)
        left = _LOOK if due is None else (datetime.fromisoformat(due) - now()).total_seconds()
        await self._sleep(min(_LOOK, max(left, 0.0)))

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            pass

    async def _forget(self) -> None:
        """Now and then: removes what ended long ago."""
        moment = now()
        if self._forgot is not None and 0 <= (moment - self._forgot).total_seconds() < _FORGETTING:
            return
        self._forgot = moment
        before = stamp(moment - timedelta(days=self._days))
        while self._days and await self._database.write(lambda c: queue.forget(c, before, _FORGOTTEN_AT_ONCE)):
            pass

    def _next_due(self) -> str | None:
        with self._database.read() as connection:
            return queue.next_due(connection, self._book.held)

    async def _leased(self, most: int) -> list[Work]:
        moment, held = now(), self._book.held

        def take(connection: Connection) -> list[Work]:
            leased = queue.lease(connection, now=stamp(moment), lease=self._lease, most=most, held=held)
            senders: dict[tuple[str, str], Actor | None] = {}
            return [Work(one, _sender(connection, one, senders)) for one in leased]

        return await self._database.write(take)

    def _end(self, connection: Connection, ended: list[Ended]) -> list[None]:
        queue.end(connection, self._lease, ended)
        return [None] * len(ended)

    async def _process(self, work: Work) -> None:
        leased = work.leased
        try:
            ended = await self._attempt(work)
            await self._ending.put(ended)
            self._tell(work, ended)
        except asyncio.CancelledError:
            raise
        except Exception:  # it stays leased until the next look takes the lease back
            self._lost = True
            log.exception("what came of a command could not be written", command=leased.command, uuid=leased.uuid)
            await asyncio.sleep(_RESTING)  # what cannot be written now is not tried again without end
        finally:
            self._running.pop(leased.position, None)
            if len(self._running) <= _AT_ONCE // 2:
                self._news.set()

    async def _attempt(self, work: Work) -> Ended:
        leased = work.leased
        try:
            result = await self._work(work)
        except Unavailable as error:
            return self._failed(work, error, again=True, returned=True)
        except CallFailed as error:
            return self._failed(work, error, again=True)
        except TrothError as error:
            return self._failed(work, error, again=False)
        except Exception as error:
            log.exception("processing a command failed", command=leased.command, uuid=leased.uuid)
            fault = Failed(f"troth itself failed: {type(error).__name__}: {error}"[:500])
            return self._failed(work, fault, again=True)
        outcome = {"outcome": "done", "result": result, "attempts": leased.attempts}
        return self._ended(work, QueueState.DONE, outcome)

    def _failed(self, work: Work, error: TrothError, *, again: bool, returned: bool = False) -> Ended:
        leased = work.leased
        earlier = json.loads(leased.outcome).get("failures", []) if leased.outcome else []
        failures = [*earlier, {"at": stamp(now()), "attempt": leased.attempts, **_told(error)}][-_KEPT_FAILURES:]
        outcome = {"outcome": "failed", "diagnosis": _told(error), "failures": failures, "attempts": leased.attempts}
        if not again or (leased.attempts >= self._retries.attempts and not returned):
            return self._ended(work, QueueState.FAILED, outcome)
        self._totals.retried[leased.command] += 1
        due = stamp(now() + timedelta(seconds=self._retries.wait(leased.attempts)))
        told = json.dumps({**outcome, "outcome": "tried again"})
        return Ended(leased.position, QueueState.WAITING, due, None, None, told, returned=returned)

    def _ended(self, work: Work, state: QueueState, outcome: dict[str, Any]) -> Ended:
        moment = now()
        seconds = max(0.0, (moment - datetime.fromisoformat(work.leased.accepted_at)).total_seconds())
        return Ended(work.leased.position, state, stamp(moment), stamp(moment), seconds, json.dumps(outcome))

    def _tell(self, work: Work, ended: Ended) -> None:
        if ended.state is not QueueState.WAITING:
            self._totals.end(work.leased.command, ended.state.value, ended.seconds or 0.0)
            self._accepting.ended((work.leased.actor_id, work.leased.uuid), ended.state, json.loads(ended.outcome))


def _told(error: TrothError) -> dict[str, Any]:
    """An error as a diagnosis."""
    told = {"code": error.code, "what": _text(error.what), "why": _text(error.why), "repair": _text(error.repair)}
    return {**told, "clauses": list(error.clauses)} if error.clauses else told


def _text(said: str) -> str:
    """What strangers' programs say, as text that can be sent: no half characters."""
    return str(said or "").encode(errors="replace").decode()


def _sender(connection: Connection, leased: Leased, known: dict[tuple[str, str], Actor | None]) -> Actor | None:
    """Who sent it, with what the key was for that it came with."""
    name = (leased.actor_id, leased.scope)
    if name not in known:
        known[name] = accounts.actor_of(connection, leased.actor_id, Scope.from_dict(json.loads(leased.scope)))
    return known[name]
