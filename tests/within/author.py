"""An author of algorithms that call others, and what tests look at while they run."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2

from tests.server import RunningServer, write_project


def publish(
    server: RunningServer, folder: Path, code: str, *, owner: str = "owner", visibility: str = "public", **options: Any
) -> str:
    """A reference of a new algorithm with a published version; NAME in its code is its name."""
    client = server.client(server.keys[owner])
    name = server.new_name("algo")
    options.setdefault("permissions", {"pipeline_enabled": True})
    built = client.compile(write_project(folder / name, owner, name, code.replace("NAME", name), **options))
    assert built["status"] == "succeeded", built["log"]
    client.publish(f"{owner}/{name}", built["hash"], bump="minor", visibility=visibility)
    return f"{owner}/{name}{'' if visibility == 'public' else '/latestPrivate'}"


def wait_for(holds: Callable[[], bool]) -> None:
    """Waits until it holds."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def busy(server: RunningServer) -> int:
    """Calls that run or wait."""
    return sum(state["workers"]["busy"] + state["waiting"] for state in server.server.engine.states())


def error_of(server: RunningServer, reference: str, given: Any, key: str = "") -> dict[str, Any]:
    """The error that a call ends with."""
    reply = httpx2.post(
        f"{server.address}/v1/algo/{reference}", json=given, headers={"Authorization": key or server.owner_key},
        trust_env=False, timeout=60,
    )  # fmt: skip
    error: dict[str, Any] = reply.json()["error"]
    return error
