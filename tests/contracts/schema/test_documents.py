"""Schemas that cannot be compared: each with its place. And schemas that are hard on purpose: an answer within bounds."""

from __future__ import annotations

from typing import Any

import pytest

from troth.contracts.schema import Answer, Bounds, contained
from troth.errors import Malformed, MalformedSchema


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"type": "strin"}, "#/type"),
        ({"properties": {"a": {"minLength": -1}}}, "#/properties/a/minLength"),
        ({"properties": {"a/b": {"required": ["x", "x"]}}}, "#/properties/a~1b/required"),
        ({"allOf": []}, "#/allOf"),
        ({"items": [{"type": "string"}]}, "#/items"),
        ({"multipleOf": 0}, "#/multipleOf"),
        ({"maximum": True}, "#/maximum"),
        ({"maximum": float("nan")}, "#/maximum"),
        ({"const": {1, 2}}, "#/const"),
        ({"$ref": "#/$defs/none"}, "#/$ref"),
        ({"$ref": "#none"}, "#/$ref"),
        ({"$ref": "#/title", "title": "a"}, "#/$ref"),
        ({"items": {"$ref": "https://schemas.invalid/other"}}, "#/items/$ref"),
        ({"items": {"$ref": "other.json"}}, "#/items/$ref"),
        ({"$schema": "http://json-schema.org/draft-04/schema#"}, "#/$schema"),
        (
            {"items": {"$schema": "http://json-schema.org/draft-07/schema#", "$id": "https://a.invalid"}},
            "#/items/$schema",
        ),
        ({"$defs": {"a": {"$anchor": "x"}, "b": {"$anchor": "x"}}, "$ref": "#x"}, "#/$ref"),
        ({"$anchor": "a b"}, "#/$anchor"),
        ({"$id": "https://a.invalid/#part"}, "#/$id"),
        ({"$ref": "#"}, "#"),
        ({"allOf": [{"anyOf": [{"$ref": "#"}]}]}, "#"),
        ({"$defs": {"a": {"not": {"$ref": "#/$defs/a"}}}}, "#/$defs/a"),
        ([{"type": "string"}], "#"),
        ("string", "#"),
        (None, "#"),
    ],
)
def test_what_is_no_schema_is_refused_with_the_place(schema: Any, place: str) -> None:
    for pair in ((schema, True), (True, schema)):
        with pytest.raises(MalformedSchema) as caught:
            contained(*pair)
        assert str(caught.value.found).startswith(place)
        assert caught.value.why
        assert caught.value.repair
    assert issubclass(MalformedSchema, Malformed)


def nested(levels: int, leaf: Any, keyword: str) -> Any:
    for _ in range(levels):
        leaf = {keyword: {"a": leaf} if keyword == "properties" else leaf}
    return leaf


def test_documents_that_are_too_deep_or_too_large_are_refused() -> None:
    with pytest.raises(MalformedSchema, match="more than 500 levels"):
        contained(nested(600, True, "items"), True)
    with pytest.raises(MalformedSchema, match="more than 200000 values"):
        contained({"enum": list(range(200_001))}, True)
    with pytest.raises(MalformedSchema, match="more than 10 values"):
        contained({"enum": list(range(20))}, True, bounds=Bounds(nodes=10))


@pytest.mark.parametrize("keyword", ["items", "not", "properties", "additionalProperties"])
def test_hundreds_of_levels_are_no_fault(keyword: str) -> None:
    old, new = nested(240, {"type": "string"}, keyword), nested(240, {"type": "integer"}, keyword)
    assert contained(old, old).answer is Answer.YES
    assert contained(old, new).answer is Answer.NO


HARD = {
    "products": (
        {"allOf": [{"anyOf": [{"required": [f"{i}{j}"]} for j in range(6)]} for i in range(12)]},
        {"allOf": [{"anyOf": [{"required": [f"{i}{j}"]} for j in range(7)]} for i in range(12)]},
    ),
    "pigeons": (
        {
            "allOf": [{"anyOf": [{"required": [f"{p}{h}"]} for h in range(5)]} for p in range(6)]
            + [{"not": {"required": [f"{p}{h}", f"{q}{h}"]}} for h in range(5) for p in range(6) for q in range(p)],
            "type": "object",
        },
        False,
    ),
    "tags": tuple(
        {"oneOf": [{"required": ["t"], "properties": {"t": {"const": i}, "v": {"type": t}}} for i in range(40)]}
        for t in ("integer", "number")
    ),
    "wide": (
        {"properties": {f"p{i}": {"type": "integer"} for i in range(1500)}},
        {"properties": {f"p{i}": {"type": "number"} for i in range(1500)}},
    ),
    "conditions": tuple(
        {"allOf": [{"if": {"required": [f"k{i}"]}, "then": {"required": [f"r{i}"]}} for i in range(count)]}
        for count in (30, 29)
    ),
    "long enum": ({"enum": list(range(5000))}, {"type": "integer", "maximum": 4999}),
    "long arrays": (
        {"type": "array", "minItems": 10**9, "items": {"type": "integer"}},
        {"type": "array", "items": {"type": "number"}},
    ),
    "many wanted": (
        {"type": "array", "contains": {"type": "integer"}, "minContains": 10**9},
        {"contains": {"type": "number"}, "minContains": 10**9 - 1},
    ),
}


@pytest.mark.parametrize("name", HARD)
def test_hard_schemas_are_still_proved(name: str) -> None:
    old, new = HARD[name]
    assert contained(old, new).answer is Answer.YES


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"minLength": 10**9}, {"minLength": 10**9 + 1}),
        ({"minItems": 10**9}, {"minItems": 10**9 + 1}),
        ({"minProperties": 10**9}, {"minProperties": 10**9 + 1}),
        ({"multipleOf": 1e-300, "minimum": 0.1, "maximum": 1}, {"multipleOf": 1e-299}),
        (
            {"anyOf": [{"properties": {f"p{i}": True}} for i in range(16)], "unevaluatedProperties": False},
            {"anyOf": [{"properties": {f"p{i}": True}} for i in range(15)], "unevaluatedProperties": False},
        ),
        ({"pattern": "("}, {"pattern": "["}),
        ({"type": "array", "uniqueItems": True, "minItems": 300, "items": {"enum": list(range(299))}}, False),
    ],
)
def test_what_costs_too_much_is_never_a_yes(old: Any, new: Any) -> None:
    assert contained(old, new).answer in (Answer.NO, Answer.CANNOT_TELL)


def test_meta_schemas_are_known_without_being_fetched() -> None:
    draft = "http://json-schema.org/draft-07/schema#"
    assert contained({"$schema": draft, "$ref": draft}, {"type": ["object", "boolean"]}).answer is Answer.YES
