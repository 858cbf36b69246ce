"""What hostile code tries. Standard library only; run inside a sandbox like a worker.

argv: the descriptor to answer on, then JSON: `targets` (where everything is that must not be got at), `limits` (names of the
`resource` module to values, set first as a worker sets them), `bomb` with `most` (what to take without end, and how much
at most), else `only` (names of attempts, none for all). The answer is JSON: for each attempt "done", or why it failed.
"""

from __future__ import annotations

import array
import ctypes
import fcntl
import json
import mmap
import os
import platform
import resource
import signal
import socket
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

_libc = ctypes.CDLL(None, use_errno=True)
_libc.shmat.restype = ctypes.c_void_p

#: numbers of calls that Python has no function for
_X86_64 = {
    "ptrace": 101, "process_vm_readv": 310, "unshare": 272, "clone": 56, "setns": 308, "bpf": 321, "mount": 165,
    "perf_event_open": 298, "userfaultfd": 323, "add_key": 248, "keyctl": 250, "pivot_root": 155, "chroot": 161,
    "clock_settime": 227, "adjtimex": 159, "ioctl": 16, "sethostname": 170, "init_module": 175, "kexec_load": 246,
    "open_by_handle_at": 304, "reboot": 169, "swapon": 167, "acct": 163, "syslog": 103, "personality": 135,
}  # fmt: skip
_ARM64 = {
    "ptrace": 117, "process_vm_readv": 270, "unshare": 97, "clone": 220, "setns": 268, "bpf": 280, "mount": 40,
    "perf_event_open": 241, "userfaultfd": 282, "add_key": 217, "keyctl": 219, "pivot_root": 41, "chroot": 51,
    "clock_settime": 112, "adjtimex": 171, "ioctl": 29, "sethostname": 161, "init_module": 105, "kexec_load": 104,
    "open_by_handle_at": 265, "reboot": 142, "swapon": 224, "acct": 89, "syslog": 116, "personality": 92,
}  # fmt: skip
_CALLS = {
    **(_X86_64 if platform.machine() == "x86_64" else _ARM64),
    "clone3": 435, "io_uring_setup": 425, "io_uring_enter": 426, "pidfd_getfd": 438, "fsopen": 430, "open_tree": 428,
}  # fmt: skip
_NEW = {"user": 0x10000000, "mount": 0x20000, "net": 0x40000000, "pid": 0x20000000}
_SECRET = b"troth-escape-secret"


class Denied(Exception):
    """An attempt that failed without an error of the kernel's."""


def _call(name: str, *arguments: Any) -> int:
    result: int = _libc.syscall(_CALLS[name], *arguments)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), name)
    return result


def _reads(path: str) -> None:
    with open(path, "rb") as file:
        file.read(1)


def _writes(path: str) -> None:
    with open(path, "ab"):
        pass


def _lists_home(targets: dict[str, Any]) -> None:
    if not os.listdir(targets["home"]):
        raise Denied("empty")


def _finds_secret_in(name: str) -> None:
    """Looks into a file of every process that can be seen."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/{name}", "rb") as file:
                if _SECRET in file.read():
                    return
        except OSError:
            continue
    raise Denied("nowhere")


def _own_environment() -> None:
    if not any(_SECRET.decode() in value for value in os.environ.values()):
        raise Denied("it is not there")


def _leaked_descriptor(targets: dict[str, Any]) -> None:
    for descriptor in range(3, 256):
        try:
            content = os.pread(descriptor, 64, 0)
        except OSError:
            continue
        if _SECRET in content:
            return
    raise Denied("there is none")


def _connects(family: int, address: Any) -> None:
    with socket.socket(family) as sender:
        sender.settimeout(2)
        sender.connect(address)


def _sends_datagram(family: int, address: Any) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.sendto(_SECRET, address)


def _sends_from_pair(kind: int, path: str) -> None:
    """The end of a pair is a socket that nobody had to make, and a datagram names whom it is for."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    with ours, theirs:
        ours.sendto(_SECRET, path)


def _raw_socket() -> None:
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()


def _netlink() -> None:
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close()


def _traces_child() -> None:
    _in_child(lambda: _call("ptrace", 0, 0, 0, 0))


def _reads_memory(pid: int) -> None:
    buffer = ctypes.create_string_buffer(8)
    ours = struct.pack("PN", ctypes.addressof(buffer), 8)
    _call("process_vm_readv", pid, ours, 1, struct.pack("PN", 0x400000, 8), 1, 0)


def _in_child(action: Callable[[], object]) -> None:
    """Does it in a child, which it may end; any other end than a clean one is a denial."""
    child = os.fork()
    if child == 0:
        try:
            action()
            os._exit(0)
        except OSError as error:
            os._exit(error.errno or 255)
        except BaseException:
            os._exit(254)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status:
        raise Denied(f"signal {-status}" if status < 0 else os.strerror(status))


def _unshares(kind: str) -> None:
    _in_child(lambda: _call("unshare", _NEW[kind]))


def _clones(kind: str) -> None:
    child = _call("clone", _NEW[kind] | signal.SIGCHLD, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _clones3() -> None:
    child = _call("clone3", struct.pack("11Q", _NEW["user"], 0, 0, 0, signal.SIGCHLD, 0, 0, 0, 0, 0, 0), 88)
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _joins(pid: int) -> None:
    handle = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    _in_child(lambda: _call("setns", handle, _NEW["net"]))


def _other_numbers() -> None:
    """A call by its number in the table for 32-bit pointers (x32)."""
    if platform.machine() != "x86_64":
        raise Denied("this machine has none")
    if _libc.syscall(0x40000000 | 39) < 0:  # getpid
        raise OSError(ctypes.get_errno(), "x32")


def _other_architecture() -> None:
    """A call of the 32-bit kind, whose numbers are not those of the filter."""
    if platform.machine() != "x86_64":
        raise Denied("this machine has none")
    code = b"\xb8\x14\x00\x00\x00\xcd\x80\xc3"  # mov eax, 20 (getpid); int 0x80; ret
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    _in_child(ctypes.CFUNCTYPE(ctypes.c_int)(address))


def _pushes_input(request: int) -> None:
    """Types into a terminal (TIOCSTI), by a number whose upper half the kernel drops."""
    try:
        descriptor = os.openpty()[1]
    except OSError:
        descriptor = 0
    _call("ioctl", descriptor, ctypes.c_ulong(request), array.array("B", b"x").tobytes())


def _shared_memory(targets: dict[str, Any]) -> None:
    key = _libc.shmget(targets["shared_memory"], 0, 0)
    if key < 0:
        raise OSError(ctypes.get_errno(), "shmget")
    place = _libc.shmat(key, None, 0o10000)
    if place in (None, ctypes.c_void_p(-1).value):
        raise OSError(ctypes.get_errno(), "shmat")
    if ctypes.string_at(place, len(_SECRET)) != _SECRET:
        raise Denied("other content")


def _dumps_core() -> None:
    """Makes a core file, in a folder that it may write."""
    folder = tempfile.mkdtemp()

    def die() -> None:
        os.chdir(folder)
        os.abort()

    try:
        _in_child(die)
    except Denied:
        pass
    if not os.listdir(folder):
        raise Denied("no file")


def _raises_limits() -> None:
    for name in (resource.RLIMIT_CORE, resource.RLIMIT_NOFILE):
        _, hard = resource.getrlimit(name)
        resource.setrlimit(name, (hard + 1, hard + 1))


def _becomes_root() -> None:
    os.setuid(0)
    _reads("/etc/shadow")


def _gains_by_program() -> None:
    """Whether a program with the set-user bit would be more than this one."""
    if _libc.prctl(39, 0, 0, 0, 0) == 1:  # PR_GET_NO_NEW_PRIVS
        raise Denied("no_new_privs")


def _makes_device() -> None:
    os.mknod(os.path.join(tempfile.gettempdir(), "disk"), 0o600 | 0o060000, os.makedev(8, 0))


def _affinity(pid: int) -> None:
    os.sched_setaffinity(pid, os.sched_getaffinity(0))


def _prlimit(pid: int) -> None:
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))


def _leaves_group() -> None:
    """Moves itself to the top of a hierarchy of cgroups, where no limit is."""
    for folder in ("", "unified", "pids", "memory"):
        try:
            with open(os.path.join("/sys/fs/cgroup", folder, "cgroup.procs"), "w", encoding="ascii") as file:
                file.write("0")
        except OSError:
            continue
        return
    raise Denied("no hierarchy")


def _handle(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda targets: _reads(targets[name])


ATTEMPTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "reads_other_version": _handle("other_version"),
    "reads_registry": _handle("registry"),
    "reads_owner_key": _handle("owner_key"),
    "reads_shadow": lambda targets: _reads("/etc/shadow"),
    "lists_home": _lists_home,
    "sees_size_of_key": lambda targets: os.stat(targets["owner_key"]),
    "writes_registry": lambda targets: _writes(targets["registry"]),
    "changes_mode_of_key": lambda targets: os.chmod(targets["owner_key"], 0o644),
    "writes_own_code": lambda targets: _writes(__file__),
    "writes_to_usr": lambda targets: _writes("/usr/bin/troth-escape"),
    "writes_shared_tmp": lambda targets: _reads(targets["public_tmp"]),
    "writes_kernel_settings": lambda targets: _writes("/proc/sys/kernel/core_pattern"),
    "writes_own_maps": lambda targets: _writes("/proc/self/uid_map"),
    "leaves_group": lambda targets: _leaves_group(),
    "reads_environments": lambda targets: _finds_secret_in("environ"),
    "reads_arguments": lambda targets: _finds_secret_in("cmdline"),
    "reads_own_environment": lambda targets: _own_environment(),
    "reads_leaked_descriptor": _leaked_descriptor,
    "connects_tcp": lambda targets: _connects(socket.AF_INET, ("127.0.0.1", targets["tcp"])),
    "connects_tcp6": lambda targets: _connects(socket.AF_INET6, ("::1", targets["tcp6"])),
    "sends_udp": lambda targets: _sends_datagram(socket.AF_INET, ("127.0.0.1", targets["udp"])),
    "connects_path": lambda targets: _connects(socket.AF_UNIX, targets["path"]),
    "connects_abstract": lambda targets: _connects(socket.AF_UNIX, "\0" + targets["abstract"]),
    "sends_to_path": lambda targets: _sends_datagram(socket.AF_UNIX, targets["datagrams"]),
    "sends_to_path_from_pair": lambda targets: _sends_from_pair(socket.SOCK_DGRAM, targets["datagrams"]),
    "sends_to_path_from_raw_pair": lambda targets: _sends_from_pair(socket.SOCK_RAW, targets["datagrams"]),
    "makes_raw_socket": lambda targets: _raw_socket(),
    "makes_netlink_socket": lambda targets: _netlink(),
    "traces_other": lambda targets: _call("ptrace", 16, targets["pid"], 0, 0),
    "traces_child": lambda targets: _traces_child(),
    "reads_memory_of_other": lambda targets: _reads_memory(targets["pid"]),
    "signals_other": lambda targets: os.kill(targets["pid"], 0),
    "signals_server": lambda targets: os.kill(targets["server"], 0),
    "opens_pidfd_of_other": lambda targets: os.pidfd_open(targets["pid"]),
    "sets_processors_of_other": lambda targets: _affinity(targets["pid"]),
    "sets_limits_of_other": lambda targets: _prlimit(targets["pid"]),
    "unshares_user": lambda targets: _unshares("user"),
    "unshares_mount": lambda targets: _unshares("mount"),
    "unshares_network": lambda targets: _unshares("net"),
    "clones_user": lambda targets: _clones("user"),
    "clones3_user": lambda targets: _clones3(),
    "joins_network_of_other": lambda targets: _joins(targets["pid"]),
    "sets_up_io_uring": lambda targets: _call("io_uring_setup", 8, ctypes.create_string_buffer(120)),
    "loads_bpf": lambda targets: _call("bpf", 0, ctypes.create_string_buffer(120), 120),
    "opens_perf_event": lambda targets: _call("perf_event_open", ctypes.create_string_buffer(120), 0, -1, -1, 0),
    "handles_page_faults": lambda targets: _call("userfaultfd", 1),
    "adds_key": lambda targets: _call("add_key", b"user", b"troth", b"x", 1, -2),
    "joins_keyring": lambda targets: _call("keyctl", 1, 0),
    "mounts": lambda targets: _call("mount", b"none", tempfile.gettempdir().encode(), b"tmpfs", 0, None),
    "opens_file_system": lambda targets: _call("fsopen", b"tmpfs", 0),
    "pivots_root": lambda targets: _call("pivot_root", b"/tmp", b"/tmp"),
    "changes_root": lambda targets: _call("chroot", b"/tmp"),
    "opens_by_handle": lambda targets: _call("open_by_handle_at", 0, ctypes.create_string_buffer(64), 0),
    "makes_device": lambda targets: _makes_device(),
    "sets_clock": lambda targets: _call("clock_settime", 0, struct.pack("qq", int(time.time()), 0)),
    "adjusts_clock": lambda targets: _call("adjtimex", ctypes.create_string_buffer(struct.pack("I", 0x4000), 256)),
    "sets_host_name": lambda targets: _call("sethostname", b"troth", 5),
    "loads_module": lambda targets: _call("init_module", 0, 0, b""),
    "reads_kernel_log": lambda targets: _call("syslog", 3, ctypes.create_string_buffer(64), 64),
    "types_into_terminal": lambda targets: _pushes_input(0x5412),
    "types_by_long_number": lambda targets: _pushes_input(0x100005412),
    "pastes_into_terminal": lambda targets: _pushes_input(0x541C),
    "calls_by_other_numbers": lambda targets: _other_numbers(),
    "calls_as_other_architecture": lambda targets: _other_architecture(),
    "attaches_shared_memory": _shared_memory,
    "dumps_core": lambda targets: _dumps_core(),
    "raises_limits": lambda targets: _raises_limits(),
    "becomes_root": lambda targets: _becomes_root(),
    "gains_by_program": lambda targets: _gains_by_program(),
}


def _tried(attempt: Callable[[dict[str, Any]], object], targets: dict[str, Any]) -> str:
    try:
        attempt(targets)
    except Denied as denied:
        return str(denied)
    except OSError as error:
        return error.strerror or str(error) or "failed"
    except ValueError as error:  # what Python makes of a limit that cannot be raised
        return str(error)
    return "done"


# --- bombs: what is taken is told while it is taken, because the taker may not live to tell


def fork_bomb(answer: socket.socket, most: int) -> None:
    made = 0
    try:
        for made in range(1, most + 1):
            if os.fork() == 0:
                answer.close()
                if made % 2:
                    os.setsid()
                time.sleep(60)
                os._exit(0)
    except OSError:
        made -= 1
    answer.sendall(f"{made}\n".encode())
    time.sleep(0.2)


def memory_bomb(answer: socket.socket, most: int) -> None:
    kept = []
    try:
        for taken in range(8 << 20, most + 1, 8 << 20):
            kept.append(mmap.mmap(-1, 8 << 20))
            kept[-1].write(b"x" * (8 << 20))
            answer.sendall(f"{taken}\n".encode())
    except (MemoryError, OSError):
        answer.sendall(b"refused\n")


def disk_bomb(answer: socket.socket, most: int, folder: str) -> None:
    """Several files, so that a limit of each does not end it."""
    taken, number, chunk = 0, 0, b"x" * (1 << 20)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    while taken < most and number < 8:
        number += 1
        try:
            with open(os.path.join(folder, f"bomb-{number}"), "wb", buffering=0) as file:
                while taken < most:
                    taken += file.write(chunk)
        except OSError:
            continue
    answer.sendall(f"{taken}\n".encode())


def main() -> None:
    answer = socket.socket(fileno=int(sys.argv[1]))
    asked = json.loads(sys.argv[2])
    fcntl.fcntl(answer.fileno(), fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    for name, value in asked["limits"].items():
        resource.setrlimit(getattr(resource, name), (value, value))
    if asked["bomb"] == "forks":
        fork_bomb(answer, asked["most"])
    elif asked["bomb"] == "memory":
        memory_bomb(answer, asked["most"])
    elif asked["bomb"] == "disk":
        disk_bomb(answer, asked["most"], tempfile.gettempdir())
    elif asked["bomb"] == "shared":
        disk_bomb(answer, asked["most"], "/dev/shm")
    else:
        chosen = asked["only"] or ATTEMPTS
        found = {name: _tried(attempt, asked["targets"]) for name, attempt in ATTEMPTS.items() if name in chosen}
        answer.sendall(json.dumps({"uid": os.getuid(), "attempts": found}).encode())
    answer.close()


if __name__ == "__main__":
    main()
