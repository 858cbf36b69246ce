"""HTTP/1.1 over the one socket that leads out of the sandbox: to this server and nowhere else.

Connections are kept for the next request. Nothing is ever sent twice: a connection that was not used for a while is not trusted,
and one that fails says so.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Iterator
from typing import IO, Any

from .errors import ApiError

_CHUNK = 64 * 1024
#: seconds after which an idle connection is left; the server's own time is longer
_TRUSTED = 2.0
_LARGEST_HEAD = 64 * 1024
_idle: list[_Connection] = []


class Reply:
    """An answer whose body is read once, whole or in chunks; its connection is free again behind the last byte."""

    def __init__(self, connection: _Connection, status: int, headers: dict[str, str], bodiless: bool) -> None:
        self.status = status
        self.headers = headers
        self._connection = connection
        self._chunked = "chunked" in headers.get("transfer-encoding", "")
        length = headers.get("content-length")
        self._left = 0 if bodiless else int(length) if length is not None else -1
        self._keep = headers.get("connection", "").lower() != "close" and (self._left >= 0 or self._chunked)

    def chunks(self) -> Iterator[bytes]:
        """The body as it comes."""
        connection = self._connection
        if self._chunked and self._left:
            while size := int(connection.line().split(b";")[0], 16):
                yield connection.exactly(size)
                connection.line()
            while connection.line():
                pass
        elif self._left < 0:
            while chunk := connection.some():
                yield chunk
        while self._left > 0:
            chunk = connection.some(self._left)
            if not chunk:
                raise ApiError("the server ended an answer in the middle")
            self._left -= len(chunk)
            yield chunk
        if self._keep:
            connection.used = time.monotonic()
            _idle.append(connection)
        else:
            connection.link.close()

    def body(self) -> bytes:
        """All of it."""
        return b"".join(self.chunks())

    def document(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body())
        except ValueError:
            return None


class _Connection:
    def __init__(self, path: str) -> None:
        self.link = socket.socket(socket.AF_UNIX)
        self.link.connect(path)
        self.used = 0.0
        self._received = b""

    def send(self, head: bytes, body: bytes | IO[bytes]) -> None:
        """Sends a request. Where the server takes no more of it, its answer says why."""
        try:
            if isinstance(body, bytes):
                self.link.sendall(head + body)
                return
            self.link.sendall(head)
            while chunk := body.read(_CHUNK):
                self.link.sendall(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def head(self, method: str) -> Reply:
        """Reads the head of an answer."""
        received = self._received
        while (end := received.find(b"\r\n\r\n")) < 0:
            chunk = self.link.recv(_CHUNK)
            if not chunk or len(received) > _LARGEST_HEAD:
                raise ApiError("the server ended the connection without an answer")
            received += chunk
        self._received = received[end + 4 :]
        first, *lines = received[:end].decode("latin-1").split("\r\n")
        status = int(first.split(" ", 2)[1])
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if status == 100:
            return self.head(method)
        return Reply(self, status, headers, method == "HEAD" or status in (204, 304))

    def some(self, most: int = _CHUNK) -> bytes:
        """What is there, at most so much; nothing where nothing comes any more."""
        if self._received:
            found, self._received = self._received[:most], self._received[most:]
            return found
        return self.link.recv(min(most, _CHUNK))

    def exactly(self, size: int) -> bytes:
        """So many bytes."""
        found = bytearray()
        while len(found) < size:
            chunk = self.some(size - len(found))
            if not chunk:
                raise ApiError("the server ended an answer in the middle")
            found += chunk
        return bytes(found)

    def line(self) -> bytes:
        """What comes before the next end of a line."""
        while (end := self._received.find(b"\r\n")) < 0:
            chunk = self.link.recv(_CHUNK)
            if not chunk:
                raise ApiError("the server ended an answer in the middle")
            self._received += chunk
        found, self._received = self._received[:end], self._received[end + 2 :]
        return found


def ask(
    method: str,
    target: str,
    *,
    key: str | None = None,
    kind: str = "",
    accept: str = "",
    body: bytes | IO[bytes] = b"",
    size: int | None = None,
) -> Reply:
    """The answer to one request: `target` is a path with its query, in characters that a URL may have; `kind` the content type.

    `key` is that of the call that runs unless another is given. Raises ApiError where there is no such call or no way out.
    """
    length = len(body) if isinstance(body, bytes) else size
    head = (
        f"{method} {target} HTTP/1.1\r\nhost: troth\r\nauthorization: {_plain(key or key_of_call())}\r\n"
        f"content-length: {length or 0}\r\n"
        + (f"content-type: {kind}\r\n" if kind else "")
        + (f"accept: {accept}\r\n\r\n" if accept else "\r\n")
    )
    connection = _connection()
    connection.send(head.encode("latin-1"), body)
    return connection.head(method)


def key_of_call() -> str:
    """The key of the call that runs. Raises ApiError where none does."""
    asked = getattr(sys.modules["__main__"], "key", None)
    key: str = asked() if asked is not None else ""
    if not key:
        raise ApiError(
            "nobody is acted for now: a client without a key works during a call, and not while a version is loaded"
        )
    return key


def _connection() -> _Connection:
    while _idle:
        try:
            found = _idle.pop()
        except IndexError:  # another thread was faster
            break
        if time.monotonic() - found.used < _TRUSTED and _is_open(found.link):
            return found
        found.link.close()
    path = getattr(sys.modules["__main__"], "api", "")
    if not path:
        raise ApiError(
            "this machine cannot give algorithms a way to the server: it takes isolation by name spaces (see troth doctor)"
        )
    try:
        return _Connection(path)
    except OSError as error:
        raise ApiError(f"the server cannot be reached: {error}") from None


def _is_open(link: socket.socket) -> bool:
    """Whether the server neither closed it nor sent what nobody asked for."""
    try:
        link.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


def _plain(text: str) -> str:
    """Text for a header. Raises ApiError for what would end the line."""
    if not text.isprintable() or not text.isascii():
        raise ApiError("a key has letters and digits only")
    return text
