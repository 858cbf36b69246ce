"""Carries out one launch plan: the program between the server and a confined process. Standard library only.

Run as `python -I -S -B launch.py PLAN` with the plan as JSON. As root it binds everything that the confined process may
see into a private mount name space first, because the unprivileged user that it then becomes cannot reach paths below
other people's homes. It ends by becoming bubblewrap, or the program itself where there is none.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import struct
import sys
from typing import Any

_CLONE_NEWNS = 0x20000
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 1 << 18
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SECCOMP_MODE_FILTER = 2
#: where root binds what the confined process may see; covered in this process's own name space only
STAGE = "/tmp"

_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    plan: dict[str, Any] = json.loads(sys.argv[1])
    sources = [source for source, _, _ in plan["binds"]]
    if plan["stage"]:
        sources = _stage(sources)
    if plan["uid"] is not None:
        _become(plan["uid"])
    if sys.platform == "linux":  # elsewhere there are no layers, and only trusted code is run
        _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _check(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))  # after the change of user, which clears it
    if os.getppid() != plan["parent"]:
        os._exit(0)
    for name, value in plan["limits"].items():
        resource.setrlimit(getattr(resource, name), (value, value))
    if plan["bubblewrap"] is None:
        _filter(plan["seccomp_fd"])
        os.execve(plan["argv"][0], plan["argv"], plan["environment"])
    program = plan["bubblewrap"]
    if plan["stage"] and plan["bubblewrap_root"]:
        program = os.path.join(sources[-1], os.path.relpath(program, plan["bubblewrap_root"]))
    argv = [program, *plan["options"]]
    for source, (_, target, writable) in zip(sources, plan["binds"], strict=True):
        if target:
            argv += ["--bind" if writable else "--ro-bind", source, target]
    argv += [*plan["last_options"], "--", *plan["argv"]]
    os.execve(program, argv, {})


def _stage(sources: list[str]) -> list[str]:
    """The same files at paths that everybody may walk, in a mount name space of our own."""
    _check(_libc.unshare(_CLONE_NEWNS))
    _mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE)
    handles = [os.open(source, os.O_PATH | os.O_CLOEXEC) for source in sources]
    _mount(b"tmpfs", STAGE.encode(), b"tmpfs", 0, b"mode=0755,size=1m")
    staged = []
    for number, handle in enumerate(handles):
        target = f"{STAGE}/{number}"
        if os.path.isdir(f"/proc/self/fd/{handle}"):
            os.mkdir(target)
        else:
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
        _mount(f"/proc/self/fd/{handle}".encode(), target.encode(), None, _MS_BIND | _MS_REC)
        os.close(handle)
        staged.append(target)
    return staged


def _become(uid: int) -> None:
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def _filter(fd: int | None) -> None:
    """Puts the system call filter on this process; bubblewrap does it for the one it starts."""
    if fd is None:
        return
    code = b""
    while chunk := os.read(fd, 65536):
        code += chunk
    os.close(fd)
    buffer = ctypes.create_string_buffer(code, len(code))
    head = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer)))
    _check(_libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, head, 0, 0))


def _mount(source: bytes, target: bytes, kind: bytes | None, flags: int, data: bytes | None = None) -> None:
    _check(_libc.mount(source, target, kind, flags, data))


def _check(result: int) -> None:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


if __name__ == "__main__":
    main()
