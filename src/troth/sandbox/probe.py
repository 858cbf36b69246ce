"""Tries, from inside, what a confined process must not be able to do, and reports what happened. Standard library only.

Run by the launcher like a worker. argv: the descriptor to answer on, then a JSON object. With `look` true: `secret` (a
file of the server's home), `shown` (a file of it that is bound for the probe), `pid` (a process outside), `port` (a
listening TCP port of this machine), `path` and `abstract` (Unix sockets that listen outside). Else `forks` and `bytes`: as
many processes and as much memory are taken as can be had up to there; `limits` are set first, as workers set theirs.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

#: unshare and ptrace
_CALLS = {"x86_64": (272, 101), "aarch64": (97, 117), "arm64": (97, 117)}
_UNSHARE, _PTRACE = _CALLS.get(platform.machine(), (-1, -1))
_IO_URING_SETUP = 425
_CLONE_NEWUSER = 0x10000000
_libc = ctypes.CDLL(None, use_errno=True)


def _can(action: Callable[[], object]) -> bool:
    try:
        action()
    except OSError:
        return False
    return True


def _syscall(number: int, *arguments: int) -> Callable[[], object]:
    def act() -> None:
        if _libc.syscall(number, *arguments) < 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))

    return act


def _connect(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        pass


def _connect_unix(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as sender:
        sender.connect(path)


def _send_datagram() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"x", ("127.0.0.1", 9))


def _namespace(kind: str) -> str:
    try:
        return os.readlink(f"/proc/self/ns/{kind}")
    except OSError:
        return ""


def _status(name: str) -> str:
    try:
        with open("/proc/self/status", encoding="ascii") as lines:
            return next((line.split()[1] for line in lines if line.startswith(name + ":")), "")
    except OSError:
        return ""


def _reads(path: str) -> bool:
    return _can(lambda: open(path, "rb").read(1))


def _looked(asked: dict[str, Any]) -> dict[str, Any]:
    return {
        "uid": os.getuid(),
        "capabilities": _status("CapEff"),
        "no_new_privileges": _status("NoNewPrivs"),
        "seccomp": _status("Seccomp"),
        "namespaces": {kind: _namespace(kind) for kind in ("user", "mnt", "pid", "ipc", "net")},
        "environment": sorted(os.environ),
        "reads_shown": _reads(asked["shown"]),
        "reads_secret": _reads(asked["secret"]),
        "changes_secret": _can(lambda: os.chmod(asked["secret"], 0o600)),
        "reads_environment": _reads(f"/proc/{asked['pid']}/environ"),
        "signals_outside": _can(lambda: os.kill(asked["pid"], 0)),
        "connects": _can(lambda: _connect(asked["port"])),
        "connects_path": _can(lambda: _connect_unix(asked["path"])),
        "connects_abstract": _can(lambda: _connect_unix("\0" + asked["abstract"])),
        "sends_datagrams": _can(_send_datagram),
        "makes_user_namespace": _can(_syscall(_UNSHARE, _CLONE_NEWUSER)),
        "traces": _can(_syscall(_PTRACE, 0, 0, 0, 0)),
        "uses_io_uring": _can(_syscall(_IO_URING_SETUP, 0, 0)),
        "writes_code": _can(lambda: open(__file__, "ab").close()),
    }


def _forked(most: int, answer: socket.socket) -> int:
    """How many children could be had."""
    for made in range(most):
        try:
            if os.fork() == 0:
                answer.close()
                time.sleep(30)
                os._exit(0)
        except OSError:
            return made
    return most


def main() -> None:
    answer = socket.socket(fileno=int(sys.argv[1]))
    asked = json.loads(sys.argv[2])
    if asked["look"]:
        answer.sendall(json.dumps(_looked(asked)).encode())
    else:
        for name, value in asked["limits"].items():
            resource.setrlimit(getattr(resource, name), (value, value))
        forks = _forked(asked["forks"], answer)
        answer.sendall(json.dumps({"uid": os.getuid(), "forks": forks}).encode())
        bytearray(asked["bytes"])[::4096] = b"x" * len(range(0, asked["bytes"], 4096))
    answer.close()


if __name__ == "__main__":
    main()
