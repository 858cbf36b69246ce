"""Bytes of files in and out, a few pieces in memory at a time whatever their size."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive as ASGIReceive
from starlette.types import Scope
from starlette.types import Send as ASGISend

from troth.artifacts.blobs import Upload

Result = TypeVar("Result")
#: ASGI extension by which a body of known length is read without copies (`troth.doors.server.large_bodies`), and in it the
#: function that gives the body
LARGE_BODY, TAKE = "troth.large_body", "take"
#: bytes that are handed to a thread together
_BATCH = 1 << 20
_PIECE = 512 * 1024
#: bytes of a body that nobody has a right to send and that are still read, so that the client hears why
PATIENCE = 64 << 20
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.ASCII)


class _LargeBody(Protocol):
    """What the server's protocol gives for `LARGE_BODY`, as is said there."""

    async def piece(self) -> memoryview | None: ...

    def release(self) -> None: ...


class TooMuch(Exception):
    """More came than there is room for."""


async def received(request: Request, upload: Upload, threads: ThreadPoolExecutor, room: int | None) -> None:
    """Writes a body into an upload: one batch is written while the next one comes.

    Raises TooMuch where it has more than `room` bytes, and ClientDisconnect where it does not come to its end.
    """
    loop = asyncio.get_running_loop()
    writing: asyncio.Future[None] | None = None
    request.state.begun = True
    body = _large(request)
    try:
        async with aclosing(_gathered(request, room) if body is None else _pieces(body, room)) as batches:
            async for batch in batches:
                if writing is not None:
                    await writing
                writing = loop.run_in_executor(threads, upload.write, batch)
    finally:
        if writing is not None:
            await asyncio.wait([writing])  # nothing writes to what is closed next
        if body is not None:
            body.release()
    if writing is not None:
        writing.result()


def _large(request: Request) -> _LargeBody | None:
    """The body by the extension, if the server has it and the body is one for it."""
    offered = request.scope.get("extensions", {}).get(LARGE_BODY)
    body: _LargeBody | None = offered[TAKE]() if offered else None
    return body


async def _gathered(request: Request, room: int | None) -> AsyncGenerator[list[bytes]]:
    pieces: list[bytes] = []
    size = gathered = 0
    async for piece in request.stream():
        size, gathered = size + len(piece), gathered + len(piece)
        if room is not None and size > room:
            raise TooMuch
        pieces.append(piece)
        if gathered >= _BATCH:
            yield pieces
            pieces, gathered = [], 0
    if pieces:
        yield pieces


async def _pieces(body: _LargeBody, room: int | None) -> AsyncGenerator[list[memoryview]]:
    size = 0
    while (piece := await body.piece()) is not None:
        size += len(piece)
        if room is not None and size > room:
            raise TooMuch
        yield [piece]


async def drained(request: Request, most: int | None = None) -> None:
    """Reads what is left of a body and forgets it: many clients hear of an answer only when they have sent everything."""
    if request.headers.get("expect") and not getattr(request.state, "begun", False):
        return  # the client waits for a sign
    size = 0
    try:
        async for piece in request.stream():
            size += len(piece)
            if most is not None and size > most:
                return
    except (ClientDisconnect, RuntimeError):  # the client is gone, or everything was read
        return


@dataclass(frozen=True, slots=True)
class Content:
    """Where the bytes of a file are read from; whoever has sent them closes it."""

    threads: ThreadPoolExecutor
    file: int


class FileResponse(Response):
    """An answer with a part of a file, read ahead of the client by one piece. Without content it tells the head alone."""

    def __init__(self, status: int, headers: Mapping[str, str], start: int, length: int) -> None:
        super().__init__(status_code=status)
        self.raw_headers = [(name.encode(), value.encode()) for name, value in headers.items()]
        self.content: Content | None = None
        self._start, self._end = start, start + length

    async def __call__(self, scope: Scope, receive: ASGIReceive, send: ASGISend) -> None:
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if self.content is None or self._start == self._end:
                await send({"type": "http.response.body", "body": b""})
            else:
                gone = asyncio.ensure_future(_gone(receive))
                try:
                    await self._sent(send, gone)
                finally:
                    gone.cancel()
        finally:
            if self.content is not None:
                os.close(self.content.file)

    async def _sent(self, send: ASGISend, gone: asyncio.Future[None]) -> None:
        start, ahead = self._start, self._read(self._start)
        try:
            while not gone.done():
                piece = await ahead
                start += len(piece)
                more = start < self._end and bool(piece)
                if more:
                    ahead = self._read(start)
                await send({"type": "http.response.body", "body": piece, "more_body": more})
                if not more:
                    return
        finally:
            await asyncio.wait([ahead])  # nothing reads from what is closed next

    def _read(self, start: int) -> asyncio.Future[bytes]:
        assert self.content is not None
        size = min(_PIECE, self._end - start)
        return asyncio.get_running_loop().run_in_executor(
            self.content.threads, os.pread, self.content.file, size, start
        )


def range_of(header: str, size: int) -> tuple[int, int] | None:
    """(first byte, number of bytes) of a range; None where all is meant, as for several ranges (RFC 9110, section 14).

    Raises ValueError for a range that begins behind the end.
    """
    found = _RANGE.fullmatch(header.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        length = min(int(found[2]), size)
        if length == 0:
            raise ValueError(header)
        return size - length, length
    first = int(found[1])
    last = min(int(found[2]), size - 1) if found[2] else size - 1
    if found[2] and int(found[2]) < first:
        return None
    if first >= size:
        raise ValueError(header)
    return first, last - first + 1


async def _gone(receive: ASGIReceive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def in_thread(threads: ThreadPoolExecutor, work: Callable[..., Result], *arguments: Any) -> Result:
    """What `work` returns, from a thread."""
    return await asyncio.get_running_loop().run_in_executor(threads, work, *arguments)
