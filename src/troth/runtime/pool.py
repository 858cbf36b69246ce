"""The workers of one version, and the calls that wait for them."""

from __future__ import annotations

import asyncio
from collections import deque
from time import monotonic
from typing import Any, Protocol

import structlog

from troth.contracts.running import Running
from troth.errors import Failed, QueueDeadline, QueueFull, TrothError
from troth.runtime.call import Call
from troth.runtime.endings import Failure
from troth.runtime.engine import CallRequest, Loaded, VersionSpec
from troth.runtime.limits import PoolLimits
from troth.runtime.process import WorkerProcess
from troth.runtime.zygote import Zygote

log = structlog.get_logger()

#: Seconds that calls take in the mean, below which a worker is handed sixteen of them at once, and two. It runs one at a time
#: and in order; the others lie in its socket, so that it need not wait for the server between two calls. Many where calls are
#: quick, because then nobody waits long behind another; one alone where they are slow, or not known.
_QUICK, _BRIEF = 0.001, 0.01
#: weight of the last call in the mean of what calls take
_WEIGHT = 0.1


class Host(Protocol):
    """The engine, as a pool knows it."""

    limits: PoolLimits
    #: bytes of the bodies of all calls that wait, whatever their version
    waiting_bytes: int

    async def load(self, spec: VersionSpec) -> tuple[Zygote, Loaded] | Failure:
        """A sandbox with the version loaded. Raises what keeps it from being started."""
        ...

    def room_for(self, pool: Pool, *, within: bool) -> bool:
        """Whether the machine may have one more worker; `within` another call, which waits for it."""
        ...


class Pool:
    """Zygotes, workers and the line of waiting calls of one version.

    It is hot while it has workers, warm while only a loaded process is kept, and cold without one.
    """

    def __init__(self, host: Host, spec: VersionSpec) -> None:
        self.spec = spec
        self.running = Running()
        #: when it was last called, by a clock finer than the loop's, which would call two calls of one millisecond equal
        self.used = 0.0
        #: whether a worker is kept however long nobody calls
        self.kept = False
        self.last_crash = ""
        self.zygotes: list[Zygote] = []
        self.workers: list[WorkerProcess] = []
        self.waiting: deque[Call] = deque()
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._starting: asyncio.Task[None] | None = None
        self._looking: asyncio.TimerHandle | None = None
        self._seconds: float | None = None  # what calls take, in the mean
        self._depth = 1  # calls that a worker may have at once
        #: whether it has more workers than it may, because others wait for calls that they made
        self._extended = False
        #: whether it was ended for good, and another has to take its place
        self.stopped = False

    @property
    def idle(self) -> bool:
        """Whether nothing is under way in it."""
        return self._starting is None and not self.waiting and all(not worker.load for worker in self.workers)

    @property
    def most_workers(self) -> int:
        """How many workers it may have."""
        most = self._host.limits.workers
        return min(most, self.running.workers or most)

    @property
    def suspended(self) -> int:
        """How many workers wait for calls that they made."""
        return sum(worker.suspended for worker in self.workers)

    def state(self) -> dict[str, Any]:
        """What it has and does, for people and metrics."""
        workers = tuple(self.workers)
        busy = sum(0 < worker.load < 1 << 30 for worker in workers)
        starts = {zygote.place.start for zygote in self.zygotes}
        return {
            "id": self.spec.id,
            "algorithm_id": self.spec.algorithm_id,
            "workers": {"busy": busy, "idle": len(workers) - busy},
            "state": "hot" if workers else "warm" if self.zygotes else "cold",
            "waiting": len(self.waiting),
            "memory_bytes": sum(zygote.memory() or 0 for zygote in self.zygotes),
            "start": "call" if self.running.start == "call" else "spawn" if "spawn" in starts else "fork",
            "no_forks": next((zygote.no_forks for zygote in self.zygotes if zygote.no_forks), ""),
            "last_crash": self.last_crash,
        }

    def submit(self, call: Call) -> None:
        """Hands the call to a worker, or lets it wait for one; settles it where too much waits already."""
        self.used = monotonic()
        within = call.request.parent is not None
        if (within or not self.waiting) and (worker := self._free(call.request)) is not None:
            worker.take(call)
            if self.running.start == "call":
                self._more()
            return
        limits = self._host.limits
        if len(self.waiting) >= limits.queue:
            call.settle(_full(f"{limits.queue} calls wait for this version already"))
        elif self._host.waiting_bytes + len(call.request.body) > limits.queue_bytes:
            call.settle(_full(f"calls with {limits.queue_bytes} bytes of input wait already"))
        else:
            self._wait(call)
            self._more()

    def keep(self) -> None:
        """Starts a worker now, and keeps one from then on."""
        self.kept = True
        if not self.workers and self._starting is None and not self.stopped:
            self._starting = self._loop.create_task(self._start())

    def cancelled(self, call: Call) -> None:
        """Takes a call off the line."""
        if call in self.waiting:
            self.waiting.remove(call)
            self._host.waiting_bytes -= len(call.request.body)

    def resumed(self, call: Call) -> None:
        """A call that waits has no results."""

    def waits(self, call: Call) -> None:
        """A call that waits makes none."""

    def tend(self, now: float) -> None:
        """Ends what was not used for long, and the wait of calls that waited too long. Called every second or so."""
        limits = self._host.limits
        for late in [call for call in self.waiting if now - call.since > limits.queue_seconds]:
            self.cancelled(late)
            late.settle(
                QueueDeadline(
                    "this version has more calls than it can take",
                    why=f"no worker became free within {limits.queue_seconds:g} seconds",
                    repair="try again a little later",
                )
            )
        idle_seconds = min(limits.idle_seconds, self.running.idle_seconds or limits.idle_seconds)
        resting = [worker for worker in self.workers if not worker.load and now - worker.used > idle_seconds]
        for worker in resting[1:] if self.kept and len(resting) == len(self.workers) else resting:
            self._retire(worker)
        if not self.workers and self.idle and now - self.used > idle_seconds + limits.zygote_seconds:
            self.stop()

    def cool(self) -> None:
        """Lets all workers go that have nothing to do; what is loaded stays."""
        for worker in list(self.workers):
            if not worker.load:
                self._retire(worker)

    def stop(self) -> None:
        """Ends everything in it for good; waiting calls fail."""
        self.stopped = True
        if self._starting is not None:
            self._starting.cancel()
        if self._looking is not None:
            self._looking.cancel()
        for zygote in self.zygotes:
            zygote.kill()
        self._fail(_full("the server is stopping"))

    def buried(self, zygote: Zygote) -> None:
        """A sandbox of this version is no more."""
        if zygote in self.zygotes:
            self.zygotes.remove(zygote)
        self._more()

    def _free(self, request: CallRequest) -> WorkerProcess | None:
        """The least loaded worker, if it has room."""
        if self._extended and not self._admits(request):
            return None
        best: WorkerProcess | None = None
        for worker in self.workers:
            if not worker.load:
                return worker
            if (best is None or worker.load < best.load) and not worker.suspended:
                best = worker
        return best if best is not None and best.has_room(request, self._depth) else None

    def _admits(self, request: CallRequest) -> bool:
        """Whether a worker may begin it: those beyond the usual number are for calls that others wait for."""
        if request.parent is not None:
            return True
        return sum(worker.serves_outsiders for worker in self.workers) < self.most_workers

    def _wait(self, call: Call, *, first: bool = False) -> None:
        """Puts a call into the line: those that others wait for before the rest."""
        call.holder = self
        if not call.since:  # one that comes back from a dead worker waits on
            call.since = monotonic()
        self._host.waiting_bytes += len(call.request.body)
        if first:
            self.waiting.appendleft(call)
        elif call.request.parent is not None:
            places = enumerate(self.waiting)
            self.waiting.insert(
                next((place for place, other in places if other.request.parent is None), len(self.waiting)), call
            )
        else:
            self.waiting.append(call)

    def _leave(self) -> Call:
        call = self.waiting.popleft()
        self._host.waiting_bytes -= len(call.request.body)
        return call

    def _more(self) -> None:
        """Starts another worker where calls wait for one, at once if there is none, else when they waited for a while."""
        wanted = bool(self.waiting) or (self.running.start == "call" and bool(self.workers) and not self._spare)
        if self.stopped or self._starting is not None or not wanted:
            return
        within = bool(self.waiting) and self.waiting[0].request.parent is not None
        at_work = len(self.workers) - (self.suspended if within else 0)
        if self.workers and at_work >= self.most_workers:
            return
        rest = self.waiting[0].since + self._host.limits.scale_seconds - monotonic() if self.waiting else 0.0
        if at_work and rest > 0 and self.running.start != "call":
            if self._looking is None:
                self._looking = self._loop.call_later(rest, self._look)
            return
        if not self._host.room_for(self, within=within) and self.workers:
            # the first is started all the same: nothing else would end
            if within and not at_work:
                self._refuse_within()
            return
        self._starting = self._loop.create_task(self._start())

    def _refuse_within(self) -> None:
        """Refuses calls for which no worker comes free before they have ended themselves."""
        while self.waiting and self.waiting[0].request.parent is not None:
            self._leave().settle(_full("every worker that there may be waits for calls that it made itself"))

    @property
    def _spare(self) -> bool:
        return any(not worker.load for worker in self.workers)

    def _look(self) -> None:
        self._looking = None
        self._more()

    async def _start(self) -> None:
        try:
            found = await self._new_worker()
        except TrothError as error:
            self._starting = None
            self._give_up(error)
        except Exception:
            self._starting = None
            self._give_up(Failed("no worker could be started for this version", repair="look into the server's log"))
            log.exception("a worker could not be started", version=self.spec.id)
        else:
            self._starting = None
            if isinstance(found, Failure):
                self._give_up(found)
            else:
                self.workers.append(found)
                self._extended = len(self.workers) > self.most_workers
                self.used = found.used = monotonic()
                self._feed(found)
                self._more()

    async def _new_worker(self) -> WorkerProcess | Failure:
        zygote = next((zygote for zygote in self.zygotes if zygote.free), None)
        if zygote is not None:
            made = await self._from(zygote)
            if not isinstance(made, Failure) or zygote.free:
                return made
            # its sandbox ended for what another worker did, and the calls that wait here have no part in that
        loaded = await self._host.load(self.spec)
        if isinstance(loaded, Failure):
            return loaded
        zygote, found = loaded
        self.running = found.running
        self.zygotes.append(zygote)
        return await self._from(zygote)

    async def _from(self, zygote: Zygote) -> WorkerProcess | Failure:
        return await zygote.worker(
            ready=self._feed, gone=self._bury, waiting=self._more, once=self.running.start == "call"
        )

    def _give_up(self, why: TrothError | Failure) -> None:
        """No worker came. Calls that have none left to wait for are told."""
        if self.workers:
            return
        for zygote in self.zygotes:
            zygote.kill()
        if isinstance(why, Failure):
            self.last_crash = why.message
            for call in self._emptied():
                call.settle(why.as_result())
        else:
            self._fail(why)

    def _feed(self, worker: WorkerProcess) -> None:
        """Hands a worker the calls that waited longest, as many as it has room for."""
        if worker.seconds is not None:
            before = worker.seconds if self._seconds is None else self._seconds
            taken = self._seconds = before + _WEIGHT * (worker.seconds - before)
            self._depth = 16 if taken < _QUICK else 2 if taken < _BRIEF else 1
        while self.waiting and worker.has_room(self.waiting[0].request, self._depth):
            if self._extended and not self._admits(self.waiting[0].request):
                break
            worker.take(self._leave())

    def _retire(self, worker: WorkerProcess) -> None:
        self.workers.remove(worker)
        self._extended = len(self.workers) > self.most_workers
        worker.retire()
        for zygote in self.zygotes:
            if zygote.is_only(worker):
                zygote.kill()

    def _bury(self, worker: WorkerProcess, unbegun: list[Call]) -> None:
        """Puts the calls that a dead worker never began back to the front of the line."""
        for call in reversed(unbegun):
            if not call.done:
                self._wait(call, first=True)
        if worker in self.workers:
            self.workers.remove(worker)
        self._extended = len(self.workers) > self.most_workers
        for other in self.workers if self.waiting else ():  # what was kept for others may be idle
            if not other.load:
                self._feed(other)
        self.last_crash = worker.crash or self.last_crash
        if self.stopped:
            self._fail(_full("the worker was stopped"))
        self._more()

    def _fail(self, error: TrothError) -> None:
        for call in self._emptied():
            call.settle(error)

    def _emptied(self) -> list[Call]:
        """Every call that still waits, taken off the line."""
        return [self._leave() for _ in range(len(self.waiting))]


def _full(why: str) -> QueueFull:
    return QueueFull("this version has more calls than it can take", why=why, repair="try again a little later")
