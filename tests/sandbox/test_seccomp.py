"""The system call filters of both machines, call by call, in an interpreter of their own language."""

from __future__ import annotations

import errno
import signal

import pytest

from tests.sandbox.bpf import verdict
from troth.sandbox import seccomp
from troth.sandbox.seccomp import MACHINES, Machine, Sockets, program

ALLOW, KILL = 0x7FFF0000, 0x80000000
X86_64, ARM64 = MACHINES["x86_64"], MACHINES["arm64"]
BOTH = pytest.mark.parametrize("machine", [X86_64, ARM64], ids=lambda machine: machine.name)
EVERY = pytest.mark.parametrize("sockets", list(Sockets), ids=lambda sockets: sockets.value)
#: what programs do all day, by name: numbers on x86-64 and on arm64
ORDINARY = {
    "read": (0, 63), "write": (1, 64), "openat": (257, 56), "close": (3, 57), "mmap": (9, 222), "munmap": (11, 215),
    "mprotect": (10, 226), "brk": (12, 214), "futex": (202, 98), "execve": (59, 221), "exit_group": (231, 94),
    "wait4": (61, 260), "kill": (62, 129), "getpid": (39, 172), "clock_gettime": (228, 113), "nanosleep": (35, 101),
    "getrandom": (318, 278), "pipe2": (293, 59), "dup3": (292, 24), "epoll_ctl": (233, 21), "epoll_pwait": (281, 22),
    "sendmsg": (46, 211), "recvmsg": (47, 212), "prctl": (157, 167), "prlimit64": (302, 261), "sched_yield": (24, 124),
    "statx": (332, 291), "memfd_create": (319, 279), "rseq": (334, 293), "getdents64": (217, 61), "seccomp": (317, 277),
    "set_robust_list": (273, 99), "sched_getaffinity": (204, 123), "rt_sigaction": (13, 134), "uname": (63, 160),
}  # fmt: skip
UNIX, INET, INET6, NETLINK, PACKET, VSOCK = 1, 2, 10, 16, 17, 40
STREAM, DGRAM, RAW, SEQPACKET, CLOEXEC, NONBLOCK = 1, 2, 3, 5, 0o2000000, 0o4000


def refused(error: int) -> int:
    return 0x00050000 | error


def asked(machine: Machine, sockets: Sockets, number: int, *arguments: int) -> int:
    return verdict(program(sockets, machine), machine.architecture, number, arguments)


@BOTH
@EVERY
def test_each_denied_call_is_denied(machine: Machine, sockets: Sockets) -> None:
    found = {name: asked(machine, sockets, number) for name, number in machine.denied.items()}
    assert found == dict.fromkeys(machine.denied, refused(errno.EPERM))
    assert len(set(machine.denied.values())) == len(machine.denied)
    assert asked(machine, sockets, machine.clone3) == refused(errno.ENOSYS)


@EVERY
def test_what_programs_do_all_day_is_allowed(sockets: Sockets) -> None:
    for machine, place in ((X86_64, 0), (ARM64, 1)):
        found = {name: asked(machine, sockets, numbers[place]) for name, numbers in ORDINARY.items()}
        assert found == dict.fromkeys(ORDINARY, ALLOW)


@BOTH
@EVERY
def test_every_number_is_decided(machine: Machine, sockets: Sockets) -> None:
    special = {machine.clone, machine.ioctl, machine.socket, machine.socketpair, machine.connect, machine.clone3}
    special |= set(machine.denied.values()) | set(machine.shared.values())
    code = program(sockets, machine)
    found = {number: verdict(code, machine.architecture, number) for number in range(600) if number not in special}
    assert set(found.values()) == {ALLOW}


@BOTH
@EVERY
def test_another_architecture_is_killed(machine: Machine, sockets: Sockets) -> None:
    others = [0x40000003, 0x40000028, 0xC000003E ^ 0xC00000B7 ^ machine.architecture, 0]  # i386, arm, the other, none
    for architecture in others:
        assert verdict(program(sockets, machine), architecture, 39) == KILL


@EVERY
def test_numbers_for_small_pointers_are_none(sockets: Sockets) -> None:
    for number in (0, 39, 101, 165, 0x3FFFFFFF):
        assert asked(X86_64, sockets, 0x40000000 | number) == refused(errno.ENOSYS)


@BOTH
@EVERY
def test_clone_makes_processes_and_threads_but_no_name_spaces(machine: Machine, sockets: Sockets) -> None:
    thread = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000 | 0x80000 | 0x100000 | 0x200000 | 0x1000000
    for flags in (signal.SIGCHLD, thread, 0x4000 | 0x100 | signal.SIGCHLD):
        assert asked(machine, sockets, machine.clone, flags) == ALLOW
    for space in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert asked(machine, sockets, machine.clone, space | signal.SIGCHLD) == refused(errno.EPERM)


@BOTH
@EVERY
def test_nobody_types_into_terminals(machine: Machine, sockets: Sockets) -> None:
    for request in (0x5412, 0x541C, 0x100005412):
        assert asked(machine, sockets, machine.ioctl, 0, request) == refused(errno.EPERM)
    for request in (0x5401, 0x5413, 0x541B, 0x5421):
        assert asked(machine, sockets, machine.ioctl, 0, request) == ALLOW


#: families, types and protocols of sockets, and which filters allow them
MADE = [
    (UNIX, STREAM, 0, {Sockets.UNIX, Sockets.STREAMS}),
    (UNIX, DGRAM | CLOEXEC, 0, {Sockets.UNIX, Sockets.STREAMS}),
    (INET, STREAM, 0, {Sockets.STREAMS}),
    (INET, STREAM | CLOEXEC | NONBLOCK, 6, {Sockets.STREAMS}),
    (INET6, STREAM | CLOEXEC, 6, {Sockets.STREAMS}),
    (INET, STREAM, 132, set()),
    (INET, STREAM, 262, set()),
    (INET, DGRAM, 0, set()),
    (INET6, DGRAM | CLOEXEC, 17, set()),
    (INET, RAW, 1, set()),
    (INET6, SEQPACKET, 132, set()),
    (NETLINK, RAW, 0, set()),
    (PACKET, RAW, 0, set()),
    (VSOCK, STREAM, 0, set()),
    (INET | 1 << 32, STREAM, 0, {Sockets.STREAMS}),
]


@BOTH
@pytest.mark.parametrize(("family", "kind", "protocol", "allowed"), MADE)
def test_sockets_are_those_of_the_network(
    machine: Machine, family: int, kind: int, protocol: int, allowed: set[Sockets]
) -> None:
    for sockets in Sockets:
        found = asked(machine, sockets, machine.socket, family, kind, protocol)
        assert found == (ALLOW if sockets in {*allowed, Sockets.ALL} else refused(errno.EACCES)), sockets


@BOTH
def test_without_name_spaces_nothing_is_connected_and_nothing_shared(machine: Machine) -> None:
    pairs = Sockets.PAIRS
    assert asked(machine, pairs, machine.connect) == refused(errno.EACCES)
    for number in machine.shared.values():
        assert asked(machine, pairs, number) == refused(errno.EACCES)
    for kind in (STREAM, STREAM | CLOEXEC, SEQPACKET | NONBLOCK):
        assert asked(machine, pairs, machine.socketpair, UNIX, kind) == ALLOW
    for kind in (DGRAM, DGRAM | CLOEXEC, RAW):
        assert asked(machine, pairs, machine.socketpair, UNIX, kind) == refused(errno.EACCES)
    for sockets in set(Sockets) - {pairs}:
        for number in (machine.connect, *machine.shared.values()):
            assert asked(machine, sockets, number) == ALLOW
        assert asked(machine, sockets, machine.socketpair, UNIX, DGRAM) == ALLOW


def test_a_machine_without_a_table_has_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert not seccomp.supported()
    with pytest.raises(KeyError):
        program(Sockets.UNIX)


@EVERY
@BOTH
def test_a_program_fits_where_it_is_handed_over(machine: Machine, sockets: Sockets) -> None:
    assert len(program(sockets, machine)) < 4096  # a pipe takes as much without a reader
