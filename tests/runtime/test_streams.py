"""Results one by one: their bytes, how fast they come, and every way in which they end."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.faults.conftest import _quiet_log as _quiet_log
from tests.faults.wire import JSON, PATIENCE, Author, author_of, call, call_error, pool_of, post, wait_for, worker_of
from tests.server import running_server
from troth.runtime import process

LINES, EVENTS = "application/x-ndjson", "text/event-stream"
_CODE = """
import os, sys, time
def apply(input):
    scope = {"os": os, "sys": sys, "time": time}
    exec(input, scope)
    return scope["results"]() if "results" in scope else scope["result"]
"""
_LARGEST = 5 << 20


@pytest.fixture(scope="module")
def author(_quiet_log: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Author]:
    folder = tmp_path_factory.mktemp("streams")
    with running_server(folder / "home", result_bytes=_LARGEST) as server, author_of(server, folder) as found:
        yield found


@pytest.fixture(scope="module")
def reference(author: Author) -> str:
    return author.publish(_CODE)


@pytest.fixture(autouse=True)
def _answers_again(author: Author, reference: str) -> Iterator[None]:
    """After each way to end the next call is good."""
    yield
    assert author.call(reference, "result = 'good'") == "good"


def _asked(author: Author, reference: str, body: str, accept: str = LINES, **how: Any) -> httpx2.Response:
    """The reply to a call; `body` is the body of a generator function."""
    code = "def results():\n" + "\n".join("    " + line for line in body.splitlines())
    headers = {"Accept": accept} if accept else {}
    return call(author.server, reference, json.dumps(code).encode(), key=author.key, headers=headers, **how)


def _settled(content: bytes) -> bytes:
    content = re.sub(rb"req-[0-9a-f-]{36}", b"ID", content)
    return re.sub(rb'"duration":[-+.0-9e]+', b'"duration":S', content)


def _parts(reply: httpx2.Response) -> tuple[list[Any], dict[str, Any]]:
    """The results of a reply in lines, and the last line."""
    *results, last = map(json.loads, reply.text.splitlines())
    return [one["result"] for one in results], last


# --- forms


def test_lines(author: Author, reference: str) -> None:
    reply = _asked(author, reference, "yield 1\nyield 'a\\nb\\u2028'\nyield {'c': [None]}\nyield b'd'")
    assert reply.headers["content-type"] == LINES
    assert reply.headers["cache-control"] == "no-cache"
    assert reply.headers["troth-version"] == "0.1.0"
    assert _settled(reply.content).decode() == (
        '{"result":1}\n{"result":"a\\nb\u2028"}\n{"result":{"c":[null]}}\n{"result":"ZA=="}\n'
        '{"metadata":{"duration":S,"request_id":"ID"}}\n'
    )
    assert author.client.receipt(reply.headers["troth-request"])["outcome"] == "ok"


def test_events(author: Author, reference: str) -> None:
    reply = _asked(author, reference, "yield 1\nyield 'a\\nb\\r'", EVENTS)
    assert reply.headers["content-type"] == EVENTS
    assert _settled(reply.content).decode() == (
        'event: result\ndata: {"result":1}\n\nevent: result\ndata: {"result":"a\\nb\\r"}\n\n'
        'event: end\ndata: {"metadata":{"duration":S,"request_id":"ID"}}\n\n'
    )
    failed = _asked(author, reference, "yield 1\nraise ValueError('a\\nb')", EVENTS)
    *_, last = failed.text.removesuffix("\n\n").split("\n\n")
    name, data = last.split("\n")
    assert name == "event: error"
    assert json.loads(data.removeprefix("data: "))["error"]["message"] == "a\nb"


def test_nothing_and_one_thing(author: Author, reference: str) -> None:
    assert _parts(_asked(author, reference, "return\nyield"))[0] == []
    body = json.dumps("result = [1, 2]").encode()
    reply = call(author.server, reference, body, key=author.key, headers={"Accept": LINES})
    assert _parts(reply)[0] == [[1, 2]]  # a list is one result


def test_generators_for_those_who_want_one_answer(author: Author, reference: str) -> None:
    code = "yield 1\nyield 2"
    assert _asked(author, reference, code, "").json()["result"] == [1, 2]
    assert _asked(author, reference, code, JSON).json()["result"] == [1, 2]
    for accept in ("", LINES):  # the output that is asked for in the query has the say
        raw = _asked(author, reference, code, accept, output="raw")
        assert (raw.headers["content-type"], raw.json()) == (JSON, [1, 2])
        begun = _asked(author, reference, code, accept, output="void").json()
        assert begun["async"] is True
        path = f"/api/v1/calls/{begun['request_id']}"

        def fetched(path: str = path) -> Any:
            reply = post(author.server, path, method="GET", key=author.key)
            return reply.status_code == 200 and reply.json()["answer"] and reply.json()["answer"]["result"]

        assert wait_for(fetched, "the result to be fetched") == [1, 2]


# --- ends


_ENDS = {
    "an exception": ("raise ValueError('no')", "AlgorithmError", "no", "exception"),
    "a listed type": ("class InputError(Exception): pass\nraise InputError('bad')", "InputError", "bad", "exception"),
    "the end of a generator in another": ("next(iter(()))", "AlgorithmError", "StopIteration", "exception"),
    "what JSON cannot carry": ("yield {1, 2}", "AlgorithmError", "set", "exception"),
    "an exit": ("sys.exit(4)", "SystemExit", "exited with code 4", "exit"),
    "a hard exit": ("os._exit(3)", "SystemExit", "exited with code 3", "exit"),
    "a signal": ("os.kill(os.getpid(), 9)", "SystemExit", "SIGKILL", "signal"),
    "too large a result": (f"yield 'x' * {_LARGEST}", "TooLargeError", "are allowed", "exception"),
    "too long, all together": ("while True:\n    time.sleep(0.1)\n    yield 0", "TimeoutError", "more than 1 seconds", "timeout"),
}  # fmt: skip


@pytest.mark.parametrize(("code", "kind", "said", "outcome"), _ENDS.values(), ids=_ENDS)
def test_ends_behind_two_results(author: Author, reference: str, code: str, kind: str, said: str, outcome: str) -> None:
    """The error comes in the last line, with a status that was sent long before."""
    reply = _asked(author, reference, f"yield 1\nyield 2\n{code}", timeout=1 if outcome == "timeout" else 60)
    results, last = _parts(reply)
    assert reply.status_code == 200
    assert results[:2] == [1, 2]
    assert last["error"]["error_type"] == kind
    assert said in last["error"]["message"]
    assert last["metadata"]["request_id"] == reply.headers["troth-request"]
    assert author.client.receipt(reply.headers["troth-request"])["outcome"] == outcome


def test_an_end_before_the_first_result(author: Author, reference: str) -> None:
    results, last = _parts(_asked(author, reference, "raise ValueError('no')\nyield"))
    assert (results, last["error"]["message"]) == ([], "no")


def test_a_result_that_does_not_come(author: Author, reference: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each result has a time, within that of the call; the error says which of both was over."""
    monkeypatch.setattr(process, "ITEM_SECONDS", 1.0)
    results, last = _parts(_asked(author, reference, "time.sleep(1.2)\nyield 1\nyield 2\ntime.sleep(600)"))
    assert results == [1, 2]
    assert last["error"]["message"] == "the next result took more than 1 seconds"


# --- sizes


def test_large_results(author: Author, reference: str) -> None:
    reply = _asked(author, reference, "for n in range(6):\n    yield str(n) * (3 << 20)")
    results, last = _parts(reply)  # more than one result may have, all together
    assert [one == str(number) * (3 << 20) for number, one in enumerate(results)] == [True] * 6
    assert "error" not in last


def test_one_answer_of_many_results_that_is_too_large(author: Author, reference: str) -> None:
    code = "for n in range(6):\n    yield 'x' * (1 << 20)"
    assert "are allowed" in call_error(_asked(author, reference, code, ""), "TooLargeError")


def test_many_results(author: Author, reference: str) -> None:
    results, _ = _parts(_asked(author, reference, "for n in range(20000):\n    yield n"))
    assert results == list(range(20_000))


@pytest.mark.parametrize("accept", [LINES, EVENTS])
def test_a_client_that_does_not_read(author: Author, reference: str, accept: str) -> None:
    """The generator stands still until it reads on, and nothing is lost."""
    code = (
        "def results():\n    for n in range(1000):\n        print('made', n, flush=True)\n        yield 'x' * 100_000"
    )
    body = json.dumps(code).encode()
    author.call(reference, "result = 1")
    worker, address = worker_of(author.server, reference), urlsplit(author.server.address)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        connection.settimeout(PATIENCE)
        connection.connect((address.hostname, address.port))
        head = (
            f"POST /v1/algo/{reference} HTTP/1.1\r\nHost: troth\r\nConnection: close\r\nAuthorization: {author.key}\r\n"
            f"Accept: {accept}\r\nContent-Type: {JSON}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        connection.sendall(head.encode() + body)
        wait_for(lambda: "made" in worker.printed(), "the first result")
        made = _standing(worker)
        assert made < 200
        received = 0
        while chunk := connection.recv(1 << 20):
            received += len(chunk)
            last = chunk
    assert received > 1000 * 100_000
    assert b'"metadata"' in last
    assert b'"error"' not in last


def _standing(worker: Any) -> int:
    """How far a generator came, when it makes nothing more for a while."""
    made, since = -1, time.monotonic()
    deadline = since + PATIENCE
    while time.monotonic() - since < 0.5:
        assert time.monotonic() < deadline, "the generator does not stand still"
        now = int(worker.printed().split()[-1])
        if now != made:
            made, since = now, time.monotonic()
        time.sleep(0.02)
    return made


def test_a_client_that_never_reads_on(author: Author, reference: str) -> None:
    """The time of the call holds all the same, so that a worker does not stand still for ever."""
    code = "def results():\n    while True:\n        print('made', flush=True)\n        yield 'x' * 100_000"
    body = json.dumps(code).encode()
    author.call(reference, "result = 1")
    pool, worker = pool_of(author.server, reference), worker_of(author.server, reference)
    address = urlsplit(author.server.address)
    with socket.create_connection((address.hostname, address.port)) as connection:
        head = (
            f"POST /v1/algo/{reference}?timeout=1 HTTP/1.1\r\nHost: troth\r\nAuthorization: {author.key}\r\n"
            f"Accept: {LINES}\r\nContent-Type: {JSON}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        connection.sendall(head.encode() + body)
        wait_for(lambda: worker not in pool.workers, "the end of the worker")
        assert author.call(reference, "result = 'meanwhile'") == "meanwhile"
