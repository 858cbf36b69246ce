"""Uploads of known length, which are read beside the parser: their edges, what follows them, and what ends them early."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from hashlib import sha256

import pytest

from tests.data.conftest import User
from tests.data.test_faults import connection
from tests.within.author import wait_for
from troth.doors.server.protocol import CorkedProtocol

MIB = 1 << 20
CONTENT = os.urandom(9 * MIB)


def head(user: User, path: str, size: int, more: str = "") -> bytes:
    lines = f"Host: x\r\nAuthorization: {user.key}\r\nContent-Length: {size}\r\n{more}"
    return f"PUT /v1/data/{path} HTTP/1.1\r\n{lines}\r\n".encode()


def statuses(wire: socket.socket, count: int) -> list[bytes]:
    """Status codes of the answers that come next."""
    found = []
    with wire.makefile("rb") as answers:
        for _ in range(count):
            found.append(answers.readline().split(b" ")[1])
            length = 0
            while (line := answers.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            answers.read(length)
    return found


def digest_of(user: User, path: str) -> str:
    return str(user.ask("HEAD", path).headers["etag"]).strip('"')


@pytest.mark.parametrize("size", [MIB - 1, MIB, MIB + 1, 2 * MIB, 3 * MIB - 1, 4 * MIB, 9 * MIB - 1, 9 * MIB])
def test_what_comes_behind_a_large_body_is_the_next_request(user: User, size: int) -> None:
    """All at once, so that reading ends within what is there: nothing of one is taken for the other."""
    directory, content = user.directory(), CONTENT[:size]
    with connection(user) as wire:
        requests = head(user, f"{directory}/first", size) + content + head(user, f"{directory}/small", 2) + b"ok"
        wire.sendall(requests + head(user, f"{directory}/last", size) + content[::-1])
        assert statuses(wire, 3) == [b"200"] * 3
    assert digest_of(user, f"{directory}/first") == sha256(content).hexdigest()
    assert digest_of(user, f"{directory}/last") == sha256(content[::-1]).hexdigest()
    assert user.ask("GET", f"{directory}/small").content == b"ok"


def test_a_large_body_that_waits_for_a_sign(user: User) -> None:
    path = f"{user.directory()}/asked"
    with connection(user) as wire:
        for _ in range(2):
            wire.sendall(head(user, path, len(CONTENT), "Expect: 100-continue\r\n"))
            assert wire.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
            wire.sendall(CONTENT)
            assert statuses(wire, 1) == [b"200"]
    assert digest_of(user, path) == sha256(CONTENT).hexdigest()


@pytest.mark.parametrize("sent", [0, 1, MIB, MIB + 1, 5 * MIB, len(CONTENT) - 1])
@pytest.mark.parametrize("ending", [socket.SHUT_WR, socket.SHUT_RDWR])
def test_a_large_body_that_breaks_off_leaves_nothing(user: User, sent: int, ending: int) -> None:
    directory, uploads = user.directory(), user.server.home / "data" / "uploads"
    with connection(user) as wire:
        wire.sendall(head(user, f"{directory}/never", len(CONTENT)))
        wait_for(lambda: bool(list(uploads.iterdir())))
        wire.sendall(CONTENT[:sent])
        wire.shutdown(ending)
        wait_for(lambda: not list(uploads.iterdir()))
    assert "files" not in user.ask("GET", directory).json()


def test_who_stops_in_a_large_body_is_not_waited_for(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    directory, uploads = user.directory(), user.server.home / "data" / "uploads"
    for patience in ("head_seconds", "body_seconds"):
        monkeypatch.setattr(CorkedProtocol, patience, 0.5)
    with connection(user) as wire, suppress(ConnectionError):  # a busy server may end it before it reads all this
        wire.sendall(head(user, f"{directory}/never", len(CONTENT)) + CONTENT[: 2 * MIB])
        assert wire.recv(65536) == b""
    wait_for(lambda: not list(uploads.iterdir()))


def test_a_directory_that_is_deleted_while_a_large_body_comes(user: User) -> None:
    directory, uploads = user.directory(), user.server.home / "data" / "uploads"
    with connection(user) as wire:
        wire.sendall(head(user, f"{directory}/late", len(CONTENT)) + CONTENT[:MIB])
        wait_for(lambda: bool(list(uploads.iterdir())))
        assert user.ask("DELETE", directory).status_code == 200
        wire.sendall(CONTENT[MIB:])
        assert statuses(wire, 1) == [b"404"]
        wire.sendall(head(user, f"{user.directory()}/other", 2) + b"ok")
        assert statuses(wire, 1) == [b"200"]
    wait_for(lambda: not list(uploads.iterdir()))
