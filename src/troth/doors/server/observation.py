"""What one server counts, records, limits and traces of calls, put together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from troth.calls.api_ledger import ApiLedger
from troth.calls.bookkeeping import Bookkeeping, Retention
from troth.calls.failures import Failures
from troth.calls.insights import Insights
from troth.calls.key_uses import KeyUses
from troth.calls.limits import Allowance, Limits
from troth.calls.records import Facts, Records
from troth.calls.usage import Usage
from troth.observe.metrics import CallTotals, Faults, Metrics
from troth.observe.tracing import Tracing
from troth.registry.database import Database
from troth.settings import Settings

States = Callable[[], list[dict[str, Any]]]


@dataclass(slots=True)
class Observation:
    """The parts that the call path tells of each call, and those that tell others."""

    usage: Usage
    records: Records
    failures: Failures
    limits: Limits
    #: None where no traces are wanted
    tracing: Tracing | None
    faults: Faults
    bookkeeping: Bookkeeping
    metrics: Metrics
    insights: Insights

    async def close(self) -> None:
        """Writes what is left; to be awaited when calls have ended, and before the database is closed."""
        await self.bookkeeping.close()
        if self.tracing is not None:
            await asyncio.to_thread(self.tracing.close)


def observation(
    settings: Settings,
    database: Database,
    faults: Faults,
    describe: Callable[[Facts], dict[str, Any]],
    states: States,
    uses: KeyUses,
    apis: ApiLedger,
) -> Observation:
    """The parts; `describe` makes a receipt from the facts of a call. Raises MalformedSetting."""
    tracing = Tracing.open(settings.traces, settings.traces_ratio)
    totals = CallTotals()
    usage = Usage(totals)
    records = Records(describe)
    failures = Failures()
    insights = Insights()
    retention = Retention(settings.usage_days, settings.record_days, settings.records)
    bookkeeping = Bookkeeping(database, usage, records, failures, faults, retention, time.time, uses, insights, apis)
    metrics = Metrics(totals, faults, states, bookkeeping.backlog, uses.references)
    limits = Limits(allowance(settings).share(max(settings.fronts, 1)))
    return Observation(usage, records, failures, limits, tracing, faults, bookkeeping, metrics, insights)


def allowance(settings: Settings) -> Allowance:
    """The limits of all processes of a server together."""
    return Allowance(
        settings.key_calls_per_second, settings.key_burst, settings.key_concurrent_calls, settings.concurrent_calls
    )
