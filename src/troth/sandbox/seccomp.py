"""A system call filter for confined processes, as a classic BPF program for x86-64 and arm64.

It denies what a function has no business with: name spaces, mounts, tracing, keys, kernel modules, clocks, io_uring, and
sockets beyond what its network allows. Numbers of calls differ by machine; a machine without a table gets no program.
"""

from __future__ import annotations

import errno
import platform
import struct
import sys
from dataclasses import dataclass
from enum import Enum

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
#: CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET; NEWTIME is no flag of clone
_NEW_NAMESPACES = 0x7E020000
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_AF_UNIX, _AF_INET, _AF_INET6 = 1, 2, 10
_SOCK_STREAM, _SOCK_SEQPACKET, _SOCK_TYPE = 1, 5, 0xF
_TCP = (0, 6)

Line = tuple[int, int, int, int]


class Sockets(Enum):
    """Which sockets a process may make."""

    #: none; connected pairs of streams only, and no shared memory. Where no name space hides what is the machine's.
    PAIRS = "pairs"
    #: Unix sockets, in a file system that has none but those given
    UNIX = "unix"
    #: Unix sockets and TCP, in a network name space that has nothing but a relay
    STREAMS = "streams"
    #: every socket, for programs of troth's own choice
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Machine:
    """The calls of one kind of machine, by name; `denied` fail with EPERM."""

    name: str
    #: AUDIT_ARCH_*, what the kernel tells the filter
    architecture: int
    denied: dict[str, int]
    clone: int
    ioctl: int
    socket: int
    socketpair: int
    connect: int
    #: memory, queues and semaphores that are shared by key or name with the whole machine
    shared: dict[str, int]
    #: bit that marks another set of numbers of the same architecture (x32), 0 where there is none
    other_numbers: int = 0
    #: the same number everywhere: keeps its flags in memory, where a filter cannot read them
    clone3: int = 435


#: calls that are as young as to have one number on every machine
_EVERYWHERE = {
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428, "move_mount": 429,
    "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "pidfd_getfd": 438, "process_madvise": 440,
    "mount_setattr": 442, "quotactl_fd": 443, "open_tree_attr": 467,
}  # fmt: skip

_X86_64 = Machine(
    "x86_64",
    0xC000003E,
    {
        "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "bpf": 321,
        "perf_event_open": 298, "userfaultfd": 323, "add_key": 248, "request_key": 249, "keyctl": 250,
        "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "unshare": 272, "setns": 308,
        "open_by_handle_at": 304, "name_to_handle_at": 303, "kexec_load": 246, "kexec_file_load": 320,
        "init_module": 175, "finit_module": 313, "delete_module": 176, "syslog": 103, "swapon": 167, "swapoff": 168,
        "reboot": 169, "acct": 163, "quotactl": 179, "settimeofday": 164, "clock_settime": 227, "adjtimex": 159,
        "clock_adjtime": 305, "personality": 135, "vhangup": 153, "lookup_dcookie": 212, "fanotify_init": 300,
        "migrate_pages": 256, "move_pages": 279, "sethostname": 170, "setdomainname": 171,
        "iopl": 172, "ioperm": 173, "modify_ldt": 154, "create_module": 174, "_sysctl": 156, "uselib": 134,
        **_EVERYWHERE,
    },
    clone=56, ioctl=16, socket=41, socketpair=53, connect=42,
    shared={"shmget": 29, "shmat": 30, "semget": 64, "msgget": 68, "mq_open": 240}, other_numbers=0x40000000,
)  # fmt: skip

_ARM64 = Machine(
    "aarch64",
    0xC00000B7,
    {
        "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272, "bpf": 280,
        "perf_event_open": 241, "userfaultfd": 282, "add_key": 217, "request_key": 218, "keyctl": 219,
        "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51, "unshare": 97, "setns": 268,
        "open_by_handle_at": 265, "name_to_handle_at": 264, "kexec_load": 104, "kexec_file_load": 294,
        "init_module": 105, "finit_module": 273, "delete_module": 106, "syslog": 116, "swapon": 224, "swapoff": 225,
        "reboot": 142, "acct": 89, "quotactl": 60, "settimeofday": 170, "clock_settime": 112, "adjtimex": 171,
        "clock_adjtime": 266, "personality": 92, "vhangup": 58, "lookup_dcookie": 18, "fanotify_init": 262,
        "migrate_pages": 238, "move_pages": 239, "sethostname": 161, "setdomainname": 162,
        **_EVERYWHERE,
    },
    clone=220, ioctl=29, socket=198, socketpair=199, connect=203,
    shared={"shmget": 194, "shmat": 196, "semget": 190, "msgget": 186, "mq_open": 180},
)  # fmt: skip

MACHINES = {"x86_64": _X86_64, "aarch64": _ARM64, "arm64": _ARM64}


def supported() -> bool:
    """Whether there is a program for this machine."""
    return sys.platform == "linux" and platform.machine() in MACHINES


def program(sockets: Sockets, machine: Machine | None = None) -> bytes:
    """The filter in the kernel's format (`struct sock_filter[]`), for this machine unless another is given.

    Raises KeyError on a machine that has no table.
    """
    table = machine or MACHINES[platform.machine()]
    lines: list[Line] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, table.architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if table.other_numbers:
        lines += _when(_AT_LEAST, table.other_numbers, _deny(errno.ENOSYS))
    # glibc falls back to clone, whose flags can be read here
    lines += _when(_EQUAL, table.clone3, _deny(errno.ENOSYS))
    for number in table.denied.values():
        lines += _when(_EQUAL, number, _deny(errno.EPERM))
    lines += _call(table.clone, [*_argument(0), *_when(_ANY_BIT, _NEW_NAMESPACES, _deny(errno.EPERM))])
    lines += _call(table.ioctl, [*_argument(1), *_denied_values((_TIOCSTI, _TIOCLINUX), errno.EPERM)])
    lines += _socket_lines(sockets, table)
    lines.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("HBBI", *line) for line in lines)


def _socket_lines(sockets: Sockets, table: Machine) -> list[Line]:
    refused = [(_RETURN, 0, 0, _deny(errno.EACCES))]
    unix = [*_argument(0), *_when(_EQUAL, _AF_UNIX, _ALLOW)]
    if sockets is Sockets.ALL:
        return []
    if sockets is Sockets.UNIX:
        return _call(table.socket, [*unix, *refused])
    if sockets is Sockets.STREAMS:
        inet = [*_unless((_AF_INET, _AF_INET6)), *_argument(1), (_AND, 0, 0, _SOCK_TYPE), *_unless((_SOCK_STREAM,))]
        return _call(table.socket, [*unix, *inet, *_argument(2), *_unless(_TCP)])
    # a datagram of a pair can be sent to any Unix socket by its path; what is sent through these cannot
    pair = [*_argument(1), (_AND, 0, 0, _SOCK_TYPE), *_unless((_SOCK_STREAM, _SOCK_SEQPACKET))]
    shared = [line for number in table.shared.values() for line in _call(number, refused)]
    return [*shared, *_call(table.socket, refused), *_call(table.connect, refused), *_call(table.socketpair, pair)]


def _deny(error: int) -> int:
    return _ERRNO | error


def _argument(position: int) -> list[Line]:
    """Loads the low half of an argument; none that is looked at here has more."""
    return [(_LOAD, 0, 0, _ARGUMENTS + 8 * position)]


def _when(test: int, value: int, verdict: int) -> list[Line]:
    return [(test, 0, 1, value), (_RETURN, 0, 0, verdict)]


def _denied_values(values: tuple[int, ...], error: int) -> list[Line]:
    return [line for value in values for line in _when(_EQUAL, value, _deny(error))]


def _unless(values: tuple[int, ...]) -> list[Line]:
    """Refuses what is none of the values, and goes on otherwise."""
    tests = [(_EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return [*tests, (_RETURN, 0, 0, _deny(errno.EACCES))]


def _call(number: int, body: list[Line]) -> list[Line]:
    """Lines that decide one call; what they let pass is allowed, and every other call is left to what follows."""
    whole = [*body, (_RETURN, 0, 0, _ALLOW)]
    return [(_EQUAL, 0, len(whole), number), *whole]
