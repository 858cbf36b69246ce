"""Users of this machine for the code of different versions, so that the kernel keeps them apart by who they are.

A user of the range belongs to one identity as long as any process of it lives. The range is shared by all servers of the
machine: a lock in `/run` says which user is taken, and ends with the server that holds it.
"""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from troth.errors import IsolationUnavailable

#: where locks lie, the first of them that can be used
_PLACES = (Path("/run/troth-users"), Path(tempfile.gettempdir(), "troth-users"))
_USED = b"processes may remain\n"


@dataclass(slots=True)
class _Lease:
    uid: int
    lock: int
    holders: int = 0


class Users:
    """Gives each identity a user of its own out of `first` and the `count - 1` behind it. For a server that is root."""

    def __init__(self, first: int, count: int) -> None:
        self._free = deque(range(first, first + count))
        self._range = f"{first} to {first + count - 1}"
        self._leases: dict[str, _Lease] = {}
        self._guard = threading.Lock()
        self._sweeps: list[subprocess.Popen[bytes]] = []
        self._leaving: list[tuple[_Lease, Callable[[], bool]]] = []

    def take(self, identity: str) -> int:
        """The user of an identity, for one more process. Raises IsolationUnavailable when none is free."""
        with self._guard:
            self._collect()
            lease = self._leases.get(identity)
            if lease is None:
                lease = self._leases[identity] = self._lease()
            lease.holders += 1
            return lease.uid

    def give_back(self, identity: str, gone: Callable[[], bool] | None) -> None:
        """One process of the identity is dead. `gone` tells whether everything that it started is; without it, that is ended."""
        with self._guard:
            lease = self._leases.get(identity)
            if lease is None:
                return  # it was closed
            lease.holders -= 1
            if not lease.holders:
                del self._leases[identity]
                self._leaving.append((lease, gone or self._swept(lease.uid)))
            self._collect()

    def close(self) -> None:
        """Gives every user back. What still runs as one of them is found by who takes it next."""
        with self._guard:
            for lease in [*self._leases.values(), *(lease for lease, _ in self._leaving)]:
                os.close(lease.lock)
            self._leases, self._leaving = {}, []
            for sweep in self._sweeps:
                sweep.wait()

    def _collect(self) -> None:
        """Frees the users whose last process is gone; at the end of the line, so that none is taken anew soon."""
        left = []
        for lease, gone in self._leaving:
            if gone():
                os.ftruncate(lease.lock, 0)
                os.close(lease.lock)
                self._free.append(lease.uid)
            else:
                left.append((lease, gone))
        self._leaving = left

    def _swept(self, uid: int) -> Callable[[], bool]:
        """Starts to end what is left of a user, and gives the question whether it is gone."""
        code = f"import os\nos.setgroups([])\nos.setresgid({uid}, {uid}, {uid})\nos.setresuid({uid}, {uid}, {uid})\nos.kill(-1, 9)"
        command = [os.path.realpath(sys.executable), "-I", "-S", "-c", code]
        sweep = subprocess.Popen(command, cwd="/", env={}, stdin=subprocess.DEVNULL)
        self._sweeps = [one for one in self._sweeps if one.poll() is None] + [sweep]
        return lambda: sweep.poll() is not None and uid not in running()

    def _lease(self) -> _Lease:
        for _ in range(len(self._free)):
            uid = self._free.popleft()
            if (lock := _locked(uid)) is not None:
                return _Lease(uid, lock)
            self._free.append(uid)
        raise IsolationUnavailable(
            "every user for workers is taken",
            why=f"users {self._range} are in use, and two versions never share one",
            repair="set a larger worker_uids, or let fewer versions have workers at the same time",
        )


def _locked(uid: int) -> int | None:
    """The lock of a user, or None where another has it or processes of an earlier holder still run."""
    lock = os.open(_place() / str(uid), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    if os.fstat(lock).st_size and uid in running():
        os.close(lock)
        return None
    os.pwrite(lock, _USED, 0)
    return lock


def _place() -> Path:
    """A folder of root's for locks. Raises IsolationUnavailable."""
    for place in _PLACES:
        with suppress(OSError):
            place.mkdir(mode=0o700, exist_ok=True)
            found = place.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == 0 and not found.st_mode & 0o022:
                return place
    raise IsolationUnavailable(
        "users of workers cannot be locked",
        why=f"neither {' nor '.join(map(str, _PLACES))} is a folder of root's that can be written",
        repair="make /run writable for the server",
    )


def running() -> set[int]:
    """Users that any process of this machine is, as far as this process may look."""
    found: set[int] = set()
    for name in os.listdir("/proc"):
        if name.isdigit():
            with suppress(OSError), open(f"/proc/{name}/status", encoding="ascii", errors="replace") as status:
                found |= {int(uid) for line in status if line.startswith("Uid:") for uid in line.split()[1:]}
    return found
