"""Unix sockets in folders whose path may be long: the kernel takes 107 bytes of a path, and temporary folders can be deeper."""

from __future__ import annotations

import os
import socket
from pathlib import Path


def bind(listener: socket.socket, path: Path) -> None:
    """Binds a Unix socket to a path of any length, in a folder that is there. Raises OSError."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        listener.bind(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)


def within_reach(path: Path) -> str:
    """A short path of the same socket, for this process, which keeps the folder open for good."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    return f"/proc/self/fd/{folder}/{path.name}"
