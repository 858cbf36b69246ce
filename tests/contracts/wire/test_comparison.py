"""When a command needs a new version."""

from __future__ import annotations

from typing import Any

import pytest

from troth.contracts.changes import Answer, Level
from troth.contracts.wire import compare

TEXT = {"type": "string"}


def closed(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


@pytest.mark.clause("PDB-45")
def test_any_difference_of_meaning_asks_for_a_new_version() -> None:
    found = compare(closed({"a": TEXT}), closed({"a": TEXT, "b": TEXT}))
    assert found.answer is Answer.BREAKING
    assert [(change.rule, change.path) for change in found.changes] == [("wire-property-added", ".b")]
    told = {"title": "T", "description": "D", "$comment": "C", **closed({"a": {**TEXT, "description": "said"}})}
    assert compare(closed({"a": TEXT}), told).answer is Answer.COMPATIBLE


@pytest.mark.clause("PDB-45")
def test_the_tolerant_setting_lets_pass_what_it_names_and_nothing_else() -> None:
    old = closed({"a": {"enum": ["x"]}, "b": TEXT}, "a", "b")
    new = closed({"a": {"enum": ["x", "y"]}, "b": TEXT, "c": TEXT}, "a")
    passed = compare(old, new, tolerant=True)
    assert passed.answer is Answer.COMPATIBLE
    assert {change.level for change in passed.changes} == {Level.NOTE}
    assert compare(new, old, tolerant=True).answer is Answer.BREAKING
    assert compare(old, new, tolerant=True, new_serialisation="msgpack").answer is Answer.BREAKING


@pytest.mark.clause("PDB-42")
def test_a_bare_scalar_is_a_wire_format() -> None:
    assert compare(TEXT, {"type": ["string"]}).answer is Answer.COMPATIBLE
    assert compare(TEXT, {"type": "integer"}).answer is Answer.BREAKING


@pytest.mark.clause("PDB-46")
def test_serialisation_is_a_part_of_the_format() -> None:
    inside = {"type": "string", "contentMediaType": "application/json"}
    assert [change.rule for change in compare(inside, TEXT).changes] == ["wire-content"]
    assert compare(TEXT, TEXT, new_serialisation="application/msgpack").answer is Answer.BREAKING
    assert compare(TEXT, TEXT, old_serialisation="msgpack", new_serialisation="application/x-msgpack").changes == ()


@pytest.mark.clause("PDB-44")
def test_what_cannot_be_decided_asks_for_a_new_version() -> None:
    found = compare({"type": "string", "pattern": "^(?=a)(.)c(?<=c)\\1?"}, {"type": "string", "pattern": "^(a|b)(?=c)"})
    assert (found.answer, [change.rule for change in found.changes]) == (Answer.BREAKING, ["wire-undecided"])


@pytest.mark.parametrize("schema", [{"type": "strung"}, {"$ref": "https://example.com/x"}, {"$ref": "#/nowhere"}, 3])
def test_what_is_no_schema_is_invalid(schema: Any) -> None:
    found = compare(TEXT, schema)
    assert found.answer is Answer.INVALID
    assert found.fault
