"""Clients that leave before they are answered, having asked for more already: nothing is read from them meanwhile."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.doors.conversation import Ways, both_ways
from tests.faults.wire import JSON, PATIENCE, Author, pool_of, wait_for, wait_for_calls
from tests.server import RunningServer

_CODE = """
import time
def apply(input):
    if input == "stay":
        time.sleep(600)
    return input
"""


@pytest.fixture(scope="module")
def ways(server: RunningServer) -> Iterator[Ways]:
    with both_ways(server) as found:
        yield found


@pytest.fixture(scope="module")
def reference(author: Author) -> str:
    found = author.publish(_CODE)
    assert author.call(found, "hello") == "hello"
    return found


def _reset(connection: socket.socket) -> None:
    """As a client ends that is killed with something unread."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


_LEAVING: dict[str, Callable[[socket.socket], None]] = {
    "closes": socket.socket.close,
    "resets": _reset,
    "ends its sending": lambda connection: connection.shutdown(socket.SHUT_WR),
}


@pytest.mark.parametrize("leave", _LEAVING.values(), ids=_LEAVING)
@pytest.mark.parametrize("behind", ["a whole request", "a head", "two requests"])
@pytest.mark.parametrize("way", [0, 1], ids=["direct", "asgi"])
def test_a_client_that_leaves_with_a_request_behind(
    author: Author, ways: Ways, reference: str, way: int, behind: str, leave: Callable[[socket.socket], None]
) -> None:
    """The call that runs is stopped as any whose caller leaves, and what lies behind it never begins."""
    request = _request(author, reference, b'"stay"')
    more = {
        "a whole request": request, "a head": request.removesuffix(b'"stay"'), "two requests": request * 2
    }[behind]  # fmt: skip
    pool = pool_of(author.server, reference)
    make: Any = ways.fronts[way].config.http_protocol_class
    departures = make.args[0]
    with socket.create_connection(ways.addresses[way], timeout=PATIENCE) as connection:
        connection.sendall(request + more)
        wait_for_calls(pool, 1)
        wait_for(lambda: departures._watched, "what lies behind it")
        leave(connection)
        wait_for_calls(pool, 0)
        wait_for(lambda: not ways.fronts[way].server_state.connections, "the end of the connection")
    assert author.call(reference, "hello") == "hello"
    assert not departures._watched


def test_a_client_that_stays_is_answered(author: Author, ways: Ways, reference: str) -> None:
    """In order, though it was watched."""
    several = [_request(author, reference, b'"%d"' % number) for number in range(20)]
    for replies in ways.answers(b"".join(several)):
        assert [reply.partition(b'{"result":"')[2].split(b'"')[0] for reply in replies] == [
            b"%d" % n for n in range(20)
        ]


def _request(author: Author, reference: str, body: bytes) -> bytes:
    head = (
        f"POST /v1/algo/{reference} HTTP/1.1\r\nHost: troth\r\nAuthorization: {author.key}\r\n"
        f"Content-Type: {JSON}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
