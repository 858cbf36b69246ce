"""Tries, from inside, what a confined process must not be able to do, and reports what happened. Standard library only.

Run by the launcher like a worker. argv: the descriptor to answer on, then a JSON object with `secret` (a file of the
server's home), `pid` (a process outside) and `port` (a listening TCP port of this machine).
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import sys
from collections.abc import Callable

_UNSHARE, _PTRACE, _IO_URING_SETUP, _MOUNT = 272, 101, 425, 165
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


def main() -> None:
    answer = socket.socket(fileno=int(sys.argv[1]))
    asked = json.loads(sys.argv[2])
    report = {
        "uid": os.getuid(),
        "capabilities": _status("CapEff"),
        "no_new_privileges": _status("NoNewPrivs"),
        "seccomp": _status("Seccomp"),
        "namespaces": {kind: _namespace(kind) for kind in ("user", "mnt", "pid", "ipc", "net")},
        "environment": sorted(os.environ),
        "reads_secret": _can(lambda: open(asked["secret"], "rb").close()),
        "sees_secret": _can(lambda: os.stat(asked["secret"])),
        "signals_outside": _can(lambda: os.kill(asked["pid"], 0)),
        "connects": _can(lambda: _connect(asked["port"])),
        "sends_datagrams": _can(_send_datagram),
        "makes_user_namespace": _can(_syscall(_UNSHARE, _CLONE_NEWUSER)),
        "traces": _can(_syscall(_PTRACE, 0, 0, 0, 0)),
        "uses_io_uring": _can(_syscall(_IO_URING_SETUP, 0, 0)),
        "writes_code": _can(lambda: open(__file__, "ab").close()),
    }
    answer.sendall(json.dumps(report).encode())
    answer.close()


if __name__ == "__main__":
    main()
