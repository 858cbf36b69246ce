"""Who is at the other end of a Unix socket."""

from __future__ import annotations

import asyncio
import socket
import struct

from troth.calls.within import PROCESS


def process_of(transport: asyncio.BaseTransport) -> tuple[str, int] | None:
    """The process at the other end of a Unix socket, by this machine's number of it."""
    link = transport.get_extra_info("socket")
    if link is None or link.family != socket.AF_UNIX:
        return None
    number, _, _ = struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return PROCESS, number
