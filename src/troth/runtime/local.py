"""The engine of one machine: a pool of confined workers for each version that is called."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import structlog

from troth.errors import IsolationUnavailable, TrothError
from troth.runtime.call import Call
from troth.runtime.endings import Failure, text
from troth.runtime.engine import (
    CallRequest,
    CallResult,
    CheckResult,
    Items,
    Loaded,
    Settle,
    VersionSpec,
)
from troth.runtime.limits import PoolLimits
from troth.runtime.pool import Pool
from troth.runtime.process import WorkerProcess
from troth.runtime.report import ABSENT, report_of
from troth.runtime.zygote import Zygote
from troth.sandbox.isolation import Isolation, Level
from troth.sandbox.launcher import Launcher, Limits

log = structlog.get_logger()

#: Gives the folders of a version, read-only and verified against what was built. Blocks; run in a thread.
Loader = Callable[[VersionSpec], Loaded]
#: seconds between two looks at what is idle
_TENDING = 1.0


class LocalEngine:
    """Runs versions on this machine, in workers that are started when they are called."""

    def __init__(
        self,
        launcher: Launcher,
        isolation: Isolation,
        load: Loader,
        *,
        limits: PoolLimits = PoolLimits(),
        worker_limits: Limits = Limits(),
        trust_authors: bool = False,
    ) -> None:
        self.isolation: Isolation = isolation
        self.launcher = launcher
        self.limits = limits
        self.worker_limits = worker_limits
        #: bytes of the bodies of all calls that wait
        self.waiting_bytes = 0
        self._load = load
        self._trusted = trust_authors
        self._pools: dict[str, Pool] = {}
        self._zygotes: set[Zygote] = set()
        self._known: dict[str, WorkerProcess] = {}
        self._tending: asyncio.TimerHandle | None = None

    def submit(self, spec: VersionSpec, request: CallRequest, settle: Settle, items: Items | None = None) -> Call:
        call = Call(request, settle, items)
        if request.parent is not None and not call.joins(request.parent):
            return call
        pool = self._pools.get(spec.id)
        if pool is None:
            try:
                pool = self._new_pool(spec)
            except TrothError as error:
                call.settle(error)
                return call
        pool.submit(call)
        return call

    def call_of(self, secret: str, number: int, process: int) -> tuple[Call | None, bool]:
        """The call with the key made of these, and whether it runs; one that lies behind another may be about to.

        None for a process that is not in the sandbox of the call.
        """
        found = self._known.get(secret)
        return (None, False) if found is None else found.call_of(number, process)

    def loading(self, process: int) -> VersionSpec | None:
        """What is being loaded in the sandbox that holds this process, if that is still going on."""
        return next((one.spec for one in self._zygotes if one.loading and one.holds(process)), None)

    def call(self, spec: VersionSpec, request: CallRequest) -> asyncio.Future[CallResult]:
        future: asyncio.Future[CallResult] = asyncio.get_running_loop().create_future()

        def settle(found: CallResult | TrothError) -> None:
            if future.done():
                return
            if isinstance(found, TrothError):
                future.set_exception(found)
            else:
                future.set_result(found)

        call = self.submit(spec, request, settle)
        future.add_done_callback(lambda future: call.cancel() if future.cancelled() else None)
        return future

    def keep(self, spec: VersionSpec) -> None:
        """Starts a worker of the version now, and keeps one however long nobody calls. Raises IsolationUnavailable."""
        (self._pools.get(spec.id) or self._new_pool(spec)).keep()

    def release(self, version: str) -> None:
        """Keeps the version with this `id` no longer than others."""
        if version in self._pools:
            self._pools[version].kept = False

    def cool(self) -> None:
        """Lets every worker go that has nothing to do; what is loaded stays."""
        for pool in self._pools.values():
            pool.cool()

    async def check(self, spec: VersionSpec, seconds: float) -> CheckResult:
        self._admit_isolation()
        started = time.perf_counter()
        loaded = await asyncio.to_thread(self._load, spec)
        zygote = self._new_zygote(spec)
        try:
            failure = await zygote.start(self.launcher, loaded, self.worker_limits, check=True, seconds=seconds)
        finally:
            zygote.kill()
            await zygote.ended()
        spent = time.perf_counter() - started
        report = ABSENT if failure else await asyncio.to_thread(report_of, zygote.report)
        message, stack = (failure.message, failure.stacktrace) if failure else ("", "")
        return CheckResult(message, stack, text(zygote.printed()), spent, report.contract, report.imported)

    async def load(self, spec: VersionSpec) -> tuple[Zygote, Loaded] | Failure:
        """A sandbox with the version loaded, for its pool."""
        loaded = await asyncio.to_thread(self._load, spec)
        zygote = self._new_zygote(spec)
        try:
            seconds = self.limits.load_seconds
            failure = await zygote.start(self.launcher, loaded, self._limits(loaded), check=False, seconds=seconds)
        except asyncio.CancelledError:
            zygote.kill()
            raise
        if failure is not None:
            zygote.kill()
            return failure
        return zygote, loaded

    def room_for(self, pool: Pool, *, within: bool) -> bool:
        """Whether the machine may have one more worker, for which an idle one of another version may have to go.

        For a call that another one waits for (`within`), workers that wait do not count, as long as they are no more than
        all others may be.
        """
        most = self.limits.all_workers
        if within:
            most += min(most, sum(pool.suspended for pool in self._pools.values()))
        if self._workers < most:
            return True
        others = [other for other in self._pools.values() if other is not pool and other.workers and other.idle]
        for other in sorted(others, key=lambda other: other.used):
            other.cool()
            if self._workers < most:
                return True
        return False

    def states(self) -> list[dict[str, Any]]:
        # A list of its own: those who ask from another thread would see a pool come or go while they read.
        return [pool.state() for pool in list(self._pools.values())]

    async def close(self, drain_seconds: float = 0.0) -> None:
        if self._tending is not None:
            self._tending.cancel()
        deadline = asyncio.get_running_loop().time() + drain_seconds
        while any(not pool.idle for pool in self._pools.values()) and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)
        for pool in list(self._pools.values()):
            pool.stop()
        self._pools.clear()
        live = list(self._zygotes)
        for zygote in live:
            zygote.kill()
        await asyncio.gather(*(zygote.ended() for zygote in live))

    def admit(self, spec: VersionSpec) -> None:
        """Refuses to run anything where nothing confines it. What a version asks for beyond that, its launch refuses."""
        self._admit_isolation()

    @property
    def _workers(self) -> int:
        return sum(len(pool.workers) for pool in self._pools.values())

    def _new_pool(self, spec: VersionSpec) -> Pool:
        self.admit(spec)
        pool = self._pools[spec.id] = Pool(self, spec)
        self._make_room(pool)
        if self._tending is None:
            self._tending = asyncio.get_running_loop().call_later(_TENDING, self._tend)
        return pool

    def _new_zygote(self, spec: VersionSpec) -> Zygote:
        """A sandbox to be started at once, which `close` will end."""

        def gone(zygote: Zygote) -> None:
            self._zygotes.discard(zygote)
            if spec.id in self._pools:
                self._pools[spec.id].buried(zygote)

        zygote = Zygote(spec, largest=self.limits.result_bytes, gone=gone, known=self._known)
        self._zygotes.add(zygote)
        return zygote

    def _limits(self, loaded: Loaded) -> Limits:
        """What a sandbox of one version may use: what it asks for, within what this machine gives to each worker."""
        given, running = self.worker_limits, loaded.running
        memory = min(running.memory_bytes or given.memory_bytes, given.memory_bytes)
        workers = (
            1 if running.start == "spawn" else min(running.workers or self.limits.workers, self.limits.workers) + 1
        )
        return replace(given, memory_bytes=memory, total_bytes=memory * workers, hard_memory=running.hard_memory)

    def _admit_isolation(self) -> None:
        if self.isolation.level >= Level.PARTIAL or self._trusted:
            return
        raise IsolationUnavailable(
            f"algorithms are not run here: the isolation of workers is {self.isolation.level}",
            why="; ".join(self.isolation.missing),
            repair="install bubblewrap (make setup, or your system's package), or start with --trust-authors",
        )

    def _tend(self) -> None:
        loop = asyncio.get_running_loop()
        self._tending = loop.call_later(_TENDING, self._tend)
        now = time.monotonic()
        for version, pool in list(self._pools.items()):
            pool.tend(now)
            if pool.stopped or (not pool.zygotes and pool.idle and not pool.kept):
                del self._pools[version]
        self._spare_memory()

    def _make_room(self, newest: Pool) -> None:
        """Ends what was called least lately where more versions are loaded than may be."""
        surplus = len(self._pools) - self.limits.versions
        for pool in self._resting(newest)[: max(0, surplus)]:
            self._forget(pool)

    def _spare_memory(self) -> None:
        """Ends what was called least lately while everything together takes more memory than it may."""
        if not self.limits.memory_bytes:
            return
        taken = {pool.spec.id: pool.state()["memory_bytes"] for pool in self._pools.values()}
        surplus = sum(taken.values()) - self.limits.memory_bytes
        for pool in self._resting(None):
            if surplus <= 0:
                return
            surplus -= taken[pool.spec.id]
            self._forget(pool)

    def _resting(self, newest: Pool | None) -> list[Pool]:
        """Pools with nothing to do, those that were called least lately first; kept ones last."""
        idle = [pool for pool in self._pools.values() if pool is not newest and pool.idle]
        return sorted(idle, key=lambda pool: (pool.kept, pool.used))

    def _forget(self, pool: Pool) -> None:
        pool.stop()
        if self._pools.get(pool.spec.id) is pool:
            del self._pools[pool.spec.id]
