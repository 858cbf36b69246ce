"""A loaded version that waits for orders: to fork a worker, to end one, or to be the only worker itself.

Standard library only; `worker` is the module of the program that loaded this file. Orders and reports are frames whose call
id is the number of the worker that they are about. A report may come from the algorithm, which ran in this process before:
the server believes none of it beyond what concerns this version.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

# orders: fork a worker, be one, end one; and the report that one has ended, with its wait status in digits, and `unclean`
# behind it if something that it started could not be ended
FORK, SERVE, KILL, ENDED = 10, 11, 12, 13
# flags of FORK and SERVE: answer one call only, and first try whether a fork of this version works
ONCE, CANARY = 1, 2
_DEATH_SIGNAL = signal.SIGKILL
_SWEEPS = 100


def obey(worker: Any, control: socket.socket, answering: Any, after_fork: Callable[[], Any] | None, plan: Any) -> None:
    """Says that the version is loaded, and what speaks against forking it, if anything; and does as it is told until the link is closed."""
    reason = _why_not(plan["fork"])
    spared = set() if reason else _processes()
    worker.send(control, 0, worker.READY, reason.encode())
    gc.collect()
    gc.freeze()
    workers: dict[int, tuple[int, int]] = {}  # by the descriptor that tells of its end: number and process
    while True:
        ready, _, _ = select.select([control.fileno(), *workers], [], [])
        for descriptor in [one for one in ready if one in workers]:
            number, process = workers.pop(descriptor)
            os.close(descriptor)
            _, status = os.waitpid(process, 0)
            clean = _swept(spared | {one for _, one in workers.values()})
            worker.send(control, number, ENDED, b"%d" % status if clean else b"%d unclean" % status)
        if control.fileno() in ready:
            number, kind, flags, handed = _order(worker, control)
            if kind == KILL:
                _end(workers, number)
            elif kind == SERVE or (process := os.fork()) == 0:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
                for one in workers:
                    os.close(one)
                control.close() if kind == FORK else None
                _work(worker, handed, answering, after_fork, kind, flags, plan["example"])
            else:
                workers[os.pidfd_open(process)] = number, process
                for one in handed:
                    os.close(one)


def _why_not(fork: bool) -> str:
    """What speaks against serving by forks of this process; nothing, if it says nothing."""
    if not fork:
        return "forks are not wanted"
    threads = len(os.listdir("/proc/self/task"))
    if threads > 1:
        return f"loading left {threads} threads, and a fork has only one"
    children = [one for one in _processes() if _parent(one) == os.getpid()]
    return "loading left a process that forks would share" if children else ""


def _order(worker: Any, control: socket.socket) -> tuple[int, int, int, list[int]]:
    """Number, kind and flags of the next order, and the descriptors that came with it."""
    head, handed, _, _ = socket.recv_fds(control, worker.HEAD.size, 2)
    while len(head) < worker.HEAD.size:
        if not (more := control.recv(worker.HEAD.size - len(head))):
            raise EOFError
        head += more
    _, number, kind, flags, _ = worker.HEAD.unpack(head)
    return number, kind, flags, handed


def _work(
    worker: Any,
    handed: list[int],
    answering: Any,
    after_fork: Callable[[], Any] | None,
    kind: int,
    flags: int,
    example: str | None,
) -> NoReturn:
    """The life of a worker, on the link and with the output that it was handed."""
    link, output = socket.socket(fileno=handed[0]), handed[1]
    os.set_inheritable(link.fileno(), False)
    # a child of the algorithm's must not keep the link open when its worker is gone
    os.register_at_fork(after_in_child=link.close)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.close(output)
    try:
        answering.take_secret(link)
        if kind == FORK:
            os.setsid()
            _differ()
            if after_fork is not None:
                after_fork()
        if flags & CANARY:
            _try()
            if example is not None:
                answering.answer(worker.JSON, 0, bytearray(example.encode()), len)
        worker.send(link, 0, worker.READY, b"")
    except BaseException as error:
        worker.send(link, 0, worker.ERROR, worker.described(error, "LoadingError"))
        os._exit(1)
    try:
        answering.serve(link, 1 if flags & ONCE else -1)
    finally:  # whoever is at the other end is gone
        os._exit(0)


def _differ() -> None:
    """Random numbers of this fork that are not those of its siblings."""
    for name, seed in (("random", "seed"), ("numpy.random", "seed"), ("torch", "seed")):
        module = sys.modules.get(name)
        if module is not None:
            getattr(module, seed, int)()


def _try() -> None:
    """What has to work in a fork before a caller's input goes there: the collector, another thread, a lock."""
    gc.collect()
    thread = threading.Thread(target=gc.get_count)
    thread.start()
    thread.join()


def _end(workers: dict[int, tuple[int, int]], wanted: int) -> None:
    for descriptor, (number, process) in workers.items():
        if number == wanted:
            try:
                os.killpg(process, _DEATH_SIGNAL)
            except ProcessLookupError:
                pass
            signal.pidfd_send_signal(descriptor, _DEATH_SIGNAL)


def _processes() -> set[int]:
    """Every process that can be seen: this process has a name space of its own."""
    return {int(name) for name in os.listdir("/proc") if name.isdigit()}


def _parent(process: int) -> int:
    try:
        with open(f"/proc/{process}/stat", "rb") as line:
            return int(line.read().rpartition(b")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def _swept(kept: set[int]) -> bool:
    """Ends what dead workers left behind, which by now are children of the first process; whether all of it is gone."""
    for _ in range(_SWEEPS):
        orphans = [one for one in _processes() - kept if _parent(one) == 1 and one != os.getpid()]
        if not orphans:
            return True
        for one in orphans:
            try:
                os.kill(one, _DEATH_SIGNAL)
            except ProcessLookupError:
                pass
        os.sched_yield()
    return False
