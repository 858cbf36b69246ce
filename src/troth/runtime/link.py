"""The server's end of one worker: its frames and its output, as asyncio protocols."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from troth.runtime.cork import CorkedTransport
from troth.runtime.redaction import Redaction
from troth.runtime.worker import HEAD, MARK

#: kind, call id, body, seconds of a frame
Deliver = Callable[[int, int, bytes, float], None]


class FrameLink(asyncio.Protocol):
    """Reads frames from a worker and hands each over whole; anything that is no frame ends the link."""

    def __init__(self, deliver: Deliver, lost: Callable[[bool], None], largest: int) -> None:
        self._deliver = deliver
        self._lost = lost
        self._largest = largest
        self._chunks: list[bytes] = []
        self._have = 0
        self._want = HEAD.size
        self._transport: CorkedTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not subclasses of asyncio's
        self._transport = CorkedTransport(cast(asyncio.Transport, transport), asyncio.get_running_loop())

    def send(self, call: int, kind: int, flags: int, body: bytes, before: bytes = b"") -> None:
        """Queues one frame for the worker; `before` is the beginning of its body."""
        assert self._transport is not None
        head = HEAD.pack(len(before) + len(body), call, kind, flags, 0.0) + before
        if len(body) < 65536:
            self._transport.write(head + body)
        else:
            self._transport.write(head)
            self._transport.write(body)

    def close(self) -> None:
        """Ends the link; what was not read is lost."""
        if self._transport is not None:
            self._transport.abort()

    def pause(self) -> None:
        """Leaves what comes next to lie in the socket, so that the worker has to wait."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Reads on after `pause`."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        self._chunks.append(data)
        self._have += len(data)
        while self._have >= self._want:
            # joined only when a whole frame is there: joining each piece would cost the square of its size
            whole = b"".join(self._chunks) if len(self._chunks) > 1 else self._chunks[0]
            size, call, kind, _, seconds = HEAD.unpack_from(whole)
            if size > self._largest:
                self.close()
                return
            end = HEAD.size + size
            if len(whole) < end:
                self._chunks, self._want = [whole], end
                return
            self._chunks, self._have, self._want = [whole[end:]], len(whole) - end, HEAD.size
            self._deliver(kind, call, whole[HEAD.size : end], seconds)

    def connection_lost(self, error: Exception | None) -> None:
        # after a failed write, answers may lie unread; a failed read comes behind them
        self._lost(not isinstance(error, BrokenPipeError))


@dataclass(slots=True)
class _Wanted:
    """One call's output: the marks around it, what was kept so far, and who waits for it."""

    start: bytes
    end: bytes
    done: asyncio.Future[str]
    begun: bool = False
    kept: bytearray = field(default_factory=bytearray)
    cut: int = 0

    def keep(self, printed: bytes, limit: int) -> None:
        room = limit - len(self.kept)
        self.kept += printed[:room]
        self.cut += max(0, len(printed) - room)

    def finish(self, redaction: Redaction) -> None:
        text = redaction.text(self.kept.decode(errors="replace"), cut=bool(self.cut))
        if self.cut:
            text += f"\n... {self.cut} more bytes were printed and left out\n"
        if not self.done.done():
            self.done.set_result(text)


class OutputLink(asyncio.Protocol):
    """Drains what a worker prints, so that no algorithm can fill memory with it; keeps what calls printed that ask for it."""

    #: bytes kept of one call's output, and of the last words before a crash
    LIMIT = 64 * 1024
    LAST_WORDS = 4096

    def __init__(self) -> None:
        #: what must not be read by those who read output
        self.redaction = Redaction()
        self._last = b""
        self._carry = b""
        self._wanted: deque[_Wanted] = deque()
        #: set when the worker and everything it started have closed their output
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def close(self) -> None:
        """Reads no more of it."""
        if self._transport is not None:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)

    def expect(self, call: int) -> asyncio.Future[str]:
        """A future for everything printed during `call`, cut at LIMIT. Output may arrive later than the call's answer."""
        wanted = _Wanted(MARK % (call, 0), MARK % (call, 1), asyncio.get_running_loop().create_future())
        self._wanted.append(wanted)
        return wanted.done

    def forget(self, call: int) -> str:
        """Gives up on a call whose output never came to its end; what there was of it."""
        start = MARK % (call, 0)
        given_up = [wanted for wanted in self._wanted if wanted.start == start]
        self._wanted = deque(wanted for wanted in self._wanted if wanted.start != start)
        return self.redaction.text(given_up[0].kept.decode(errors="replace"), cut=True) if given_up else ""

    def last_words(self) -> str:
        """The end of the output so far."""
        return self.redaction.text(self._last.decode(errors="replace"), cut=True)

    def data_received(self, data: bytes) -> None:
        self._last = (
            (self._last + data)[-self.LAST_WORDS :] if len(data) < self.LAST_WORDS else data[-self.LAST_WORDS :]
        )
        data = self._carry + data
        self._carry = b""
        while self._wanted:
            wanted = self._wanted[0]
            if not wanted.begun:
                before, found, data = data.partition(wanted.start)
                if not found:
                    self._carry = before[-len(wanted.start) :]
                    return
                wanted.begun = True
            printed, found, data = data.partition(wanted.end)
            if not found:
                wanted.keep(printed[: -len(wanted.end)], self.LIMIT)
                self._carry = printed[-len(wanted.end) :]
                return
            wanted.keep(printed, self.LIMIT)
            wanted.finish(self.redaction)
            self._wanted.popleft()
