"""A server whose queue is quick to try again, and somebody who publishes commands on it."""

from __future__ import annotations

import itertools
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server import RunningServer, running_server

#: A handler that says what it would do, and does it where it is no trial. It keeps a list in its owner's data.
HANDLER = """\
def apply(input):
    return {"handled": input["payload"]}
"""
PATIENCE = 60.0


class Publisher:
    """An account with algorithms as handlers, and commands."""

    def __init__(self, server: RunningServer, folder: Path) -> None:
        self.server = server
        self.name, self.client = server.account("ada")
        self.key = server.keys[self.name]
        self._folder = folder
        self._names = itertools.count(1)

    def algorithm(self, code: str = HANDLER, **options: Any) -> str:
        """`owner/name/version` of a published algorithm."""
        folder = self._folder / f"handler{next(self._names)}"
        subject, commit = self.server.build(folder, self.name, self.client, code=code, stem="handler", **options)
        number = self.client.publish(subject, commit, bump="revision")["version"]
        return f"{subject}/{number}"

    def command(self, stem: str = "command", **options: Any) -> str:
        """`owner/name` of a new command without a version."""
        subject = f"{self.name}/{self.server.new_name(stem)}"
        self.client.command("create_command", command=subject, **options)
        return subject

    def publish(
        self, command: str, version: int, schema: Any, handler: str, golden: list[Any], **more: Any
    ) -> dict[str, Any]:
        """Publishes a version; `golden` are payloads of it, handled by `HANDLER`, or whole golden entries."""
        entries = [
            one if isinstance(one, dict) and "payload" in one else {"payload": one, "result": {"handled": one}}
            for one in golden
        ]
        form = {"version": version, "schema": schema, **more.pop("format", {})}
        payload = {
            "command": command,
            "version": version,
            "format": form,
            "handler": handler,
            "golden": entries,
            **more,
        }
        found: dict[str, Any] = self.client.submit("publish_command_version", 1, payload)["result"]
        return found

    def curl(self, query: str, body: bytes = b"", *options: str, key: str | None = None) -> tuple[int, dict[str, Any]]:
        """(status, answer) of a submission by curl."""
        done = subprocess.run(
            ["curl", "--silent", "--show-error", "--write-out", "\n%{http_code}", "--data-binary", "@-",
             "--header", f"Authorization: Bearer {self.key if key is None else key}", *options,
             f"{self.server.address}/api/v1/cmd?{query}"],
            input=body, capture_output=True, check=True, timeout=120,
        )  # fmt: skip
        answer, _, status = done.stdout.rpartition(b"\n")
        return int(status), json.loads(answer)

    def send(self, command: str, version: int, payload: Any, extra: str = "") -> dict[str, Any]:
        """The answer to a submission that is accepted."""
        status, answer = self.curl(f"command={command}&version={version}{extra}", json.dumps(payload).encode())
        assert status == 200, answer
        return dict(answer)

    def shown(self, identity: str) -> dict[str, Any]:
        """What the server tells of an accepted command."""
        found: dict[str, Any] = self.client.queued(identity)
        return found

    def ended(self, identity: str, *states: str) -> dict[str, Any]:
        """The same, once it is in one of these states."""
        wanted = states or ("done", "failed", "discarded")
        found: dict[str, Any] = until(lambda: told if (told := self.shown(identity))["state"] in wanted else None)
        return found


def until(found: Callable[[], Any]) -> Any:
    """What `found` gives as soon as it gives something."""
    deadline = time.monotonic() + PATIENCE
    while not (said := found()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)
    return said


@pytest.fixture(scope="package")
def queue_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that tries again after a moment, and not often."""
    home = tmp_path_factory.mktemp("queue") / "home"
    with running_server(home, command_retry_seconds=0.02, command_attempts=3, command_seconds=20.0) as running:
        yield running


@pytest.fixture(scope="package")
def publisher(queue_server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Publisher:
    return Publisher(queue_server, tmp_path_factory.mktemp("handlers"))


@pytest.fixture(scope="package")
def handler(publisher: Publisher) -> str:
    """A handler that answers with what it was handed."""
    return publisher.algorithm()
