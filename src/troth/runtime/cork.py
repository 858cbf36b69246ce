"""A transport that gathers what is written in one turn of the loop and sends it together.

uvloop sends each write at once, and a system call costs more than everything else on the way of a small call.
"""

from __future__ import annotations

import asyncio
from typing import Any

#: What is written beyond this is sent at once.
_ENOUGH = 64 * 1024


class CorkedTransport:
    """Wraps a transport; all but `write` and `close` is the wrapped one's."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._gathered: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        """Sends `data` when the loop has run what is ready, or now if much was gathered."""
        if not self._gathered:
            self._loop.call_soon(self._send)
        self._gathered.append(data)
        self._size += len(data)
        if self._size > _ENOUGH:
            self._send()

    def write_now(self, data: bytes) -> None:
        """Sends `data`, and what was gathered before it, at once: for what is whole and has nothing to wait for."""
        if self._gathered:
            self._gathered.append(data)
            self._send()
        elif not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Sends what was gathered and closes."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        gathered, self._gathered, self._size = self._gathered, [], 0
        if gathered and not self._transport.is_closing():  # who it was for may be gone by now
            self._transport.write(gathered[0] if len(gathered) == 1 else b"".join(gathered))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
