"""Large files in constant memory, both ways, in a server of its own process."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import httpx2

from bench.servers import OWNER, troth_server

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


def test_a_large_file_is_not_held_in_memory(tmp_path: Path) -> None:
    with troth_server(folder=tmp_path) as server, httpx2.Client(timeout=300, trust_env=False) as http:
        http.headers["Authorization"] = f"Simple {server.key}"
        address = f"{server.address}/v1/data/{OWNER}"
        assert http.post(address, json={"name": "files"}).status_code == 200
        for _ in range(2):  # what is made once is there
            http.put(f"{address}/files/small", content=PIECE)
            http.get(f"{address}/files/small")
        before = largest(server.process_id)
        assert http.put(f"{address}/files/large", content=pieces()).status_code == 200
        found = hashlib.sha256()
        with http.stream("GET", f"{address}/files/large") as reply:
            for piece in reply.iter_raw():
                found.update(piece)
        assert largest(server.process_id) - before < ROOM
        expected = hashlib.sha256()
        for piece in pieces():
            expected.update(piece)
        assert found.digest() == expected.digest()
        assert reply.headers["etag"] == f'"{expected.hexdigest()}"'
