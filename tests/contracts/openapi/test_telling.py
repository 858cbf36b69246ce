"""What an answer has no place for is not made, and the answer is the same."""

from __future__ import annotations

from typing import Any

from troth.contracts.changes import ABSENT, MOST_CHANGES, Answer, Change, Level
from troth.contracts.openapi.comparison import compare
from troth.contracts.openapi.schema_comparison import Telling

FIELDS, MESSAGES = 120, 100


def change(level: Level, **more: Any) -> Change:
    return Change("x", level, "", None, None, "x", **more)


def api(widest: int, last: dict[str, Any], *, optional: bool = False) -> dict[str, Any]:
    """An API with more places than an answer has; the last of its messages is of another schema."""
    fields = {f"f{index}": {"type": "string", "maxLength": 1000 * widest + index} for index in range(FIELDS)}
    shared = {"type": "object", "properties": fields | ({"more": {"type": "string"}} if optional else {})}
    paths = {f"/a{index}": _path({"$ref": "#/components/schemas/Shared"}) for index in range(MESSAGES)}
    schemas = {"Shared": shared, "Last": last}
    paths["/z"] = _path({"$ref": "#/components/schemas/Last"})
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _path(schema: dict[str, Any]) -> dict[str, Any]:
    content = {"content": {"application/json": {"schema": schema}}}
    return {"post": {"requestBody": content, "responses": {"200": {"description": "ok"}}}}


def test_a_break_behind_ten_thousand_notes_is_found() -> None:
    found = compare(api(10, {"type": "integer"}), api(20, {"type": "boolean"}))
    assert (found.answer, len(found.changes)) == (Answer.BREAKING, MOST_CHANGES)
    assert [(one.level, one.path) for one in found.changes[:2]] == [
        (Level.BREAKING, "POST /z body application/json: "),
        (Level.NOTE, "POST /a0 body application/json: .f0"),
    ]
    assert found.witness is not ABSENT


def test_what_is_undecided_behind_ten_thousand_notes_is_found() -> None:
    found = compare(api(10, {"pattern": r"(a)\1"}), api(20, {"pattern": r"(b)\1"}))
    assert found.answer is Answer.CANNOT_TELL


def test_ten_thousand_breaks_are_enough() -> None:
    found = compare(api(20, {"type": "integer"}), api(10, {"type": "boolean"}))
    assert (found.answer, len(found.breaking)) == (Answer.BREAKING, MOST_CHANGES)


def test_what_decides_is_never_left_out() -> None:
    telling = Telling()
    many = [(f".{index}", change(Level.BREAKING)) for index in range(MOST_CHANGES + 5)]
    assert len(list(telling.of("a", many))) == MOST_CHANGES
    assert not telling.is_over
    undecided, shown = change(Level.BREAKING, undecided=True), change(Level.BREAKING, witness=1)
    assert list(telling.of("b", [("", undecided), ("", shown), ("", shown)])) == [("", undecided), ("", shown)]
    assert telling.is_over
    assert list(telling.of("c", [("", change(Level.NOTE))])) == [("", change(Level.NOTE))]
