"""The same bytes sent to both ways into one server, and what comes back from each."""

from __future__ import annotations

import asyncio
import re
import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from tests.server import RunningServer
from troth.doors.server.application import Application
from troth.doors.server.protocol import protocol_of
from troth.doors.server.serve import listen

#: seconds without a byte, when the server waits for more, after which answers are taken for whole; and that this may take
_QUIET, _PATIENCE = 0.02, 60.0
_CHANGING = [
    (re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), b"ID"),
    (re.compile(rb'"duration":[-+.0-9e]+'), b'"duration":SECONDS'),
    (re.compile(rb"\r\ndate: [^\r\n]*"), b"\r\ndate: DATE"),
]

Address = tuple[str, int]


@dataclass(frozen=True)
class Ways:
    """Two ways into one server: calls are taken off the connection on the first, and go through ASGI on the second."""

    loop: asyncio.AbstractEventLoop
    fronts: tuple[uvicorn.Server, uvicorn.Server]
    addresses: tuple[Address, Address]

    def answers(self, *parts: bytes, apart: bool = False) -> tuple[list[bytes], list[bytes]]:
        """What both answer to these parts, each sent by itself: the replies without what differs from call to call.

        A part waits for the answers to those before it where they are sent `apart`.
        """
        connections = [socket.create_connection(address, timeout=_PATIENCE) for address in self.addresses]
        received = {connection: bytearray() for connection in connections}
        waiting = set(connections)
        try:
            for part in parts:
                for connection in connections:
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    _send(connection, part)
                if apart:
                    self._gather(waiting, received)
                else:
                    _read(waiting, received, 0.002 if len(parts) > 1 else 0.0)
            self._gather(waiting, received)
        finally:
            for connection in connections:
                connection.close()
        first, second = (replies(bytes(one)) for one in received.values())
        return first, second

    def same(self, *parts: bytes, apart: bool = False) -> list[bytes]:
        """The replies, which have to be the same."""
        direct, ordinary = self.answers(*parts, apart=apart)
        assert direct == ordinary, f"\n{parts}\ndirect:   {direct}\nordinary: {ordinary}"
        return direct

    def _gather(self, waiting: set[socket.socket], received: dict[socket.socket, bytearray]) -> None:
        """Takes what comes until both have closed, or both wait for the client."""
        deadline = time.monotonic() + _PATIENCE
        while waiting and time.monotonic() < deadline:
            if not _read(waiting, received, _QUIET) and self._wait() and not _read(waiting, received, _QUIET):
                return

    def _wait(self) -> bool:
        """Whether every connection waits for what the client sends next."""

        async def look() -> bool:
            for _ in range(3):
                await asyncio.sleep(0)
            return all(_waits(one) for front in self.fronts for one in front.server_state.connections)

        return asyncio.run_coroutine_threadsafe(look(), self.loop).result(_PATIENCE)


def _waits(protocol: Any) -> bool:
    cycle = protocol.cycle
    if protocol.pipeline:
        return False
    if cycle is None or cycle.response_complete or getattr(protocol, "_reading", None) is not None:
        return True
    return getattr(cycle, "more_body", False) and not cycle.body


@contextmanager
def both_ways(server: RunningServer, *, seconds: float | None = None) -> Iterator[Ways]:
    """A running server with two more listeners, one for each way of calls; clients of these have so many seconds for a request."""
    application = Application(server.server)
    listeners = [listen("127.0.0.1", 0), listen("127.0.0.1", 0)]
    direct, ordinary = (uvicorn.Server(_config(application, ordinary, seconds)) for ordinary in (False, True))
    serving = [
        asyncio.run_coroutine_threadsafe(front.serve(sockets=[listener]), server.loop)
        for front, listener in zip((direct, ordinary), listeners, strict=True)
    ]
    first, second = (listener.getsockname() for listener in listeners)
    try:
        yield Ways(server.loop, (direct, ordinary), (first, second))
    finally:
        direct.should_exit = ordinary.should_exit = True
        for one in serving:
            one.result(_PATIENCE)


def _config(application: Application, ordinary: bool, seconds: float | None) -> uvicorn.Config:
    made = protocol_of(application.calls, ordinary=ordinary)
    chosen: Any = made

    def impatient(*arguments: Any, **options: Any) -> Any:
        found = made(*arguments, **options)
        found.head_seconds = found.body_seconds = seconds
        return found

    if seconds is not None:
        chosen = impatient
    return uvicorn.Config(
        application,
        http=chosen,
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="critical",
        proxy_headers=False,
        server_header=False,
    )


def replies(received: bytes) -> list[bytes]:
    """Each reply of a connection, with request ids, durations and dates replaced, and lengths that fit what is there then.

    What does not look like a reply is one of its own, as it came.
    """
    found: list[bytes] = []
    while received:
        head, separator, rest = received.partition(b"\r\n\r\n")
        body, after = _body(head + b"\r\n", rest)
        if not separator or not head.startswith(b"HTTP/1.1 ") or body is None:
            return [*found, received]
        body = _settled(body)
        head = re.sub(rb"\r\ncontent-length: \d+", b"\r\ncontent-length: %d" % len(body), _settled(head))
        found.append(head + separator + body)
        received = after
    return found


def _body(head: bytes, rest: bytes) -> tuple[bytes | None, bytes]:
    """The body of a reply and what follows it; each chunk of a chunked one on a line of its own."""
    if not rest or rest.startswith(b"HTTP/1.1 "):
        return b"", rest  # to HEAD, or no final reply
    if (length := re.search(rb"\r\ncontent-length: (\d+)\r\n", head)) is not None:
        size = int(length[1])
        return (rest[:size], rest[size:]) if len(rest) >= size else (None, rest)
    if b"\r\ntransfer-encoding: chunked\r\n" not in head:
        return b"", rest
    chunks = b""
    while True:
        line, separator, rest = rest.partition(b"\r\n")
        if not separator:
            return None, rest
        size = int(line, 16)
        chunks += b"chunk " + rest[:size] + b"\r\n"
        rest = rest[size + 2 :]
        if not size:
            return chunks, rest


def _settled(text: bytes) -> bytes:
    for pattern, instead in _CHANGING:
        text = pattern.sub(instead, text)
    return text


def _send(connection: socket.socket, part: bytes) -> None:
    try:
        connection.sendall(part)
    except (BrokenPipeError, ConnectionResetError):
        pass  # it was refused before its end


def _read(waiting: set[socket.socket], received: dict[socket.socket, bytearray], seconds: float) -> bool:
    """Takes what is there, or comes within so many seconds; whether anything came."""
    ready, _, _ = select.select(list(waiting), [], [], seconds) if waiting else ([], [], [])
    for connection in ready:
        try:
            chunk = connection.recv(1 << 20)
        except ConnectionResetError:
            chunk = b""
        received[connection] += chunk
        if not chunk:
            waiting.discard(connection)
    return bool(ready)
