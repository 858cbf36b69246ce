"""`troth command` in front of the queue."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.queue.conftest import Publisher
from troth.doors.cli.main import execute

ANY: dict[str, Any] = {"type": "object"}


class Shell:
    """Runs `troth command` as somebody, and gives what it prints."""

    def __init__(self, publisher: Publisher, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._address = publisher.server.address
        self._key = folder / "key"
        self._key.write_text(publisher.key)
        self._capsys = capsys
        self.file = folder / "version.json"

    def __call__(self, *tokens: str, code: int = 0) -> str:
        self._capsys.readouterr()
        found = execute(["command", *tokens, "--server", self._address, "--key-file", str(self._key)])
        said = self._capsys.readouterr()
        assert found == code, said
        return " ".join((said.out if code == 0 else said.out + said.err).split())

    def add(self, command: str, declared: Any, code: int = 0) -> str:
        self.file.write_text(declared if isinstance(declared, str) else json.dumps(declared))
        return self("add", command, "1", "--file", str(self.file), code=code)


@pytest.fixture
def shell(publisher: Publisher, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(publisher, tmp_path, capsys)


def test_what_is_published_anew_is_told(publisher: Publisher, handler: str, shell: Shell) -> None:
    command = publisher.command()
    golden = [{"payload": {"name": "n"}, "result": {"handled": {"name": "n"}}}]
    declared: dict[str, Any] = {"format": {"schema": ANY}, "handler": handler, "golden": golden}
    assert f"published version 1 of {command}" in shell.add(command, declared)
    assert "stands as it was" in shell.add(command, declared)
    other = publisher.algorithm()
    declared |= {"handler": other, "ordered_by": "/name"}
    said = shell.add(command, declared)
    assert f"version 1 of {command} now: handler {handler} -> {other}, ordered_by none -> /name;" in said
    declared["golden"] = golden * 2
    assert "now: golden payloads replaced;" in shell.add(command, declared)


def test_a_wait_that_is_over_says_how_far_it_came(publisher: Publisher, shell: Shell, handler: str) -> None:
    command = publisher.command()
    publisher.publish(command, 1, ANY, handler, [{}])
    shell("pause", command)
    told = shell("send", command, "1", "{}", "--wait", "1", code=5)
    assert "not ended within 1 seconds: waiting, 0 attempts" in told
    identity = told.split()[0]
    assert f"next: troth command show {identity}" in told
    told = shell("send", command, "1", "{}", "--wait", "1", "--uuid", identity, "--json", code=5)
    assert '"state": "waiting"' in told
    assert "--wait is at most 600 seconds" in shell("send", command, "1", "{}", "--wait", "6000", code=2)
    assert "--wait is at least 0 seconds" in shell("send", command, "1", "{}", "--wait", "-1", code=2)


def test_a_failure_says_how_to_see_what_was_printed(publisher: Publisher, shell: Shell) -> None:
    code = """def apply(input):
    if not input["trial"]:
        raise ValueError("no [red]way")
    return 1
"""
    handler, command = publisher.algorithm(code), publisher.command()
    publisher.publish(command, 1, ANY, handler, [{"payload": {}, "result": 1}])
    told = shell("send", command, "1", "{}", "--wait", "100", code=1)
    assert "no [red]way" in told
    assert f"troth call {handler} '{{\"payload\": ...}}' --stdout" in shell("show", told.split()[0])


def test_a_file_that_is_no_json_is_named_with_the_line(publisher: Publisher, shell: Shell) -> None:
    told = shell.add(publisher.command(), '{\n  "format": {},\n  handler\n}', code=2)
    assert f"{shell.file} is not JSON: line 3, column 3" in told
    assert "single ones" not in told


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
