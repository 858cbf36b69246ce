"""Clients that connect and say little: `python idle_clients.py HOST PORT COUNT`. Standard library only.

A process of its own, because one may not have as many descriptors open as both ends need. Half of the clients send nothing, half
the beginning of a request. Prints `open` when all are connected, waits for a line, and prints how many still are.
"""

from __future__ import annotations

import resource
import socket
import struct
import sys

_HEAD = b"POST /v1/algo/a/b HTTP/1.1\r\nHost: troth\r\n"


def main() -> None:
    host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    clients = []
    for number in range(count):
        client = socket.create_connection((host, port))
        client.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )  # leaves no port behind in TIME_WAIT
        client.setblocking(False)
        if number % 2:
            client.send(_HEAD)
        clients.append(client)
    print("open", flush=True)
    sys.stdin.readline()
    print(sum(_is_open(client) for client in clients), flush=True)
    sys.stdin.readline()


def _is_open(client: socket.socket) -> bool:
    try:
        return bool(client.recv(1))
    except BlockingIOError:
        return True
    except OSError:
        return False


if __name__ == "__main__":
    main()
