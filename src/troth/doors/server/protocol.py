"""uvicorn's HTTP protocol, with calls taken off it before they become ASGI.

A call that comes whole in few pieces needs no task, no event and no queue: its head is read from the parser's callbacks, the
call is started at once, and its reply is written in one piece when it is there. Everything else (other paths, chunked or large
bodies, `Expect`, upgrades, results one by one, and what a client sends before its last call was answered) goes uvicorn's way,
to the same `CallDoor`. `ordinary` is the protocol without this; tests hold both to the same bytes.

This leans on names inside uvicorn (`headers`, `url`, `scope`, `cycle`, `flow`, `pipeline`, `server_state`), which is why its
minor version is pinned.
"""

from __future__ import annotations

import asyncio
import functools
import math
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from troth.doors.algorithmia.answers import Answer
from troth.doors.algorithmia.calls import PREFIX, CallDoor, head_of
from troth.doors.algorithmia.streams import form_of
from troth.runtime.cork import CorkedTransport

if TYPE_CHECKING:
    from troth.doors.algorithmia.exchange import Exchange

_PREFIX = PREFIX.encode()
#: bytes of the largest body that is gathered here, and of the largest head
_LARGEST_BODY, _LARGEST_HEAD = 256 * 1024, 16 * 1024
#: bytes of a body that is copied behind its head, so that both are sent at once
_TOGETHER = 64 * 1024
#: seconds that a client may take for a head, and for a body that is gathered here
_HEAD_SECONDS, _BODY_SECONDS = 20.0, 60.0
#: header names that only uvicorn's way knows what to do with
_UNUSUAL = frozenset([b"expect", b"upgrade", b"transfer-encoding"])


class CorkedProtocol(HttpToolsProtocol):
    """HTTP/1.1 over a transport that sends the pieces of one answer together.

    What is no HTTP is refused behind the answers to what was asked before it, so that nobody takes the one for the other.
    """

    _refusal = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        corked = CorkedTransport(cast(asyncio.Transport, transport), self.loop)
        super().connection_made(cast(asyncio.Transport, corked))

    def data_received(self, data: bytes) -> None:
        if not self._refusal:
            super().data_received(data)

    def send_400_response(self, msg: str) -> None:
        self._refusal = msg
        incomplete = self.cycle is not None and getattr(self.cycle, "more_body", False)
        if incomplete and self.pipeline:
            self.pipeline.popleft()  # the newest, whose own body it is
        elif incomplete or self.cycle is None or self.cycle.response_complete:
            super().send_400_response(msg)

    def on_response_complete(self) -> None:
        was_last = not self.pipeline
        super().on_response_complete()
        if was_last and self._refusal:
            super().send_400_response(self._refusal)


class _Taken:
    """A call that is read or runs on this connection. To uvicorn it is the cycle that is under way."""

    __slots__ = (
        "authorization", "body", "content_type", "disconnected", "exchange", "keep_alive", "message_event", "path", "query",
        "response_complete", "trace",
    )  # fmt: skip

    def __init__(self, path: str, query: bytes, authorization: bytes, content_type: bytes, keep_alive: bool) -> None:
        self.path = path
        self.query = query
        self.authorization = authorization
        self.content_type = content_type
        self.keep_alive = keep_alive
        self.body: list[bytes] = []
        self.exchange: Exchange | None = None
        self.response_complete = False
        self.disconnected = False
        self.message_event = _NOBODY_WAITS
        #: the headers traceparent and tracestate
        self.trace: tuple[bytes, ...] = ()


class _NobodyWaits:
    def set(self) -> None:
        """Wakes nobody."""


_NOBODY_WAITS = _NobodyWaits()


class CallProtocol(CorkedProtocol):
    """The same, which hands calls to their door itself, and closes connections on which a request does not come to its end."""

    def __init__(self, door: CallDoor, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._door = door
        self._reading: _Taken | None = None  # whose body comes
        self._deadline = math.inf  # of what the client has to send next
        self._received = 0  # bytes since the end of the last request
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._expect(_HEAD_SECONDS)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        super().data_received(data)

    def on_message_begin(self) -> None:
        self._deadline = self.loop.time() + _HEAD_SECONDS
        if self.pipeline or (self.cycle is not None and not self.cycle.response_complete):
            super().on_message_begin()
            return
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self.scope = None  # type: ignore[assignment]  # made where it turns out to be needed

    def on_headers_complete(self) -> None:
        self._deadline = math.inf
        if self.scope is None:
            taken = self._taken()
            if taken is not None:
                self._reading = taken
                self.cycle = cast(Any, taken)
                self._deadline = self.loop.time() + _BODY_SECONDS
                return
            headers, url, expect = self.headers, self.url, self.expect_100_continue
            super().on_message_begin()
            self.url, self.expect_100_continue = url, expect
            self.headers += headers  # the list that the scope holds
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._reading is not None:
            self._reading.body.append(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        taken, self._reading = self._reading, None
        self._received = 0
        if taken is None:
            super().on_message_complete()
            return
        self._deadline = math.inf
        respond = functools.partial(self._answer, taken)
        exchange = taken.exchange = self._door.open(taken.path, taken.authorization, respond, *taken.trace)
        body = taken.body[0] if len(taken.body) == 1 else b"".join(taken.body)
        self._door.start(exchange, taken.query, taken.content_type, body)

    def on_response_complete(self) -> None:
        """Begins what waits behind, or gives the client its time to ask for more."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        elif self._refusal:
            HttpToolsProtocol.send_400_response(self, self._refusal)
        else:
            self._expect(self.timeout_keep_alive)

    def connection_lost(self, exc: Exception | None) -> None:
        taken = self.cycle if isinstance(self.cycle, _Taken) else None
        super().connection_lost(exc)
        if self._timer is not None:
            self._timer.cancel()
        if taken is not None and taken.exchange is not None:
            taken.exchange.cancel()

    def _expect(self, seconds: float) -> None:
        """The client has so long. The timer is left to run where it ends sooner: most deadlines only move on."""
        self._deadline = self.loop.time() + seconds
        if self._timer is None:
            self._timer = self.loop.call_at(self._deadline, self._look)
        elif self._timer.when() > self._deadline:
            self._timer.cancel()
            self._timer = self.loop.call_at(self._deadline, self._look)

    def _look(self) -> None:
        if self.loop.time() >= self._deadline:
            self._timer = None
            self.transport.close()
        else:
            self._timer = self.loop.call_at(min(self._deadline, self.loop.time() + _HEAD_SECONDS), self._look)

    def _taken(self) -> _Taken | None:
        """The call that this head begins, or None if it is not for here."""
        if not self.url.startswith(_PREFIX) or b"%" in self.url or self.parser.get_method() != b"POST":
            return None
        authorization = content_type = b""
        size = -1
        for name, value in self.headers:
            if name == b"authorization":
                authorization = value
            elif name == b"content-type":
                content_type = value
            elif name == b"content-length":
                size = int(value)
            elif name in _UNUSUAL or (name == b"accept" and form_of(value) is not None):
                return None
        if not 0 <= size <= min(_LARGEST_BODY, self._door.largest) or self._received > _LARGEST_HEAD + size:
            return None
        if self.parser.get_http_version() != "1.1" or self.parser.should_upgrade():
            return None
        path, _, query = self.url.partition(b"?")
        query, _, fragment = query.partition(b"#")
        if b"#" in path or fragment:
            return None
        keep_alive = self.parser.should_keep_alive()
        taken = _Taken(path.decode("ascii"), query, authorization, content_type, keep_alive)
        if self._door.watch.tracing is not None:
            sent = dict(self.headers)
            taken.trace = sent.get(b"traceparent", b""), sent.get(b"tracestate", b"")
        return taken

    def _answer(self, taken: _Taken, answer: Answer) -> None:
        """Writes a reply, and lets what waits behind it begin."""
        taken.response_complete = True
        if taken.disconnected:
            return
        pieces = [STATUS_LINE[answer.status], _lines(self.server_state.default_headers)]
        for name, value in head_of(answer):
            pieces += (name, b": ", value, b"\r\n")
        pieces.append(b"\r\n" if taken.keep_alive else b"connection: close\r\n\r\n")
        if len(answer.body) <= _TOGETHER:
            pieces.append(answer.body)
            self.transport.write(b"".join(pieces))
        else:
            self.transport.write(b"".join(pieces))
            self.transport.write(answer.body)
        if not taken.keep_alive:
            self.transport.close()
        self.on_response_complete()


_last_lines: tuple[list[tuple[bytes, bytes]], bytes] = ([], b"")


def _lines(headers: list[tuple[bytes, bytes]]) -> bytes:
    """The headers that every reply of this second has; uvicorn makes a new list of them each second."""
    global _last_lines
    if _last_lines[0] is not headers:
        _last_lines = headers, b"".join(b"%b: %b\r\n" % header for header in headers)
    return _last_lines[1]


def protocol_of(door: CallDoor, *, ordinary: bool) -> Any:
    """What uvicorn makes for each connection."""
    return CorkedProtocol if ordinary else functools.partial(CallProtocol, door)
