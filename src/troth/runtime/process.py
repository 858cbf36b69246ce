"""One worker process and its life: started, ready, serving one call at a time, gone."""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from troth import authoring
from troth.errors import IsolationUnavailable
from troth.runtime import worker
from troth.runtime.engine import CallRequest, CallResult, Loaded, VersionSpec
from troth.runtime.inside import entry
from troth.runtime.link import FrameLink, OutputLink
from troth.runtime.pipes import PipeEnd
from troth.sandbox.confined import Confined
from troth.sandbox.launcher import Confinement, Launcher, Limits

_WORKER_INSIDE, _SOURCE_INSIDE, _SITE_INSIDE = "/troth/worker.py", "/algorithm", "/environment"
#: folders of the modules that workers are handed, here and where they see them
_INSIDE = str(Path(entry.__file__).parent), "/troth/inside"
_AUTHORING = str(Path(authoring.__file__).parent), "/troth/authoring"
#: bytes that an error may have beyond the limit of results
_ERROR_ROOM = 1 << 20
#: characters that are kept of what a load failed with
_LONGEST_WORDS = 64 * 1024
_EXIT_PATIENCE = 2.0
_OUTPUT_PATIENCE = 1.0
_SIGNALS = {number.value: number.name for number in signal.Signals}
_ANSWERS = (worker.TEXT, worker.JSON, worker.BINARY, worker.ERROR, worker.EXITED)


#: Calls handed to a worker at once. It runs one at a time and in order; the others lie in its socket, so that it need not
#: wait for the server between two calls. Many where calls are quick, because then nobody waits long behind another.
DEPTH, QUICK_DEPTH = 2, 16
_QUICK = 0.001
#: Bytes of a body beyond which a call is handed over alone, so that few lie in memory twice.
_SMALL = 256 * 1024


@dataclass(slots=True)
class Call:
    """A call and the future that waits for what comes of it."""

    request: CallRequest
    future: asyncio.Future[CallResult]
    number: int = 0
    output: asyncio.Future[str] | None = None


class WorkerProcess:
    """A confined worker of one version.

    `ready` is called when it can take another call. `gone` is called once, when it is no more, with the calls that lay
    behind the one it was running: those it never began. The call it ran ends with the worker's answer, or with an error
    that says how the worker died; it is never repeated.
    """

    def __init__(
        self,
        spec: VersionSpec,
        *,
        largest: int,
        ready: Callable[[WorkerProcess], None],
        gone: Callable[[WorkerProcess, list[Call]], None],
    ) -> None:
        self.spec = spec
        self._largest = largest
        self._on_ready = ready
        self._on_gone = gone
        self._loop = asyncio.get_running_loop()
        self._link = FrameLink(self._deliver, self._lost, largest + _ERROR_ROOM)
        self._output = OutputLink()
        self._loaded: asyncio.Future[dict[str, str] | None] = self._loop.create_future()
        #: what it said of its version when it was loaded, as it came
        self.report = b""
        self._calls: deque[Call] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._number = 0
        self._depth = DEPTH
        self._stopped = False
        self._process: Confined | None = None
        self._buried = self._loop.create_future()

    @property
    def process_id(self) -> int:
        """The process to signal; killing it ends everything that the worker started."""
        assert self._process is not None
        return self._process.pid

    async def start(
        self, launcher: Launcher, loaded: Loaded, limits: Limits, *, check: bool, seconds: float
    ) -> dict[str, str] | None:
        """Launches and waits until the version is loaded; what the load failed with, or None when it can be called.

        Must run on the loop's own thread, which outlives the process.
        """
        ours, theirs = socket.socketpair()
        read_end, write_end = os.pipe()
        try:
            confinement = self._confinement(launcher, loaded, limits, theirs.fileno(), check)
            self._process = launcher.launch(confinement, output=write_end)
        except OSError as error:
            ours.close()
            os.close(read_end)
            self._buried.set_result(None)
            self._output.connection_lost(None)
            self._on_gone(self, [])
            raise IsolationUnavailable(f"no worker can be started: {error}") from error
        finally:
            theirs.close()
            os.close(write_end)
        await self._loop.connect_read_pipe(lambda: self._output, PipeEnd(read_end))
        await self._loop.create_unix_connection(lambda: self._link, sock=ours)
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(self._loaded)
        except TimeoutError:
            self.kill()
            return {
                "message": f"loading took more than {seconds:g} seconds",
                "error_type": "LoadingError",
                "stacktrace": "",
            }

    async def ended(self) -> None:
        """Waits until the process is gone and everything that it printed was read."""
        await asyncio.wait([self._buried, self._output.closed], timeout=_EXIT_PATIENCE)

    def printed(self) -> str:
        """The last that it printed."""
        return _text(self._output.last_words())

    @property
    def idle(self) -> bool:
        return not self._calls and not self._stopped

    def has_room(self, request: CallRequest) -> bool:
        """Whether it can take this call now. A call whose output is wanted is taken alone."""
        if self._stopped:
            return False
        if not self._calls:
            return True
        if len(self._calls) >= self._depth or request.capture or self._calls[-1].request.capture:
            return False
        return len(request.body) <= _SMALL and len(self._calls[-1].request.body) <= _SMALL

    def take(self, call: Call) -> None:
        """Hands it a call, for which it must have room."""
        request = call.request
        self._number = call.number = (self._number + 1) & 0xFFFFFFFF
        flags = worker.RAW if request.raw else 0
        if request.capture:
            call.output = self._output.expect(call.number)
            flags |= worker.CAPTURE
        self._calls.append(call)
        if len(self._calls) == 1:
            self._timer = self._loop.call_later(request.seconds, self._timed_out)
        self._link.send(call.number, request.kind, flags, request.body)

    def kill(self) -> None:
        """Ends the process and everything it started, at once."""
        self._stopped = True
        if self._process is not None:
            self._process.kill()

    def _confinement(self, launcher: Launcher, loaded: Loaded, limits: Limits, link: int, check: bool) -> Confinement:
        root, site = str(loaded.root), str(loaded.site) if loaded.site else None
        binds = [(worker.__file__, _WORKER_INSIDE), _INSIDE, _AUTHORING, (root, _SOURCE_INSIDE)]
        if site:
            binds.append((site, _SITE_INSIDE))
        inside = {source: launcher.seen(source, target) for source, target in binds}
        plan: dict[str, Any] = {
            "socket": link,
            "root": inside[root],
            "entry": os.path.join(inside[root], self.spec.entry),
            "site": [inside[site]] if site else [],
            "loader": os.path.join(inside[_INSIDE[0]], "entry.py"),
            "modules": {
                "troth": os.path.join(inside[_INSIDE[0]], "troth", "__init__.py"),
                "troth.authoring": os.path.join(inside[_AUTHORING[0]], "__init__.py"),
                "Algorithmia": os.path.join(inside[_INSIDE[0]], "algorithmia.py"),
                "adk": os.path.join(inside[_INSIDE[0]], "adk.py"),
            },
            "check": check,
            "largest": self._largest,
            "limits": {"RLIMIT_AS": limits.memory_bytes, "RLIMIT_NPROC": limits.processes},
        }
        argv = [launcher.interpreter, "-I", "-S", "-B", inside[worker.__file__], json.dumps(plan)]
        return Confinement(argv, binds, [link], {}, limits, identity=self.spec.id)

    def _deliver(self, kind: int, number: int, body: bytes, seconds: float) -> None:
        if not self._loaded.done():
            self._loaded.set_result(self._failure(kind, body))
            return
        if not self._calls or number != self._calls[0].number or kind not in _ANSWERS or not 0 <= seconds < math.inf:
            if not self._stopped:
                self.kill()  # an answer that nobody asked for: the worker cannot be trusted any more
            return
        call = self._next_call()
        self._depth = QUICK_DEPTH if seconds < _QUICK else DEPTH
        if kind == worker.EXITED:
            self._stopped = True
            kind, body = worker.ERROR, _exited_with(_status_of(body))
        if call.output is None:
            _resolve(call, CallResult(kind, body, seconds))
        else:
            self._loop.create_task(self._settle_with_output(call, call.output, CallResult(kind, body, seconds)))
        if not self._stopped:
            self._on_ready(self)

    def _failure(self, kind: int, body: bytes) -> dict[str, str] | None:
        """What the load failed with, by the first frame; None if it is loaded."""
        if kind != worker.READY:
            return _error_of(body)
        if len(body) > entry.LARGEST_REPORT:
            message = f"the version's contract has {len(body)} bytes, and {entry.LARGEST_REPORT} are allowed"
            return {"message": message, "error_type": "LoadingError", "stacktrace": ""}
        self.report = body
        return None

    def _next_call(self) -> Call:
        """Takes the call that was answered off the line and gives the next one its time."""
        call = self._calls.popleft()
        if self._timer is not None:
            self._timer.cancel()
        following = self._calls[0] if self._calls and not self._stopped else None
        self._timer = self._loop.call_later(following.request.seconds, self._timed_out) if following else None
        return call

    async def _settle_with_output(self, call: Call, output: asyncio.Future[str], result: CallResult) -> None:
        done, _ = await asyncio.wait([output], timeout=_OUTPUT_PATIENCE)
        result.output = output.result() if done else self._output.forget(call.number)
        _resolve(call, result)

    def _timed_out(self) -> None:
        """Ends a call that took too long, and the worker with it.

        The call stays first in the line: an answer of it may still lie unread, and then the worker has begun the next one.
        """
        call = self._calls[0]
        self._timer = None
        self.kill()
        seconds = call.request.seconds
        body = _error_body(f"the call took more than {seconds:g} seconds", "TimeoutError")
        _resolve(call, CallResult(worker.ERROR, body, seconds))

    def _lost(self, complete: bool) -> None:
        self._stopped = True
        self._loop.create_task(self._bury(complete))

    async def _bury(self, complete: bool) -> None:
        """Waits for the process to end and tells those who wait how it did.

        `complete` says that every answer it wrote was read; else any of its calls may have begun.
        """
        reason = _exited(await self._exit_status())
        if not self._loaded.done():
            said = self._output.last_words().strip()
            message = json.loads(reason)["message"] + (f": {said.splitlines()[-1]}" if said else "")
            self._loaded.set_result({"message": message, "error_type": "LoadingError", "stacktrace": said})
        if self._timer is not None:
            self._timer.cancel()
        begun = 1 if complete else len(self._calls)  # it died in the first that has no answer
        for _ in range(min(begun, len(self._calls))):
            _resolve(self._calls.popleft(), CallResult(worker.ERROR, reason, 0.0))
        unbegun, self._calls = list(self._calls), deque()
        self._buried.set_result(None)
        self._on_gone(self, unbegun)

    async def _exit_status(self) -> int:
        assert self._process is not None
        deadline = self._loop.time() + _EXIT_PATIENCE
        while (status := self._process.poll()) is None:
            if self._loop.time() > deadline:
                self.kill()
            await asyncio.sleep(0.002)
        self._process.release()
        return status


def _resolve(call: Call, result: CallResult) -> None:
    if not call.future.done():
        call.future.set_result(result)


def _error_of(body: bytes) -> dict[str, str]:
    """What a worker says of its failed load; its words are the algorithm's, so they may be anything."""
    try:
        found = json.loads(body)
        return {key: _text(str(found[key])[:_LONGEST_WORDS]) for key in ("message", "error_type", "stacktrace")}
    except (ValueError, KeyError, TypeError, RecursionError):
        return {"message": "loading failed", "error_type": "LoadingError", "stacktrace": ""}


def _text(words: str) -> str:
    """Words as text that every database and every JSON reader takes: no half characters, no nulls."""
    return words.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _status_of(body: bytes) -> int:
    """The exit status that a worker gives as its own."""
    try:
        return int(body[:4]) & 0xFF
    except ValueError:
        return 1


def _error_body(message: str, kind: str, stack: str = "") -> bytes:
    return json.dumps({"message": message, "error_type": kind, "stacktrace": stack}).encode()


def _exited(status: int) -> bytes:
    """A dead process in words. Bubblewrap passes a signal on as 128 plus its number."""
    number = -status if status < 0 else status - 128
    if number in _SIGNALS:
        return _error_body(f"the algorithm's process was killed by signal {_SIGNALS[number]}", "SystemExit")
    return _exited_with(status)


def _exited_with(code: int) -> bytes:
    return _error_body(f"the algorithm's process exited with code {code}", "SystemExit")
