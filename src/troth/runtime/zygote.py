"""One sandbox in which a version is loaded, and the workers that come from it: forks of the loaded process, or itself."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from troth import authoring
from troth.errors import IsolationUnavailable
from troth.runtime import worker
from troth.runtime.call import Call
from troth.runtime.endings import Failure, ending, load_failure, status_of
from troth.runtime.engine import Loaded, Outcome, Place, VersionSpec
from troth.runtime.inside import entry
from troth.runtime.inside.zygote import CANARY, ENDED, FORK, KILL, ONCE, SERVE
from troth.runtime.link import FrameLink, OutputLink
from troth.runtime.pipes import PipeEnd
from troth.runtime.process import WorkerProcess
from troth.runtime.redaction import Redaction
from troth.sandbox.confined import Confined
from troth.sandbox.confinement import API_SOCKET
from troth.sandbox.launcher import Confinement, Launcher, Limits, Network

_WORKER_INSIDE, _SOURCE_INSIDE, _SITE_INSIDE = "/troth/worker.py", "/algorithm", "/environment"
#: folders of the modules that workers are handed, here and where they see them
_INSIDE = str(Path(entry.__file__).parent), "/troth/inside"
_AUTHORING = str(Path(authoring.__file__).parent), "/troth/authoring"
#: what libraries that compute in parallel read; one thread each, because workers share the processors and forks need it
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
#: seconds that a process may take to end when it should, a fork to try whether it works, and any other to run its hook
_EXIT_PATIENCE, _CANARY_PATIENCE, _HOOK_PATIENCE = 2.0, 10.0, 60.0
#: Seconds until the loaded process has to have said that a worker ended. Then all of it is ended, with the workers that run calls, so
#: a machine that is busy has to come to it before.
_REPORT_PATIENCE = 5.0
#: bytes of a frame on the control link; a larger report than is allowed has to be read to be told so
_LARGEST_WORDS = 64 * entry.LARGEST_REPORT


class Zygote:
    """A loaded version in its sandbox.

    Where loading left one thread and no process, its workers are forks: each starts within milliseconds and shares the
    memory of what was loaded. Otherwise the loaded process is the only worker itself. `gone` is called once, when the sandbox
    is no more. `known` are the engine's workers by their secret, among which its own are while they live.
    """

    def __init__(
        self, spec: VersionSpec, *, largest: int, gone: Callable[[Zygote], None], known: dict[str, WorkerProcess]
    ) -> None:
        self.spec = spec
        #: what it said of its version when it was checked, as it came
        self.report = b""
        #: why its workers are no forks; empty where they are
        self.no_forks = ""
        self.place = Place("spawn")
        self._largest = largest
        self._on_gone = gone
        self._known = known
        self._loop = asyncio.get_running_loop()
        self._link = FrameLink(self._deliver, self._lost, _LARGEST_WORDS)
        self._output = OutputLink()
        self._loaded: asyncio.Future[Failure | None] = self._loop.create_future()
        self._orders: socket.socket | None = None
        self._confined: Confined | None = None
        self._workers: dict[int, WorkerProcess] = {}
        self._made: weakref.WeakSet[WorkerProcess] = weakref.WeakSet()
        self._statuses: dict[int, asyncio.Future[int]] = {}
        self._number = 0
        self._canary = False
        self._serves = False
        self._killed = False
        self.buried: asyncio.Future[None] = self._loop.create_future()

    async def start(
        self, launcher: Launcher, loaded: Loaded, limits: Limits, *, check: bool, seconds: float
    ) -> Failure | None:
        """Launches and waits until the version is loaded; what the load failed with, or None when workers can come from it.

        Must run on the loop's own thread, which outlives the process. Raises IsolationUnavailable.
        """
        try:
            ours, theirs, read_end, write_end = _ends()
        except OSError as error:
            self._never_was()
            raise _unavailable(error) from error
        try:
            confinement = self._confinement(launcher, loaded, limits, theirs.fileno(), check)
            self._confined = launcher.launch(confinement, output=write_end)
        except (OSError, IsolationUnavailable) as error:
            ours.close()
            os.close(read_end)
            self._never_was()
            raise _unavailable(error) from error
        finally:
            theirs.close()
            os.close(write_end)
        self._canary = not check
        self._output.redaction = Redaction(loaded.secrets.values())
        try:
            self._orders = ours.dup()
            await self._loop.connect_read_pipe(lambda: self._output, PipeEnd(read_end))
            await self._loop.create_unix_connection(lambda: self._link, sock=ours)
        except OSError as error:
            self.kill()
            self._lost(True)
            raise _unavailable(error) from error
        try:
            async with asyncio.timeout(seconds):
                failure = await asyncio.shield(self._loaded)
        except TimeoutError:
            self.kill()
            return Failure(f"loading took more than {seconds:g} seconds", "LoadingError")
        self.place = Place("spawn" if self.no_forks else "fork", self._confined.layers)
        return failure

    async def worker(
        self,
        *,
        ready: Callable[[WorkerProcess], None],
        gone: Callable[[WorkerProcess, list[Call]], None],
        waiting: Callable[[], None],
        once: bool = False,
    ) -> WorkerProcess | Failure:
        """Another worker that can be called, or what kept it from that. The first fork tries whether forks work at all.

        A version whose forks do not work has no further ones: `no_forks` says why. Raises IsolationUnavailable.
        """
        self._number += 1
        serves, canary = bool(self.no_forks), self._canary
        kind = SERVE if serves else FORK
        flags = (ONCE if once and not serves else 0) | (CANARY if canary and not serves else 0)
        found = WorkerProcess(
            self,
            self._number,
            largest=self._largest,
            once=once and not serves,
            ready=ready,
            gone=gone,
            waiting=waiting,
            redaction=self._output.redaction,
        )
        self._workers[self._number] = self._known[found.secret] = found
        self._made.add(found)
        self._statuses[self._number] = self._loop.create_future()
        self._serves = self._serves or serves
        await self._order(found, kind, flags)
        failure = await found.loaded(_CANARY_PATIENCE if flags & CANARY else _HOOK_PATIENCE)
        if failure is None:
            self._canary = False
            return found
        if canary and not serves and not self.buried.done() and failure.outcome is not Outcome.OUT_OF_MEMORY:
            self.no_forks = f"the first fork failed: {failure.message}"
            self.place = Place("spawn", self.place.layers)
            return await self.worker(ready=ready, gone=gone, waiting=waiting)
        return failure

    @property
    def free(self) -> bool:
        """Whether another worker can come from it. One that was killed takes a moment to end, and gives none meanwhile."""
        return not self.buried.done() and not self._serves and not self._killed

    def is_only(self, found: WorkerProcess) -> bool:
        """Whether this worker is the loaded process itself."""
        return self._serves and found in self._workers.values()

    @property
    def loading(self) -> bool:
        """Whether the version is still being loaded."""
        return not self._loaded.done()

    def printed(self) -> str:
        """The last that was printed while the version was loaded."""
        return self._output.last_words()

    def holds(self, process: int) -> bool:
        """Whether a process, by the machine's number of it, is in this sandbox."""
        return self._confined is not None and self._confined.holds(process)

    def memory(self) -> int | None:
        """Bytes that the sandbox uses now, or None when that is unknown."""
        return self._confined.memory() if self._confined else None

    def kill(self) -> None:
        """Ends the sandbox and everything in it, at once."""
        self._killed = True
        if self._confined is not None and not self.buried.done():
            self._confined.kill()

    async def ended(self) -> None:
        """Waits until the sandbox is gone and everything that it printed was read; what still is not then is given up."""
        made = list(self._made)
        endings = [self.buried, self._output.closed, *(one for found in made for one in found.endings)]
        _, late = await asyncio.wait(endings, timeout=_EXIT_PATIENCE)
        if late:
            for output in (self._output, *(found.output for found in made)):
                output.close()
            await asyncio.wait([self._output.closed, *(found.output.closed for found in made)], timeout=_EXIT_PATIENCE)

    def end_worker(self, number: int) -> None:
        """Ends one worker, and the whole sandbox where the worker is all of it or does not end."""
        if self._serves or not self._send(KILL, number):
            self.kill()
        else:
            self._loop.call_later(_EXIT_PATIENCE, self._insist, number)

    async def exit_status(self, number: int) -> tuple[int, bool]:
        """How a worker ended, once it has, and whether memory ran out. The whole sandbox ends with one that does not end."""
        status = self._statuses[number]
        if not await _done(status, _REPORT_PATIENCE):
            self.kill()
            await _done(status, _REPORT_PATIENCE)
        if (found := self._workers.pop(number, None)) is not None:
            self._known.pop(found.secret, None)
        self._statuses.pop(number, None)
        out_of_memory = self._confined is not None and self._confined.out_of_memory
        if out_of_memory:  # the count stands for the whole sandbox, so the next worker gets one of its own
            self.kill()
        return status.result() if status.done() else -9, out_of_memory

    async def _order(self, found: WorkerProcess, kind: int, flags: int) -> None:
        """Hands the loaded process the far ends of a worker's link and output."""
        try:
            ours, theirs, read_end, write_end = _ends()
        except OSError as error:
            raise _unavailable(error) from error
        sent = self._send(kind, found.number, flags, [theirs.fileno(), write_end])
        theirs.close()
        os.close(write_end)
        await found.connect(ours, read_end)
        if not sent:
            self.kill()

    def _send(self, kind: int, number: int, flags: int = 0, files: list[int] | None = None) -> bool:
        """Gives the loaded process an order; False where it does not take any more."""
        if self._orders is None:
            return False
        try:
            head = worker.HEAD.pack(0, number, kind, flags, 0.0)
            return socket.send_fds(self._orders, [head], files or []) == len(head)
        except OSError:
            return False

    def _insist(self, number: int) -> None:
        if number in self._statuses and not self._statuses[number].done():
            self.kill()

    def _deliver(self, kind: int, number: int, body: bytes, seconds: float) -> None:
        if not self._loaded.done():
            self._loaded.set_result(self._loading_ended(kind, body))
        elif kind == ENDED and number in self._statuses:
            if not self._statuses[number].done():
                self._statuses[number].set_result(status_of(body))
            if (found := self._workers.get(number)) is not None:
                found.ended()
            if body.endswith(b"unclean"):
                self.kill()

    def _loading_ended(self, kind: int, body: bytes) -> Failure | None:
        if kind != worker.READY:
            return load_failure(self._output.redaction.document(body))
        if len(body) > entry.LARGEST_REPORT:
            said = f"the version's contract has {len(body)} bytes, and {entry.LARGEST_REPORT} are allowed"
            return Failure(said, "LoadingError")
        self.report = body
        self.no_forks = body.decode(errors="replace")[:200]
        return None

    def _never_was(self) -> None:
        """Nothing was launched."""
        self.buried.set_result(None)
        self._output.connection_lost(None)
        self._on_gone(self)

    def _lost(self, complete: bool) -> None:
        self._loop.create_task(self._bury())

    async def _bury(self) -> None:
        """Waits for the sandbox to end, and tells its workers."""
        status = await self._exit()
        assert self._confined is not None
        if not self._loaded.done():
            failure = ending(status, out_of_memory=self._confined.out_of_memory)
            said = self._output.last_words().strip()
            message = failure.message + (f": {said.splitlines()[-1]}" if said else "")
            kind = Outcome.OUT_OF_MEMORY if failure.outcome is Outcome.OUT_OF_MEMORY else Outcome.LOAD_FAILURE
            self._loaded.set_result(Failure(message, "LoadingError", said, kind))
        for future in self._statuses.values():
            if not future.done():
                future.set_result(status)
        for found in list(self._workers.values()):
            found.ended()
        if self._orders is not None:
            self._orders.close()
            self._orders = None
        self.buried.set_result(None)
        self._confined.release()
        self._on_gone(self)

    async def _exit(self) -> int:
        assert self._confined is not None
        deadline = self._loop.time() + _EXIT_PATIENCE
        while (status := self._confined.poll()) is None:
            if self._loop.time() > deadline:
                self._confined.kill()
            await asyncio.sleep(0.002)
        return status

    def _network(self, launcher: Launcher) -> Network:
        """What its workers reach. An isolated one still reaches this server, where there is a socket for that."""
        if self.spec.network_access == "full":
            return Network.FULL
        return Network.API if launcher.connects else Network.NONE

    def _confinement(self, launcher: Launcher, loaded: Loaded, limits: Limits, link: int, check: bool) -> Confinement:
        root, site = str(loaded.root), str(loaded.site) if loaded.site else None
        binds = [(worker.__file__, _WORKER_INSIDE), _INSIDE, _AUTHORING, (root, _SOURCE_INSIDE)]
        if site:
            binds.append((site, _SITE_INSIDE))
        inside = {source: launcher.seen(source, target) for source, target in binds}
        supplied, typed = inside[_INSIDE[0]], inside[_AUTHORING[0]]
        plan: dict[str, Any] = {
            "socket": link,
            "root": inside[root],
            "entry": os.path.join(inside[root], self.spec.entry),
            "site": [inside[site]] if site else [],
            "inside": supplied,
            "modules": {
                "troth": os.path.join(supplied, "troth", "__init__.py"),
                "troth.authoring": os.path.join(typed, "__init__.py"),
                "Algorithmia": os.path.join(supplied, "algorithmia", "__init__.py"),
                "adk": os.path.join(supplied, "adk.py"),
            },
            # the socket by which the server is reached; empty where this machine has none for workers
            "api": API_SOCKET if launcher.connects else "",
            "check": check,
            "largest": self._largest,
            "example": loaded.example,
            # what a dead fork leaves behind can be found where processes have a name space of their own
            "fork": launcher.bubblewrap is not None and loaded.running.start != "spawn",
            "limits": {"RLIMIT_AS": limits.memory_bytes, "RLIMIT_NPROC": limits.processes},
        }
        argv = [launcher.interpreter, "-I", "-S", "-B", inside[worker.__file__], json.dumps(plan)]
        environment = {**loaded.secrets, **dict.fromkeys(_THREADS, str(loaded.running.threads))}
        return Confinement(
            argv, binds, [link], environment, limits, network=self._network(launcher), identity=self.spec.id
        )


def _ends() -> tuple[socket.socket, socket.socket, int, int]:
    """Both ends of a link, and of a pipe for output. Raises OSError, and leaves nothing open then."""
    ours, theirs = socket.socketpair()
    try:
        return ours, theirs, *os.pipe()
    except OSError:
        ours.close()
        theirs.close()
        raise


def _unavailable(error: Exception) -> IsolationUnavailable:
    return IsolationUnavailable(f"no worker can be started: {error}")


async def _done(status: asyncio.Future[int], seconds: float) -> bool:
    """Whether it is there within so many seconds. The end of the sandbox sets it too."""
    await asyncio.wait([status], timeout=seconds)
    return status.done()
