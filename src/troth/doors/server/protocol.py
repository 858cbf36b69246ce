"""uvicorn's HTTP protocol, with calls taken off it before they become ASGI.

A call that comes whole in few pieces needs no task, no event and no queue: its head is read from the parser's callbacks, the
call is started at once, and its reply is written in one piece when it is there. Everything else (other paths, chunked or large
bodies, `Expect`, upgrades, results one by one, and what a client sends before its last call was answered) goes uvicorn's way,
to the same `CallDoor`. `ordinary` is the protocol without this; tests hold both to the same bytes.

This leans on names inside uvicorn (`headers`, `url`, `scope`, `cycle`, `flow`, `pipeline`, `server_state`, `_start_asgi_task`), which is why its
minor version is pinned.
"""

from __future__ import annotations

import asyncio
import functools
import math
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from troth.doors.algorithmia.answers import Answer
from troth.doors.algorithmia.calls import PREFIX, CallDoor
from troth.doors.algorithmia.streams import form_of
from troth.doors.server.departures import Departures
from troth.doors.server.known_heads import KnownHead, known_head
from troth.doors.server.large_bodies import offer
from troth.doors.server.peers import process_of
from troth.runtime.cork import CorkedTransport

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from troth.doors.algorithmia.exchange import Exchange

_PREFIX = PREFIX.encode()
#: bytes of the largest body that is gathered here, and of the largest head
_LARGEST_BODY, _LARGEST_HEAD = 256 * 1024, 16 * 1024
#: bytes of a head that is not waited for to its end
_ENDLESS_HEAD = 256 * 1024
#: bytes of a body that is copied behind its head, so that both are sent at once
_TOGETHER = 64 * 1024
#: bytes a second that a client may not fall below for long, where its body is larger than what is gathered here
_SLOWEST = 10_000
#: header names that only uvicorn's way knows what to do with
_UNUSUAL = frozenset([b"expect", b"upgrade", b"transfer-encoding", b"content-encoding"])


class CorkedProtocol(HttpToolsProtocol):
    """HTTP/1.1 over a transport that sends the pieces of one answer together.

    Connections on which a request does not come to its end are closed. What is no HTTP is refused behind the answers to what
    was asked before it, so that nobody takes the one for the other.
    """

    #: Seconds that a client may take for a head and for a body. A body that is larger than what is gathered here has more: for
    #: each piece what it takes at `_SLOWEST`, but never that long for one piece.
    head_seconds, body_seconds = 20.0, 60.0

    def __init__(self, departures: Departures, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._departures = departures
        self._watch: int | None = None  # while nothing is read
        self._deadline = math.inf  # of what the client has to send next
        self._timer: asyncio.TimerHandle | None = None
        self._refusal = ""
        self._head: int | None = None  # bytes of a head that is not complete, but for what came with its beginning
        self._running: Any = None  # the cycle that is answered now; uvicorn's `cycle` is the newest

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._corked = CorkedTransport(cast(asyncio.Transport, transport), self.loop)
        super().connection_made(cast(asyncio.Transport, self._corked))
        if self.client is None:
            self.client = process_of(transport)
        self._expect(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unwatch()
        if self._timer is not None:
            self._timer.cancel()
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()

    def data_received(self, data: bytes) -> None:
        if self._refusal:
            return
        if self._head is not None:
            self._head += len(data)
            if self._head > _ENDLESS_HEAD:
                self.send_400_response("The head of the request is too large.")
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        self._head = 0
        self._deadline = self.loop.time() + self.head_seconds
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head = None
        self._deadline = self.loop.time() + self.body_seconds
        super().on_headers_complete()
        if self.pipeline and self._watch is None:
            self._watch_out()

    def on_body(self, body: bytes) -> None:
        self.heard(len(body))
        super().on_body(body)

    def heard(self, size: int) -> None:
        """So many bytes of a body came."""
        if not self.cycle.response_complete:
            self._deadline = min(self.loop.time() + self.body_seconds, self._deadline + size / _SLOWEST)

    def on_message_complete(self) -> None:
        if not self.cycle.response_complete:
            self._deadline = math.inf
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Begins what waits behind, or gives the client its time to ask for more."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        self._unwatch()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        elif self._refusal:
            super().send_400_response(self._refusal)
        else:
            self._expect(self.timeout_keep_alive)

    def send_400_response(self, msg: str) -> None:
        self._refusal = msg
        incomplete = self.cycle is not None and getattr(self.cycle, "more_body", False)
        if incomplete and self.pipeline:
            self.pipeline.popleft()  # the newest, whose own body it is
        elif incomplete or self.cycle is None or self.cycle.response_complete:
            super().send_400_response(msg)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        offer(self, cycle)
        super()._start_asgi_task(cycle, app)

    def _watch_out(self) -> None:
        """Nothing more is read, and the client may leave all the same."""
        connection = self.transport.get_extra_info("socket")
        try:
            self._watch = self._departures.watch(connection.fileno(), self._left)
        except OSError:  # no descriptor is left: then it is noticed when something is read again
            self._watch = None

    def _unwatch(self) -> None:
        if self._watch is not None:
            number, self._watch = self._watch, None
            self._departures.forget(number)

    def _left(self, gone: bool) -> None:
        """Ends the connection as its end would that is read."""
        if gone:
            self.transport.abort()
        else:
            self.transport.close()

    def _expect(self, seconds: float) -> None:
        """The client has so long. The timer is left to run where it ends sooner: most deadlines only move on."""
        self._deadline = self.loop.time() + seconds
        if self._timer is None:
            self._timer = self.loop.call_at(self._deadline, self._look)
        elif self._timer.when() > self._deadline:
            self._timer.cancel()
            self._timer = self.loop.call_at(self._deadline, self._look)

    def _look(self) -> None:
        now = self.loop.time()
        if now >= self._deadline and self.flow.read_paused:  # it is not the client who is waited for
            self._deadline = now + self.body_seconds
        if now >= self._deadline:
            self._timer = None
            self.transport.close()
        else:
            self._timer = self.loop.call_at(min(self._deadline, now + self.head_seconds), self._look)


class _Taken:
    """A call that is read or runs on this connection. To uvicorn it is the cycle that is under way."""

    __slots__ = (
        "authorization", "body", "content_type", "disconnected", "exchange", "head", "keep_alive", "message_event", "path", "query",
        "response_complete", "size", "trace",
    )  # fmt: skip

    def __init__(
        self,
        path: str,
        query: bytes,
        authorization: bytes,
        content_type: bytes,
        keep_alive: bool,
        trace: tuple[bytes, ...],
        head: list[tuple[bytes, bytes]],
    ) -> None:
        self.path = path
        self.query = query
        self.authorization = authorization
        self.content_type = content_type
        self.keep_alive = keep_alive
        self.body: list[bytes] = []
        #: the headers, as far as a key's origin has to be looked for in them
        self.head = head
        #: bytes of the body, once it is there
        self.size = 0
        self.exchange: Exchange | None = None
        self.response_complete = False
        self.disconnected = False
        self.message_event = _NOBODY_WAITS
        #: the headers traceparent and tracestate, if there are any
        self.trace = trace

    def again(self) -> _Taken:
        """The same, asked once more."""
        return _Taken(
            self.path, self.query, self.authorization, self.content_type, self.keep_alive, self.trace, self.head
        )


_NOBODY_WAITS = SimpleNamespace(set=lambda: None)


class CallProtocol(CorkedProtocol):
    """The same, which hands calls to their door itself."""

    def __init__(self, departures: Departures, door: CallDoor, *arguments: Any, **options: Any) -> None:
        super().__init__(departures, *arguments, **options)
        self._door = door
        self._reading: _Taken | None = None  # whose body comes
        self._received = 0  # bytes since the end of the last request
        self._known: tuple[KnownHead, _Taken] | None = None  # the head of the call before, and what it meant
        self._whole: _Taken | None = None  # the call that came complete with this piece

    def data_received(self, data: bytes) -> None:
        begins = self._received == 0
        if begins and self._known is not None and self._is_idle() and not self._door.apis.guarded:
            head, meant = self._known
            body = head.body_of(data)
            if body is not None and len(body) <= min(_LARGEST_BODY, self._door.largest):
                self._begin(meant.again(), body)
                return
        self._received += len(data)
        self._whole = None
        super().data_received(data)
        if begins and self._whole is not None:
            head = known_head(data, self._whole.size)
            self._known = (head, self._whole) if head is not None else None

    def _is_idle(self) -> bool:
        """Whether what comes next is the beginning of a request, and nothing waits for an answer."""
        between = self._head is None and self._reading is None and not self._refusal and not self.pipeline
        return between and (self.cycle is None or self.cycle.response_complete)

    def on_message_begin(self) -> None:
        if self.pipeline or (self.cycle is not None and not self.cycle.response_complete):
            super().on_message_begin()
            return
        self._head = 0
        self._deadline = self.loop.time() + self.head_seconds
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self.scope = None  # type: ignore[assignment]  # made where it turns out to be needed

    def on_headers_complete(self) -> None:
        self._head = None
        if self.scope is None:
            taken = self._taken()
            if taken is not None:
                self._reading = taken
                self.cycle = cast(Any, taken)
                self._deadline = self.loop.time() + self.body_seconds
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
        body = taken.body[0] if len(taken.body) == 1 else b"".join(taken.body)
        taken.body = []
        if taken.keep_alive:
            self._whole, taken.size = taken, len(body)
        self._begin(taken, body)

    def _begin(self, taken: _Taken, body: bytes) -> None:
        """Runs a call that is whole."""
        self._deadline = math.inf
        self._running = taken
        self.cycle = cast(Any, taken)
        respond = functools.partial(self._answer, taken)
        exchange = taken.exchange = self._door.open(taken.path, taken.authorization, respond, *taken.trace)
        exchange.peer, exchange.head = self.client, taken.head
        self._door.start(exchange, taken.query, taken.content_type, body)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if isinstance(self._running, _Taken) and self._running.exchange is not None:
            self._running.exchange.cancel()

    def _taken(self) -> _Taken | None:
        """The call that this head begins, or None if it is not for here."""
        if not self.url.startswith(_PREFIX) or b"%" in self.url or self.parser.get_method() != b"POST":
            return None
        authorization = content_type = traceparent = tracestate = b""
        size = -1
        for name, value in self.headers:
            if name == b"authorization":
                authorization = value
            elif name == b"content-type":
                content_type = value
            elif name == b"content-length":
                size = int(value)
            elif name == b"traceparent":
                traceparent = value
            elif name == b"tracestate":
                tracestate = value
            elif name in _UNUSUAL or (name == b"accept" and form_of(value) is not None):
                return None
        if not 0 <= size <= min(_LARGEST_BODY, self._door.largest) or self._received > _LARGEST_HEAD + size:
            return None
        if self.parser.get_http_version() != "1.1" or self.parser.should_upgrade() or self._door.apis.guarded:
            return None
        path, _, query = self.url.partition(b"?")
        query, _, fragment = query.partition(b"#")
        if b"#" in path or fragment:
            return None
        keep_alive = self.parser.should_keep_alive()
        trace = (traceparent, tracestate) if traceparent else ()
        return _Taken(path.decode("ascii"), query, authorization, content_type, keep_alive, trace, self.headers)

    def _answer(self, taken: _Taken, answer: Answer) -> None:
        """Writes a reply, and lets what waits behind it begin."""
        taken.response_complete = True
        taken.exchange = None
        if taken.disconnected:
            return
        body = answer.body
        head = b"%b%bcontent-type: %b\r\ncontent-length: %d\r\n%b%b%b" % (
            STATUS_LINE[answer.status],
            _lines(self.server_state.default_headers),
            answer.content_type,
            len(body),
            answer.lines,
            self._door.apis.call_lines,
            b"\r\n" if taken.keep_alive else b"connection: close\r\n\r\n",
        )
        if len(body) <= _TOGETHER:
            self._corked.write_now(head + body)
        else:
            self.transport.write(head)
            self.transport.write(body)
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
    """What uvicorn makes for each connection of one loop."""
    departures = Departures()
    return (
        functools.partial(CorkedProtocol, departures) if ordinary else functools.partial(CallProtocol, departures, door)
    )
