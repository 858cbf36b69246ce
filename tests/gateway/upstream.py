"""An upstream that says what it was asked, and one that behaves badly where it is told to: HTTP written by hand."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedIOBase
from typing import Any


@dataclass
class Heard:
    """One request, as the upstream got it."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]


@dataclass
class Upstream:
    """A running upstream."""

    port: int
    heard: list[Heard] = field(default_factory=list)
    #: what is waited for between the pieces of a stream, and before a slow answer
    go_on: threading.Event = field(default_factory=threading.Event)
    #: set when it has nothing more to say, and when it sees that nobody waits for it any more
    silent: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)
    status: int = 200

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


Write = Callable[[bytes], Any]


def _plain(write: Write, body: bytes, *lines: str, status: str = "200 OK", length: int | None = None) -> None:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *lines]
    write("\r\n".join(head).encode() + b"\r\n\r\n" + body)


def _answer(upstream: Upstream, heard: Heard, connection: BufferedIOBase, write: Write) -> bool:
    """Answers; whether the connection is to be kept."""
    match heard.target.partition("?")[0].rpartition("/")[2]:
        case "stream":
            write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n")
            write(b"5\r\nfirst\r\n")
            upstream.go_on.wait(20)
            write(b"6\r\nsecond\r\n0\r\n\r\n")
        case "endless":
            write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while not upstream.go_on.wait(0.01):
                write(b"1\r\nx\r\n")
        case "silent" | "begun":  # no more comes, however long it is waited for
            if heard.target.endswith("begun"):
                write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
            upstream.silent.set()
            connection.read(1)
            upstream.left.set()
            return False
        case "slow":
            upstream.go_on.wait(20)
            return False
        case "short":
            _plain(write, b"0123456789", length=100)
            return False
        case "long":
            _plain(write, b"0123456789", length=5)
            return False
        case "garbage":
            write(b"hello\r\n\r\n")
            return False
        case "away":
            _plain(write, b"", "Location: http://127.0.0.1:1/elsewhere", status="302 Found")
        case "moved":
            _plain(write, b"", "Location: /base/v4/items", status="301 Moved Permanently")
        case "page":
            lines = [
                "Content-Type: text/html", "Set-Cookie: a=b", "Strict-Transport-Security: max-age=1", "Troth-Version: 9",
                "Deprecation: @1", "Connection: X-Private", "X-Private: 1", "X-Kept: 1", "Service-Worker-Allowed: /",
            ]  # fmt: skip
            _plain(write, b"<script>alert(1)</script>", *lines)
        case "unchanged":  # which tells of the body that there would be (RFC 9110, section 8.6)
            _plain(write, b"", 'ETag: "1"', status="304 Not Modified", length=1234)
        case "health":
            _plain(write, b"", status=f"{upstream.status} X")
        case _:
            told = {"method": heard.method, "target": heard.target, "bytes": len(heard.body)}
            body = json.dumps(told).encode()
            _plain(write, b"" if heard.method == "HEAD" else body, "Content-Type: application/json", length=len(body))
    return True


def _body(lines: BufferedIOBase, headers: dict[str, str], write: Write) -> bytes:
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(lines.readline().strip() or b"0", 16):
            body += lines.read(size)
            lines.readline()
        lines.readline()
        return body
    return lines.read(int(headers.get("content-length", 0)))


@contextmanager
def running_upstream() -> Iterator[Upstream]:
    """An upstream on a free port of this machine."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            try:
                while (first := self.rfile.readline()) and self._one(first):
                    pass
            except (OSError, ValueError):
                pass

        def _one(self, first: bytes) -> bool:
            method, target, _ = first.decode("latin-1").split(" ")
            headers = []
            while line := self.rfile.readline().decode("latin-1").strip():
                name, _, value = line.partition(":")
                headers.append((name, value.strip()))
            body = _body(self.rfile, {name.lower(): value for name, value in headers}, self.wfile.write)
            heard = Heard(method, target, headers, body)
            upstream.heard.append(heard)
            return _answer(upstream, heard, self.rfile, self.wfile.write)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        upstream = Upstream(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield upstream
        upstream.go_on.set()
        server.shutdown()
        thread.join()
