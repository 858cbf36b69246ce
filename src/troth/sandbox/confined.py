"""A process that was started inside a confinement, and its end."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress

from troth.sandbox.cgroups import Group

_PAGE = os.sysconf("SC_PAGE_SIZE")
#: generations of processes that are looked through
_DEEPEST = 100


class Confined:
    """A confined process with everything that it started. `release` it when it is dead.

    `layers` says what is in force for this process, by the layer's name; it goes into receipts.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        group: Group | None,
        layers: Mapping[str, str],
        released: Callable[[], None],
    ) -> None:
        self._process = process
        self._group = group
        self._released: Callable[[], None] | None = released
        self.layers = dict(layers)

    @property
    def pid(self) -> int:
        """The outermost process of the sandbox, as this machine numbers it."""
        return self._process.pid

    def poll(self) -> int | None:
        """Its exit status, negative for a signal, or None while it runs. Bubblewrap passes signals on as 128 + number."""
        return self._process.poll()

    def wait(self, seconds: float | None = None) -> int:
        """Its exit status, once it is there. Raises TimeoutError."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired as expired:
            raise TimeoutError(f"it still runs after {seconds:g} seconds") from expired

    def kill(self) -> None:
        """Ends it and everything that it started, at once. Harmless when it is dead already."""
        if self._group is not None and self._released is not None:
            self._group.kill()
        if self._process.poll() is None:  # else its number may be another's
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    @property
    def out_of_memory(self) -> bool:
        """Whether the kernel killed something in it for want of memory; False where no cgroup counts that."""
        return self._group is not None and self._group.oom_kills() > 0

    def memory(self) -> int | None:
        """Bytes that the whole sandbox uses now, or None when it is dead. Without a cgroup, shared pages count each time."""
        if self._process.poll() is not None:
            return None
        counted = self._group.memory() if self._group is not None else None
        return _resident(self._process.pid) if counted is None else counted

    def holds(self, process: int) -> bool:
        """Whether this process of the machine is in it."""
        for _ in range(_DEEPEST):
            if process == self._process.pid:
                return self._process.poll() is None  # else the number may be another's
            if process <= 1:
                return False
            process = _parent(process)
        return False

    def release(self) -> None:
        """Gives back its cgroup, its user and its folder. To be called when it is dead; may be called again."""
        if self._released is not None:
            self.kill()  # what it started may outlive it
            released, self._released = self._released, None
            released()


def _parent(process: int) -> int:
    """The number of a process's parent; 0 where it is gone."""
    try:
        with open(f"/proc/{process}/stat", "rb") as line:
            return int(line.read().rpartition(b")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def _resident(root: int) -> int:
    """Resident bytes of a process and its descendants; what they share is counted for each."""
    total, left = 0, [root]
    while left:
        pid = left.pop()
        with suppress(OSError, ValueError, IndexError):
            with open(f"/proc/{pid}/statm", encoding="ascii") as counts:
                total += int(counts.read().split()[1]) * _PAGE
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as children:
                    left += map(int, children.read().split())
    return total
