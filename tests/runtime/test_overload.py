"""More calls than a machine can take: those beyond the queue hear so at once, and the others are answered all the while."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.faults.conftest import _quiet_log as _quiet_log
from tests.faults.wire import Author, author_of, call, call_error, pool_of, post, wait_for, wait_for_calls
from tests.server import running_server

_CODE = """
import time
def apply(input):
    time.sleep(input["seconds"])
    return input["name"]
"""
_CONNECTIONS, _QUARTERS, _QUARTER = 32, 4, 0.75


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
        self.good: Counter[int] = Counter()  # by quarter of the time
        self.refused: list[bytes] = []
        self.others: list[bytes] = []

    async def run(self) -> None:
        begin = time.monotonic()
        await asyncio.gather(*(self._caller(begin) for _ in range(_CONNECTIONS)))

    async def _caller(self, begin: float) -> None:
        reader, writer = await asyncio.open_connection(self._address.hostname, self._address.port)
        while (quarter := int((time.monotonic() - begin) / _QUARTER)) < _QUARTERS:
            writer.write(self._request)
            head = await reader.readuntil(b"\r\n\r\n")
            size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            body = await reader.readexactly(size)
            if head.startswith(b"HTTP/1.1 503 "):
                self.refused.append(head)
                await asyncio.sleep(0.01)
            elif b'{"result":"flood"' in body:
                self.good[quarter] += 1
            else:
                self.others.append(head + body)
        writer.close()


def test_three_times_too_many_calls(author: Author, reference: str) -> None:
    """Good answers come all the time, every other call is told when to come back, and memory stays as it is."""
    before, counted = _resident(), _outcomes(author, reference)
    flood = _Flood(author, reference)
    asyncio.run(flood.run())
    assert flood.others == []
    assert all(flood.good[quarter] > 0 for quarter in range(_QUARTERS)), flood.good
    assert len(flood.refused) > 2 * _CONNECTIONS
    assert {head.lower().partition(b"retry-after: ")[2].partition(b"\r\n")[0] for head in flood.refused} == {b"1"}
    after = _outcomes(author, reference)
    assert after["ok"] - counted["ok"] == sum(flood.good.values())
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
    before = _outcomes(author, reference)
    with ThreadPoolExecutor(2) as threads:
        blocker = threads.submit(_call, author, reference, "blocker", 3.0)
        wait_for_calls(pool_of(author.server, reference), 1)
        time.sleep(0.2)  # by then nothing is put into the worker's own line
        late = _call(author, reference, "late", 0)
        assert "no worker became free within 0.5 seconds" in call_error(late, status=503)
        assert int(late.headers["retry-after"]) >= 1
        receipt = author.client.receipt(late.headers["troth-request"])
        assert receipt["outcome"] == "queue_deadline"
        assert blocker.result().json()["result"] == "blocker"
    after = _outcomes(author, reference)
    assert (after["queue_deadline"] - before["queue_deadline"], after["queue_full"] - before["queue_full"]) == (1, 0)
    assert after["ok"] - before["ok"] == 1


def test_bodies_that_are_too_large_together(author: Author, reference: str) -> None:
    """Three megabytes may wait: of calls with one each, fewer than those that the queue has room for."""
    with ThreadPoolExecutor(8) as threads:
        blocker = threads.submit(_call, author, reference, "blocker", 0.4)
        wait_for_calls(pool_of(author.server, reference), 1)
        replies = list(threads.map(lambda n: _call(author, reference, f"large{n}", 0, more="x" * (1 << 20)), range(6)))
        assert blocker.result().json()["result"] == "blocker"
    refused = [reply for reply in replies if reply.status_code == 503]
    assert refused
    assert any(f"calls with {3 << 20} bytes of input wait already" in reply.text for reply in refused)
    wait_for(lambda: author.server.server.engine.waiting_bytes == 0, "an empty queue")
