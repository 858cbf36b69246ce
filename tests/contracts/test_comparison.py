"""Contracts of algorithms side by side: each row of the table is found, with its bump, place, witness and repair."""

from __future__ import annotations

import json
from typing import Any

import pytest

from troth.commands.comparing import compared
from troth.contracts.comparison import differences, interface, unjudged
from troth.contracts.document import Contract, contract_of
from troth.contracts.rules.table import rule, rules
from troth.versions.evidence import Difference
from troth.versions.numbers import Bump

OBJECT: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
    "required": ["a"],
}
CLOSED = {**OBJECT, "additionalProperties": False}


@pytest.mark.parametrize("name", ["input-described", "input-undescribed", "output-described", "output-undescribed"])
def test_the_example_of_a_row_is_found_as_just_that(name: str) -> None:
    row = rule(name)
    (found,) = differences(contract_of(row.before.encode()), contract_of(row.after.encode()))
    assert (found.rule, found.least.value) == (row.id, row.least)
    assert found.repair


@pytest.mark.parametrize(
    ("old", "new", "found", "least"),
    [
        (OBJECT, {**OBJECT, "properties": {"a": {"type": "string"}}}, "input-property-ignored", "major"),
        (CLOSED, {**CLOSED, "properties": {"a": {"type": "string"}}}, "input-property-refused", "major"),
        (CLOSED, {**CLOSED, "required": ["a", "b"]}, "input-property-required", "major"),
        (CLOSED, {**CLOSED, "properties": {**CLOSED["properties"], "c": {}}}, "input-property-added", "minor"),
        ({"type": "integer", "maximum": 9}, {"type": "integer", "maximum": 8}, "input-bounds-narrowed", "major"),
        ({"type": "integer", "default": 1}, {"type": "integer", "default": 2}, "default-changed", "minor"),
    ],
)
def test_inputs(old: Any, new: Any, found: str, least: str) -> None:
    first = differences(Contract(input=old), Contract(input=new))[0]
    assert (first.rule, first.least.value) == (found, least)
    assert first.path.startswith("input")


def test_outputs_are_judged_the_other_way() -> None:
    more = {**CLOSED, "properties": {**CLOSED["properties"], "c": {"type": "string"}}}
    assert [one.least for one in differences(Contract(output=CLOSED), Contract(output=more))] == [Bump.MINOR]
    (found,) = differences(Contract(output=OBJECT), Contract(output={**OBJECT, "required": []}))
    assert (found.rule, found.least, found.witness) == ("output-property-optional", Bump.MAJOR, ({},))


def test_spelling_is_no_difference() -> None:
    spelled = {"$defs": {"text": {"type": "string"}}, "title": "t", **CLOSED}
    spelled["properties"] = {"b": {"$ref": "#/$defs/text"}, "a": {"$ref": "#/$defs/text", "description": "d"}}
    assert differences(Contract(input=CLOSED), Contract(input=spelled)) == ()


def test_examples_speak_for_an_input_that_was_not_described() -> None:
    old = Contract(examples=({"input": 3, "output": 1}, {"input": {"a": "x"}, "output": 1}))
    first, second = differences(old, Contract(input=CLOSED))
    assert (first.rule, first.least, first.witness) == ("input-schema-narrowed", Bump.MAJOR, (3,))
    assert second.rule == "input-described"


def test_differences_survive_being_told() -> None:
    (found, *_) = differences(Contract(input=CLOSED), Contract(input={"type": "object"}, output={}))
    assert Difference.from_dict(json.loads(json.dumps(found.as_dict()))) == found


def test_what_takes_too_long_is_not_proved() -> None:
    old, new = Contract(input=CLOSED), Contract(input={**CLOSED, "required": []})
    (found,) = compared([old], new, 0.0)
    assert found == unjudged(old, new)
    assert [(one.undecided, one.least) for one in found] == [(True, Bump.MAJOR)]


def test_the_process_answers_as_the_code_does() -> None:
    new = Contract(input={**CLOSED, "required": []}, output=OBJECT)
    old = [Contract(input=CLOSED), Contract(), Contract(input=OBJECT, output=CLOSED)]
    assert compared(old, new, 120.0) == [differences(one, new) for one in old]


def test_what_is_described() -> None:
    assert [interface(one) for one in (Contract(), Contract(input={}), Contract(output={}), Contract({}, {}))] == [
        "not described", "input described", "output described", "described",
    ]  # fmt: skip


def test_rows_of_algorithms_have_examples_of_contracts() -> None:
    for row in rules().values():
        if row.kind == "algorithm":
            assert contract_of(row.before.encode()) is not None


def test_definitions_beside_a_reference_are_no_place_of_their_own() -> None:
    """As annotations of a dataclass give it: what is told is the field, and not the whole once more."""

    def question(units: list[str]) -> dict[str, Any]:
        fields = {"number": {"type": "number"}, "unit": {"enum": units}}
        closed = {"type": "object", "properties": fields, "required": ["number"], "additionalProperties": False}
        return {"$ref": "#/$defs/Question", "$defs": {"Question": closed}}

    found = differences(Contract(input=question(["m", "km"])), Contract(input=question(["m"])))
    assert [(one.rule, one.path) for one in found] == [("input-values-narrowed", "input.unit")]
