"""Algorithms that call algorithms, over a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.server import RunningServer, running_server
from tests.within.author import busy, error_of, publish, wait_for
from troth.errors import CallFailed

CALLER = """
import Algorithmia

client = Algorithmia.client()

def apply(input):
    found = client.algo(input["what"]).pipe(input["with"])
    return [found.result, found.metadata.content_type, found.metadata.full_metadata["request_id"]]
"""
#: calls itself so many times, each within the one before; for ever where that is below zero
DEEP = """
import Algorithmia

def apply(input):
    if input == 0:
        return 0
    return 1 + Algorithmia.client().algo("algo://owner/NAME").pipe(input - 1).result
"""
MOST = 24


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("within")) as running:
        yield running


@pytest.fixture(scope="module")
def echo(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    return publish(server, tmp_path_factory.mktemp("echo"), "def apply(input):\n    return input\n")


@pytest.fixture(scope="module")
def caller(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    return publish(server, tmp_path_factory.mktemp("caller"), CALLER)


@pytest.fixture(scope="module")
def endless(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    return publish(server, tmp_path_factory.mktemp("endless"), "def apply(input):\n    while True:\n        pass\n")


@pytest.fixture(scope="module")
def deep(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    return publish(server, tmp_path_factory.mktemp("deep"), DEEP)


@pytest.mark.parametrize("given", ["text", {"a": [1, None, "ü"]}, 7, None, True])
def test_a_call_within_a_call(server: RunningServer, tmp_path: Path, echo: str, given: Any, caller: str) -> None:
    found, kind, _ = server.owner.call(caller, {"what": f"algo://{echo}", "with": given}).result
    assert (found, kind) == (given, "text" if isinstance(given, str) else "json")


def test_bytes_and_large_values(server: RunningServer, tmp_path: Path, echo: str) -> None:
    code = """
import Algorithmia

def apply(input):
    sent = bytes(range(256)) * input
    found = Algorithmia.algo("ECHO").pipe(sent)
    return found.result == sent and found.metadata.content_type == "binary"
"""
    caller = publish(server, tmp_path, code.replace("ECHO", echo))
    assert server.owner.call(caller, 1).result
    assert server.owner.call(caller, 8000).result


def test_options_of_a_call(server: RunningServer, tmp_path: Path, echo: str) -> None:
    code = """
import Algorithmia
from Algorithmia.algorithm import OutputType

def apply(input):
    algorithm = Algorithmia.client().algo("algo://ECHO/0.1")
    algorithm.set_options(timeout=20, output=OutputType.raw)
    raw = algorithm.pipe({"a": 1})
    algorithm.set_options(output=OutputType.void)
    return [raw, algorithm.pipe(1).async_protocol, algorithm.version]
"""
    caller = publish(server, tmp_path, code.replace("ECHO", echo))
    assert server.owner.call(caller, 1).result == ['{"a":1}', True, "0.1"]


def test_the_request_id_is_inherited(server: RunningServer, tmp_path: Path, echo: str, caller: str) -> None:
    answer = server.owner.call(caller, {"what": caller, "with": {"what": echo, "with": 1}})
    outermost = answer.receipt["request"]
    (_, _, second), _, first = answer.result
    assert [first, second] == [f"{outermost}.1", f"{outermost}.2"]
    for request, algorithm in ((outermost, caller), (first, caller), (second, echo)):
        receipt = server.owner._get(f"/api/v1/receipts/{request}")
        assert (receipt["algorithm"], receipt["caller"]) == (algorithm, "owner")


def test_a_version_with_one_worker_that_calls_itself(server: RunningServer, tmp_path: Path, deep: str) -> None:
    assert server.owner.call(deep, MOST).result == MOST
    assert server.owner.call(deep, 3).result == 3


@pytest.mark.parametrize("depth", [MOST + 1, -1], ids=["one too many", "for ever"])
def test_a_version_that_calls_itself_too_often(server: RunningServer, tmp_path: Path, depth: int, deep: str) -> None:
    error = error_of(server, deep, depth)
    assert f"{MOST} calls are under way within the outermost one" in error["message"]
    assert error["error_type"] == "AlgorithmError"
    wait_for(lambda: busy(server) == 0)
    assert server.owner.call(deep, 2).result == 2


def test_the_twenty_fifth_beside_others(server: RunningServer, tmp_path: Path, endless: str) -> None:
    code = """
import queue
import threading
import Algorithmia

def apply(input):
    said = queue.Queue()

    def ask():
        try:
            Algorithmia.client().algo("ENDLESS").pipe(1)
        except Algorithmia.AlgorithmException as error:
            said.put(error.message)

    for _ in range(input):
        threading.Thread(target=ask, daemon=True).start()
    return said.get()
"""
    caller = publish(server, tmp_path, code.replace("ENDLESS", endless))
    assert f"{MOST} calls are under way" in server.owner.call(caller, MOST + 1).result
    wait_for(lambda: busy(server) == 0)  # the others end with the call that made them


def test_many_who_wait_for_each_other_s_version(server: RunningServer, tmp_path: Path, caller: str) -> None:
    """Two versions with one worker each that call each other, more often at once than there are workers."""
    other = publish(server, tmp_path, CALLER)
    given: Any = {"what": other, "with": {"what": caller, "with": {"what": other, "with": {"what": "NONE", "with": 1}}}}
    given["with"]["with"]["with"]["what"] = publish(server, tmp_path, "def apply(input):\n    return input\n")
    with ThreadPoolExecutor(12) as threads:
        found = list(threads.map(lambda _: server.client(server.owner_key).call(caller, given).result, range(12)))
    assert all(one[0][0][0][0] == 1 for one in found)
    wait_for(lambda: busy(server) == 0)


def test_a_version_that_may_not_call(server: RunningServer, tmp_path: Path, echo: str) -> None:
    caller = publish(server, tmp_path, CALLER, permissions={"pipeline_enabled": False})
    assert "pipeline_enabled = false" in error_of(server, caller, {"what": echo, "with": 1})["message"]


def test_the_time_of_a_call_is_that_of_its_calls(server: RunningServer, tmp_path: Path, endless: str) -> None:
    code = """
import Algorithmia

def apply(input):
    try:
        Algorithmia.client().algo("ENDLESS").set_options(timeout=3000).pipe(1)
    except Algorithmia.AlgorithmException as error:
        return error.error_type
"""
    caller = publish(server, tmp_path, code.replace("ENDLESS", endless))
    with pytest.raises(CallFailed, match="took more than 2 seconds"):
        server.owner.call(caller, 1, seconds=2)
    wait_for(lambda: busy(server) == 0)


def test_a_caller_who_leaves_ends_what_was_called_within(
    server: RunningServer, tmp_path: Path, caller: str, endless: str
) -> None:
    with pytest.raises(httpx2.ReadTimeout):
        httpx2.post(
            f"{server.address}/v1/algo/{caller}", json={"what": endless, "with": 1}, trust_env=False, timeout=2,
            headers={"Authorization": server.owner_key},
        )  # fmt: skip
    wait_for(lambda: busy(server) == 0)


def test_a_call_that_is_not_waited_for_ends_with_the_one_that_made_it(
    server: RunningServer, tmp_path: Path, endless: str
) -> None:
    code = """
import Algorithmia

def apply(input):
    algorithm = Algorithmia.client().algo("ENDLESS")
    return algorithm.set_options(output=Algorithmia.OutputType.void).pipe(1).request_id
"""
    caller = publish(server, tmp_path, code.replace("ENDLESS", endless))
    assert server.owner.call(caller, 1).result.endswith(".1")
    wait_for(lambda: busy(server) == 0)


def test_error_types_pass_through(server: RunningServer, tmp_path: Path) -> None:
    code = """
class Special(Exception):
    def __init__(self, kind):
        super().__init__("no, " + kind)
        self.error_type = kind

def apply(input):
    raise Special(input)
"""
    raising = publish(server, tmp_path, code)
    caller = publish(server, tmp_path, CALLER)
    catching = publish(
        server,
        tmp_path,
        """
import Algorithmia
from Algorithmia.errors import AlgorithmException

def apply(input):
    try:
        Algorithmia.client().algo(input["what"]).pipe(input["with"])
    except AlgorithmException as error:
        return [error.message, error.error_type, bool(error.stack_trace)]
""",
    )
    for kind, told in (("InputError", "InputError"), ("OutOfGpuMemoryError", "OutOfGpuMemoryError"),
                       ("NonsenseError", "AlgorithmError")):  # fmt: skip
        given = {"what": raising, "with": kind}
        assert server.owner.call(catching, given).result == [f"no, {kind}", told, True]
        error = error_of(server, caller, given)
        assert (error["message"], error["error_type"]) == (f"no, {kind}", told)
    nothing = {"what": "owner/nothing_of_that_name", "with": 1}
    assert server.owner.call(catching, nothing).result[0] == "algorithm algo://owner/nothing_of_that_name not found"


def test_it_acts_for_the_caller(server: RunningServer, tmp_path: Path, caller: str) -> None:
    """A public algorithm reaches what its caller reaches, and not what its author does."""
    name, client = server.account()
    theirs = publish(server, tmp_path, "def apply(input):\n    return 'theirs'\n", owner=name, visibility="private")
    ours = publish(server, tmp_path, "def apply(input):\n    return 'ours'\n", visibility="private")
    assert client.call(caller, {"what": theirs, "with": 1}).result[0] == "theirs"
    assert server.owner.call(caller, {"what": ours, "with": 1}).result[0] == "ours"
    assert error_of(server, caller, {"what": ours, "with": 1}, server.keys[name])["message"].endswith("not found")
    assert error_of(server, caller, {"what": theirs, "with": 1})["message"].endswith("not found")


def test_a_key_that_is_revoked_meanwhile(server: RunningServer, tmp_path: Path, echo: str, caller: str) -> None:
    """A call whose caller's key ends goes on, and acts for nobody from then on (ALG-26)."""
    name, client = server.account()
    key = client.command("create_key", account=name)
    code = """
import time
import Algorithmia

def apply(input):
    while True:
        try:
            Algorithmia.client().algo("ECHO").pipe(1)
        except Algorithmia.AlgorithmException as error:
            return error.message
"""
    caller = publish(server, tmp_path, code.replace("ECHO", echo))
    with ThreadPoolExecutor(1) as threads:
        said = threads.submit(lambda: server.client(key["key"]).call(caller, 1).result)
        wait_for(lambda: busy(server) > 0)
        client.command("revoke_key", key_id=key["key_id"])
        assert said.result(60).startswith("authorization required")


def test_calls_within_are_no_calls_of_the_key(tmp_path: Path) -> None:
    """A limit of one call under way would otherwise keep every algorithm from calling another."""
    with running_server(tmp_path / "home", key_concurrent_calls=1) as server:
        echo = publish(server, tmp_path, "def apply(input):\n    return input\n")
        caller = publish(server, tmp_path, CALLER)
        assert server.owner.call(caller, {"what": echo, "with": 1}).result[0] == 1


def test_results_one_by_one(server: RunningServer, tmp_path: Path, echo: str) -> None:
    code = """
import Algorithmia

def apply(input):
    for one in range(input):
        yield Algorithmia.algo("ECHO").pipe(one).result
"""
    caller = publish(server, tmp_path, code.replace("ECHO", echo))
    reply = httpx2.post(
        f"{server.address}/v1/algo/{caller}", json=3, trust_env=False, timeout=60,
        headers={"Authorization": server.owner_key, "Accept": "application/x-ndjson"},
    )  # fmt: skip
    assert [json.loads(line).get("result") for line in reply.text.splitlines()] == [0, 1, 2, None]


def test_in_every_process_that_takes_calls(tmp_path: Path) -> None:
    with running_server(tmp_path / "home", fronts=2) as server:
        echo = publish(server, tmp_path, "def apply(input):\n    return input\n")
        caller = publish(server, tmp_path, CALLER)
        wait_for(lambda: all(front["serves"] for front in server.server.fronts.described()))
        for number in range(12):  # by new connections, which the processes share
            reply = httpx2.post(
                f"{server.address}/v1/algo/{caller}", json={"what": echo, "with": number}, trust_env=False, timeout=60,
                headers={"Authorization": server.owner_key},
            )  # fmt: skip
            assert reply.json()["result"][0] == number


def test_a_machine_that_has_no_worker_left(tmp_path: Path) -> None:
    """Where everybody would wait for everybody, the newest is refused, and nobody waits for ever."""
    with running_server(tmp_path / "home", workers=2) as server:
        deep = publish(server, tmp_path, DEEP)
        assert "every worker that there may be waits" in error_of(server, deep, 10)["message"]
        wait_for(lambda: busy(server) == 0)
        assert server.owner.call(deep, 2).result == 2
