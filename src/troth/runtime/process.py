"""One worker and its life: ready, serving one call at a time, gone."""

from __future__ import annotations

import asyncio
import math
import secrets
import socket
from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Protocol

from troth.runtime import worker
from troth.runtime.call import Call
from troth.runtime.endings import Failure, code_of, ending, exited_with, item_timed_out, load_failure, text, timed_out
from troth.runtime.engine import CallRequest, CallResult, Outcome, Place
from troth.runtime.link import FrameLink, OutputLink
from troth.runtime.pipes import PipeEnd
from troth.runtime.redaction import Redaction

#: bytes that an error may have beyond the limit of results
_ERROR_ROOM = 1 << 20
_OUTPUT_PATIENCE = 1.0
#: seconds that a call whose caller left may still run, or a worker that said it would end; and that one result of several may take
_FAREWELL, ITEM_SECONDS = 0.1, 60.0
#: what a call may be answered with, and one whose results come one by one
_WHOLE = frozenset([worker.TEXT, worker.JSON, worker.BINARY, worker.ERROR, worker.EXITED])
_IN_PARTS = frozenset([worker.ITEM, worker.END, worker.ERROR, worker.EXITED])
#: Seconds that a call may run before others are no longer put behind it, however quick calls of its version are.
_QUICK = 0.02
#: Bytes of a body beyond which a call is handed over alone, so that few lie in memory twice.
_SMALL = 256 * 1024


class Host(Protocol):
    """The sandbox that a worker lives in."""

    @property
    def place(self) -> Place: ...

    def holds(self, process: int) -> bool:
        """Whether a process of the machine is in it."""
        ...

    def end_worker(self, number: int) -> None:
        """Ends a worker and what it started, at once."""
        ...

    def exit_status(self, number: int) -> Awaitable[tuple[int, bool]]:
        """How a worker ended, once it has: its status, and whether memory ran out. Ends one that does not end."""
        ...


class WorkerProcess:
    """A worker of one version.

    `ready` is called when it can take another call. `gone` is called once, when it is no more, with the calls that lay
    behind the one it was running: those it never began. The call it ran ends with the worker's answer, or with an error
    that says how the worker died; it is never repeated.
    """

    def __init__(
        self,
        host: Host,
        number: int,
        *,
        largest: int,
        once: bool,
        ready: Callable[[WorkerProcess], None],
        gone: Callable[[WorkerProcess, list[Call]], None],
        waiting: Callable[[], None],
        redaction: Redaction = Redaction(),
    ) -> None:
        self.number = number
        #: what the keys of its calls are made of; nobody else knows it
        self.secret = secrets.token_hex(16)
        #: when it last had something to do, by the loop's clock
        self.used = 0.0
        #: what its last call took; None before the first
        self.seconds: float | None = None
        #: how it ended, where it did so by itself
        self.crash = ""
        self._host = host
        self._once = once
        self._on_ready = ready
        self._on_gone = gone
        self._on_waiting = waiting
        self._loop = asyncio.get_running_loop()
        self._link = FrameLink(self._deliver, self._lost, largest + _ERROR_ROOM)
        #: what it prints
        self.output = OutputLink()
        self.output.redaction = redaction
        self._loaded: asyncio.Future[Failure | None] = self._loop.create_future()
        self._calls: deque[Call] = deque()
        self._last = 0
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = math.inf  # of the call that runs
        self._begun = 0.0  # when it began
        self._asked_by = (0, 0)  # the call and process that asked for something last
        self._stopped = False
        self._exited = False  # by its own word, after an answer and before the next call
        self.buried: asyncio.Future[None] = self._loop.create_future()

    async def connect(self, link: socket.socket, output: int) -> None:
        """Takes over the ends of its link and its output."""
        await self._loop.connect_read_pipe(lambda: self.output, PipeEnd(output))
        await self._loop.create_unix_connection(lambda: self._link, sock=link)
        self._link.send(0, worker.KEY, 0, self.secret.encode())

    async def loaded(self, seconds: float) -> Failure | None:
        """Waits until it can be called; else what kept it from that."""
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(self._loaded)
        except TimeoutError:
            self.kill()
            return Failure(f"a worker of this version was not ready within {seconds:g} seconds", "LoadingError")

    def printed(self) -> str:
        """The last that it printed."""
        return text(self.output.last_words())

    @property
    def endings(self) -> list[asyncio.Future[None]]:
        """What is done when it is gone and everything that it printed was read."""
        return [self.buried, self.output.closed]

    @property
    def load(self) -> int:
        """How many calls it has; more than it can ever take, where it is stopped."""
        return 1 << 30 if self._stopped else len(self._calls)

    @property
    def suspended(self) -> bool:
        """Whether the call that it runs waits for others that it made."""
        return bool(self._calls and self._calls[0].children)

    @property
    def serves_outsiders(self) -> bool:
        """Whether it has calls that were not made by other calls."""
        return any(call.request.parent is None for call in self._calls)

    def call_of(self, number: int, process: int) -> tuple[Call | None, bool]:
        """The call of this number, and whether it runs, for a process of its sandbox. One that lies behind may be about to."""
        if self._asked_by != (number, process):
            if not self._host.holds(process):
                return None, False
            self._asked_by = number, process
        for place, call in enumerate(self._calls):
            if call.number == number and not call.done and not self._stopped:
                return call, place == 0
        return None, False

    def has_room(self, request: CallRequest, depth: int) -> bool:
        """Whether it can take this call now, if it may have so many. A call whose output is wanted is taken alone."""
        if self._stopped:
            return False
        if not self._calls:
            return True
        last = self._calls[-1]
        if self._calls[0].children:  # it waits, perhaps for this very call
            return False
        if len(self._calls) >= depth or self._once or request.capture or last.request.capture or last.items:
            return False
        if self._loop.time() - self._begun > _QUICK:
            return False
        return len(request.body) <= _SMALL and len(last.request.body) <= _SMALL

    def take(self, call: Call) -> None:
        """Hands it a call, for which it must have room."""
        request = call.request
        self._last = call.number = (self._last + 1) & 0xFFFFFFFF
        flags = worker.RAW if request.raw else 0
        if request.capture:
            call.output = self.output.expect(call.number)
            flags |= worker.CAPTURE
        if call.items is not None:
            flags |= worker.STREAM
        call.holder = self
        self._calls.append(call)
        if len(self._calls) == 1:
            self._begin(call)
        if request.trace:
            trace = request.trace.encode("ascii")
            self._link.send(call.number, request.kind, flags | worker.TRACED, request.body, _framed(trace))
        else:
            self._link.send(call.number, request.kind, flags, request.body)

    def retire(self) -> None:
        """Lets it go: it ends as soon as it sees that nobody is there."""
        self._stopped = True
        self._link.close()

    def kill(self) -> None:
        """Ends it and everything it started, at once."""
        if not self._stopped or not self.buried.done():
            self._stopped = True
            self._host.end_worker(self.number)

    def ended(self) -> None:
        """It is dead. What it wrote before is read; a child of it that holds the link is not waited for."""
        self._loop.call_later(0.05, self._link.close)

    def cancelled(self, call: Call) -> None:
        """Stops a call that runs, if it does not end by itself right now. One that lies behind it is left to the worker."""
        if self._calls and self._calls[0] is call:
            delay = 0.0 if call.items is not None else _FAREWELL
            self._loop.call_later(delay, self._stop_if_running, call)

    def waits(self, call: Call) -> None:
        """Tells the pool that this worker is idle in all but name."""
        self._on_waiting()

    def resumed(self, call: Call) -> None:
        """Reads on where the results of a call were too many."""
        self._link.resume()
        self._due(call)

    def _stop_if_running(self, call: Call) -> None:
        if self._calls and self._calls[0] is call:
            self.kill()

    def _begin(self, call: Call) -> None:
        """Gives the call that is now the first its time. The timer is left to run where it ends sooner than that."""
        self._begun = self._loop.time()
        self._deadline = self._begun + call.request.seconds
        call.since = self._deadline
        self._arm()

    def _due(self, call: Call) -> None:
        """Gives the next of several results its time, within that of the call."""
        self._deadline = min(call.since, self._loop.time() + ITEM_SECONDS)
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            if self._timer.when() <= self._deadline:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(self._deadline, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self._calls and not self._stopped:
            if self._loop.time() >= self._deadline:
                self._timed_out()
            else:
                self._arm()

    def _deliver(self, kind: int, number: int, body: bytes, seconds: float) -> None:
        if not self._loaded.done():
            self._loaded.set_result(
                None if kind == worker.READY else load_failure(self.output.redaction.document(body))
            )
            return
        call = self._calls[0] if self._calls else None
        if (
            call is None
            or number != call.number
            or not 0 <= seconds < math.inf
            or kind not in (_WHOLE if call.items is None else _IN_PARTS)
        ):
            self._distrust()
        elif kind == worker.ITEM:
            self._hand_over(call, body)
        elif kind == worker.EXITED:
            self._stopped = self._exited = True
            self._loop.call_later(_FAREWELL, self.kill)  # if it lied
            self._answered(call, exited_with(code_of(body)).as_result(seconds))
        elif kind == worker.ERROR:
            body = self.output.redaction.document(body)
            self._answered(call, CallResult(kind, body, seconds, outcome=Outcome.EXCEPTION))
        else:
            self._answered(call, CallResult(kind, body, seconds))

    def _distrust(self) -> None:
        """An answer that nobody asked for: the worker cannot be trusted any more."""
        if not self._stopped:
            self.kill()

    def _hand_over(self, call: Call, item: bytes) -> None:
        assert call.items is not None
        if call.done or self._stopped:
            return
        if call.items.take(item):
            self._due(call)
        else:
            self._link.pause()
            self._deadline = call.since

    def _answered(self, call: Call, result: CallResult) -> None:
        self._calls.popleft()
        self.used = monotonic()
        if call.items is not None:
            self._link.resume()  # the end may have come with a result that was one too many
        self.seconds = result.seconds
        if self._calls and not self._stopped:
            self._begin(self._calls[0])
        if self._once:
            self._stopped = True
        result.place = self._host.place
        if call.output is None:
            call.settle(result)
        else:
            self._loop.create_task(self._settle_with_output(call, call.output, result))
        if not self._stopped:
            self._on_ready(self)

    async def _settle_with_output(self, call: Call, output: asyncio.Future[str], result: CallResult) -> None:
        done, _ = await asyncio.wait([output], timeout=_OUTPUT_PATIENCE)
        result.output = output.result() if done else self.output.forget(call.number)
        call.settle(result)

    def _timed_out(self) -> None:
        """Ends a call that took too long, and the worker with it.

        The call stays first in the line: an answer of it may still lie unread, and then the worker has begun the next one.
        """
        call = self._calls[0]
        self.kill()
        late = timed_out(call.request.seconds) if self._deadline >= call.since else item_timed_out(ITEM_SECONDS)
        result = late.as_result(call.request.seconds)
        result.place = self._host.place
        call.settle(result)

    def _lost(self, complete: bool) -> None:
        self._stopped = True
        self._loop.create_task(self._bury(complete))

    async def _bury(self, complete: bool) -> None:
        """Waits for the process to end and tells those who wait how it did.

        `complete` says that every answer it wrote was read; else any of its calls may have begun.
        """
        status, out_of_memory = await self._host.exit_status(self.number)
        failure = ending(status, out_of_memory=out_of_memory)
        if not self._loaded.done():
            said = self.output.last_words().strip()
            message = failure.message + (f": {said.splitlines()[-1]}" if said else "")
            outcome = Outcome.OUT_OF_MEMORY if out_of_memory else Outcome.LOAD_FAILURE
            self._loaded.set_result(Failure(message, "LoadingError", said, outcome))
        if self._timer is not None:
            self._timer.cancel()
        # it died in the first that has no answer, unless it said that it would not begin that one
        begun = 0 if self._exited else 1 if complete else len(self._calls)
        for _ in range(min(begun, len(self._calls))):
            result = failure.as_result()
            result.place = self._host.place
            self.crash = failure.message
            self._calls.popleft().settle(result)
        unbegun, self._calls = list(self._calls), deque()
        self.buried.set_result(None)
        self._on_gone(self, unbegun)


def _framed(trace: bytes) -> bytes:
    """A trace as it stands before the body of a call."""
    return worker.TRACE_HEAD.pack(len(trace)) + trace
