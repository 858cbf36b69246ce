"""When a command needs a new version."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.contracts.changes import Answer, Level
from troth.contracts.schema import Answer as Contained
from troth.contracts.schema import contained
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


ONE, BOTH = {"enum": [1]}, {"enum": [1, 2]}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"not": ONE}, {"not": BOTH}),
        ({"oneOf": [ONE, {"enum": [2]}]}, {"oneOf": [BOTH, {"enum": [2]}]}),
        ({"if": ONE, "then": {"type": "string"}}, {"if": BOTH, "then": {"type": "string"}}),
        ({"contains": ONE, "maxContains": 1}, {"contains": BOTH, "maxContains": 1}),
        ({"properties": {"properties": {}}}, {"properties": {"properties": {"maxProperties": 1}}}),
        ({"$defs": {"n": ONE}, "not": {"$ref": "#/$defs/n"}}, {"$defs": {"n": BOTH}, "not": {"$ref": "#/$defs/n"}}),
        (
            {"$defs": {"m": {"$ref": "#/$defs/n"}, "n": ONE}, "not": {"$ref": "#/$defs/m"}},
            {"$defs": {"m": {"$ref": "#/$defs/n"}, "n": BOTH}, "not": {"$ref": "#/$defs/m"}},
        ),
        (
            {"$defs": {"n": {"$anchor": "n", **ONE}}, "not": {"$ref": "#n"}},
            {"$defs": {"n": {"$anchor": "n", **BOTH}}, "not": {"$ref": "#n"}},
        ),
    ],
)
def test_the_tolerant_setting_lets_nothing_pass_that_narrows(old: Any, new: Any) -> None:
    assert compare(old, new, tolerant=True).answer is Answer.BREAKING


def test_the_tolerant_setting_reads_names_as_names() -> None:
    old, new = (closed({"enum": one, "properties": closed({"type": one})}) for one in (ONE, BOTH))
    assert compare(old, new, tolerant=True).answer is Answer.COMPATIBLE


ENUMS = st.fixed_dictionaries({"enum": st.lists(st.integers(1, 3), min_size=1, max_size=3, unique=True)})
SCHEMAS = st.recursive(
    ENUMS,
    lambda inner: st.one_of(
        *(st.fixed_dictionaries({word: inner}) for word in ("not", "items", "contains", "if")),
        *(
            st.fixed_dictionaries({word: st.lists(inner, min_size=1, max_size=2)})
            for word in ("oneOf", "anyOf", "allOf", "prefixItems")
        ),
        st.fixed_dictionaries({"if": inner, "then": inner, "else": inner}),
    ),
    max_leaves=4,
)


def widened(schema: Any) -> Any:
    """The same schema with 2 among the values of each of its enums."""
    if isinstance(schema, list):
        return [widened(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {word: sorted({*value, 2}) if word == "enum" else widened(value) for word, value in schema.items()}


@given(SCHEMAS)
def test_what_the_tolerant_setting_lets_pass_accepts_what_was_accepted(old: Any) -> None:
    new = widened(old)
    if compare(old, new, tolerant=True).answer is Answer.COMPATIBLE:
        assert contained(old, new).answer is not Contained.NO


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
