"""Closed-loop load on one address: each connection sends its next request when the answer to the last has come.

Two generators give the same figures: `own` needs nothing beside Python and checks every answer, `wrk` is the program of
that name, with every answer checked by `bench/post.lua`. Both run on the machine of the server and share its processors.
"""

from __future__ import annotations

import gc
import json
import os
import select
import shutil
import socket
import subprocess
import time
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

_PATIENCE = 10.0
_SCRIPT = Path(__file__).with_name("post.lua")


class LoadFailed(Exception):
    """A server that closed a connection or did not answer in time."""


@dataclass(frozen=True, slots=True)
class Target:
    """One kind of request on 127.0.0.1, and the status and the bytes that every right answer has."""

    port: int
    path: str
    headers: Mapping[str, str]
    body: bytes
    expected: bytes
    method: str = "POST"
    status: int = 200

    def request(self) -> bytes:
        """The whole request as it goes over the wire."""
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += [f"Content-Length: {len(self.body)}", "", ""]
        return "\r\n".join(lines).encode() + self.body


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a load: answers, how many of them were wrong, seconds, and latencies in microseconds."""

    answers: int
    wrong: int
    seconds: float
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds


Generator = Callable[[Target, int, float], Load]


def own(target: Target, connections: int, seconds: float, *, patience: float = _PATIENCE) -> Load:
    """Loads the target from this thread over so many connections for so many seconds, each with one request at least.

    Raises LoadFailed, also where no answer comes for `patience` seconds.
    """
    run = _Run(target, connections, patience)
    collecting = gc.isenabled()
    gc.disable()
    try:
        return run.go(seconds)
    except OSError as error:
        raise LoadFailed(f"port {target.port}: {error}") from error
    finally:
        run.close()
        if collecting:
            gc.enable()


def wrk(target: Target, connections: int, seconds: float) -> Load:
    """The same load by wrk, one thread. Raises LoadFailed."""
    headers = "\n".join(f"{name}: {value}" for name, value in target.headers.items())
    given = {"BENCH_BODY": target.body.decode(), "BENCH_HEADERS": headers, "BENCH_EXPECTED": target.expected.decode()}
    given |= {"BENCH_METHOD": target.method, "BENCH_STATUS": str(target.status)}
    length = max(1, round(seconds))
    command = ["wrk", "-t1", f"-c{connections}", f"-d{length}s", "--timeout", "10s", "-s", str(_SCRIPT)]
    command.append(f"http://127.0.0.1:{target.port}{target.path}")
    done = subprocess.run(
        command, env=os.environ | given, capture_output=True, text=True, check=True, timeout=length + 2 * _PATIENCE
    )
    found = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    if found["errors"] or not found["answers"]:
        raise LoadFailed(f"port {target.port}: {found['errors']} connections failed")
    return Load(found["answers"], found["wrong"], found["microseconds"] / 1e6, found["p50"], found["p99"])


def generator(name: str) -> Generator:
    """The generator of this name. Raises LoadFailed where wrk is asked for and not installed."""
    if name == "wrk" and shutil.which("wrk") is None:
        raise LoadFailed("wrk is not installed; leave --generator out, or install the package of that name")
    return wrk if name == "wrk" else own


class Connection:
    """One connection: when its request left, what is left of it to send, and what has come of the answer."""

    __slots__ = ("missing", "parts", "rest", "sent", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.sent = 0.0
        self.rest = memoryview(b"")
        self.parts: list[bytes] = []
        #: bytes of the answer that are still to come, as far as is known
        self.missing = 0

    def read(self) -> bytes | None:
        """The whole answer, when its last piece has come."""
        data = self.socket.recv(max(65536, self.missing))
        if not data:
            raise LoadFailed("the server closed a connection")
        self.missing -= len(data)
        if self.parts:
            self.parts.append(data)
            if self.missing > 0:
                return None
            data = b"".join(self.parts)
        self.missing = _length(data) - len(data)
        self.parts = [data] if self.missing > 0 else []
        return None if self.missing > 0 else data


class _Run:
    """One load by the own generator."""

    def __init__(self, target: Target, connections: int, patience: float) -> None:
        self._patience = patience
        self._request = target.request()
        self._line, self._expected = f"HTTP/1.1 {target.status} ".encode(), target.expected
        self._poll = select.epoll()
        self._connections: dict[int, Connection] = {}
        for _ in range(connections):
            connection = Connection(target.port)
            self._connections[connection.socket.fileno()] = connection
            self._poll.register(connection.socket, select.EPOLLIN)
        self._latencies = array("d")
        self._wrong = self._waiting = 0
        self._deadline = 0.0

    def go(self, seconds: float) -> Load:
        started = time.perf_counter()
        self._deadline = started + seconds
        for connection in self._connections.values():
            self._send(connection, time.perf_counter())
        while self._waiting:
            events = self._poll.poll(self._patience)
            if not events:
                raise LoadFailed(f"no answer came in {self._patience:g} seconds")
            for descriptor, event in events:
                if event & select.EPOLLOUT:
                    self._send_rest(self._connections[descriptor])
                if event & ~select.EPOLLOUT:
                    self._read(self._connections[descriptor])
        latencies = sorted(self._latencies)
        spent = time.perf_counter() - started
        p50, p99 = (latencies[int(len(latencies) * part)] * 1e6 for part in (0.50, 0.99))
        return Load(len(latencies), self._wrong, spent, p50, p99)

    def close(self) -> None:
        for connection in self._connections.values():
            connection.socket.close()
        self._poll.close()

    def _send(self, connection: Connection, now: float) -> None:
        connection.sent = now
        self._waiting += 1
        sent = connection.socket.send(self._request)
        if sent != len(self._request):
            connection.rest = memoryview(self._request)[sent:]
            self._poll.modify(connection.socket, select.EPOLLIN | select.EPOLLOUT)

    def _send_rest(self, connection: Connection) -> None:
        connection.rest = connection.rest[connection.socket.send(connection.rest) :]
        if not connection.rest:
            self._poll.modify(connection.socket, select.EPOLLIN)

    def _read(self, connection: Connection) -> None:
        data = connection.read()
        if data is None:
            return
        now = time.perf_counter()
        self._latencies.append(now - connection.sent)
        self._waiting -= 1
        if not data.startswith(self._line) or self._expected not in data:
            self._wrong += 1
        if now < self._deadline:
            self._send(connection, now)


def _length(data: bytes) -> int:
    """Bytes of the whole answer that begins with `data`; one more than there are where that is not known yet."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return len(data) + 1
    start = data.find(b"content-length: ", 0, end)
    if start < 0:
        if data.find(b"transfer-encoding: chunked", 0, end) < 0:
            raise LoadFailed("an answer came that does not say how long it is")
        return len(data) + (not data.endswith(b"\r\n0\r\n\r\n"))
    return end + 4 + int(data[start + 16 : data.find(b"\r\n", start)])
