"""What the launch program is to do for one confinement: a plan of plain values, made without touching anything.

There are three methods, strongest first. `bubblewrap` makes name spaces. `staged` is root without bubblewrap: a private
`/tmp` with everything that may be seen, and Landlock. `bare` is Landlock alone, over files at their own places.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from troth.sandbox.confinement import Confinement, Network
from troth.sandbox.launch import ROOM, STAGE

_SYSTEM_LINKS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64")
#: how names and certificates are found
_CERTIFICATES = ("/etc/ssl", "/etc/pki", "/etc/ca-certificates")
_NETWORK_FILES: Mapping[Network, tuple[str, ...]] = {
    Network.MACHINE: ("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", *_CERTIFICATES),
    Network.FULL: _CERTIFICATES,
}
#: what a program needs of the system where Landlock is all there is
_SYSTEM_READABLE = (
    "/usr", *_SYSTEM_LINKS, "/etc/ld.so.cache", "/etc/localtime",
    "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/dev/urandom", "/dev/random",
)  # fmt: skip
_SYSTEM_WRITABLE = ("/dev/null", "/dev/zero")
#: A limit of 1 keeps cores from files, as 0 does, and also from the programs that collect them (core(5)).
_NO_CORE = 1


class Method(StrEnum):
    """By what a confined process is kept from the rest of the machine."""

    BUBBLEWRAP = "bubblewrap"
    STAGED = "staged"
    BARE = "bare"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the launcher knows beside the confinement: how to start it and as whom."""

    method: Method
    bubblewrap: str | None
    #: the user that it becomes; None where the server is not root
    uid: int | None
    filter_fd: int | None
    #: files of the cgroups to enter
    entrances: Sequence[str]
    #: the folder for temporary files where there is no private /tmp
    scratch: str


def interpreter_prefix() -> str | None:
    """The interpreter's own installation where it is not below /usr, which is seen anyway."""
    prefix = os.path.realpath(sys.base_prefix)
    return None if prefix == "/usr" or prefix.startswith("/usr/") else prefix


def plan(confinement: Confinement, given: Surroundings) -> dict[str, Any]:
    """The plan, as `troth.sandbox.launch` reads it."""
    temporary = "/tmp" if given.method is not Method.BARE or confinement.service else given.scratch
    environment = {"PATH": "/usr/bin:/bin", "HOME": temporary, "LANG": "C.UTF-8", **confinement.environment}
    if temporary != "/tmp":
        environment["TMPDIR"] = temporary
    binds = [(here, inside, False) for here, inside in (*_interpreter_binds(), *confinement.binds)]
    binds += [(here, inside, True) for here, inside in confinement.writable]
    made: dict[str, Any] = {
        "uid": given.uid,
        "parent": os.getpid(),
        "entrances": list(given.entrances),
        "limits": _limits(confinement, given.method),
        "seccomp_fd": given.filter_fd,
        "environment": environment,
        "argv": list(confinement.argv),
        "temporary_bytes": confinement.limits.temporary_bytes,
        "bubblewrap": given.bubblewrap if given.method is Method.BUBBLEWRAP else None,
        "landlock": None,
        "binds": binds,
        "stage": given.method is Method.STAGED,
    }
    if given.method is Method.BUBBLEWRAP:
        return made | _with_bubblewrap(confinement, given, binds, environment)
    if not confinement.service:
        made["landlock"] = _allowed(given, binds, temporary)
    return made if given.method is Method.STAGED else {**made, "binds": []}


def _limits(confinement: Confinement, method: Method) -> dict[str, int]:
    limits = confinement.limits
    # without a file system of its own, one file is as large as all might be
    largest = limits.file_bytes or (limits.temporary_bytes if method is Method.BARE and not confinement.service else 0)
    return {
        "RLIMIT_CORE": _NO_CORE,
        "RLIMIT_NOFILE": limits.open_files,
        # workers set theirs themselves, when their interpreter is there
        **({"RLIMIT_AS": limits.memory_bytes} if confinement.service else {}),
        **({"RLIMIT_FSIZE": largest} if largest else {}),
    }


def _allowed(given: Surroundings, binds: Sequence[tuple[str, str, bool]], temporary: str) -> dict[str, list[str]]:
    """The paths that Landlock allows."""
    shared = ["/dev/shm"] if given.method is Method.STAGED else []  # else it is shared with the machine
    readable = [ROOM + inside if given.method is Method.STAGED else here for here, inside, _ in binds]
    return {"readable": [*_SYSTEM_READABLE, *readable], "writable": [*_SYSTEM_WRITABLE, temporary, *shared]}


def _with_bubblewrap(
    confinement: Confinement,
    given: Surroundings,
    binds: list[tuple[str, str, bool]],
    environment: Mapping[str, str],
) -> dict[str, Any]:
    assert given.bubblewrap is not None
    root, filter_fd = given.uid is not None, given.filter_fd
    tool_root = _tool_root(given.bubblewrap)
    if root and tool_root:
        binds = [*binds, (tool_root, "", False)]
    return {
        "binds": binds,
        "stage": root,
        "bubblewrap_root": tool_root,
        "options": _options(confinement, [target for _, target, _ in binds], environment),
        "last_options": ["--remount-ro", "/", *(["--seccomp", str(filter_fd)] if filter_fd is not None else [])],
    }


def _options(confinement: Confinement, targets: list[str], environment: Mapping[str, str]) -> list[str]:
    """Bubblewrap's options but for the binds: name spaces first, then an empty root with the system's libraries."""
    size = str(confinement.limits.temporary_bytes)
    kinds = ("user", "pid", "ipc", "uts", *(() if confinement.network is Network.MACHINE else ("net",)))
    options = [f"--unshare-{kind}" for kind in kinds]
    options += ["--disable-userns", "--die-with-parent", "--new-session", "--hostname", "worker", "--clearenv"]
    for name, value in environment.items():
        options += ["--setenv", name, value]
    options += ["--ro-bind", "/usr", "/usr"]
    for path in ("/etc/ld.so.cache", *_NETWORK_FILES.get(confinement.network, ())):
        options += ["--ro-bind-try", path, path]
    for link in _SYSTEM_LINKS:
        if os.path.islink(link):
            options += ["--symlink", os.readlink(link), link]
        elif os.path.isdir(link):
            options += ["--ro-bind", link, link]
    options += ["--proc", "/proc", "--dev", "/dev", "--size", size, "--tmpfs", "/dev/shm", "--size", size]
    options += ["--perms", "1777", "--tmpfs", "/tmp"]
    for parent in _parents([target for target in targets if target]):
        options += ["--perms", "0755", "--dir", parent]
    return options


def _interpreter_binds() -> list[tuple[str, str]]:
    prefix = interpreter_prefix()
    return [(prefix, prefix)] if prefix else []


def _tool_root(bubblewrap: str) -> str | None:
    """The folder that a bubblewrap from PyPI needs whole, because its libraries lie beside it."""
    path = Path(bubblewrap).resolve()
    return str(path.parents[2]) if path.parent.name == "_bin" else None


def _parents(targets: Sequence[str]) -> list[str]:
    """Every folder above the targets, outermost first, each once; without this bubblewrap makes them root's alone."""
    found: dict[str, None] = {}
    for target in targets:
        for parent in reversed(Path(target).parents):
            if str(parent) not in ("/", STAGE, "/usr"):
                found[str(parent)] = None
    return list(found)
