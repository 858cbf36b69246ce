"""The ceiling: what can be had by hand from the same parser, the same loop and the same worker as troth's.

One `asyncio.Protocol` on uvloop with httptools' parser. It checks the caller's key, looks the version up and hands the body
to troth's worker program, confined as troth confines it; it has no ASGI, no limits of time or size, no queue, no receipts, no
counts, and answers nothing but calls. troth is measured by how near it comes.

Run as `python -m bench.handrolled KEY FOLDER`: serves `/v1/algo/bench/echo/0.1.0` with the algorithm in FOLDER on a free port
of 127.0.0.1 and prints its address.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import socket
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import cast

import httptools
import uvloop

from troth.runtime import worker
from troth.runtime.endings import Failure
from troth.runtime.engine import Loaded, VersionSpec
from troth.runtime.zygote import Zygote
from troth.sandbox.launcher import Launcher, Limits, find_bubblewrap
from troth.settings import Settings

PATH = b"/v1/algo/bench/echo/0.1.0"
_HEAD = worker.HEAD
_SIZE = _HEAD.size
_KINDS = {worker.TEXT: b"text", worker.JSON: b"json", worker.BINARY: b"binary"}
_PLAIN = b"HTTP/1.1 %b\r\ncontent-length: 0\r\n\r\n"


class Worker(asyncio.Protocol):
    """One worker: calls go in as they come, answers come back in the same order."""

    def __init__(self) -> None:
        self._waiting: deque[Connection] = deque()
        self._gathered: list[bytes] = []
        self._received = b""
        self._soon = asyncio.get_running_loop().call_soon
        self._transport: asyncio.WriteTransport | None = None

    async def start(self, folder: Path) -> None:
        """Starts it as troth does and takes its link over. All that depends on how troth starts workers is here."""
        settings = Settings()
        bubblewrap = find_bubblewrap()
        # kept: what it gave its workers is taken back when it is gone
        self._launcher = launcher = Launcher(
            worker_uid=settings.worker_uid, service_uid=settings.service_uid, bubblewrap=bubblewrap
        )
        spec = VersionSpec("echo", "echo", "", "", "src/echo.py", "", "isolated")
        self._zygote = Zygote(spec, largest=64 << 20, gone=lambda zygote: None, known={})
        failure = await self._zygote.start(launcher, Loaded(folder, None), Limits(), check=False, seconds=60)
        found = failure or await self._zygote.worker(
            ready=lambda process: None, gone=lambda process, calls: None, waiting=lambda: None
        )
        if isinstance(found, Failure):
            raise SystemExit(found.message)
        link = found._link._transport
        assert link is not None
        link.set_protocol(self)
        self._transport = cast(asyncio.WriteTransport, link._transport)

    def call(self, connection: Connection, body: bytes) -> None:
        """Hands it a body of JSON; `answer` of the connection is called with what comes of it."""
        self._waiting.append(connection)
        if not self._gathered:
            self._soon(self._send)  # what comes in one turn of the loop goes out in one write
        self._gathered.append(_HEAD.pack(len(body), 1, worker.JSON, 0, 0.0) + body)

    def _send(self) -> None:
        assert self._transport is not None
        gathered, self._gathered = self._gathered, []
        self._transport.write(b"".join(gathered))

    def data_received(self, data: bytes) -> None:
        if self._received:
            data = self._received + data
        start, length = 0, len(data)
        while length - start >= _SIZE:
            size, _, kind, _, seconds = _HEAD.unpack_from(data, start)
            end = start + _SIZE + size
            if end > length:
                break
            self._waiting.popleft().answer(kind, data[start + _SIZE : end], seconds)
            start = end
        self._received = data[start:]


class Connection(asyncio.Protocol):
    """One connection of a caller; its requests are answered one after the other."""

    __slots__ = ("_body", "_keys", "_parser", "_seen", "_transport", "_version", "_versions", "_who", "_write")

    def __init__(self, keys: dict[bytes, str], seen: dict[bytes, str], versions: dict[bytes, Worker]) -> None:
        self._keys = keys
        self._seen = seen
        self._versions = versions
        self._parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._write: Callable[[bytes], object] = self._transport.write
        self._body = b""
        self._who: str | None = None

    def connection_lost(self, error: Exception | None) -> None:
        self._write = _nobody

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse(b"400 Bad Request")
            self._transport.close()

    def on_url(self, url: bytes) -> None:
        self._version = self._versions.get(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(name) == 13 and name.lower() == b"authorization":
            self._who = self._seen.get(value) or self._checked(value)

    def _checked(self, value: bytes) -> str | None:
        """The caller by the hash of the key, kept by the header as it came: one entry for each good key."""
        who = self._keys.get(hashlib.sha256(value[7:]).digest())
        if who is not None and value[:7] == b"Simple ":
            self._seen[value] = who
            return who
        return None

    def on_body(self, body: bytes) -> None:
        self._body = self._body + body if self._body else body

    def on_message_complete(self) -> None:
        body, self._body = self._body, b""
        who, self._who = self._who, None
        if who is None:
            self._refuse(b"401 Unauthorized")
        elif self._version is None:
            self._refuse(b"404 Not Found")
        else:
            self._version.call(self, body)

    def answer(self, kind: int, body: bytes, seconds: float) -> None:
        """Sends what came of a call."""
        if kind not in _KINDS:
            self._refuse(b"500 Internal Server Error")
            return
        content_type = _KINDS[kind]
        tail = b',"metadata":{"duration":%.9f,"content_type":"%b"}}' % (seconds, content_type)
        self._write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
            b'{"result":%b%b' % (10 + len(body) + len(tail), body, tail)
        )

    def _refuse(self, status: bytes) -> None:
        self._write(_PLAIN % status)


def _nobody(data: bytes) -> None:
    """Where the answers of a caller go who left."""


async def _serve(key: str, folder: Path) -> None:
    echo = Worker()
    await echo.start(folder)
    keys = {hashlib.sha256(key.encode()).digest(): "bench"}
    seen: dict[bytes, str] = {}
    versions = {PATH: echo}
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(keys, seen, versions), sock=listener)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    gc.collect()
    gc.freeze()
    await server.serve_forever()


def main() -> None:
    key, folder = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(key, Path(folder)))


if __name__ == "__main__":
    main()
