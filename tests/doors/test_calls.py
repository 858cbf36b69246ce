"""`POST /v1/algo/...`: shapes of answers and errors as the Algorithmia clients read them (algorithmia-api, sections 2 to 4)."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.server import RunningServer, running_server

CODE = """
import os, sys

def apply(input):
    if input == "print":
        print("from python")
        os.write(2, b"from below\\n")
        os.system("echo from a shell")
        return "printed"
    if input == "raise":
        raise ValueError("not this")
    if input == "input error":
        class InputError(Exception): pass
        raise InputError("a value is missing")
    if input == "own type":
        error = RuntimeError("odd"); error.error_type = "NoSuchType"; raise error
    if input == "environment":
        return sorted(os.environ)
    if input == "effect":
        with open("/tmp/effect", "a") as file: file.write("x")
        return os.path.getsize("/tmp/effect")
    if input == "binary":
        return b"\\x00\\xff"
    if input == "none":
        return None
    if input == "number":
        return 1.5
    return {"type": type(input).__name__, "value": input if not isinstance(input, bytes) else input.hex()}
"""


class Caller:
    """Raw requests to one algorithm."""

    def __init__(self, http: httpx2.Client, algorithm: str, key: str) -> None:
        self.http = http
        self.algorithm = algorithm
        self.headers = {"Authorization": key}

    def __call__(
        self, body: Any, content_type: str = "text/plain", path: str = "/0.1.0", **query: str
    ) -> httpx2.Response:
        headers = {**self.headers, "Content-Type": content_type}
        return self.http.post(f"/v1/algo/{self.algorithm}{path}", content=body, headers=headers, params=query)


@pytest.fixture(scope="module")
def caller(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    name, client = server.account()
    algorithm, commit = server.build(tmp_path_factory.mktemp("calls"), name, client, code=CODE)
    client.publish(algorithm, commit, bump="minor", visibility="public")
    with httpx2.Client(base_url=server.address) as http:
        yield Caller(http, algorithm, server.keys[name])


@pytest.fixture
def stranger(server: RunningServer, caller: Caller) -> Caller:
    name, _ = server.account("stranger")
    return Caller(caller.http, caller.algorithm, server.keys[name])


@pytest.mark.parametrize(
    ("body", "content_type", "kind", "value"),
    [
        ("HAL", "text/plain", "str", "HAL"),
        ('{"looks": "like JSON"}', "text/plain", "str", '{"looks": "like JSON"}'),
        ("HAL", "application/text", "str", "HAL"),
        ("HAL", "text/plain; charset=utf-8", "str", "HAL"),
        ("žluťoučký 🐎".encode(), "text/plain", "str", "žluťoučký 🐎"),
        ('"HAL"', "application/json", "str", "HAL"),
        ('{"a": [1, 2.5, null, true]}', "application/json", "dict", {"a": [1, 2.5, None, True]}),
        ("null", "APPLICATION/JSON; x=y", "NoneType", None),
        ("123456789012345678901234567890", "application/json", "int", 123456789012345678901234567890),
        (b"\x00\x01\xff", "application/octet-stream", "bytes", "0001ff"),
        (b"", "application/octet-stream", "bytes", ""),
        (b"", "text/plain", "str", ""),
    ],
)  # fmt: skip
def test_the_content_type_decides_what_the_algorithm_gets(
    caller: Caller, body: Any, content_type: str, kind: str, value: Any
) -> None:
    reply = caller(body, content_type)
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.json()["result"] == {"type": kind, "value": value}


def test_the_normal_answer(caller: Caller) -> None:
    found = caller("x").json()
    assert set(found) == {"result", "metadata"}
    assert set(found["metadata"]) == {"content_type", "duration", "request_id"}
    assert found["metadata"]["content_type"] == "json"
    assert isinstance(found["metadata"]["duration"], float)
    assert found["metadata"]["request_id"].startswith("req-")


@pytest.mark.digest("4.2 content_type")
def test_the_result_s_type_follows_the_return_value(caller: Caller) -> None:
    assert (caller("binary").json()["result"], caller("binary").json()["metadata"]["content_type"]) == (
        "AP8=",
        "binary",
    )
    assert base64.b64decode(caller("binary").json()["result"]) == b"\x00\xff"
    assert caller("print").json()["metadata"]["content_type"] == "text"
    assert (caller("none").json()["result"], caller("none").json()["metadata"]["content_type"]) == (None, "json")
    assert caller("number").json()["result"] == 1.5


def test_raw_output(caller: Caller) -> None:
    text, binary, value = caller("print", output="raw"), caller("binary", output="raw"), caller("number", output="raw")
    assert (text.content, text.headers["content-type"]) == (b"printed", "text/plain; charset=utf-8")
    assert (binary.content, binary.headers["content-type"]) == (b"\x00\xff", "application/octet-stream")
    assert (value.content, value.headers["content-type"]) == (b"1.5", "application/json")
    for reply in (
        caller("raise", output="raw"),
        caller("{", "application/json", output="raw"),
        caller("x", path="/9.9.9", output="raw"),
    ):
        assert reply.status_code == 400
        assert reply.json()["error"]["message"]


def test_void_output_runs_on_behind(caller: Caller) -> None:
    before = caller("effect").json()["result"]
    reply = caller("effect", output="void").json()
    assert reply["async"] is True
    assert set(reply) == {"async", "request_id"}
    deadline = time.monotonic() + 60
    while caller("effect").json()["result"] < before + 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert caller("effect").json()["result"] >= before + 3
    assert "error" in caller("x", path="/9.9.9", output="void").json()


@pytest.mark.digest("4.2 stdout")
def test_output_is_for_members_who_ask(caller: Caller, stranger: Caller) -> None:
    for said in ("true", "True"):
        stdout = caller("print", stdout=said).json()["metadata"]["stdout"]
        assert sorted(stdout.split("\n")) == ["", "from a shell", "from below", "from python"]
    assert caller("x", stdout="true").json()["metadata"]["stdout"] == ""
    assert "stdout" not in caller("print").json()["metadata"]
    assert "stdout" not in caller("print", stdout="false").json()["metadata"]
    assert "stdout" not in stranger("print", stdout="true").json()["metadata"]


def test_an_exception_is_an_answer(caller: Caller, stranger: Caller) -> None:
    reply = caller("raise")
    assert reply.status_code == 200
    error = reply.json()["error"]
    assert (error["message"], error["error_type"]) == ("not this", "AlgorithmError")
    assert 'raise ValueError("not this")' in error["stacktrace"]
    assert error["stack_trace"] == error["stacktrace"]
    assert "worker.py" not in error["stacktrace"]
    assert reply.json()["metadata"]["duration"] >= 0
    assert set(stranger("raise").json()["error"]) == {"message", "error_type"}


def test_error_types_are_those_of_the_list(caller: Caller) -> None:
    assert caller("input error").json()["error"]["error_type"] == "InputError"
    assert caller("own type").json()["error"]["error_type"] == "AlgorithmError"


def test_without_a_key(caller: Caller) -> None:
    reply = caller.http.post(f"/v1/algo/{caller.algorithm}", content="x", headers={"Content-Type": "text/plain"})
    assert (reply.status_code, reply.json()["error"]["message"]) == (200, "authorization required")
    assert "troth-version" not in reply.headers


@pytest.mark.parametrize("prefix", ["", "Simple ", "simple ", "Bearer "])
def test_every_form_of_authorization(caller: Caller, prefix: str) -> None:
    other = Caller(caller.http, caller.algorithm, prefix + caller.headers["Authorization"])
    assert "result" in other("x").json()


def test_receipts_are_on_replies_of_resolved_versions_only(caller: Caller, stranger: Caller) -> None:
    for reply in (
        caller("x", path="/0.1"),
        caller("raise", path="/0.1"),
        stranger("x", path="/0.1"),
        caller("{", "application/json", path="/0.1"),
    ):
        assert reply.headers["troth-version"] == "0.1.0"
        assert reply.headers["troth-reference"] == f"{caller.algorithm}/0.1"
        assert len(reply.headers["troth-digest"]) == 64
        assert reply.headers["troth-request"] == reply.json()["metadata"]["request_id"]
    assert not [name for name in stranger("x", path="/9.9.9").headers if name.startswith("troth-")]


@pytest.mark.parametrize("path", ["/", "/0.1.0/", "/latest/"])
def test_a_trailing_slash_is_ignored(caller: Caller, path: str) -> None:
    assert "result" in caller("x", path=path).json()


def test_repeated_leading_slashes_are_one(caller: Caller) -> None:
    reply = httpx2.post(
        f"{caller.http.base_url}".rstrip("/") + f"//v1/algo/{caller.algorithm}",
        content="x",
        headers={**caller.headers, "Content-Type": "text/plain"},
    )
    assert "result" in reply.json()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_calls_are_posted(caller: Caller, method: str) -> None:
    reply = caller.http.request(method, f"/v1/algo/{caller.algorithm}", headers=caller.headers)
    assert reply.status_code == 405
    assert reply.json()["error"]["message"] == "calls are made by POST"


@pytest.mark.parametrize(
    "query", [{"timeout": "0"}, {"timeout": "abc"}, {"timeout": "nan"}, {"timeout": "-1"}, {"output": "cooked"}]
)
def test_options_that_are_none(caller: Caller, query: dict[str, str]) -> None:
    reply = caller("x", **query).json()
    assert reply["error"]["error_type"] == "SystemError"
    assert next(iter(query)) in reply["error"]["message"]


@pytest.mark.digest("4.1 extras", "4.1 timeout")
def test_unknown_options_are_ignored_and_long_timeouts_cut(caller: Caller) -> None:
    assert "result" in caller("x", timeout="99999", whatever="1").json()


def test_nothing_of_the_server_reaches_the_algorithm_s_environment(caller: Caller) -> None:
    threads = {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"}
    stand_ins = {
        "ALGORITHMIA_API",
        "ALGORITHMIA_API_KEY",
    }  # what Algorithmia's client reads: a name that nothing resolves, no key
    own = {"HOME", "LANG", "PATH", "PWD", "LC_CTYPE"}
    assert set(caller("environment").json()["result"]) - threads <= own | stand_ins


def test_metrics_count_calls_and_are_for_administrators(server: RunningServer, caller: Caller) -> None:
    caller("raise")
    assert caller.http.get("/metrics").status_code == 401
    assert caller.http.get("/metrics", headers=caller.headers).status_code == 403
    text = caller.http.get("/metrics", headers={"Authorization": server.owner_key}).text
    assert f'troth_calls_total{{algorithm="{caller.algorithm}",outcome="ok",version="0.1.0"}}' in text
    assert f'troth_calls_total{{algorithm="{caller.algorithm}",outcome="exception",version="0.1.0"}}' in text
    assert caller.headers["Authorization"] not in text


def test_health_needs_no_key(caller: Caller) -> None:
    found = caller.http.get("/health").json()
    assert set(found) == {"status", "version", "isolation"}
    assert found["status"] == "ok"
    assert found["isolation"]["level"] in ("none", "process", "partial", "contained", "strong")


def test_a_head_that_is_too_large_is_refused(caller: Caller) -> None:
    reply = caller.http.get("/health", headers={"X-Long": "x" * 100_000})
    assert reply.status_code in (400, 431)


def test_the_native_api_describes_itself(caller: Caller) -> None:
    document = caller.http.get("/api/v1/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    command = document["paths"]["/api/v1/cmd"]["post"]
    parameters = {p["name"]: p["required"] for p in command["parameters"]}
    assert {"command", "version", "uuid", "checksum", "secondsToWaitForCompletion"} <= set(parameters)
    assert not any(parameters.values())  # the body may be an envelope
    assert {"200", "401", "409"} <= set(command["responses"])


def test_unknown_paths_are_problems(caller: Caller) -> None:
    reply = caller.http.get("/nowhere")
    assert reply.status_code == 404
    assert reply.headers["content-type"] == "application/problem+json"
    assert json.loads(reply.content)["code"] == "not-found"
    assert caller.http.post("/health").status_code == 405


def test_waiting_calls_are_bounded_by_the_size_of_their_bodies(tmp_path: Path) -> None:
    with running_server(tmp_path / "home", queue_bytes=1000) as server, ThreadPoolExecutor(8) as pool:
        code = "import time\ndef apply(input):\n    time.sleep(1.5)\n    return len(input)\n"
        algorithm, commit = server.build(tmp_path, "owner", server.owner, code=code)
        server.owner.call(f"{algorithm}/{commit}", "warm")
        headers = {"Authorization": server.owner_key, "Content-Type": "text/plain"}

        def call(number: int) -> httpx2.Response:
            return httpx2.post(
                f"{server.address}/v1/algo/{algorithm}/{commit}",
                content="x" * 800,
                headers=headers,
                timeout=60,
                verify=False,
                trust_env=False,
            )

        replies = list(pool.map(call, range(8)))
        refused = [reply for reply in replies if reply.status_code == 503]
        assert refused
        assert all(reply.headers["retry-after"] == "1" for reply in refused)
        assert {reply.json().get("result") for reply in replies if reply.status_code == 200} == {800}
        assert server.server.engine.waiting_bytes == 0


def test_a_slow_load_is_loaded_once_for_all_who_wait(server: RunningServer, tmp_path: Path) -> None:
    code = "import time, os\ndef load():\n    time.sleep(0.3)\n    return os.getpid()\ndef apply(input, state):\n    return state\n"
    name, client = server.account()
    algorithm, commit = server.build(tmp_path, name, client, code=code)
    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(lambda n: client.call(f"{algorithm}/{commit}", n).result, range(8)))
    assert len(answers) == 1
