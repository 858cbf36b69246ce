"""HTTP/1.1 over the one socket that leads out of the sandbox: to this server and nowhere else.

Connections are kept for the next request. Nothing is ever sent twice: a connection that was not used for a while is not trusted,
and one that fails says so.
"""

from __future__ import annotations

import json
import os
import re
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
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE).search
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE).search
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE).search
_idle: list[_Connection] = []


class Reply:
    """An answer whose body is read once, whole or in chunks; its connection is free again behind the last byte."""

    def __init__(self, connection: _Connection, status: int, head: bytes, bodiless: bool) -> None:
        self.status = status
        self._connection = connection
        self._head = head
        length = _LENGTH(head)
        self._chunked = length is None and _CHUNKED(head) is not None
        self._left = 0 if bodiless else int(length[1]) if length is not None else -1
        self._keep = (self._left >= 0 or self._chunked) and _CLOSE(head) is None

    @property
    def headers(self) -> dict[str, str]:
        """The headers, by their names in small letters."""
        lines = (line.partition(":") for line in self._head.decode("latin-1").split("\r\n"))
        return {name.lower(): value.strip() for name, _, value in lines}

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
        here = self._connection.take(self._left) if self._keep and self._left > 0 else None
        if here is not None:
            self._left = 0
            self._connection.used = time.monotonic()
            _idle.append(self._connection)
            return here
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
        # a fork has the same one: who shares it would read the other's answers
        self.process = os.getpid()
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
        status = int(received[9:12])  # HTTP/1.1 200 OK
        if status == 100:
            return self.head(method)
        return Reply(self, status, received[:end], method == "HEAD" or status in (204, 304))

    def take(self, size: int) -> bytes | None:
        """So many bytes, if they are all that came."""
        if len(self._received) != size:
            return None
        found, self._received = self._received, b""
        return found

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
        f"{method} {target} HTTP/1.1\r\nhost: troth\r\nauthorization: {_plain(key or key_for(target))}\r\n"
        f"content-length: {length or 0}\r\n"
        + (f"content-type: {kind}\r\n" if kind else "")
        + (f"accept: {accept}\r\n\r\n" if accept else "\r\n")
    )
    connection = _connection()
    connection.send(head.encode("latin-1"), body)
    return connection.head(method)


def key_for(target: str) -> str:
    """The key of the call that runs; for data also that of an algorithm that is loaded, which acts for nobody."""
    if target.startswith("/v1/data/") and not _key():
        return "call-load"
    return key_of_call()


def key_of_call() -> str:
    """The key of the call that runs. Raises ApiError where none does."""
    key = _key()
    if not key:
        raise ApiError(
            "nobody is acted for now: a client without a key works during a call, and not while a version is loaded"
        )
    return key


def _key() -> str:
    asked = getattr(sys.modules["__main__"], "key", None)
    return str(asked()) if asked is not None else ""


def _connection() -> _Connection:
    while _idle:
        try:
            found = _idle.pop()
        except IndexError:  # another thread was faster
            break
        ours = found.process == os.getpid()
        if ours and time.monotonic() - found.used < _TRUSTED and _is_open(found.link):
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
