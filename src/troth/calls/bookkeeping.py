"""Writes counts and records of calls to the registry about once a second, and forgets what is too old.

A server that is killed loses at most what was not written yet, which is about the last second. One that is stopped loses
nothing. While the registry is slow or away, both wait in memory up to a limit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import Connection

from troth.calls.api_ledger import ApiLedger
from troth.calls.failures import Failures
from troth.calls.insights import Insights
from troth.calls.key_uses import KeyUses, Uses
from troth.calls.records import Records
from troth.calls.usage import Usage
from troth.observe.metrics import Backlog, Faults
from troth.registry.call_records import forget_records
from troth.registry.database import Database
from troth.registry.failures import add_failures, forget_failures
from troth.registry.insights import forget_insights
from troth.registry.key_uses import add_floating, add_uses, forget_floating
from troth.registry.usage import add_usage, forget_usage

log = structlog.get_logger()

_SECOND = 1.0
#: seconds from one look for what is too old to the next
_FORGETTING = 60
_MINUTE, _DAY = 60, 86400


@dataclass(frozen=True, slots=True)
class Retention:
    """How long counts and records are kept, in days, and how many records at most."""

    usage_days: int
    record_days: int
    records: int


class Bookkeeping:
    """Moves what `usage` and `records` gathered into the registry. `clock` gives seconds since 1970."""

    def __init__(
        self,
        database: Database,
        usage: Usage,
        records: Records,
        failures: Failures,
        faults: Faults,
        retention: Retention,
        clock: Callable[[], float],
        uses: KeyUses | None = None,
        insights: Insights | None = None,
        apis: ApiLedger | None = None,
    ) -> None:
        self._database = database
        self._usage = usage
        self._records = records
        self._failures = failures
        self._faults = faults
        self._retention = retention
        self._insights = insights or Insights()
        self._apis = apis
        self._clock = clock
        self._uses = uses or KeyUses()
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = asyncio.Event()
        self._writing = asyncio.Lock()
        self._failing = False
        self._forgotten_at = 0.0

    def start(self) -> None:
        """Begins to write, on the running loop."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._settle()), loop.create_task(self._write())]

    async def close(self) -> None:
        """Writes what is left. A write under way is waited for: whether it was done could not be told otherwise."""
        self._closing.set()
        await asyncio.gather(*self._tasks)
        await self.flush()

    def settle(self) -> None:
        """Puts what was gathered since the last time under the present moment."""
        now = int(self._clock())
        self._usage.settle(now // _MINUTE)
        self._records.settle(now)
        self._uses.settle(now)
        if self._apis is not None:
            self._apis.settle(now)

    def backlog(self) -> Backlog:
        """How much waits, after settling what was gathered."""
        self.settle()
        return Backlog(self._records.waiting, self._records.lost, self._usage.merged)

    async def flush(self) -> bool:
        """Writes everything that was gathered; whether the registry took it. What it did not take waits on."""
        async with self._writing:
            return await self._flush()

    async def _flush(self) -> bool:
        self.settle()
        counts, failed, uses = self._usage.take(), self._failures.take(), self._uses.take()
        try:
            if failed:
                await self._database.write(partial(add_failures, found=failed))
                failed = []
            if counts:
                await self._database.write(lambda connection: add_usage(connection, counts))
                counts = {}
            if uses.used or uses.floating:
                await self._database.write(partial(_write_uses, uses=uses))
                uses = Uses()
            if self._apis is not None and self._apis.take():
                self._apis.done(await self._database.write(self._apis.write))
            while kept := self._records.take():
                written = await self._database.write(partial(self._records.write, kept=kept))
                self._records.done(written)
            while self._insights.take():
                await self._database.write(self._insights.write)
                self._insights.done()
        except Exception as error:
            self._usage.give_back(counts, int(self._clock()) // _MINUTE)
            self._uses.give_back(uses)
            if self._apis is not None:
                self._apis.give_back()
            self._records.give_back()
            self._failures.give_back(failed)
            self._insights.give_back()
            self._faults.failed_flushes += 1
            if not self._failing:
                log.warning("counts and records of calls cannot be written", why=_words(error))
            self._failing = True
            return False
        self._failing = False
        return True

    async def forget(self) -> None:
        """Deletes what is older than it is kept, in steps between which others can write."""
        now = int(self._clock())
        oldest_minute = (now - self._retention.usage_days * _DAY) // _MINUTE
        oldest = now - self._retention.record_days * _DAY
        most = self._retention.records
        await self._database.write(lambda connection: forget_floating(connection, oldest_minute * _MINUTE // _DAY))
        if self._apis is not None:
            await self._database.write(partial(self._apis.forget, oldest=oldest_minute * _MINUTE))
        while await self._database.write(lambda connection: forget_usage(connection, oldest_minute)):
            pass
        await self._database.write(lambda connection: forget_failures(connection, before=oldest * 1000, most=most))
        while await self._database.write(lambda connection: forget_records(connection, before=oldest, most=most)):
            pass
        while await self._database.write(lambda connection: forget_insights(connection, before=oldest, most=most)):
            pass
        self._records.forget_circumstances()

    async def _settle(self) -> None:
        """Goes on while a write takes long, so that every call is counted in its minute."""
        while not await self._closing_within(_SECOND):
            self.settle()

    async def _write(self) -> None:
        while not await self._closing_within(_SECOND):
            written = await self.flush()
            now = self._clock()
            if written and now - self._forgotten_at >= _FORGETTING:
                self._forgotten_at = now
                try:
                    await self.forget()
                except Exception as error:
                    log.warning("old counts and records of calls stay", why=_words(error))

    async def _closing_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return False
        return True


def _write_uses(connection: Connection, uses: Uses) -> None:
    add_uses(connection, uses.used)
    add_floating(connection, uses.floating)


def _words(error: Exception) -> str:
    return str(error).partition("\n")[0]
