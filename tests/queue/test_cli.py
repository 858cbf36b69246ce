"""`troth command` in front of the queue."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.queue.conftest import Publisher
from troth.doors.cli.main import execute

ANY: dict[str, Any] = {"type": "object"}


def test_the_queue_is_looked_after_from_the_command_line(
    publisher: Publisher, handler: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "key"
    key.write_text(publisher.key)

    def troth(*tokens: str, code: int = 0) -> str:
        capsys.readouterr()
        found = execute(["command", *tokens, "--server", publisher.server.address, "--key-file", str(key)])
        said = capsys.readouterr()
        assert found == code, said
        return said.out.strip()

    command = publisher.command()
    publisher.publish(command, 1, ANY, handler, [{"payload": {}, "result": {"handled": {}}}])
    assert troth("pause", command) == f"{command} is paused"
    identity = troth("send", command, "1", '{"name": "n"}')
    assert f"{command} 1" in troth("queue", "--command", command, "--state", "waiting")
    assert "waiting, 0 attempts" in troth("show", identity)
    assert json.loads(troth("show", command))["flow"] == "paused"
    assert troth("discard", identity, "--reason", "a test") == f"{identity} is discarded"
    troth("retry", identity, code=3)
    again = troth("replay", identity).removeprefix("accepted as ")
    assert troth("resume", command) == f"{command} is running"
    assert publisher.ended(again)["state"] == "done"
    assert '"handled"' in troth("show", again)
    assert json.loads(troth("queue", "--command", command, "--json"))["queue"][0]["uuid"] == again
    troth("send", command, "1", "no json", code=2)
    troth("show", "00000000-0000-0000-0000-000000000009", code=4)
    troth("add", command, "2", "--file", str(tmp_path / "nothing"), code=2)
