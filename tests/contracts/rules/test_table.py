"""Every rule is a row, and the example of each row is its test."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import troth.contracts
from troth.contracts.changes import Answer, Comparison, Level
from troth.contracts.openapi.comparison import compare as compare_openapi
from troth.contracts.python_api.comparison import compare as compare_python
from troth.contracts.rules.table import Rule, rule, rules
from troth.contracts.schema_changes import compare as compare_schemas
from troth.contracts.wire import compare as compare_wire
from troth.errors import NotFound
from troth.versions.clauses import policy


def compared(row: Rule, before: str, after: str) -> Comparison:
    """Two examples of a row, by the checker of its kind."""
    old, new = document(row, before), document(row, after)
    if row.kind == "schema" and "openapi" not in old:
        return compare_schemas(old, new, "output" if row.side == "output" else "input")
    return CHECKED[row.kind](old, new)


CHECKED: dict[str, Callable[[Any, Any], Comparison]] = {
    "python": compare_python,
    "openapi": compare_openapi,
    "schema": compare_openapi,
    "wire": compare_wire,
}
ROWS = [row for row in rules().values() if row.kind in CHECKED]


def document(row: Rule, text: str) -> Any:
    return json.loads(text) if text.lstrip().startswith("{") or row.kind != "python" else text


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_the_example_of_a_rule_is_found_as_just_that(row: Rule) -> None:
    found = compared(row, row.before, row.after)
    assert {change.rule for change in found.changes} == {row.id}, found.fault
    assert {change.level for change in found.changes} == {row.level}
    expected = Answer.BREAKING if row.level is Level.BREAKING else Answer.COMPATIBLE
    assert found.answer is (Answer.CANNOT_TELL if row.undecided else expected)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_document_is_compatible_with_itself(row: Rule) -> None:
    for text in [row.before, row.after] if row.id != "openapi-remote-reference" else [row.before]:
        found = compared(row, text, text)
        assert (found.answer, found.changes) == (Answer.COMPATIBLE, ())


def test_rows_hang_together() -> None:
    for row in rules().values():
        assert row.purpose.endswith("."), row.id
        assert set(row.clauses) <= set(policy().clauses), row.id
        assert row.side in ("input", "output", "both", "permissions"), row.id
        assert (row.least == "major") == (row.level is Level.BREAKING or row.undecided), row.id
        if row.kind not in ("algorithm", "schema"):
            assert row.id.startswith(f"{row.kind}-"), row.id


def test_what_the_code_finds_has_a_row() -> None:
    """Ids stand in the code as text; one that is made of parts is held by the examples."""
    for path in Path(troth.contracts.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "rule":
                named = node.args[0]
                if isinstance(named, ast.Constant):
                    assert named.value in rules(), path


def test_an_unknown_rule_is_not_found() -> None:
    assert rule("PYTHON-NAME-REMOVED").id == "python-name-removed"
    with pytest.raises(NotFound):
        rule("no-such-rule")
