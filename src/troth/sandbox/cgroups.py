"""Groups of processes whose memory and number the kernel limits together: cgroups, version 2 or 1.

Which there are is found out by making one, setting its limits and entering it. Memory and number may lie in hierarchies
of version 1 while killing lies in version 2, as on machines that mount both.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_PREFIX = "troth-"
#: processes of the sandbox itself, beside those of the program: bubblewrap's two and a relay
_OWN_PROCESSES = 3
_WANTED = ("memory", "pids")
#: the group that the server moves itself into, where it may not stay beside its own
_INNER = "server"


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """One tree of cgroups: the server's own folder in it, and what it can do there (memory, pids, kill)."""

    folder: Path
    version: int
    abilities: frozenset[str]


@dataclass(slots=True)
class Group:
    """One sandbox's group: a folder for each ability."""

    folders: dict[str, Path]
    versions: dict[str, int]
    _oom_kills: int = field(default=0)

    @property
    def entrances(self) -> list[str]:
        """The files that a process writes 0 into to become a member."""
        return [str(folder / "cgroup.procs") for folder in dict.fromkeys(self.folders.values())]

    def kill(self) -> None:
        """Ends every member at once."""
        if "kill" in self.folders:
            with suppress(OSError):
                _write(self.folders["kill"] / "cgroup.kill", "1")
            return
        deadline = time.monotonic() + 1.0  # a member may fork while it is looked for; all are found in the end
        while (members := self.members()) and time.monotonic() < deadline:
            for pid in members:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def members(self) -> list[int]:
        """Processes that are in it, not counting dead ones."""
        found: set[int] = set()
        for folder in set(self.folders.values()):
            with suppress(OSError):
                found.update(map(int, (folder / "cgroup.procs").read_text().split()))
        return sorted(found)

    def oom_kills(self) -> int:
        """How many of its processes the kernel ended for want of memory; the last count known when it is removed."""
        if "memory" in self.folders:
            name = "memory.events" if self.versions["memory"] == 2 else "memory.oom_control"
            with suppress(OSError):
                self._oom_kills = _numbers(self.folders["memory"] / name).get("oom_kill", 0)
        return self._oom_kills

    def memory(self) -> int | None:
        """Bytes that its members use now, without what the kernel would drop for others (inactive files)."""
        if "memory" not in self.folders:
            return None
        folder, second = self.folders["memory"], self.versions["memory"] == 2
        with suppress(OSError, ValueError):
            used = int((folder / ("memory.current" if second else "memory.usage_in_bytes")).read_text())
            spare = _numbers(folder / "memory.stat").get("inactive_file" if second else "total_inactive_file", 0)
            return max(0, used - spare)
        return None

    def remove(self) -> bool:
        """Removes it, if every member is gone."""
        self.oom_kills()
        for folder in set(self.folders.values()):
            try:
                folder.rmdir()
            except FileNotFoundError:
                continue
            except OSError:  # it has members still
                return False
        return True


class Groups:
    """The groups of one server. Close it at the end; what a server left that died is cleared when another opens."""

    def __init__(self, hierarchies: list[Hierarchy], locks: list[int]) -> None:
        self._hierarchies = hierarchies
        self._locks = locks
        self._made = 0
        self._leaving: list[Group] = []
        self._guard = threading.Lock()
        #: what is limited or done by groups here, of memory, pids and kill
        self.abilities = frozenset().union(*(one.abilities for one in hierarchies))

    @classmethod
    def open(cls) -> Groups:
        """What this machine allows, which may be nothing (`abilities` is empty then). Takes about 20 ms."""
        found, locks = [], []
        for parent, version, abilities in _places():
            with suppress(OSError):
                clear(parent)
                folder, lock = _claimed(parent)
                found.append(Hierarchy(folder, version, abilities))
                locks.append(lock)
        groups = cls(found, locks)
        if not groups._tried():
            groups.close()
            return cls([], [])
        return groups

    def make(self, *, memory: int, processes: int) -> Group:
        """An empty group with these limits."""
        with self._guard:
            self._leaving = [group for group in self._leaving if not group.remove()]
            self._made += 1
            name = str(self._made)
        group = Group({}, {})
        for one in self._hierarchies:
            (one.folder / name).mkdir()
            for ability in one.abilities:
                group.folders[ability], group.versions[ability] = one.folder / name, one.version
        if "memory" in group.folders:
            _limit_memory(group.folders["memory"], group.versions["memory"], memory)
        if "pids" in group.folders:
            _write(group.folders["pids"] / "pids.max", str(processes + _OWN_PROCESSES))
        return group

    def leave(self, group: Group) -> None:
        """Removes a group, now or when the last of it is gone."""
        if not group.remove():
            with self._guard:
                self._leaving.append(group)

    def close(self) -> None:
        """Ends everything in every group, and removes them."""
        for one in self._hierarchies:
            _empty(one.folder)
        for lock in self._locks:
            os.close(lock)
        self._hierarchies, self._locks = [], []

    def _tried(self) -> bool:
        """Whether a group can be made and entered; does it."""
        if not self._hierarchies:
            return False
        try:
            group = self.make(memory=64 << 20, processes=8)
        except OSError:
            return False
        code = "import sys\nfor entrance in sys.argv[1:]: open(entrance, 'w').write('0')"
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", code, *group.entrances], capture_output=True, check=False
        )
        self.leave(group)
        return done.returncode == 0


def clear(parent: Path) -> None:
    """Removes the groups below `parent` whose servers are dead, with what still runs in them."""
    for folder in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            lock = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _empty(folder)
            finally:
                os.close(lock)


def _claimed(parent: Path) -> tuple[Path, int]:
    """A new folder of this server, and the lock that says it lives."""
    while True:
        folder = parent / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
        folder.mkdir()
        lock = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():  # else another took it for a dead one's
            return folder, lock
        os.close(lock)


def _empty(folder: Path) -> None:
    parts = [path for path in folder.iterdir() if path.is_dir()]
    for path in [*parts, folder]:
        group = Group({"any": path, **({"kill": path} if (path / "cgroup.kill").exists() else {})}, {})
        group.kill()
        deadline = time.monotonic() + 1.0
        while not group.remove() and time.monotonic() < deadline:
            time.sleep(0.002)


def _places() -> list[tuple[Path, int, frozenset[str]]]:
    """Where groups may be made and what each place can do, by the mounts; version 2 goes before version 1."""
    own = dict(line.split(":", 2)[1:] for line in Path("/proc/self/cgroup").read_text().splitlines())
    found: list[tuple[Path, int, frozenset[str]]] = []
    have: set[str] = set()
    mounts = [_mount(line) for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for root, point, kind, options in sorted(mounts, key=lambda mount: mount[2], reverse=True):
        if kind == "cgroup2":
            place, abilities = _delegated(_within(root, point, own.get("", "/")), Path(point))
        elif kind == "cgroup":
            name = next((names for names in own if set(names.split(",")) <= set(options)), None)
            place = _within(root, point, own[name]) if name else Path(point)
            abilities = {one for one in _WANTED if one in options}
        else:
            continue
        if new := frozenset(abilities) - have:
            have |= new
            found.append((place, 2 if kind == "cgroup2" else 1, new))
    return found


def _mount(line: str) -> tuple[str, str, str, list[str]]:
    """Root, mount point, kind and options of the file system in a line of mountinfo (proc(5))."""
    left, _, right = line.partition(" - ")
    fields, rest = left.split(), right.split()
    return fields[3], fields[4], rest[0], rest[-1].split(",")


def _within(root: str, point: str, path: str) -> Path:
    """The folder of a cgroup below a mount of its hierarchy, or the mount where it lies outside (in a container)."""
    relative = os.path.relpath(path, root)
    place = Path(point) if relative.startswith("..") else Path(point, relative)
    return place if place.is_dir() else Path(point)


def _delegated(own: Path, top: Path) -> tuple[Path, set[str]]:
    """Where version 2 gives memory and pids to groups that are made, and what can be done there; at least kill.

    Looked for from the server's own group upwards, so that the limits of its service hold for its workers.
    """
    places = [own, *(place for place in own.parents if place == top or top in place.parents)]
    for place in places:
        if _gives(place) or (place == own and not _is_inner(own) and _made_to_give(own)):
            return place, {"kill", *_WANTED}
    return own, {"kill"}


def _is_inner(own: Path) -> bool:
    """Whether the server moved itself here before, to let its groups lie beside it."""
    return own.name == _INNER and _gives(own.parent)


def _gives(place: Path) -> bool:
    """Whether children of `place` get the controllers, and may be made."""
    with suppress(OSError):
        return set(_WANTED) <= _words(place / "cgroup.subtree_control") and os.access(place, os.W_OK)
    return False


def _made_to_give(place: Path) -> bool:
    """Lets children of `place` have the controllers, if it has them and belongs to the server alone."""
    try:
        if not set(_WANTED) <= _words(place / "cgroup.controllers"):
            return False
        if _words(place / "cgroup.procs") == {str(os.getpid())}:
            # a group with members of its own gives nothing to children (cgroups(7))
            inner = place / _INNER
            inner.mkdir(exist_ok=True)
            _write(inner / "cgroup.procs", str(os.getpid()))
        _write(place / "cgroup.subtree_control", " ".join(f"+{one}" for one in _WANTED))
    except OSError:
        return False
    return True


def _words(path: Path) -> set[str]:
    return set(path.read_text().split())


def _limit_memory(folder: Path, version: int, amount: int) -> None:
    _write(folder / ("memory.max" if version == 2 else "memory.limit_in_bytes"), str(amount))
    # without swap; where the kernel does not count swap there are no such files
    with suppress(FileNotFoundError):
        _write(
            folder / ("memory.swap.max" if version == 2 else "memory.memsw.limit_in_bytes"),
            "0" if version == 2 else str(amount),
        )


def _write(path: Path, text: str) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CLOEXEC), "w") as file:  # never makes a file
        file.write(text)


def _numbers(path: Path) -> dict[str, int]:
    lines = [line.split() for line in path.read_text().splitlines()]
    return {line[0]: int(line[1]) for line in lines if len(line) == 2 and line[1].isdigit()}
