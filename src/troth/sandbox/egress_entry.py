"""Stands before a program with network access: starts the relay beside it. Standard library only.

Run as `python -I -S -B egress_entry.py PORT BROKER RELAY PROGRAM ARGUMENTS...`: it listens at 127.0.0.1:PORT, leaves a process
behind that becomes the relay, and becomes the program. It imports little, because the program waits for it.
"""

from __future__ import annotations

import os
import socket
import sys
from typing import NoReturn

_WAITING = 64


def _become_relay(listener: socket.socket, broker: str, relay: str) -> NoReturn:
    """Serves for as long as the sandbox lives, with nothing that is the program's."""
    os.setsid()
    kept = os.dup2(listener.fileno(), 3)
    os.set_inheritable(kept, True)
    os.closerange(4, 65536)
    nothing = os.open("/dev/null", os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    os.execv(sys.executable, [sys.executable, "-I", "-S", "-B", relay, str(kept), broker])


def main() -> NoReturn:
    port, broker, relay, argv = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]
    listener = socket.create_server(("127.0.0.1", port), backlog=_WAITING)
    child = os.fork()
    if child == 0:
        if os.fork() == 0:
            _become_relay(listener, broker, relay)
        os._exit(0)
    os.waitpid(child, 0)  # the one that stays is no child of the program
    listener.close()
    os.execv(argv[0], argv)


if __name__ == "__main__":
    main()
