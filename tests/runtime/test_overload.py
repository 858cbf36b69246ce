"""More calls than a machine can take: those beyond the queue hear so at once, and the others are answered all the while."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.faults.conftest import _quiet_log as _quiet_log
from tests.faults.wire import Author, author_of, call, call_error, pool_of, post, wait_for, wait_for_calls, worker_of
from tests.server import running_server
from troth.runtime.engine import CallRequest

_CODE = """
import time
def apply(input):
    time.sleep(input["seconds"])
    return input["name"]
"""
_CONNECTIONS, _GOOD = 32, 150


@pytest.fixture(scope="module")
def author(_quiet_log: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Author]:
    folder = tmp_path_factory.mktemp("overload")
    limits = {"queue_calls": 8, "queue_bytes": 3 << 20, "queue_seconds": 0.5}
    with running_server(folder / "home", **limits) as server, author_of(server, folder) as found:
        yield found


@pytest.fixture(scope="module")
def reference(author: Author) -> str:
    found = author.publish(_CODE)
    wait_for(lambda: _warmed(author, found), "a worker")
    return found


def _warmed(author: Author, reference: str) -> bool:
    """Whether a call was answered; a worker may take longer to start than calls may wait here."""
    status: int = _call(author, reference, "warm", 0.05).status_code
    return status == 200


def _call(author: Author, reference: str, name: str, seconds: float, *, more: str = "", **how: Any) -> Any:
    body = json.dumps({"name": name, "seconds": seconds, "more": more}).encode()
    return call(author.server, reference, body, key=author.key, **how)


class _Flood:
    """Many callers, each of whom calls again as soon as it was answered."""

    def __init__(self, author: Author, reference: str) -> None:
        body = json.dumps({"name": "flood", "seconds": 0.005}).encode()
        head = (
            f"POST /v1/algo/{reference} HTTP/1.1\r\nHost: troth\r\nAuthorization: {author.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._request = head.encode() + body
        self._address = urlsplit(author.server.address)
        self.good = 0
        self.refused: list[bytes] = []
        self.others: list[bytes] = []

    async def run(self) -> None:
        """Until many were answered and more were refused, and some again after that."""
        async with asyncio.timeout(240):
            await asyncio.gather(*(self._caller() for _ in range(_CONNECTIONS)))

    async def _caller(self) -> None:
        reader, writer = await asyncio.open_connection(self._address.hostname, self._address.port)
        while self.good < _GOOD or len(self.refused) < 2 * _GOOD:
            writer.write(self._request)
            head = await reader.readuntil(b"\r\n\r\n")
            size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            body = await reader.readexactly(size)
            if head.startswith(b"HTTP/1.1 503 "):
                self.refused.append(head)
                await asyncio.sleep(0.01)
            elif b'{"result":"flood"' in body:
                self.good += 1
            else:
                self.others.append(head + body)
        writer.close()


def test_three_times_too_many_calls(author: Author, reference: str) -> None:
    """Good answers come on, every other call is told when to come back, and memory stays as it is."""
    before, counted = _resident(), _outcomes(author, reference)
    flood = _Flood(author, reference)
    asyncio.run(flood.run())
    assert flood.others == []
    assert {head.lower().partition(b"retry-after: ")[2].partition(b"\r\n")[0] for head in flood.refused} == {b"1"}
    after = _outcomes(author, reference)
    assert after["ok"] - counted["ok"] == flood.good
    refused = after["queue_full"] - counted["queue_full"] + after["queue_deadline"] - counted["queue_deadline"]
    assert refused == len(flood.refused)
    assert _resident() - before < 32 << 20
    assert author.server.server.engine.waiting_bytes == 0
    assert _call(author, reference, "after", 0).json()["result"] == "after"


def _outcomes(author: Author, reference: str) -> Counter[str]:
    """How many calls of a version ended how, by the metrics."""
    algorithm, _, version = reference.rpartition("/")
    found: Counter[str] = Counter()
    for line in post(author.server, "/metrics", method="GET", key=author.server.owner_key).text.splitlines():
        if line.startswith("troth_calls_total{") and f'"{algorithm}"' in line and f'"{version}"' in line:
            found[line.partition('outcome="')[2].partition('"')[0]] += int(float(line.rpartition(" ")[2]))
    return found


def _resident() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) * 1024


def test_a_call_that_waits_too_long(author: Author, reference: str) -> None:
    """It never runs, and is told apart from one that found no room."""
    with _blocked(author, reference):
        before = _outcomes(author, reference)
        late = _call(author, reference, "late", 0)
        assert "no worker became free within 0.5 seconds" in call_error(late, status=503)
        assert int(late.headers["retry-after"]) >= 1
        receipt = author.client.receipt(late.headers["troth-request"])
        assert receipt["outcome"] == "queue_deadline"
    wait_for(lambda: _outcomes(author, reference)["cancelled"] > before["cancelled"], "the end of the other call")
    after = _outcomes(author, reference)
    assert (after["queue_deadline"] - before["queue_deadline"], after["queue_full"] - before["queue_full"]) == (1, 0)
    assert after["ok"] == before["ok"]


def test_bodies_that_are_too_large_together(author: Author, reference: str) -> None:
    """Three megabytes may wait: of calls with one each, fewer than those that the queue has room for."""
    with _blocked(author, reference), ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(lambda n: _call(author, reference, f"large{n}", 0, more="x" * (1 << 20)), range(6)))
        assert {reply.status_code for reply in replies} == {503}
        full = [f"calls with {3 << 20} bytes of input wait already" in reply.text for reply in replies]
        assert any(full)
        assert any("no worker became free within" in reply.text for reply in replies)
    wait_for(lambda: author.server.server.engine.waiting_bytes == 0, "an empty queue")


@contextmanager
def _blocked(author: Author, reference: str) -> Iterator[None]:
    """A version whose only worker runs a call, behind which nothing is put, until the block ends."""
    wait_for(lambda: _warmed(author, reference), "a worker")
    pool, worker = pool_of(author.server, reference), worker_of(author.server, reference)
    body = json.dumps({"name": "blocker", "seconds": 600}).encode()
    address = urlsplit(author.server.address)
    with socket.create_connection((address.hostname, address.port or 80)) as connection:
        head = (
            f"POST /v1/algo/{reference} HTTP/1.1\r\nHost: troth\r\nAuthorization: {author.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        connection.sendall(head.encode() + body)
        wait_for_calls(pool, 1)
        wait_for(lambda: not worker.has_room(CallRequest(0, b"", 1), 16), "a call that is known to be slow")
        yield
    wait_for_calls(pool, 0)
