"""Algorithms in further processes of a server: they read and keep data, and report, as those of the first process do."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.server import RunningServer, running_server
from tests.within.author import publish, wait_for

BUSY = """
import uuid
import Algorithmia
from Algorithmia import transport

mark = str(uuid.uuid4())

def load():
    global weights
    weights = Algorithmia.client().file("data://owner/models/weights").getString()

def apply(input):
    client = Algorithmia.client()
    found = {"mark": mark, "weights": weights}
    for step, path in input:
        try:
            if step == "read":
                found[path] = client.file(path).getString()
            elif step == "write":
                found[path] = client.file(path).put("written").exists()
            elif step == "insight":
                client.report_insights({path: mark})
            elif step == "children":
                found["children"] = client.algo(path).pipe([["read", "data://.session/note"]]).result
            elif step == "ask":
                reply = transport.ask("GET", "/v1/data/.my", key=path)
                found["asked"] = reply.status
        except Algorithmia.ApiError as error:
            found[path] = "refused: " + str(error)
    return found
"""

PERSISTENT = """
import time, uuid
import Algorithmia

mark = str(uuid.uuid4())

def apply(input):
    Algorithmia.client().file("data://.algo/perm/" + input).put("begun")
    end = time.monotonic() + 50
    while time.monotonic() < end:
        try:
            Algorithmia.client().file("data://.algo/perm/" + input).getString()
        except Algorithmia.ApiError as error:
            return [mark, str(error)]
    return [mark, "read"]
"""

LATE = """
import threading, uuid
from Algorithmia import transport

mark, later, found, threads = str(uuid.uuid4()), threading.Event(), [], []

class Slow:
    pieces = [b"", b"y", b"x"]

    def read(self, size):
        if len(self.pieces) == 2:
            later.wait(50)
        return self.pieces.pop()

def upload(key):
    reply = transport.ask("PUT", "/v1/data/.algo/perm/late", key=key, body=Slow(), size=2)
    found.append(reply.status)

def apply(input):
    if input == "start" and not threads:
        threads.append(threading.Thread(target=upload, args=(transport.key_of_call(),)))
        threads[0].start()
    elif input == "end" and threads:
        later.set()
        threads[0].join(50)
    return {"mark": mark, "found": found, "under way": bool(threads)}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("fronts"), fronts=2) as running:
        wait_for(lambda: all(front["serves"] for front in running.server.fronts.described()))
        put(running, running.owner_key, "POST", "owner", json={"name": "models"})
        put(running, running.owner_key, "PUT", "owner/models/weights", content=b"heavy")
        yield running


@pytest.fixture(scope="module")
def busy(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    return publish(server, tmp_path_factory.mktemp("busy"), BUSY)


def put(server: RunningServer, key: str, method: str, path: str, **content: Any) -> None:
    """Has the data API do something."""
    reply = httpx2.request(method, f"{server.address}/v1/data/{path}", headers={"Authorization": key}, trust_env=False,
                           timeout=60, **content)  # fmt: skip
    assert reply.status_code == 200, reply.text


def everywhere(server: RunningServer, reference: str, given: Any, key: str) -> list[tuple[str, dict[str, Any]]]:
    """Request ids and results of calls, until both processes have answered some."""
    answers: list[tuple[str, dict[str, Any]]] = []

    def asked() -> bool:
        reply = httpx2.post(f"{server.address}/v1/algo/{reference}", json=given, trust_env=False, timeout=60,
                            headers={"Authorization": key})  # fmt: skip
        assert "result" in reply.json(), reply.text
        answers.append((reply.headers["troth-request"], reply.json()["result"]))
        return len({result["mark"] for _, result in answers}) == 2

    wait_for(asked)
    return answers


def test_data_of_callers_and_of_owners(server: RunningServer, busy: str) -> None:
    name, _ = server.account("caller")
    put(server, server.keys[name], "POST", name, json={"name": "mine"})
    put(server, server.keys[name], "PUT", f"{name}/mine/note", content=b"private")
    steps = [["read", "data://owner/models/weights"], ["read", f"data://{name}/mine/note"],
             ["write", "data://owner/models/weights"], ["write", "data://.algo/perm/note"]]  # fmt: skip
    for _, found in everywhere(server, busy, steps, server.keys[name]):
        assert found["weights"] == "heavy"  # while it was loaded
        assert found[f"data://{name}/mine/note"].startswith("refused: there is no")
        assert found["data://owner/models/weights"].startswith("refused:")
        assert found["data://.algo/perm/note"] is True
    put(server, server.keys[name], "GET", f".algo/{busy}/perm/note")


def test_sessions_end_with_the_calls(server: RunningServer, busy: str) -> None:
    steps = [["write", "data://.session/note"], ["children", busy]]
    for _, found in everywhere(server, busy, steps, server.owner_key):
        assert found["children"]["data://.session/note"] == "written"
    wait_for(lambda: not server.server.data.sessions)


@pytest.mark.digest("12.4 insights")
def test_insights(server: RunningServer, busy: str) -> None:
    answers = everywhere(server, busy, [["insight", "mark"]], server.owner_key)

    def all_of_them() -> bool:
        rows = server.owner.insights(busy, key="mark")["insights"]
        return sorted((row["request"], row["value"]) for row in rows) == sorted(
            (request, found["mark"]) for request, found in answers
        )

    wait_for(all_of_them)


def test_nobody_else_speaks_for_a_call(server: RunningServer, busy: str) -> None:
    """Neither with the key of a call from outside, nor with what a front would say, nor by a revoked key."""
    (front,) = server.server.fronts._fronts
    said = '{"within": null, "loading": "an-algorithm"}'
    for secret in (front.secret, "guessed"):
        heads = {"Authorization": "call-load", "troth-front": secret, "troth-relayed": said}
        for _ in range(4):
            reply = httpx2.get(f"{server.address}/v1/data/owner/models", headers=heads, trust_env=False, timeout=60)
            assert reply.status_code == 401
            reply = httpx2.put(f"{server.address}/v1/data/owner/models/x", headers={"Authorization": f"call-{'0' * 32}-1"},
                               content=b"x", trust_env=False, timeout=60)  # fmt: skip
            assert (reply.status_code, reply.json()["code"]) == (401, 2002)
    for _, found in everywhere(server, busy, [["ask", f"call-{'0' * 32}-1"]], server.owner_key):
        assert found["asked"] == 401


def test_an_upload_that_outlives_its_call(server: RunningServer, tmp_path: Path) -> None:
    """It is nobody's when it ends, in whichever process the call ran."""
    reference = publish(server, tmp_path, LATE)
    begun = {found["mark"] for _, found in everywhere(server, reference, "start", server.owner_key)}
    ended: dict[str, list[int]] = {}

    def all_of_them() -> bool:
        for _, found in everywhere(server, reference, "end", server.owner_key):
            if found["found"]:
                ended[found["mark"]] = found["found"]
        return set(ended) == begun

    wait_for(all_of_them)
    assert list(ended.values()) == [[401], [401]]
    late = f"{server.address}/v1/data/.algo/{reference}/perm/late"
    assert httpx2.get(late, headers={"Authorization": server.owner_key}, trust_env=False, timeout=60).status_code == 404


@pytest.mark.clause("ALG-26")
def test_rights_are_those_of_now(server: RunningServer, tmp_path: Path) -> None:
    """A key that is revoked while its call runs reads nothing any more, in whichever process the call runs."""
    name, client = server.account("caller")
    reference = publish(server, tmp_path, PERSISTENT)
    marks: set[str] = set()

    def both() -> bool:
        made = client.command("create_key", account=name, label="short")
        with ThreadPoolExecutor(1) as pool:
            given = f"note{len(marks)}{uuid.uuid4().hex}"
            asking = pool.submit(server.client(made["key"]).call, reference, given)
            begun = f"{server.address}/v1/data/.algo/{reference}/perm/{given}"
            head = {"Authorization": server.keys[name]}
            wait_for(lambda: httpx2.head(begun, headers=head, trust_env=False, timeout=60).status_code == 200)
            client.command("revoke_key", key_id=made["key_id"])
            mark, said = asking.result(60).result
        assert said.startswith("authorization required")
        marks.add(mark)
        return len(marks) == 2

    wait_for(both)
