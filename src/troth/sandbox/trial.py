"""Runs the probe as workers are run, and reads off what it could and could not do."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from troth.errors import TrothError
from troth.sandbox import probe
from troth.sandbox.launcher import Confinement, Launcher, Limits

_PROBE_INSIDE, _SHOWN_INSIDE = "/troth/probe.py", "/troth/shown"
_SECONDS = 10.0
_PROCESSES, _FORKS = 16, 64
_MEMORY, _BYTES = 64 << 20, 160 << 20


@dataclass(frozen=True, slots=True)
class Findings:
    """What the probes found to hold."""

    #: kinds of name spaces that are not the server's
    namespaces: frozenset[str]
    other_user: bool
    #: two identities were two users, neither of them that of workers without an identity
    own_users: bool
    powerless: bool
    files: bool
    network: bool
    processes: bool
    system_calls: bool
    #: a probe that forked was held near its limit
    forks_held: bool
    #: and a cgroup held it; another held the one that took too much memory, and counted it
    groups_hold: bool


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a probe said: its report, else why there is none; and whether want of memory ended something of it."""

    report: dict[str, Any] | None
    words: str = ""
    out_of_memory: bool = False


def run(launcher: Launcher, home: Path) -> tuple[Findings | None, str]:
    """What holds for processes of this launcher by its present method, or None and why none could be started."""
    with _targets(home) as targets:
        looked = _probe(launcher, targets, home, Limits())
    if looked.report is None:
        return None, looked.words
    if not looked.report["reads_shown"]:
        return None, f"the users of workers cannot read what lies below {home}: let others walk there (chmod o+x)"
    greedy = {"look": False, "forks": _FORKS, "bytes": _BYTES, "limits": {"RLIMIT_NPROC": _PROCESSES}}
    bombed = _probe(launcher, greedy, home, Limits(memory_bytes=_MEMORY, processes=_PROCESSES))
    return _read_off(launcher, looked.report, bombed), ""


def _probe(launcher: Launcher, asked: dict[str, Any], home: Path, limits: Limits) -> _Answer:
    with ExitStack() as opened:
        shown = home / f"probe-{secrets.token_hex(8)}"
        shown.write_bytes(b"x")
        opened.callback(shown.unlink)
        ours, theirs = map(opened.enter_context, socket.socketpair())
        output = opened.enter_context(tempfile.TemporaryFile()).fileno()
        told = json.dumps({**asked, "shown": launcher.seen(str(shown), _SHOWN_INSIDE)})
        script = launcher.seen(probe.__file__, _PROBE_INSIDE)
        confinement = Confinement(
            argv=[launcher.interpreter, "-I", "-S", "-B", script, str(theirs.fileno()), told],
            binds=[(probe.__file__, _PROBE_INSIDE), (str(shown), _SHOWN_INSIDE)],
            files=[theirs.fileno()],
            limits=limits,
            identity=shown.name,
        )
        try:
            process = launcher.launch(confinement, output=output)
        except (OSError, TrothError) as error:
            return _Answer(None, str(error))
        theirs.close()
        answer = _received(ours)
        process.kill()
        process.wait()
        process.release()
        words = os.pread(output, 4096, 0).decode(errors="replace").strip().splitlines()
        return _Answer(json.loads(answer) if answer else None, (words or ["no answer"])[-1], process.out_of_memory)


def _received(link: socket.socket) -> bytes:
    """Everything that a probe sends until it closes or is dead, for as long as it is waited for."""
    link.settimeout(_SECONDS)
    answer = b""
    try:
        while chunk := link.recv(65536):
            answer += chunk
    except (TimeoutError, ConnectionResetError):
        pass
    return answer


@contextmanager
def _targets(home: Path) -> Iterator[dict[str, Any]]:
    """Things that a worker must not get at, made for the purpose."""
    with ExitStack() as opened:
        secret = home / f"probe-{secrets.token_hex(8)}"
        secret.touch(mode=0o600)
        opened.callback(secret.unlink)
        port = opened.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
        # the probe goes by this path, which is a short one therefore, wherever temporary files lie
        short = "/tmp" if os.access("/tmp", os.W_OK) else None
        folder = opened.enter_context(tempfile.TemporaryDirectory(prefix="troth-probe-", dir=short))
        os.chmod(folder, 0o755)
        path = f"{folder}/socket"
        abstract = f"troth-probe-{secrets.token_hex(8)}"
        for address in (path, *(["\0" + abstract] if sys.platform == "linux" else [])):
            listener = opened.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(address)
            listener.listen()
        os.chmod(path, 0o777)
        yield {
            "look": True, "secret": str(secret), "pid": os.getpid(), "port": port, "path": path, "abstract": abstract
        }  # fmt: skip


def _read_off(launcher: Launcher, looked: dict[str, Any], bombed: _Answer) -> Findings:
    inside = looked["namespaces"]
    second = bombed.report or {"uid": looked["uid"], "forks": _FORKS}
    forks_held = second["forks"] < _FORKS // 2
    holds = launcher.groups.abilities >= {"memory", "pids"}
    return Findings(
        namespaces=frozenset(kind for kind in inside if inside[kind] and inside[kind] != _namespace(kind)),
        other_user=looked["uid"] != os.geteuid(),
        own_users=len({looked["uid"], second["uid"], launcher.uid, os.geteuid()}) == 4,
        powerless=set(looked["capabilities"]) <= {"0"} and looked["no_new_privileges"] in ("1", ""),
        files=not (looked["reads_secret"] or looked["changes_secret"] or looked["writes_code"]),
        network=not any(looked[way] for way in ("connects", "connects_path", "connects_abstract", "sends_datagrams")),
        processes=not (looked["signals_outside"] or looked["reads_environment"]),
        system_calls=looked["seccomp"] == "2"
        and not (looked["makes_user_namespace"] or looked["traces"] or looked["uses_io_uring"]),
        forks_held=forks_held,
        groups_hold=holds and forks_held and bombed.out_of_memory,
    )


def _namespace(kind: str) -> str:
    try:
        return os.readlink(f"/proc/self/ns/{kind}")
    except OSError:
        return ""
