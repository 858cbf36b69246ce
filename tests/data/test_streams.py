"""Large files in constant memory, both ways, in a server of its own process."""

from __future__ import annotations

import hashlib
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from bench.servers import OWNER, TrothServer, troth_server
from tests.within.author import wait_for

PIECE = os.urandom(1 << 20)
PIECES = 160
#: bytes by which the memory of a server may grow that holds a few pieces of such a file
ROOM = 48 << 20


def pieces() -> Iterator[bytes]:
    for _ in range(PIECES):
        yield PIECE


def largest(process_id: int) -> int:
    """Bytes of memory that a process held at most until now."""
    lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) << 10


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrothServer]:
    with troth_server(folder=tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(scope="module")
def files(server: TrothServer) -> Iterator[httpx2.Client]:
    """A client of its owner's, which asks for files of a directory."""
    directory = f"{server.address}/v1/data/{OWNER}/files/"
    headers = {"Authorization": f"Simple {server.key}"}
    with httpx2.Client(base_url=directory, headers=headers, timeout=300, trust_env=False) as http:
        assert http.post(f"{server.address}/v1/data/{OWNER}", json={"name": "files"}).status_code == 200
        yield http


@pytest.mark.parametrize("head", [{}, {"Content-Length": str(PIECES * len(PIECE))}], ids=["chunked", "announced"])
def test_a_large_file_is_not_held_in_memory(server: TrothServer, files: httpx2.Client, head: dict[str, str]) -> None:
    for _ in range(2):  # what is made once is there
        files.put("small", content=PIECE)
        files.get("small")
    before = largest(server.process_id)
    assert files.put("large", content=pieces(), headers=head).status_code == 200
    found = hashlib.sha256()
    with files.stream("GET", "large") as reply:
        for piece in reply.iter_raw():
            found.update(piece)
    assert largest(server.process_id) - before < ROOM
    expected = hashlib.sha256()
    for piece in pieces():
        expected.update(piece)
    assert found.digest() == expected.digest()
    assert reply.headers["etag"] == f'"{expected.hexdigest()}"'


def test_a_full_disk_is_told_when_the_body_was_read(server: TrothServer, files: httpx2.Client) -> None:
    """The largest size of a file stands for the end of the disk: `write` takes a part of a piece, and then nothing."""
    content, uploads = PIECE * 9, server.folder / "home" / "data" / "uploads"
    _, most = resource.prlimit(server.process_id, resource.RLIMIT_FSIZE)
    for body in (content, iter([content])):
        resource.prlimit(server.process_id, resource.RLIMIT_FSIZE, (5 * len(PIECE) // 2, most))
        full = files.put("full", content=body)
        resource.prlimit(server.process_id, resource.RLIMIT_FSIZE, (most, most))
        assert "cannot be stored" in full.json()["error"]["message"]
        assert files.get("full").status_code == 404
        wait_for(lambda: not list(uploads.iterdir()))
    assert files.put("full", content=content).json() == {"result": f"data://{OWNER}/files/full"}
    assert files.get("full").content == content
