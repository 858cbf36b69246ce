"""Real calls as they are counted, limited and traced."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.observe.receiver import attributes, receiving
from tests.server import RunningServer, running_server
from troth.errors import CallFailed

CODE = """
import os, subprocess, sys, time

def apply(input):
    if input == "trace":
        told = [os.environ.get("TRACEPARENT"), os.environ.get("TRACESTATE")]
        code = "import os; print([os.environ.get('TRACEPARENT'), os.environ.get('TRACESTATE')])"
        assert subprocess.check_output([sys.executable, "-I", "-S", "-c", code], text=True).strip() == str(told)
        return told
    if input == "traces":
        return (os.environ.get("TRACEPARENT") for _ in range(1))
    if input == "raise":
        raise ValueError("no")
    if isinstance(input, float):
        time.sleep(input)
    return input
"""
TRACE, SPAN, OTHER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "4bf92f3577b34da6a3ce929d0e0e4736"


def published(server: RunningServer, folder: Path) -> str:
    algorithm, commit = server.build(folder, "owner", server.owner, code=CODE)
    server.owner.publish(algorithm, commit, bump="minor", visibility="public")
    return f"{algorithm}/0.1.0"


def usage(server: RunningServer, reference: str) -> dict[tuple[str, str], int]:
    """Calls of a version by (caller, outcome)."""
    asyncio.run_coroutine_threadsafe(server.server.observation.bookkeeping.flush(), server.loop).result(10)
    owner, name, version = reference.split("/")
    rows = server.owner.usage(algorithm=f"{owner}/{name}", version=version)["rows"]
    found: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row["caller"], row["outcome"])
        found[key] = found.get(key, 0) + row["calls"]
    return found


def post(server: RunningServer, reference: str, body: str, key: str | None = None, **headers: str) -> httpx2.Response:
    heads = {"Authorization": key or server.owner_key, "Content-Type": "application/json", **headers}
    return httpx2.post(
        f"{server.address}/v1/algo/{reference}", content=body, headers=heads, trust_env=False, timeout=60
    )


def wait_for(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_calls_are_counted_by_caller_and_outcome(server: RunningServer, tmp_path: Path) -> None:
    reference = published(server, tmp_path)
    ben, client = server.account("ben")
    for given in ("a", "b"):
        client.call(reference, given)
    server.owner.call(reference, "c")
    with pytest.raises(CallFailed):
        client.call(reference, "raise")
    assert usage(server, reference) == {(ben, "ok"): 2, ("owner", "ok"): 1, (ben, "exception"): 1}
    (state,) = [row for row in server.owner.engine()["versions"] if row["algorithm"] == reference.rpartition("/")[0]]
    assert state["version"] == "0.1.0"
    assert sum(state["workers"].values()) >= 1
    assert state["memory_bytes"] > 0


def test_a_key_that_calls_too_often_is_told_when_to_come_again(tmp_path: Path) -> None:
    with running_server(tmp_path / "home", key_calls_per_second=0.01, key_burst=2) as server:
        reference = published(server, tmp_path)
        name, client = server.account()
        assert [post(server, reference, "1").status_code for _ in range(3)] == [200, 200, 429]
        refused = post(server, reference, "1")
        assert 1 <= int(refused.headers["retry-after"]) <= 100
        assert "calls per second" in refused.json()["error"]["message"]
        assert client.call(reference, 1).result == 1, "another key has calls of its own"
        assert usage(server, reference) == {("owner", "ok"): 2, ("owner", "rate_limited"): 2, (name, "ok"): 1}


def test_a_key_has_so_many_calls_under_way_and_no_more(tmp_path: Path) -> None:
    with running_server(tmp_path / "home", key_concurrent_calls=1) as server:
        reference = published(server, tmp_path)
        limits = server.server.observation.limits
        for given, outcome in (("1", "result"), ('"raise"', "error"), ("1", "result")):  # each leaves, however it ends
            assert outcome in post(server, reference, given).json()
        slow: list[httpx2.Response] = []
        calling = threading.Thread(target=lambda: slow.append(post(server, reference, "2.0")))
        calling.start()
        wait_for(lambda: limits.under_way == 1)
        assert post(server, reference, "1").status_code == 429
        _, client = server.account()
        assert client.call(reference, 1).result == 1
        calling.join()
        assert slow[0].json()["result"] == 2.0
        assert post(server, reference, "1").status_code == 200
        assert post(server, f"{reference}?output=void", "1").json()["async"] is True
        wait_for(lambda: limits.under_way == 0)


def test_a_client_that_leaves_gives_its_place_back(tmp_path: Path) -> None:
    with running_server(tmp_path / "home", key_concurrent_calls=1) as server:
        reference = published(server, tmp_path)
        with pytest.raises(httpx2.ReadTimeout):
            httpx2.post(
                f"{server.address}/v1/algo/{reference}", content="60.0", trust_env=False, timeout=1,
                headers={"Authorization": server.owner_key, "Content-Type": "application/json"},
            )  # fmt: skip
        wait_for(lambda: server.server.observation.limits.under_way == 0)
        assert post(server, reference, "1").json()["result"] == 1


@pytest.mark.parametrize("http", ["direct", "asgi"])
def test_a_call_continues_the_trace_of_its_caller(tmp_path: Path, http: str) -> None:
    with receiving() as receiver:
        with running_server(tmp_path / "home", traces=receiver.address, http=http) as server:
            reference = published(server, tmp_path)
            reply = post(server, reference, "0.05", traceparent=f"00-{TRACE}-{SPAN}-01")
            told = post(server, reference, '"trace"', traceparent=f"00-{OTHER}-{SPAN}-01", tracestate="vendor=1")
            own = post(server, reference, '"trace"')
            asleep = post(server, reference, '"trace"', traceparent=f"00-{OTHER}-{SPAN}-00")
            lines = post(
                server, reference, '"traces"', traceparent=f"00-{OTHER}-{SPAN}-00", accept="application/x-ndjson"
            )
        (worker,) = [one for one in receiver.spans if one.trace_id.hex() == OTHER and one.name == "worker"]
        assert told.json()["result"] == [f"00-{OTHER}-{worker.span_id.hex()}-01", "vendor=1"]
        assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-01", own.json()["result"][0])
        assert asleep.json()["result"] == [f"00-{OTHER}-{SPAN}-00", None], (
            "a caller whose call is not traced is not joined"
        )
        assert lines.text.splitlines()[0] == f'{{"result":"00-{OTHER}-{SPAN}-00"}}'
        spans = [span for span in receiver.spans if span.trace_id.hex() == TRACE]
    found: dict[str, Any] = {span.name: span for span in spans}
    assert set(found) == {"POST /v1/algo", "queue", "worker"}
    door, worker = found["POST /v1/algo"], found["worker"]
    assert door.parent_span_id.hex() == SPAN
    assert worker.end_time_unix_nano - worker.start_time_unix_nano >= 50_000_000
    assert door.start_time_unix_nano <= found["queue"].start_time_unix_nano <= worker.start_time_unix_nano
    assert worker.end_time_unix_nano <= door.end_time_unix_nano
    assert attributes(door)["troth.reference"] == reference
    assert attributes(door)["troth.request"] == reply.headers["troth-request"]


def test_a_trace_is_handed_on_where_the_server_writes_none(server: RunningServer, tmp_path: Path) -> None:
    """As it came, to the call that it came with and to no other; what is no trace is not handed on."""
    reference = published(server, tmp_path)
    good = f"00-{TRACE}-{SPAN}-01"
    for headers, told in (
        ({"traceparent": good, "tracestate": "a=1,b=2"}, [good, "a=1,b=2"]),
        ({"traceparent": good}, [good, None]),
        ({}, [None, None]),
        ({"traceparent": f"00-{'0' * 32}-{SPAN}-01"}, [None, None]),
        ({"traceparent": f"{good};rm -r", "tracestate": "a=1"}, [None, None]),
        ({"traceparent": good, "tracestate": "a" * 513}, [good, None]),
        ({"tracestate": "a=1"}, [None, None]),
    ):
        assert post(server, reference, '"trace"', **headers).json()["result"] == told
