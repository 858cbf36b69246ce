"""Clients that are slow, silent or gone: connections are closed in time, and workers do not run for nobody."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.doors.conversation import Address, both_ways
from tests.faults.conftest import _quiet_log as _quiet_log
from tests.faults.wire import PATIENCE, Author, author_of, pool_of, post, wait_for, wait_for_calls, worker_of
from tests.server import running_server
from troth.runtime.engine import CallRequest

_CODE = """
import time
def apply(input):
    print("begun", input["name"], flush=True)
    if input.get("many"):
        return results(input)
    time.sleep(input.get("seconds", 0))
    return input["name"]

def results(input):
    for number in range(input["many"]):
        print("made", number, flush=True)
        yield "x" * input.get("size", 1)
        time.sleep(input.get("seconds", 0))
"""


@pytest.fixture(scope="module")
def author(_quiet_log: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Author]:
    folder = tmp_path_factory.mktemp("clients")
    with running_server(folder / "home") as server, author_of(server, folder) as found:
        yield found


@pytest.fixture(scope="module", params=["direct", "ordinary"])
def address(author: Author, request: pytest.FixtureRequest) -> Iterator[Address]:
    """Where the server listens for one way of calls, and waits for clients for a second only."""
    with both_ways(author.server, seconds=1.0) as ways:
        yield ways.addresses[request.param == "ordinary"]


@pytest.fixture(scope="module")
def reference(author: Author) -> str:
    found = author.publish(_CODE)
    author.call(found, {"name": "warm"})
    return found


def _connected(address: Address) -> socket.socket:
    return socket.create_connection(address, timeout=PATIENCE)


def _request(author: Author, reference: str, *lines: str, query: str = "", **given: Any) -> bytes:
    body = json.dumps(given).encode()
    head = [
        f"POST /v1/algo/{reference}{query} HTTP/1.1",
        "Host: troth",
        f"Authorization: {author.key}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *lines,
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


def _until_closed(connection: socket.socket) -> bytes:
    """What comes until the server closes; a test that waits in vain fails by the socket's own time limit."""
    received = b""
    while True:
        try:
            chunk = connection.recv(1 << 16)
        except ConnectionResetError:
            return received
        if not chunk:
            return received
        received += chunk


def _trickled(connection: socket.socket, request: bytes) -> None:
    """Sends a request byte by byte until the server has enough of it."""
    deadline = time.monotonic() + PATIENCE
    for at in range(len(request)):
        assert time.monotonic() < deadline, "the server is too patient"
        try:
            connection.sendall(request[at : at + 1])
        except (BrokenPipeError, ConnectionResetError):
            return
        time.sleep(0.05)


# --- slow clients


def test_a_head_that_comes_byte_by_byte(author: Author, address: Address, reference: str) -> None:
    with _connected(address) as connection:
        _trickled(connection, _request(author, reference, "X-Long: " + "x" * 10_000, name="slow"))
        assert _until_closed(connection) == b""
    assert author.call(reference, {"name": "then"}) == "then"


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        (["Content-Length: 1000"], b'{"name":'),
        (["Content-Length: 1000000"], b'{"name":'),
        (["Transfer-Encoding: chunked"], b'8\r\n{"name":\r\n'),
        (["Content-Length: 1000", "Expect: 100-continue"], b""),
    ],
    ids=["small", "large", "chunked", "expecting"],
)
def test_a_body_that_stalls(author: Author, address: Address, reference: str, lines: list[str], body: bytes) -> None:
    head = _request(author, reference, *lines)
    head = head[: head.index(b"Content-Length: 2\r\n")] + head[head.index(b"Content-Length: 2\r\n") + 19 :]
    with _connected(address) as connection:
        connection.sendall(head.removesuffix(b"{}") + body)
        assert _until_closed(connection) in (b"", b"HTTP/1.1 100 Continue\r\n\r\n")


@pytest.mark.parametrize("first", [b"", b"\r\n\r\n", b"POST", b"POST /v1/algo/a/b HTTP/1.1\r\nHost: t\r\n"])
def test_idle_connections(author: Author, address: Address, reference: str, first: bytes) -> None:
    """Each is closed in time, and the server answers others meanwhile."""
    connections = [_connected(address) for _ in range(75)]
    try:
        for connection in connections:
            with suppress(
                BrokenPipeError, ConnectionResetError
            ):  # on a slow machine it has waited for its second by now
                connection.sendall(first)
        assert author.call(reference, {"name": "meanwhile"}) == "meanwhile"
        assert [_until_closed(connection) for connection in connections] == [b""] * len(connections)
    finally:
        for connection in connections:
            connection.close()


def test_a_connection_that_is_idle_after_an_answer(author: Author, address: Address, reference: str) -> None:
    with _connected(address) as connection:
        connection.sendall(_request(author, reference, name="first"))
        assert b'"result":"first"' in _until_closed(connection)


def test_a_call_may_take_longer_than_a_client(author: Author, address: Address, reference: str) -> None:
    """The client's time is over only while the server waits for it."""
    with _connected(address) as connection:
        connection.sendall(_request(author, reference, "Connection: close", name="long", seconds=1.5))
        assert b'"result":"long"' in _until_closed(connection)


def test_a_head_without_an_end(author: Author, address: Address, reference: str) -> None:
    """It is not gathered until memory is full."""
    with _connected(address) as connection:
        head = _request(author, reference)[:-4] + b"X-Long: "
        try:
            connection.sendall(head)
            for _ in range(1000):
                connection.sendall(b"x" * 65536)
            pytest.fail("64 MB of a head were taken")
        except (BrokenPipeError, ConnectionResetError):
            pass
    assert author.call(reference, {"name": "then"}) == "then"


# --- clients that leave


def test_gone_in_the_head_and_in_the_body(author: Author, address: Address, reference: str) -> None:
    request = _request(author, reference, name="half")
    for part in (request[:20], request[:-5], request[:-1]):
        with _connected(address) as connection:
            connection.sendall(part)
    assert author.call(reference, {"name": "after"}) == "after"
    assert "begun half" not in worker_of(author.server, reference).printed()


@pytest.mark.parametrize("lines", [[], ["Accept: application/x-ndjson"]], ids=["whole", "in parts"])
def test_gone_while_it_waits(author: Author, address: Address, reference: str, lines: list[str]) -> None:
    """The call is dropped, and never run."""
    author.call(reference, {"name": "warm"})
    pool, worker = pool_of(author.server, reference), worker_of(author.server, reference)
    with _connected(address) as first:
        first.sendall(_request(author, reference, name="first", seconds=600))
        wait_for_calls(pool, 1)
        wait_for(lambda: not worker.has_room(CallRequest(0, b"", 1), 16), "a call that is known to be slow")
        with _connected(address) as connection:
            connection.sendall(
                _request(author, reference, *lines, query="?stdout=true" if not lines else "", name="lost")
            )
            wait_for(lambda: pool.waiting, "a call that waits")
        wait_for(lambda: not pool.waiting, "the end of its wait")
        assert "begun first" in worker.printed()
    wait_for(lambda: worker not in pool.workers, "the end of the first")
    assert author.call(reference, {"name": "after"}) == "after"
    assert "begun lost" not in worker.printed() + worker_of(author.server, reference).printed()


@pytest.mark.parametrize(
    "lines", [[], ["Expect: nothing"], ["Accept: application/x-ndjson"]], ids=["direct", "ASGI", "in parts"]
)
def test_gone_while_it_runs(author: Author, address: Address, reference: str, lines: list[str]) -> None:
    """The worker is stopped, and the call counted as cancelled."""
    author.call(reference, {"name": "warm"})
    before = _cancelled(author, reference)
    pool, old = pool_of(author.server, reference), worker_of(author.server, reference)
    with _connected(address) as connection:
        connection.sendall(_request(author, reference, *lines, name="lonely", seconds=600))
        wait_for(lambda: "begun lonely" in old.printed(), "the call to begin")
    wait_for(lambda: old not in pool.workers, "the end of the worker")
    assert author.call(reference, {"name": "after"}) == "after"
    wait_for(lambda: _cancelled(author, reference) == before + 1, "a cancelled call in the metrics")


def _cancelled(author: Author, reference: str) -> int:
    """Cancelled calls of a version, as the metrics have them."""
    algorithm, _, version = reference.rpartition("/")
    labels = f'{{algorithm="{algorithm}",outcome="cancelled",version="{version}"}}'
    reply = post(author.server, "/metrics", method="GET", key=author.server.owner_key)
    found = [line for line in reply.text.splitlines() if line.startswith("troth_calls_total" + labels)]
    return int(float(found[0].rpartition(" ")[2])) if found else 0


@pytest.mark.parametrize("size", [1, 100_000], ids=["small", "large"])
def test_gone_while_results_come(author: Author, address: Address, reference: str, size: int) -> None:
    author.call(reference, {"name": "warm"})
    before = _cancelled(author, reference)
    pool, old = pool_of(author.server, reference), worker_of(author.server, reference)
    with _connected(address) as connection:
        request = _request(
            author, reference, "Accept: application/x-ndjson", name="s", many=10**9, size=size, seconds=0.01
        )
        connection.sendall(request)
        received = b""
        while b'{"result"' not in received:
            received += connection.recv(1000)
    wait_for(lambda: old not in pool.workers, "the end of the worker")
    wait_for(lambda: _cancelled(author, reference) == before + 1, "a cancelled call in the metrics")
    assert author.call(reference, {"name": "after"}) == "after"


def test_gone_before_the_answer_is_read(author: Author, address: Address, reference: str) -> None:
    """Nothing is stopped where the call has ended."""
    author.call(reference, {"name": "warm"})
    worker = worker_of(author.server, reference)
    for _ in range(20):
        with _connected(address) as connection:
            connection.sendall(_request(author, reference, name="quick"))
            connection.recv(1)
    assert author.call(reference, {"name": "after"}) == "after"
    assert worker_of(author.server, reference) is worker


def test_only_half_gone(author: Author, address: Address, reference: str) -> None:
    """Who closes the sending side only has left, as uvicorn sees it; the server goes on."""
    with _connected(address) as connection:
        connection.sendall(_request(author, reference, name="half", seconds=0.2))
        connection.shutdown(socket.SHUT_WR)
        _until_closed(connection)
    assert author.call(reference, {"name": "after"}) == "after"
