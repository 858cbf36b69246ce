"""What the confinement of workers is worth on this machine, found by trying (`architecture.md`, sections 8.1 and 7.7)."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from troth.sandbox import landlock, trial
from troth.sandbox.launcher import Launcher
from troth.sandbox.plan import Method
from troth.sandbox.trial import Findings


class Level(IntEnum):
    """How well workers are kept apart from everything else, in one word."""

    NONE = 0
    PROCESS = 1
    PARTIAL = 2
    CONTAINED = 3
    STRONG = 4

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Isolation:
    """The layers in force, each by what enforces it, and what is missing for the next level."""

    level: Level
    #: the user that workers are, as the machine sees it
    user: str
    filesystem: str
    network: str
    processes: str
    system_calls: str
    memory: str
    #: by what a worker is ended with everything that it started
    kill: str
    missing: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "level": str(self.level), "missing": list(self.missing)}


@dataclass(frozen=True, slots=True)
class Requirement:
    """Something that was tried: which levels need it, whether it holds, and what to do where it does not."""

    levels: frozenset[Level]
    holds: Callable[[Findings], bool]
    repair: Callable[[Launcher], str]


_ALL = frozenset({Level.PROCESS, Level.PARTIAL, Level.CONTAINED, Level.STRONG})
_WALLED = _ALL - {Level.PROCESS}
_SPACED = frozenset({Level.CONTAINED, Level.STRONG})


def _bubblewrap(launcher: Launcher) -> str:
    if launcher.bubblewrap is None:
        return "install bubblewrap (make setup, or your system's package), which makes name spaces"
    if why := launcher.unusable.get(Method.BUBBLEWRAP):
        return (
            f"bubblewrap does not work here ({why}): let users make user name spaces (sysctl user.max_user_namespaces, "
            "kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns)"
        )
    return "bubblewrap runs, and does not confine: see the layers above"


def _files(launcher: Launcher) -> str:
    if launcher.method is Method.BUBBLEWRAP or landlock.version():
        return "files of the server can be read or changed by workers"
    return f"a kernel with Landlock, or: {_bubblewrap(launcher)}"


def _always(text: str) -> Callable[[Launcher], str]:
    return lambda launcher: text


_OWN_USERS = "start the server as root: each version then gets a user of its own, from worker_uid on"
_GROUPS = (
    "cgroups for memory and processes: start the server as root where /sys/fs/cgroup can be written, or by systemd with "
    "Delegate=yes (cgroup version 2)"
)

#: What each level needs. The first that is missing is named first.
REQUIREMENTS = (
    Requirement(_SPACED, lambda found: found.namespaces >= {"mnt", "pid", "net", "ipc"}, _bubblewrap),
    Requirement(_ALL, lambda found: found.powerless, _always("workers keep privileges")),
    Requirement(_SPACED, lambda found: found.other_user or "user" in found.namespaces, _bubblewrap),
    Requirement(frozenset({Level.PROCESS}), lambda found: found.other_user, _always(_OWN_USERS)),
    Requirement(frozenset({Level.PARTIAL, Level.STRONG}), lambda found: found.own_users, _always(_OWN_USERS)),
    Requirement(_WALLED, lambda found: found.files, _files),
    Requirement(_WALLED, lambda found: found.network, _always("workers reach sockets of this machine")),
    Requirement(_WALLED, lambda found: found.processes, _always("workers see or signal other processes")),
    Requirement(
        _WALLED,
        lambda found: found.system_calls,
        _always(f"a system call filter: there is one for x86-64 and arm64, and this machine is {platform.machine()}"),
    ),
    Requirement(
        _WALLED,
        lambda found: found.forks_held,
        _always(f"nothing limits how many processes a worker starts; {_GROUPS}"),
    ),
    Requirement(frozenset({Level.STRONG}), lambda found: found.groups_hold, _always(_GROUPS)),
)


def measure(launcher: Launcher, home: Path) -> Isolation:
    """Starts probes as workers are started and reads off what they could do. Takes about 150 ms.

    `home` is the server's home; a probe tries to read a file made in it for the purpose. A method that does not work here
    is put aside: the launcher uses the strongest that does from then on.
    """
    failures = []
    for method in launcher.methods():
        launcher.method = method
        found, why = trial.run(launcher, home)
        if found is not None:
            return _judge(launcher, found)
        launcher.unusable[method] = why
        failures.append(f"a confined process could not be started by the method {method}: {why}")
    return Isolation(Level.NONE, "unknown", "none", "none", "none", "none", "none", "none", tuple(failures))


def _judge(launcher: Launcher, found: Findings) -> Isolation:
    reached = [level for level in Level if not _unmet(level, found)]
    level = max(reached)
    target = Level.STRONG if level >= Level.CONTAINED else Level.CONTAINED
    missing = (
        () if level is Level.STRONG else tuple(dict.fromkeys(one.repair(launcher) for one in _unmet(target, found)))
    )
    return Isolation(level, **_words(launcher, found), missing=missing + _remarks(launcher))


def _unmet(level: Level, found: Findings) -> list[Requirement]:
    return [one for one in REQUIREMENTS if level in one.levels and not one.holds(found)]


def _remarks(launcher: Launcher) -> tuple[str, ...]:
    version = landlock.version()
    if launcher.method is Method.BUBBLEWRAP or not 0 < version < 6:
        return ()
    return (
        f"Landlock of this kernel is version {version}; from 6 on it also keeps signals and abstract sockets apart",
    )


def _words(launcher: Launcher, found: Findings) -> dict[str, str]:
    spaced = launcher.method is Method.BUBBLEWRAP
    network = ["network name space"] * ("net" in found.namespaces) + ["seccomp"] * found.system_calls
    counted = "cgroup" if found.groups_hold else "rlimit" if found.forks_held else ""
    return {
        "user": _user(found),
        "filesystem": "none" if not found.files else "mount name space" if spaced else "Landlock",
        "network": " and ".join(network) if found.network and network else "none",
        "processes": ("none" if not found.processes else "process name space" if spaced else "Landlock and user")
        + (f", number limited by {counted}" if counted else ""),
        "system_calls": "seccomp" if found.system_calls else "none",
        "memory": "cgroup" if found.groups_hold else "rlimit",
        "kill": "cgroup" if launcher.groups.abilities else "process name space" if spaced else "process group",
    }


def _user(found: Findings) -> str:
    if found.own_users:
        return "unprivileged, one for each version"
    if found.other_user:
        return "unprivileged, one for all versions"
    return "the server's, in a user name space" if "user" in found.namespaces else "the server's"
