"""The key of a call within a call reaches no further than the key that the outermost call came with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.server import RunningServer
from tests.within.author import publish
from tests.within.test_calls import CALLER, echo, server

__all__ = ["echo", "server"]


@pytest.fixture(scope="module")
def caller(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    return publish(server, tmp_path_factory.mktemp("caller"), CALLER)


def ask(server: RunningServer, reference: str, what: str, headers: dict[str, str], **scope: Any) -> dict[str, Any]:
    key = server.owner.command("create_key", version=2, account="owner", scope=scope)["key"]
    head = {"Authorization": key, **headers}
    reply = httpx2.post(
        f"{server.address}/v1/algo/{reference}", json={"what": what, "with": 1}, headers=head, timeout=60
    )
    found: dict[str, Any] = reply.json()
    return found


def test_what_the_key_is_not_for_is_not_called_within(server: RunningServer, caller: str, echo: str) -> None:
    both = ask(server, caller, echo, {}, algorithms=[f"algo://{caller}", f"algo://{echo}"])
    assert both["result"][0] == 1
    one = ask(server, caller, echo, {}, algorithms=[f"algo://{caller}"])
    assert f"this key is not for algo://{echo}" in one["error"]["message"]


@pytest.mark.clause("ALG-25")
def test_and_what_is_private_is_not_found_within(server: RunningServer, caller: str, tmp_path: Path) -> None:
    private = publish(server, tmp_path, "def apply(input):\n    return input\n", visibility="private")
    private = private.removesuffix("/latestPrivate")
    found = ask(server, caller, f"{private}/0.1.0", {}, algorithms=["algo://*"])
    assert found.get("result", [found])[0] == 1
    said = [
        ask(server, caller, f"{subject}/0.1.0", {}, algorithms=[f"algo://{caller}"])["error"]["message"].replace(
            subject, "NAME"
        )
        for subject in (private, "owner/neverWas")
    ]
    assert said[0] == said[1]
    assert "not found" in said[0]


def test_a_key_with_an_origin_works_within_as_well(server: RunningServer, caller: str, echo: str) -> None:
    page = {"Origin": "https://app.example.org"}
    assert ask(server, caller, echo, page, algorithms=["algo://*"], origin="app.example.org")["result"][0] == 1
