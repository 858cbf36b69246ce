"""What the confinement of workers is worth on this machine, found by trying (`architecture.md`, section 8.1 and 7.7).

Levels, strongest first: strong, contained, partial, process, none. This release reaches `contained`: name spaces for
users, mounts, processes and network with a system call filter, all versions under one user.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from dataclasses import asdict, dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from troth.sandbox import probe
from troth.sandbox.launcher import Confinement, Launcher

_PROBE_INSIDE = "/troth/probe.py"
_PROBE_SECONDS = 10.0


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
    missing: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "level": str(self.level), "missing": list(self.missing)}


def measure(launcher: Launcher, home: Path) -> Isolation:
    """Starts the probe as workers are started and reads off what it could do. Takes about 50 ms.

    `home` is the server's home; the probe tries to read a file made in it for the purpose.
    """
    secret = home / f"probe-{secrets.token_hex(8)}"
    secret.touch(mode=0o600)
    listener = socket.create_server(("127.0.0.1", 0))
    try:
        report, failure = _run(launcher, secret, listener.getsockname()[1])
    finally:
        secret.unlink()
        listener.close()
    return _judge(launcher, report, failure)


def _run(launcher: Launcher, secret: Path, port: int) -> tuple[dict[str, Any] | None, str]:
    ours, theirs = socket.socketpair()
    read_end, write_end = os.pipe()
    asked = json.dumps({"secret": str(secret), "pid": os.getpid(), "port": port})
    script = launcher.seen(probe.__file__, _PROBE_INSIDE)
    confinement = Confinement(
        argv=[launcher.interpreter, "-I", "-S", "-B", script, str(theirs.fileno()), asked],
        binds=[(probe.__file__, _PROBE_INSIDE)],
        files=[theirs.fileno()],
    )
    process = launcher.launch(confinement, output=write_end)
    theirs.close()
    os.close(write_end)
    ours.settimeout(_PROBE_SECONDS)
    answer = b""
    try:
        while chunk := ours.recv(65536):
            answer += chunk
    except TimeoutError:
        process.kill()
    finally:
        ours.close()
    process.wait()
    process.release()
    with os.fdopen(read_end, "rb") as said:
        words = said.read(4096).decode(errors="replace").strip()
    return (json.loads(answer), "") if answer else (None, words.splitlines()[-1] if words else "no answer")


def _judge(launcher: Launcher, report: dict[str, Any] | None, failure: str) -> Isolation:
    if report is None:
        why = f"a confined process could not be started: {failure}"
        return Isolation(Level.NONE, "unknown", "none", "none", "none", "none", "none", (why,))
    inside = report["namespaces"]
    own = {kind: bool(inside[kind]) and inside[kind] != _namespace(kind) for kind in inside}
    filesystem = own["mnt"] and not report["sees_secret"] and not report["writes_code"]
    network = own["net"] and not report["connects"] and not report["sends_datagrams"]
    processes = own["pid"] and not report["signals_outside"]
    calls = report["seccomp"] == "2" and not (
        report["makes_user_namespace"] or report["traces"] or report["uses_io_uring"]
    )
    powerless = set(report["capabilities"]) == {"0"} and report["no_new_privileges"] == "1"
    other_user = launcher.uid is not None and report["uid"] == launcher.uid
    user_apart = other_user or own["user"]
    missing = [
        text
        for holds, text in (
            (filesystem, "files of the server can be seen or its code written by workers (no mount name space)"),
            (network, "workers reach this machine's network (no network name space)"),
            (processes, "workers see other processes (no process name space)"),
            (calls, "system calls are not filtered (seccomp; the filter of this release is for x86-64)"),
            (powerless, "workers keep privileges"),
            (user_apart, "workers run as the server's own user without a user name space"),
            (False, "strong: a user for each version and cgroups for memory and processes"),
        )
        if not holds
    ]
    if filesystem and network and processes and calls and powerless and user_apart:
        level = Level.CONTAINED
    else:
        level = Level.PROCESS if other_user and powerless else Level.NONE
    return Isolation(
        level,
        user="unprivileged, one for all versions"
        if other_user
        else "the server's, in a user name space"
        if own["user"]
        else "the server's",
        filesystem="mount name space" if filesystem else "none",
        network="network name space and seccomp" if network and calls else "network name space" if network else "none",
        processes="process name space" if processes else "none",
        system_calls="seccomp" if calls else "none",
        memory="rlimit",
        missing=tuple(missing),
    )


def _namespace(kind: str) -> str:
    try:
        return os.readlink(f"/proc/self/ns/{kind}")
    except OSError:
        return ""
