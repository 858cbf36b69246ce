"""What the key of a call is good for, and for how long. The algorithms here are hostile: they do what they can with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.server import RunningServer, running_server
from tests.within.author import publish

#: sends any request over the socket, with the key of the call or another; and keeps the key, or gives it away
HOSTILE = """
import __main__
import Algorithmia
from Algorithmia import transport

kept = []

def apply(input):
    if input.get("keep"):
        kept.append(transport.key_of_call())
    key = input.get("key") or (kept[0] if input.get("kept") else None)
    if input.get("forge"):
        secret, number = transport.key_of_call()[5:].split("-")
        key = "call-%s-%d" % (secret, int(number) + input["forge"])
    if input.get("tell"):
        return transport.key_of_call()
    if input.get("hand"):
        return Algorithmia.algo(input["hand"]).pipe({**input["on"], "key": transport.key_of_call()}).result
    reply = transport.ask(input.get("method", "POST"), input["path"], key=key, kind="application/json", body=b"1")
    return [reply.status, reply.document()]
"""
ECHO = "def apply(input):\n    return input\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("keys")) as running:
        yield running


@pytest.fixture(scope="module")
def echo(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    return publish(server, tmp_path_factory.mktemp("echo"), ECHO)


@pytest.fixture(scope="module")
def hostile(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    return publish(server, tmp_path_factory.mktemp("hostile"), HOSTILE)


def refused(answer: Any) -> bool:
    """Whether a call within was not made for want of a key that is good."""
    found: dict[str, Any] = answer[1]
    return str(found["error"]["message"]).startswith("authorization required")


def test_a_kept_key_is_no_good_in_the_next_call(server: RunningServer, hostile: str, echo: str) -> None:
    """The same warm worker, by turns for two callers: neither acts as the other."""
    _, client = server.account()
    path = f"/v1/algo/{echo}"
    assert client.call(hostile, {"keep": True, "path": path}).result[1]["result"] == 1
    for other in (server.owner, client):
        assert refused(other.call(hostile, {"kept": True, "path": path}).result)
        assert other.call(hostile, {"path": path}).result[1]["result"] == 1


@pytest.mark.parametrize("step", [-1, 1, 2, 1 << 40])
def test_keys_of_other_calls_of_the_same_worker(server: RunningServer, hostile: str, echo: str, step: int) -> None:
    """A worker can make up keys of calls that it runs at another time, and they are no good now."""
    assert refused(server.owner.call(hostile, {"forge": step, "path": f"/v1/algo/{echo}"}).result)


def test_a_key_after_its_call(server: RunningServer, hostile: str, echo: str) -> None:
    key = server.owner.call(hostile, {"tell": True}).result
    assert key.startswith("call-")
    assert refused(server.owner.call(hostile, {"key": key, "path": f"/v1/algo/{echo}"}).result)


def test_a_key_in_the_worker_of_another_version(server: RunningServer, hostile: str, echo: str, tmp_path: Path) -> None:
    """While its call runs, it is no good for anybody to whom the algorithm gives it."""
    other = publish(server, tmp_path, HOSTILE)
    given = {"hand": other, "on": {"path": f"/v1/algo/{echo}"}}
    assert refused(server.owner.call(hostile, given).result)


def test_a_key_outside_of_the_sandbox(server: RunningServer, tmp_path: Path) -> None:
    """While its call runs, it is no good at the server's port."""
    code = """
from Algorithmia import transport

def apply(input):
    for number in range(3):
        yield transport.key_of_call()
    while True:
        pass
"""
    teller = publish(server, tmp_path, code)
    head = {"Authorization": server.owner_key, "Accept": "application/x-ndjson"}
    with (
        httpx2.Client(trust_env=False, timeout=60) as http,
        http.stream("POST", f"{server.address}/v1/algo/{teller}", json=1, headers=head) as reply,
    ):
        key = json.loads(next(reply.iter_lines()))["result"]
        for form in ("", "Simple ", "Bearer "):
            found = http.post(
                f"{server.address}/v1/algo/{teller}", json=1, headers={"Authorization": form + key}, timeout=60
            ).json()
            assert found["error"]["message"].startswith("authorization required")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/cmd?command=create_key&version=1"),
        ("GET", "/api/v1/query/accounts"),
        ("GET", "/api/v1/query/versions?algorithm=owner/algo1"),
        ("GET", "/metrics"),
        ("GET", "/api/v1/engine"),
        ("POST", "/v1/algorithms/owner"),
        ("GET", "/v1/algorithms/owner/algo1"),
        ("GET", "/git/owner/algo1.git/info/refs?service=git-upload-pack"),
    ],
)
def test_it_is_a_key_to_nothing_but_calls_and_data(server: RunningServer, hostile: str, method: str, path: str) -> None:
    """An administrator's call gives an algorithm nothing of an administrator."""
    status, found = server.owner.call(hostile, {"method": method, "path": path}).result
    assert status == 401 or (found is not None and "authorization required" in json.dumps(found)), (status, found)


def test_there_is_no_key_while_a_version_is_loaded(server: RunningServer, tmp_path: Path, echo: str) -> None:
    code = """
import Algorithmia

def load():
    try:
        return Algorithmia.client().algo("ECHO").pipe(1).result
    except Algorithmia.ApiError as error:
        return str(error)

def apply(input, state):
    return state
"""
    loading = publish(server, tmp_path, code.replace("ECHO", echo))
    assert server.owner.call(loading, 1).result.startswith("nobody is acted for now")


def test_a_fork_for_each_call(server: RunningServer, tmp_path: Path, echo: str) -> None:
    """Nothing of a call is left for the next, the key neither; and it can call itself all the same."""
    name = publish(server, tmp_path, HOSTILE)
    folder = tmp_path / name.split("/")[1]
    lines = (folder / "troth.toml").read_text() + '[runtime]\nstart = "call"\n'
    (folder / "troth.toml").write_text(lines)
    built = server.owner.compile(folder)
    assert built["status"] == "succeeded", built["log"]
    server.owner.publish(name, built["hash"], bump="revision")
    path = f"/v1/algo/{echo}"
    assert server.owner.call(name, {"keep": True, "path": path}).result[1]["result"] == 1
    assert "list index out of range" in str(error(server, name, {"kept": True, "path": path}))


def error(server: RunningServer, reference: str, given: Any) -> Any:
    reply = httpx2.post(
        f"{server.address}/v1/algo/{reference}", json=given, headers={"Authorization": server.owner_key},
        trust_env=False, timeout=60,
    )  # fmt: skip
    return reply.json()["error"]["message"]
