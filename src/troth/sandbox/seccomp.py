"""A system call filter for workers, as a classic BPF program for x86-64.

It denies what a function has no business with: namespaces, mounts, tracing, keys, kernel modules, clocks, io_uring, and
every socket that is not a Unix socket. The kernel's list of calls for other machines differs; they get no program.
"""

from __future__ import annotations

import errno
import platform
import struct

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT, _SECOND_ARGUMENT = 0, 4, 16, 24
_X86_64 = 0xC000003E
_X32 = 0x40000000
_CLONE3, _CLONE, _IOCTL, _SOCKET = 435, 56, 16, 41
#: CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_NEW_NAMESPACES = 0x7E020000
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_AF_UNIX = 1

#: Denied with EPERM, by name for the reader and number for the kernel.
DENIED = {
    "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "pidfd_getfd": 438,
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "bpf": 321, "perf_event_open": 298,
    "userfaultfd": 323, "add_key": 248, "request_key": 249, "keyctl": 250,
    "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "move_mount": 429, "open_tree": 428,
    "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "mount_setattr": 442,
    "unshare": 272, "setns": 308, "open_by_handle_at": 304, "name_to_handle_at": 303,
    "kexec_load": 246, "kexec_file_load": 320, "init_module": 175, "finit_module": 313, "delete_module": 176,
    "syslog": 103, "swapon": 167, "swapoff": 168, "reboot": 169, "acct": 163, "quotactl": 179, "quotactl_fd": 443,
    "settimeofday": 164, "clock_settime": 227, "adjtimex": 159, "clock_adjtime": 305, "iopl": 172, "ioperm": 173,
    "personality": 135, "vhangup": 153, "modify_ldt": 154, "lookup_dcookie": 212, "fanotify_init": 300,
}  # fmt: skip


def supported() -> bool:
    """Whether there is a program for this machine."""
    return platform.machine() == "x86_64"


def program(*, network: bool) -> bytes:
    """The filter in the kernel's format (`struct sock_filter[]`); with `network` sockets of every family may be made."""
    lines: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _X86_64),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        *_when(_AT_LEAST, _X32, _deny(errno.ENOSYS)),
        # glibc falls back to clone, whose flags can be read here; clone3 keeps them in memory
        *_when(_EQUAL, _CLONE3, _deny(errno.ENOSYS)),
    ]
    for number in DENIED.values():
        lines += _when(_EQUAL, number, _deny(errno.EPERM))
    lines += _argument(_CLONE, _FIRST_ARGUMENT, [(_ANY_BIT, _NEW_NAMESPACES)], _deny(errno.EPERM), _ALLOW)
    lines += _argument(_IOCTL, _SECOND_ARGUMENT, [(_EQUAL, _TIOCSTI), (_EQUAL, _TIOCLINUX)], _deny(errno.EPERM), _ALLOW)
    if not network:
        lines += _argument(_SOCKET, _FIRST_ARGUMENT, [(_EQUAL, _AF_UNIX)], _ALLOW, _deny(errno.EACCES))
    lines.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("HBBI", *line) for line in lines)


def _deny(error: int) -> int:
    return _ERRNO | error


def _when(test: int, value: int, verdict: int) -> list[tuple[int, int, int, int]]:
    return [(test, 0, 1, value), (_RETURN, 0, 0, verdict)]


def _argument(
    call: int, offset: int, tests: list[tuple[int, int]], matched: int, otherwise: int
) -> list[tuple[int, int, int, int]]:
    """Lines that decide one call by one of its arguments, and leave every other call to what follows."""
    body = [(_LOAD, 0, 0, offset)]
    for test, value in tests:
        body += _when(test, value, matched)
    body.append((_RETURN, 0, 0, otherwise))
    return [(_EQUAL, 0, len(body), call), *body]
