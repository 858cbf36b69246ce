"""The engine of one machine: a pool of confined workers for each version that is called."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog

from troth.errors import Failed, IsolationUnavailable, Overloaded, TrothError
from troth.runtime import worker
from troth.runtime.engine import CallRequest, CallResult, CheckResult, Loaded, VersionSpec
from troth.runtime.process import Call, WorkerProcess
from troth.runtime.report import ABSENT, report_of
from troth.sandbox.isolation import Isolation, Level
from troth.sandbox.launcher import Launcher, Limits

log = structlog.get_logger()

#: Gives the folders of a version, read-only and verified against what was built. Blocks; run in a thread.
Loader = Callable[[VersionSpec], Loaded]


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Bounds of the local engine."""

    #: calls that may wait for one version
    queue: int = 256
    #: bytes of the bodies of all calls that may wait, whatever their version
    queue_bytes: int = 256 << 20
    #: seconds a call may wait for a worker
    queue_seconds: float = 60.0
    #: seconds that a version may take to load
    load_seconds: float = 60.0
    #: seconds without a call after which a worker is stopped
    idle_seconds: float = 300.0
    #: versions that may have a worker at the same time
    versions: int = 64
    #: bytes of one result
    result_bytes: int = 64 << 20


class LocalEngine:
    """Runs versions on this machine, one worker each, started at the first call."""

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
        self.load = load
        self.limits = limits
        self.worker_limits = worker_limits
        self._trusted = trust_authors
        self._pools: dict[str, _Pool] = {}
        self._processes: set[WorkerProcess] = set()
        #: of the bodies of all calls that wait
        self.waiting_bytes = 0

    def call(self, spec: VersionSpec, request: CallRequest) -> Awaitable[CallResult]:
        pool = self._pools.get(spec.id)
        if pool is None:
            self.admit(spec)
            pool = self._pools[spec.id] = _Pool(self, spec)
            self._make_room(pool)
        return pool.submit(request)

    async def check(self, spec: VersionSpec, seconds: float) -> CheckResult:
        self._admit_isolation()
        started = time.perf_counter()
        loaded = await asyncio.to_thread(self.load, spec)
        process = self.new_process(spec, ready=lambda process: None, gone=lambda process, calls: None)
        try:
            failure = await process.start(self.launcher, loaded, self.worker_limits, check=True, seconds=seconds)
        finally:
            process.kill()
            await process.ended()
        spent = time.perf_counter() - started
        report = ABSENT if failure else await asyncio.to_thread(report_of, process.report)
        failure = failure or {"message": "", "stacktrace": ""}
        return CheckResult(
            failure["message"], failure["stacktrace"], process.printed(), spent, report.contract, report.imported
        )

    def states(self) -> list[dict[str, Any]]:
        return [pool.state() for pool in self._pools.values()]

    async def close(self) -> None:
        for pool in list(self._pools.values()):
            pool.stop()
        self._pools.clear()
        live = list(self._processes)
        for process in live:
            process.kill()
        await asyncio.gather(*(process.ended() for process in live))

    def new_process(
        self,
        spec: VersionSpec,
        *,
        ready: Callable[[WorkerProcess], None],
        gone: Callable[[WorkerProcess, list[Call]], None],
    ) -> WorkerProcess:
        """A worker to be started at once, which `close` will end."""

        def ended(process: WorkerProcess, unbegun: list[Call]) -> None:
            self._processes.discard(process)
            gone(process, unbegun)

        process = WorkerProcess(spec, largest=self.limits.result_bytes, ready=ready, gone=ended)
        self._processes.add(process)
        return process

    def admit(self, spec: VersionSpec) -> None:
        """Refuses what this machine cannot honour; nothing is ever run with less than it asked for."""
        self._admit_isolation()
        if spec.network_access != "isolated":
            raise IsolationUnavailable(
                "this version asks for network_access full, which this release of troth cannot confine",
                why="a worker with a network must not reach this machine's loopback or the server, and nothing holds that yet",
                repair="publish a version with network_access isolated",
            )

    def _admit_isolation(self) -> None:
        if self.isolation.level >= Level.PARTIAL or self._trusted:
            return
        raise IsolationUnavailable(
            f"algorithms are not run here: the isolation of workers is {self.isolation.level}",
            why="; ".join(self.isolation.missing),
            repair="install bubblewrap (make setup, or your system's package), or start with --trust-authors",
        )

    def forget(self, pool: _Pool) -> None:
        """Lets go of a pool that stopped."""
        if self._pools.get(pool.spec.id) is pool:
            del self._pools[pool.spec.id]

    def _make_room(self, newest: _Pool) -> None:
        idle = [pool for pool in self._pools.values() if pool is not newest and pool.idle]
        surplus = len(self._pools) - self.limits.versions
        for pool in sorted(idle, key=lambda pool: pool.used)[: max(0, surplus)]:
            pool.stop()
            self.forget(pool)


@dataclass(slots=True)
class _Waiting:
    call: Call
    timer: asyncio.TimerHandle


class _Pool:
    """The worker of one version and the calls that wait for it."""

    def __init__(self, engine: LocalEngine, spec: VersionSpec) -> None:
        self.spec = spec
        self.used = 0.0
        self._engine = engine
        self._loop = asyncio.get_running_loop()
        self._worker: WorkerProcess | None = None  # set while one is loaded
        self._starting: asyncio.Task[None] | None = None
        self._waiting: deque[_Waiting] = deque()
        self._reaper: asyncio.TimerHandle | None = None
        self._stopped = False

    @property
    def idle(self) -> bool:
        return self._starting is None and not self._waiting and (self._worker is None or self._worker.idle)

    def state(self) -> dict[str, Any]:
        return {"id": self.spec.id, "workers": int(self._worker is not None), "waiting": len(self._waiting)}

    def submit(self, request: CallRequest) -> asyncio.Future[CallResult]:
        call = Call(request, self._loop.create_future())
        if self._worker is not None and not self._waiting and self._worker.has_room(request):
            self._worker.take(call)
            return call.future
        limits = self._engine.limits
        if len(self._waiting) >= limits.queue:
            raise _overloaded(f"{limits.queue} calls wait for this version already")
        if self._engine.waiting_bytes + len(request.body) > limits.queue_bytes:
            raise _overloaded(f"calls with {limits.queue_bytes} bytes of input wait already")
        self._waiting.append(self._wait(call))
        self._ensure_worker()
        return call.future

    def stop(self) -> None:
        """Ends the worker for good; waiting calls fail."""
        self._stopped = True
        if self._reaper is not None:
            self._reaper.cancel()
        if self._starting is not None:
            self._starting.cancel()
        if self._worker is not None:
            self._worker.kill()
        self._fail(_overloaded("the server is stopping"))

    def _leave(self, entry: _Waiting) -> Call:
        """A call that waits no longer."""
        entry.timer.cancel()
        self._engine.waiting_bytes -= len(entry.call.request.body)
        return entry.call

    def _wait(self, call: Call) -> _Waiting:
        self._engine.waiting_bytes += len(call.request.body)
        return _Waiting(call, self._loop.call_later(self._engine.limits.queue_seconds, self._give_up, call))

    def _ensure_worker(self) -> None:
        if self._worker is None and self._starting is None and self._waiting:
            self._starting = self._loop.create_task(self._start())

    async def _start(self) -> None:
        engine = self._engine
        process: WorkerProcess | None = None
        try:
            loaded = await asyncio.to_thread(engine.load, self.spec)
            process = engine.new_process(self.spec, ready=self._feed, gone=self._bury)
            failure = await process.start(
                engine.launcher, loaded, engine.worker_limits, check=False, seconds=engine.limits.load_seconds
            )
        except TrothError as error:
            self._starting = None
            self._fail(error)
            return
        except Exception:
            log.exception("a worker could not be started", version=self.spec.id)
            self._starting = None
            self._fail(Failed("no worker could be started for this version", repair="look into the server's log"))
            return
        except asyncio.CancelledError:
            if process is not None:
                process.kill()
            raise
        self._starting = None
        if failure is not None:
            process.kill()
            self._answer_all(json.dumps(failure).encode())
            return
        self._worker = process
        self.used = self._loop.time()
        if self._reaper is not None:
            self._reaper.cancel()
        self._reaper = self._loop.call_later(engine.limits.idle_seconds, self._reap)
        self._feed(process)

    def _feed(self, process: WorkerProcess) -> None:
        """Hands a worker the calls that waited longest, as many as it has room for."""
        self.used = self._loop.time()
        while self._waiting and process.has_room(self._waiting[0].call.request):
            call = self._leave(self._waiting.popleft())
            if not call.future.done():
                process.take(call)

    def _reap(self) -> None:
        idle_seconds = self._engine.limits.idle_seconds
        rest = self.used + idle_seconds - self._loop.time()
        if rest > 0 or not self.idle:
            self._reaper = self._loop.call_later(max(rest, 1.0), self._reap)
            return
        self.stop()
        self._engine.forget(self)

    def _bury(self, process: WorkerProcess, unbegun: list[Call]) -> None:
        """Puts the calls that a dead worker never began back to the front of the line."""
        self._waiting.extendleft(self._wait(call) for call in reversed(unbegun) if not call.future.done())
        if self._worker is process:
            self._worker = None
        if self._stopped:
            self._fail(_overloaded("the worker was stopped"))
        self._ensure_worker()

    def _give_up(self, call: Call) -> None:
        given_up = [entry for entry in self._waiting if entry.call is call]
        self._waiting = deque(entry for entry in self._waiting if entry.call is not call)
        for entry in given_up:
            self._leave(entry)
        if not call.future.done():
            seconds = self._engine.limits.queue_seconds
            call.future.set_exception(_overloaded(f"no worker became free within {seconds:g} seconds"))

    def _answer_all(self, body: bytes) -> None:
        for call in self._emptied():
            call.future.set_result(CallResult(worker.ERROR, body, 0.0))

    def _fail(self, error: TrothError) -> None:
        for call in self._emptied():
            call.future.set_exception(error)

    def _emptied(self) -> list[Call]:
        """Every call that still waits, taken off the line."""
        waiting, self._waiting = self._waiting, deque()
        return [call for call in map(self._leave, waiting) if not call.future.done()]


def _overloaded(why: str) -> Overloaded:
    return Overloaded("this version has more calls than it can take", why=why, repair="try again a little later")
