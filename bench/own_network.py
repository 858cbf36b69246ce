"""Servers that listen on every address whatever they are told are run in a network that has only loopback.

Run as `python -m bench.own_network COMMAND...`: becomes the command, in a new network. Needs root.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_CLONE_NEWNET = 0x40000000
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 0x1
_libc = ctypes.CDLL(None, use_errno=True)


def possible() -> bool:
    """Whether this user may make networks and enter them."""
    return os.geteuid() == 0


@contextmanager
def inside_network_of(process_id: int) -> Iterator[None]:
    """This thread, and what it starts, in the network of a process."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        there = os.open(f"/proc/{process_id}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _enter(there)
        finally:
            os.close(there)
        try:
            yield
        finally:
            _enter(home)
    finally:
        os.close(home)


def _enter(network: int) -> None:
    _checked(_libc.setns(network, _CLONE_NEWNET))


def _checked(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def main() -> None:
    _checked(_libc.unshare(_CLONE_NEWNET))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
