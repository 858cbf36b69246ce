"""The link between the server and one of its further fronts: messages of JSON over a socket pair, each with its length before it.

The server tells a front what changed in the registry and what it asked to load; a front tells what was called and how its
workers are. Both ends are processes of ours.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from typing import Any

_LENGTH = struct.Struct("!I")


class Link:
    """One end. Any thread may send; one thread receives."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._guard = threading.Lock()

    def send(self, message: dict[str, Any]) -> bool:
        """Sends one message; False where nobody is there any more."""
        body = json.dumps(message).encode()
        try:
            with self._guard:
                self._end.sendall(_LENGTH.pack(len(body)) + body)
        except OSError:
            return False
        return True

    def receive(self) -> dict[str, Any] | None:
        """The next message, or None where the other end is gone."""
        head = self._exactly(_LENGTH.size)
        body = self._exactly(_LENGTH.unpack(head)[0]) if head else None
        return json.loads(body) if body else None

    def close(self) -> None:
        """Ends the link for both."""
        try:
            self._end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the other end was faster
        self._end.close()

    def _exactly(self, size: int) -> bytes | None:
        found = bytearray()
        while len(found) < size:
            try:
                chunk = self._end.recv(size - len(found))
            except OSError:
                return None
            if not chunk:
                return None
            found += chunk
        return bytes(found)
