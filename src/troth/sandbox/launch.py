"""Carries out one launch plan: the program between the server and a confined process. Standard library only.

Run as `python -I -S -B launch.py DESCRIPTOR`, where the plan can be read (`troth.sandbox.plan`): it may hold what other users of
the machine must not see, and they see arguments. It comes as `marshal` writes it, and nothing is imported here that is not needed,
because a cold call waits for this program: with json, signal and typing it takes twice as long to start.

It enters its cgroups first. As root it binds everything that the confined process may see into a private mount name space, because
the unprivileged user that it then becomes cannot reach paths below other people's homes. It ends by becoming bubblewrap, or the
program itself.
"""

from __future__ import annotations

import ctypes
import marshal
import os
import resource
import struct
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CLONE_NEWNS = 0x20000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_REMOUNT = 1, 2, 4, 32
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 1 << 18
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SIGKILL = 9
_SECCOMP_MODE_FILTER = 2
#: where root binds what the confined process may see; covered in this process's own name space only
STAGE = "/tmp"
#: below it, what a process without bubblewrap sees under the names that it is told
ROOM = STAGE + "/.troth"

#: temporary files and folders that may be there at a time
_MOST_FILES = 65536

_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    with open(int(sys.argv[1]), "rb") as file:
        plan: dict[str, Any] = marshal.load(file)  # noqa: S302 - written by the server, in memory
    landlock = _landlock() if plan["landlock"] is not None else None  # before its place may be covered
    for entrance in plan["entrances"]:
        with open(entrance, "w", encoding="ascii") as tasks:
            tasks.write("0")
    sources = [source for source, _, _ in plan["binds"]]
    if plan["stage"]:
        sources = _staged(plan)
    rules = landlock.prepare(**plan["landlock"]) if landlock is not None else None
    if plan["uid"] is not None:
        _become(plan["uid"])
    if sys.platform == "linux":  # elsewhere there are no layers, and only trusted code is run
        _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _check(_libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0))  # after the change of user, which clears it
    if os.getppid() != plan["parent"]:
        os._exit(0)
    for name, value in plan["limits"].items():
        resource.setrlimit(getattr(resource, name), (value, value))
    if plan["bubblewrap"] is None:
        if landlock is not None and rules is not None:
            landlock.restrict(rules)
        _filter(plan["seccomp_fd"])
        os.execve(plan["argv"][0], plan["argv"], plan["environment"])
    _become_bubblewrap(plan, sources)


def _become_bubblewrap(plan: dict[str, Any], sources: list[str]) -> None:
    program = plan["bubblewrap"]
    if plan["stage"] and plan["bubblewrap_root"]:
        program = os.path.join(sources[-1], os.path.relpath(program, plan["bubblewrap_root"]))
    options = [*plan["options"]]
    for source, (_, target, writable) in zip(sources, plan["binds"], strict=True):
        if target:
            options += ["--bind" if writable else "--ro-bind", source, target]
    options += plan["last_options"]
    # by a descriptor, for the same reason as the plan itself
    descriptor = os.memfd_create("options", 0)
    with open(descriptor, "wb", closefd=False) as file:
        file.write(b"".join(os.fsencode(option) + b"\0" for option in options))
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.execve(program, [program, "--args", str(descriptor), "--", *plan["argv"]], {})


def _staged(plan: dict[str, Any]) -> list[str]:
    """The files of the plan at paths that everybody may walk, in a mount name space of our own."""
    os.umask(0o022)
    _check(_libc.unshare(_CLONE_NEWNS))
    _mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE)
    handles = [os.open(source, os.O_PATH | os.O_CLOEXEC) for source, _, _ in plan["binds"]]
    if plan["bubblewrap"] is not None:
        _mount(b"tmpfs", STAGE.encode(), b"tmpfs", 0, b"mode=0755,size=1m")
        targets = [f"{STAGE}/{number}" for number in range(len(handles))]
    else:
        size = f"mode=1777,nr_inodes={_MOST_FILES},size={plan['temporary_bytes']}".encode()
        for folder in (STAGE, "/dev/shm"):
            if os.path.isdir(folder):
                _mount(b"tmpfs", folder.encode(), b"tmpfs", _MS_NOSUID | _MS_NODEV, size)
        targets = [ROOM + target for _, target, _ in plan["binds"]]
    for handle, target, (_, _, writable) in zip(handles, targets, plan["binds"], strict=True):
        _bind(handle, target, writable or plan["bubblewrap"] is not None)
    return targets


def _bind(handle: int, target: str, writable: bool) -> None:
    os.makedirs(os.path.dirname(target), 0o755, exist_ok=True)
    if os.path.isdir(f"/proc/self/fd/{handle}"):
        os.makedirs(target, 0o755, exist_ok=True)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    _mount(f"/proc/self/fd/{handle}".encode(), target.encode(), None, _MS_BIND | _MS_REC)
    if not writable:
        flags = _MS_BIND | _MS_REMOUNT | _MS_RDONLY | _MS_NOSUID
        _mount(b"none", target.encode(), None, flags)
    os.close(handle)


def _become(uid: int) -> None:
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def _landlock() -> Any:
    """The module beside this one; it is not installed where this runs."""
    import importlib.util

    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "landlock.py")
    spec = importlib.util.spec_from_file_location("landlock", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
