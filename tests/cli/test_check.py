"""`troth check` on two documents, and on many pairs from standard input."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.author import command
from troth.doors.cli.main import execute
from troth.doors.cli.pairs import Pairs, lines_of

TEXT = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
API = {"openapi": "3.1.0", "info": {"title": "A", "version": "1"}, "paths": {}}
STRICTER = {**TEXT, "required": ["a"]}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with documents of each kind, in which the command runs."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"text": TEXT, "stricter": STRICTER, "api": API, "no_schema": {"type": 3}}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(value))
    (tmp_path / "text.yaml").write_text("type: object\nproperties: {a: {type: string}}\nadditionalProperties: false\n")
    (tmp_path / "broken.yaml").write_text("type: object\nproperties: [\n")
    (tmp_path / "added.yaml").write_text(
        "openapi: 3.1.0\ninfo: {title: A, version: '2'}\npaths: {/a: {get: {responses: {'200': {description: ok}}}}}\n"
    )
    (tmp_path / "odd.json").write_text('{"type": "string", "pattern": "^(?=a)(.)c(?<=c)\\\\1?"}')
    (tmp_path / "even.json").write_text('{"type": "string", "pattern": "^(a|b)(?=c)"}')
    for name, text in {"greet": "def greet(name): ...\n", "less": "x = 1\n", "torn": "def f(:\n"}.items():
        (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("from package.inner import greet\n")
    (tmp_path / "package" / "inner.py").write_text("def greet(name): ...\n")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe")
    return tmp_path


@pytest.mark.parametrize(
    ("tokens", "code", "verdict"),
    [
        ("schema text.json text.yaml", 0, "compatible"),
        ("schema text.json stricter.json", 3, "breaking"),
        ("schema text.json stricter.json --side output", 0, "compatible"),
        ("schema even.json odd.json --side contained", 3, "cannot-tell"),
        ("schema text.json no_schema.json", 2, "invalid"),
        ("openapi api.json added.yaml", 0, "compatible"),
        ("openapi added.yaml api.json", 3, "breaking"),
        ("openapi api.json text.json", 2, "invalid"),
        ("python greet.py greet.py", 0, "compatible"),
        ("python greet.py less.py", 3, "breaking"),
        ("python package package", 0, "compatible"),
        ("python greet.py torn.py", 2, "invalid"),
        ("wire text.json text.yaml", 0, "compatible"),
        ("wire text.json stricter.json", 3, "breaking"),
        ("wire stricter.json text.json --tolerant", 0, "compatible"),
        ("wire even.json odd.json", 3, "breaking"),
    ],
)
def test_two_documents_have_their_verdict(
    tokens: str, code: int, verdict: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["check", *tokens.split(), "--json"]) == code
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == verdict
    assert set(told) >= {"verdict", "changes", "witness"}


def test_what_breaks_is_told_with_its_rule_place_and_witness(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["check", "schema", "text.json", "stricter.json"]) == 3
    told = capsys.readouterr().out
    assert told.startswith("breaking: ")
    for part in ("input-property-required", ".a: a has to be sent now", "e.g. {}"):
        assert part in told


def test_what_cannot_be_told_is_never_called_compatible(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["check", "schema", "even.json", "odd.json"]) == 3
    assert capsys.readouterr().out.startswith("cannot tell: nothing was proved, so do not take it for compatible")


@pytest.mark.parametrize(
    ("tokens", "parts"),
    [
        ("schema text.json no_schema.json", ("no_schema.json is not a JSON Schema", "#/type")),
        ("schema no_schema.json text.json", ("no_schema.json is not a JSON Schema", "#/type")),
        ("schema text.json broken.yaml", ("broken.yaml is not a JSON Schema", "why: line 3")),
        ("python greet.py torn.py", ("torn.py is not Python", "line 1")),
        ("schema text.json gone.json", ("gone.json cannot be read", "No such file")),
        ("schema text.json bytes.json", ("bytes.json is not text", "byte 0")),
        ("schema - -", ("standard input",)),
        ("", ("there is no troth.toml in .",)),
    ],
)
def test_bad_documents_are_told_with_their_place(
    tokens: str, parts: tuple[str, ...], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["check", *tokens.split()]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert all(part in told for part in parts), told


def test_a_workflow_shows_annotations(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["check", "schema", "text.json", "stricter.json", "--format", "github"]) == 3
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("::error file=stricter.json,title=breaking::")
    assert second == "::error file=stricter.json,title=input-property-required::.a: a has to be sent now, e.g. {}"
    assert execute(["check", "schema", "text.json", "text.json", "--format", "github"]) == 0
    assert capsys.readouterr().out == ""
    assert execute(["check", "schema", "stricter.json", "text.json", "--format", "github"]) == 0
    assert capsys.readouterr().out == (
        "::notice file=text.json,title=input-property-optional::.a: a need no longer be sent\n"
    )


def test_a_pull_request_shows_a_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["check", "wire", "text.json", "stricter.json", "--format", "markdown"]) == 3
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("### another format")
    assert (
        lines[-1]
        == "| breaking | `.a` | A property has to be there. (wire-property-required) | `false` | `true` | `{}` |"
    )


# --- many pairs


def bulk(given: bytes, *tokens: str) -> list[dict[str, Any]]:
    """The answers of a run that ended well."""
    done = subprocess.run(
        command("check", "--bulk", *tokens), input=given, capture_output=True, timeout=120, check=True
    )
    assert done.stderr == b""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_bad_lines_are_invalid_and_the_run_goes_on_in_order() -> None:
    lines = [
        json.dumps({"id": "a", "old": TEXT, "new": STRICTER}).encode(),
        b"{torn",
        b"",
        b"[1]",
        b'{"id": "b", "old": true}',
        b"\xff",
        b'{"id": "c", "old": {"minimum": NaN}, "new": true}',
        b'{"id": "d", "old": ' + b"[" * 100_000 + b'], "new": true}',
        json.dumps({"id": {"any": 1}, "old": STRICTER, "new": TEXT, "side": "contained"}).encode(),
    ]
    answers = bulk(b"\n".join(lines), "schema")
    assert [answer["verdict"] for answer in answers] == ["breaking", *["invalid"] * 7, "compatible"]
    assert [answer["id"] for answer in answers] == ["a", None, None, None, "b", None, None, None, {"any": 1}]


@pytest.mark.parametrize(
    ("kind", "old", "new", "verdict"),
    [
        ("openapi", API, json.dumps(API), "compatible"),
        ("python", {"a.py": "x = 1"}, {"a.py": ""}, "breaking"),
        ("wire", TEXT, {**TEXT, "title": "T"}, "compatible"),
    ],
)
def test_each_kind_is_read_from_lines(kind: str, old: Any, new: Any, verdict: str) -> None:
    (answer,) = bulk(json.dumps({"id": 1, "old": old, "new": new}).encode() + b"\n", kind)
    assert (answer["id"], answer["verdict"]) == (1, verdict)
    assert set(answer) == {"id", "verdict", "changes", "witness"}


def test_an_answer_comes_before_the_next_line_is_asked() -> None:
    line = json.dumps({"id": 1, "old": True, "new": True}).encode() + b"\n"
    with subprocess.Popen(command("check", "--bulk", "schema"), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        for _ in range(2):
            child.stdin.write(line)
            child.stdin.flush()
            assert json.loads(child.stdout.readline())["verdict"] == "compatible"


@pytest.mark.parametrize(("kind", "verdict"), [("schema", "cannot-tell"), ("wire", "breaking")])
def test_a_pair_without_end_is_never_compatible(kind: str, verdict: str) -> None:
    line = json.dumps({"id": 1, "old": True, "new": True}).encode()
    with Pairs(kind, seconds=3) as pairs:
        assert pairs.answer(line)["verdict"] == "compatible"
        assert pairs.process is not None
        os.kill(pairs.process, signal.SIGSTOP)  # it has no end, however fast the machine is
        answer = pairs.answer(line)
        assert answer["verdict"] == verdict
        assert "took longer than 3 seconds" in answer["fault"]
        assert pairs.answer(line)["verdict"] == "compatible"


def test_a_process_that_died_of_earlier_pairs_does_not_decide() -> None:
    line = json.dumps({"id": 1, "old": True, "new": True}).encode()
    with Pairs("schema") as pairs:
        pairs.answer(line)
        assert pairs.process is not None
        os.kill(pairs.process, signal.SIGKILL)
        assert pairs.answer(line)["verdict"] == "compatible"


def test_memory_that_is_used_up_ends_the_pair_and_not_the_run() -> None:
    hungry = b'{"id": 1, "old": [' + b"[]," * (15 << 20) + b'1], "new": true}'
    with Pairs("schema", seconds=300) as pairs:
        assert pairs.answer(hungry)["verdict"] == "cannot-tell"
        assert pairs.answer(b'{"id": 2, "old": true, "new": true}')["verdict"] == "compatible"


def test_a_line_that_is_too_long_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[Pairs.__module__], "LARGEST_LINE", 8)
    assert list(lines_of(io.BytesIO(b"short\n" + b"x" * 30 + b"\nnext\nlast"))) == [
        b"short\n",
        None,
        b"next\n",
        b"last",
    ]
