"""Lines of `troth check --bulk`, and their answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from troth.contracts.bulk import KINDS, answered

API = {"openapi": "3.1.0", "info": {"title": "A", "version": "1"}, "paths": {}}


@pytest.mark.parametrize(
    ("kind", "line", "verdict"),
    [
        ("schema", {"old": {"type": "integer"}, "new": {"type": "number"}}, "compatible"),
        ("schema", {"old": {"type": "integer"}, "new": {"type": "number"}, "side": "output"}, "breaking"),
        ("schema", {"old": True, "new": False, "side": "contained"}, "breaking"),
        ("schema", {"old": True, "new": False, "side": "inside"}, "invalid"),
        ("schema", {"old": {"type": 3}, "new": {}}, "invalid"),
        ("openapi", {"old": API, "new": json.dumps(API)}, "compatible"),
        ("openapi", {"old": API, "new": "openapi: 3.0.0\npaths: {}"}, "compatible"),
        ("openapi", {"old": API, "new": "a: ["}, "invalid"),
        ("openapi", {"old": API, "new": None}, "invalid"),
        ("python", {"old": "def f(): ...", "new": ""}, "breaking"),
        ("python", {"old": {"a.py": ""}, "new": {"a.py": "x = 1"}}, "compatible"),
        ("python", {"old": {"a.py": 1}, "new": ""}, "invalid"),
        ("python", {"old": "def f(", "new": ""}, "invalid"),
        ("wire", {"old": {"type": "string"}, "new": {"type": "string", "title": "T"}}, "compatible"),
        ("wire", {"old": True, "new": True, "new_serialisation": "application/msgpack"}, "breaking"),
    ],
)  # fmt: skip
def test_a_line_has_its_verdict(kind: str, line: dict[str, Any], verdict: str) -> None:
    answer = answered(kind, {"id": 7, **line})
    assert (answer["id"], answer["verdict"]) == (7, verdict)
    assert set(answer) == {"id", "verdict", "changes", "witness"} | ({"fault"} if verdict == "invalid" else set())
    assert json.loads(json.dumps(answer)) == answer


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("line", [None, 3, [], {}, {"id": "x", "old": 1}, {"id": "x", "new": {}}])
def test_a_bad_line_is_invalid(kind: str, line: Any) -> None:
    assert answered(kind, line)["verdict"] == "invalid"


def test_a_change_says_what_where_and_how_bad() -> None:
    old = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
    new = {**old, "required": ["a"]}
    answer = answered("schema", {"id": "1", "old": old, "new": new})
    assert answer["changes"] == [
        {
            "rule": "input-property-required",
            "level": "breaking",
            "path": ".a",
            "old": False,
            "new": True,
            "words": "a has to be sent now",
            "witness": {},
        }
    ]
    assert answer["witness"] == {}
