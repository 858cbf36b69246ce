"""Large bodies that are read straight into the memory from which they are written to files.

What goes uvicorn's way is copied four times between the socket and the application, in pieces whose memory is new each time. Of a
body whose length was announced nothing has to be parsed: while it comes, its reader takes the protocol's place on the connection.
The reader stays there until the last byte of the body, wanted or not, so that nothing of it is taken for the next request.
"""

from __future__ import annotations

import asyncio
import functools
from collections import deque
from typing import TYPE_CHECKING

import httptools
from starlette.requests import ClientDisconnect

from troth.doors.algorithmia.data_streams import LARGE_BODY, TAKE

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from troth.doors.server.protocol import CorkedProtocol

#: bytes of a body that is worth it
_LARGE = 1 << 20
#: bytes of a buffer, and how many there are at most for one body: one is filled, one waits, one is written
_SIZE, _BUFFERS = 1 << 20, 3


class LargeBody(asyncio.BufferedProtocol):
    """A body piece by piece, `left` bytes of which are not read yet."""

    def __init__(self, protocol: CorkedProtocol, cycle: RequestResponseCycle, left: int) -> None:
        self._protocol = protocol
        self._cycle = cycle
        self._left = left
        self._wanted = True
        self._changed = asyncio.Event()
        #: what came with the head first, which is copied
        self._full = deque([memoryview(bytes(cycle.body))] if cycle.body else [])
        self._given: deque[memoryview] = deque(maxlen=2)
        self._free: list[memoryview] = []
        self._made = self._filled = 0
        self._into: memoryview | None = None  # the buffer that is filled
        cycle.body = bytearray()

    async def piece(self) -> memoryview | None:
        """What comes next, or None at the end. It is good until the piece after the next is asked for.

        Raises ClientDisconnect where the body does not come to its end.
        """
        if len(self._given) == 2:
            self._given_back(self._given.popleft())
        while not self._full:
            if self._left == 0:
                return None
            if self._cycle.disconnected:
                raise ClientDisconnect
            self._read_on()
            self._changed.clear()
            await self._changed.wait()
        self._read_on()
        self._given.append(self._full.popleft())
        return self._given[-1]

    def release(self) -> None:
        """Nobody reads what was given any more, and what is still to come is forgotten."""
        self._wanted = False
        self._full.clear()
        self._given.clear()
        self._free.clear()
        self._filled = 0
        self._into = self._into or memoryview(bytearray(_SIZE))

    def get_buffer(self, sizehint: int) -> memoryview:
        assert self._into is not None
        return self._into[self._filled : min(_SIZE, self._filled + self._left)]

    def buffer_updated(self, nbytes: int) -> None:
        self._left -= nbytes
        self._protocol.heard(nbytes)
        if self._wanted:
            self._filled += nbytes
            if self._filled == _SIZE or self._left == 0:
                self._filled_up()
        if self._left == 0:
            self._ended()

    def eof_received(self) -> None:
        self._protocol.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._protocol.connection_lost(exc)
        self._changed.set()

    def pause_writing(self) -> None:
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._protocol.resume_writing()

    def _filled_up(self) -> None:
        assert self._into is not None
        self._full.append(self._into[: self._filled])
        self._into, self._filled = None, 0
        if self._left and not self._find_buffer():
            self._protocol.flow.pause_reading()
        self._changed.set()

    def _read_on(self) -> None:
        if self._left and self._find_buffer():
            self._protocol.flow.resume_reading()

    def _find_buffer(self) -> bool:
        """Whether there is a buffer to read into."""
        if self._into is None and self._free:
            self._into = self._free.pop()
        elif self._into is None and self._made < _BUFFERS:
            self._made += 1
            self._into = memoryview(bytearray(_SIZE))
        return self._into is not None

    def _given_back(self, piece: memoryview) -> None:
        if not piece.readonly:
            self._free.append(memoryview(piece.obj))

    def _ended(self) -> None:
        """Gives the connection back to its protocol, whose parser begins with the next request."""
        protocol = self._protocol
        protocol.parser = httptools.HttpRequestParser(protocol)
        protocol.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        protocol.transport.set_protocol(protocol)
        protocol.on_message_complete()


def offer(protocol: CorkedProtocol, cycle: RequestResponseCycle) -> None:
    """Lets the application of this request take its body so."""
    if cycle.scope["method"] == "PUT":
        cycle.scope["extensions"] = {LARGE_BODY: {TAKE: functools.partial(_taken, protocol, cycle)}}


def _taken(protocol: CorkedProtocol, cycle: RequestResponseCycle) -> LargeBody | None:
    """The body, of which the application received nothing yet; None where its length is not known or not worth it."""
    head = dict(cycle.scope["headers"])
    left = int(head.get(b"content-length", b"0")) - len(cycle.body)
    if cycle is not protocol.cycle or not cycle.more_body or left < _LARGE or b"transfer-encoding" in head:
        return None
    if cycle.disconnected or cycle.response_complete or protocol.transport.is_closing():
        return None
    if cycle.waiting_for_100_continue:
        protocol.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        cycle.waiting_for_100_continue = False
    body = LargeBody(protocol, cycle, left)
    if not protocol.flow.read_paused:
        protocol.flow.pause_reading()  # until a piece is asked for
    protocol.transport.set_protocol(body)
    return body
