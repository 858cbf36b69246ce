"""Algorithmia's own client of PyPI, unmodified, inside an algorithm that depends on it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.server import RunningServer, running_server
from tests.within.author import error_of, publish

DEPENDS = """
import Algorithmia
from Algorithmia.errors import AlgorithmException
import requests

assert "site-packages" in Algorithmia.__file__ or "environment" in Algorithmia.__file__, Algorithmia.__file__
client = Algorithmia.client()
public = client.file("data://owner/public/note").getString()  # by a connection that workers do not take over

def apply(input):
    if input == "raise":
        return client.algo("RAISING").pipe("no").result
    if input == "catch":
        try:
            client.algo("RAISING").pipe("no")
        except AlgorithmException as error:
            return [error.message, error.error_type]
    if input == "elsewhere":
        try:
            requests.get("http://example.org/", timeout=5)
        except requests.RequestException as error:
            return type(error).__name__
    client.report_insights({"figure": 7})
    found = client.algo("ECHO").pipe(input)
    raw = client.algo("ECHO").pipe(bytes(range(256))).result
    return [found.result, found.metadata.content_type, list(raw) == list(range(256)), public]
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    cache = Path("~/.cache/troth-tests/packages").expanduser()
    with running_server(tmp_path_factory.mktemp("real"), package_cache=str(cache)) as running:
        yield running


@pytest.mark.digest("2.2 insights", "12.4 insights")
def test_it_works_unchanged(server: RunningServer, tmp_path: Path) -> None:
    echo = publish(server, tmp_path, "def apply(input):\n    return input\n")
    raising = publish(
        server,
        tmp_path,
        "class InputError(Exception):\n    pass\n\ndef apply(input):\n    raise InputError(input)\n",
    )
    for method, path, content in (("POST", "owner", {"json": {"name": "public", "acl": {"read": ["user://*"]}}}),
                                  ("PUT", "owner/public/note", {"content": b"known"})):  # fmt: skip
        reply = httpx2.request(method, f"{server.address}/v1/data/{path}", headers={"Authorization": server.owner_key},
                               trust_env=False, timeout=60, **content)  # fmt: skip
        assert reply.status_code == 200
    code = DEPENDS.replace("ECHO", echo).replace("RAISING", raising)
    caller = publish(server, tmp_path, code, dependencies=["algorithmia==2.0.5"])
    for name, client in (("owner", server.owner), server.account()):
        answer = client.call(caller, {"a": ["ü"]})
        assert answer.result == [{"a": ["ü"]}, "json", True, "known"]
        receipt = client._get(f"/api/v1/receipts/{answer.receipt['request']}.1")
        assert (receipt["algorithm"], receipt["caller"]) == (echo, name)
    assert server.owner.call(caller, "catch").result == ["no", "InputError"]
    assert server.owner.call(caller, "elsewhere").result == "ConnectionError"
    assert error_of(server, caller, "raise")["error_type"] == "InputError"
    asyncio.run_coroutine_threadsafe(server.server.observation.bookkeeping.flush(), server.loop).result(30)
    assert [one["value"] for one in server.owner.insights(caller)["insights"]] == [7, 7]


WITH_KIT = """
import os
import Algorithmia
from Algorithmia import ADK

def load():
    return {"loaded": 7}

def apply(input, state):
    if input == "raise":
        error = ValueError("not this"); error.error_type = "InputError"; raise error
    if input == "outer":
        os.mkfifo("/tmp/algoout")  # the original kit would write to it, and wait for ever
        return [state["loaded"], Algorithmia.client().algo("owner/NAME").pipe("inner").result]
    return input

algorithm = ADK(apply, load)
algorithm.init("sample")
"""


@pytest.mark.digest("16.2 import", "16.2 python310", "16.2 algoout")
def test_algorithms_with_the_real_kit_beside_it(server: RunningServer, tmp_path: Path) -> None:
    """The package `algorithmia` brings its own kit, which is left alone: it cannot tell of exceptions on this Python."""
    reference = publish(server, tmp_path, WITH_KIT, dependencies=["algorithmia==2.0.5"])
    error = error_of(server, reference, "raise")
    assert (error["error_type"], "not this" in error["message"], "in apply" in error["stacktrace"]) == (
        "InputError",
        True,
        True,
    )
    assert server.owner.call(reference, "outer").result == [7, "inner"]
    assert server.owner.call(reference, "again").result == "again"
