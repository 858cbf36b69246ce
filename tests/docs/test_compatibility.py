"""The page on compatibility: every row of its tables has the bump that it says, and its session prints what it shows."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest

from docs.generate import FOLDER
from tests.docs.pages import blocks, files, tables
from tests.docs.terminal import Terminal
from troth.contracts.comparison import differences
from troth.contracts.document import Contract, examples_in
from troth.contracts.examples import _FORMS, _NUMBERED, check_tolerance
from troth.versions.evidence import Evidence
from troth.versions.numbers import Number

PAGE = FOLDER / "compatibility.md"
INPUTS, OUTPUTS, TOLERANCES = tables(PAGE)[1:4]


def least(side: Literal["input", "output"], before: Any, after: Any) -> str:
    """The least bump of a change of one side."""
    found = differences(Contract(**{side: before}), Contract(**{side: after}))
    return Evidence(Number(1, 0, 0), found).least.value


@pytest.mark.parametrize(("side", "rows"), [("input", INPUTS), ("output", OUTPUTS)], ids=["inputs", "outputs"])
def test_each_row_needs_what_it_says(side: Literal["input", "output"], rows: list[list[str]]) -> None:
    assert len(rows) >= 8
    for change, before, after, bump in rows:
        assert least(side, *(json.loads(text.strip("`")) for text in (before, after))) == bump, change


def test_what_surprises_people_is_so() -> None:
    closed = {"type": "object", "properties": {"a": {}}, "additionalProperties": False}
    wider = {**closed, "properties": {"a": {}, "b": {"type": "string"}}}
    assert least("output", closed, wider) == "minor"
    assert least("input", {"type": "string", "format": "date"}, {"type": "string", "format": "time"}) == "minor"
    patterns = ({"type": "string", "pattern": text} for text in ("^(a|b)(?=c)", "^(?=a)(.)c(?<=c)\\1?"))
    assert least("input", *patterns) == "major"


def test_every_tolerance_is_listed_and_no_other() -> None:
    listed = {row[0].removesuffix(" (without any)").strip("`") for row in TOLERANCES}
    assert listed == {*_FORMS, "schema", *(json.dumps({name: "x"}).replace('"x"', "x") for name in _NUMBERED)}
    for text in listed:
        check_tolerance({"tolerance": json.loads(text.replace("x", "1")) if text.startswith("{") else text})


def test_the_examples_are_examples() -> None:
    (shown,) = blocks(PAGE, "json")
    assert len(examples_in("examples.json", shown.encode())) == 3


def test_the_session_prints_what_it_shows(terminal: Terminal) -> None:
    for path, text in files(PAGE).items():
        terminal.write(path, text)
    terminal.start("troth up --owner ada")
    terminal.play(PAGE)
