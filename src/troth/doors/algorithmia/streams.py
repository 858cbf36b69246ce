"""Calls whose results come one by one: NDJSON and server-sent events, no faster than the client reads.

Each line of NDJSON is an object: `result` holds one of the results; the last line has `metadata`, and `error` beside it where
the call failed. The events are called `result`, `end` and `error`, with the same objects as data. A client that leaves stops the
worker.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from troth.doors.algorithmia import answers
from troth.doors.algorithmia.answers import compact, fields
from troth.errors import TrothError
from troth.runtime.engine import CallRequest, CallResult, Outcome

if TYPE_CHECKING:
    from troth.doors.algorithmia.calls import Receive, Send
    from troth.doors.algorithmia.exchange import Exchange

#: bytes that may wait for the client before the worker is held, and with which it goes on
_HIGH, _LOW = 256 * 1024, 64 * 1024


class Lines:
    """One JSON object a line."""

    content_type = b"application/x-ndjson"

    @staticmethod
    def result(item: bytes) -> bytes:
        return b'{"result":%b}\n' % item

    @staticmethod
    def last(document: dict[str, Any]) -> bytes:
        return compact(document) + b"\n"


class Events:
    """Server-sent events, as the HTML standard has them."""

    content_type = b"text/event-stream"

    @staticmethod
    def result(item: bytes) -> bytes:
        return b'event: result\ndata: {"result":%b}\n\n' % item

    @staticmethod
    def last(document: dict[str, Any]) -> bytes:
        name = b"error" if "error" in document else b"end"
        return b"event: %b\ndata: %b\n\n" % (name, compact(document))


Form = type[Lines] | type[Events]


def form_of(accept: bytes) -> Form | None:
    """How the client wants results one by one; None if it does not ask for that."""
    kinds = {kind.partition(b";")[0].strip().lower() for kind in accept.split(b",")}
    if Events.content_type in kinds:
        return Events
    return Lines if kinds & {Lines.content_type, b"application/ndjson"} else None


class Waiting:
    """Results that the client has not taken yet, and the end."""

    def __init__(self) -> None:
        self.items: deque[bytes] = deque()
        self.size = 0
        self.held = False
        self.end: CallResult | TrothError | None = None
        self._more = asyncio.Event()

    def take(self, item: bytes) -> bool:
        """Keeps a result; whether there is room for another."""
        self.items.append(item)
        self.size += len(item)
        self._more.set()
        self.held = self.size > _HIGH
        return not self.held

    def settle(self, found: CallResult | TrothError) -> None:
        """Nothing more comes."""
        self.end = found
        self._more.set()

    async def next(self) -> bytes | None:
        """The next result, or None behind the last."""
        while not self.items and self.end is None:
            self._more.clear()
            await self._more.wait()
        if not self.items:
            return None
        item = self.items.popleft()
        self.size -= len(item)
        return item


async def stream(exchange: Exchange, request: CallRequest, form: Form, receive: Receive, send: Send) -> None:
    """Runs a call and sends its results as they come."""
    waiting = Waiting()
    assert exchange.route is not None
    ticket = exchange.door.engine.submit(exchange.route.spec, request, waiting.settle, waiting)
    exchange.ticket = ticket
    sending = asyncio.ensure_future(_send(exchange, waiting, form, send))
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait([sending, leaving], return_when=asyncio.FIRST_COMPLETED)
        if not sending.done():
            exchange.cancel()
        else:
            sending.result()
    finally:
        leaving.cancel()
        sending.cancel()
        request.origin = None  # which holds the exchange, which holds the ticket


async def _send(exchange: Exchange, waiting: Waiting, form: Form, send: Send) -> None:
    item = await waiting.next()
    headers = [(b"content-type", form.content_type), (b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no")]
    await send({"type": "http.response.start", "status": 200, "headers": [*headers, *fields(exchange.lines())]})
    while item is not None:
        await send({"type": "http.response.body", "body": form.result(item), "more_body": True})
        if waiting.held and waiting.size < _LOW:
            waiting.held = False
            exchange.ticket.resume()  # type: ignore[union-attr]
        item = await waiting.next()
    exchange.replied = True
    await send({"type": "http.response.body", "body": form.last(_last(exchange, waiting.end))})


def _last(exchange: Exchange, end: CallResult | TrothError | None) -> dict[str, Any]:
    """The metadata behind the results, and the error if there is one."""
    result = end if isinstance(end, CallResult) else None
    metadata = {"duration": result.seconds if result else 0.0, "request_id": exchange.request_id}
    if result is not None and not result.failed:
        exchange.record(Outcome.OK, result)
        return {"metadata": metadata}
    error = answers.call_error(end) if isinstance(end, TrothError) else exchange.failure(result)  # type: ignore[arg-type]
    exchange.record(error.outcome, result, error)
    return {"error": error.described(), "metadata": metadata}


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
