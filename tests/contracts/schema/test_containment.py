"""What `contained` and `same_meaning` give: answers, witnesses, places, and how `N11` and formats change the reading."""

from __future__ import annotations

from typing import Any

import pytest

from troth.contracts.schema import ABSENT, Answer, Bounds, Dialect, contained, same_meaning

INTEGER, NUMBER, TEXT = {"type": "integer"}, {"type": "number"}, {"type": "string"}


def closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def test_a_yes_says_how_it_was_found_and_how_many_instances_were_tried() -> None:
    said = contained(INTEGER, NUMBER)
    assert said.answer is Answer.YES
    assert said.searched == Bounds().instances
    assert said.witness is ABSENT
    assert contained(INTEGER, {**INTEGER, "title": "count"}).searched == 0
    assert contained(INTEGER, NUMBER, search=False).searched == 0


def test_a_no_has_a_small_witness_and_the_place() -> None:
    old = {"type": "object", "properties": {"user": {"type": "object", "properties": {"age": NUMBER, "name": TEXT}}}}
    new = {"type": "object", "properties": {"user": {"type": "object", "properties": {"age": INTEGER, "name": TEXT}}}}
    said = contained(old, new)
    assert said.answer is Answer.NO
    assert said.witness == {"user": {"age": 0.5}}
    [difference] = said.differences
    assert difference.keyword == "type"
    assert difference.old_pointer == difference.new_pointer == "/properties/user/properties/age/type"
    assert (difference.old, difference.new) == ("number", "integer")
    assert difference.words == 'type was "number" and is "integer"'


def test_every_place_that_breaks_is_listed_and_none_that_does_not() -> None:
    old = closed(a=NUMBER, b=TEXT, c=INTEGER)
    new = {**closed(a=INTEGER, b=TEXT, c=NUMBER), "required": ["b"]}
    said = contained(old, new)
    assert [difference.new_pointer for difference in said.differences] == ["/properties/a/type", "/required"]
    assert said.differences[1].old is ABSENT
    assert said.differences[1].words == "required was added"


def test_differences_are_found_behind_references() -> None:
    old = {"$defs": {"t": {"properties": {"next": {"$ref": "#/$defs/t"}, "v": NUMBER}}}, "$ref": "#/$defs/t"}
    new = {"$defs": {"t": {"properties": {"next": {"$ref": "#/$defs/t"}, "v": INTEGER}}}, "$ref": "#/$defs/t"}
    said = contained(old, new)
    assert said.witness == {"v": 0.5}
    assert [difference.new_pointer for difference in said.differences] == ["/$defs/t/properties/v/type"]
    assert contained(new, old).answer is Answer.YES


def test_null_is_a_witness_like_another() -> None:
    said = contained({"type": ["null", "string"]}, TEXT)
    assert said.answer is Answer.NO
    assert said.witness is None


def test_a_contradictory_schema_is_contained_in_all_and_that_is_said() -> None:
    said = contained({"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, TEXT)
    assert said.answer is Answer.YES
    assert said.words == "the old schema has no instance at all"


def test_a_schema_that_only_an_endless_document_satisfies_has_no_instance() -> None:
    endless = {"$defs": {"t": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/t"}}}, "$ref": "#/$defs/t"}
    assert contained(endless, False).words == "the old schema has no instance at all"
    assert contained({"type": "array"}, endless).witness == []


def test_what_is_not_understood_is_not_a_yes() -> None:
    old, new = {"type": "string", "pattern": r"^(a|b)\1$"}, {"type": "string", "pattern": r"^(a|b)\1{1}$"}
    assert contained(old, new).answer is not Answer.YES
    assert contained(old, {**old, "description": "twice"}).answer is Answer.YES
    assert contained(old, {**old, "maxLength": 2}).answer is Answer.CANNOT_TELL


def test_too_few_steps_are_cannot_tell_and_the_places_are_named() -> None:
    old = {"anyOf": [{"required": [name]} for name in "abcdef"]}
    new = {"anyOf": [{"required": [name]} for name in "abcdefg"]}
    assert contained(old, new).answer is Answer.YES
    said = contained(old, new, search=False, bounds=Bounds(steps=-1_000))
    assert said.answer is Answer.CANNOT_TELL
    assert said.differences


def test_every_machine_gives_the_same_answer() -> None:
    old, new = (
        closed(a={"type": "array", "items": NUMBER, "uniqueItems": True}),
        closed(a={"type": "array", "maxItems": 2}),
    )
    assert contained(old, new) == contained(old, new)


def test_formats_are_annotations_unless_asked_for() -> None:
    date = {"type": "string", "format": "date"}
    assert contained(TEXT, date).answer is Answer.YES
    said = contained(TEXT, date, formats=True)
    assert said.answer is Answer.NO
    assert said.witness == ""
    assert contained(date, TEXT, formats=True).answer is Answer.YES
    assert contained(date, {"type": "string", "format": "time"}, formats=True).witness == "2020-02-29"
    assert contained(TEXT, {"type": "string", "format": "no-such-format"}, formats=True).answer is Answer.YES
    assert contained(TEXT, {"type": "string", "format": "hostname"}, formats=True).answer is Answer.CANNOT_TELL


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("date", "2024-02-29", "2023-02-29"),
        ("time", "23:59:60z", "24:00:00Z"),
        ("date-time", "2024-02-29T12:00:00.5+01:00", "2024-02-29 12:00:00Z"),
        ("email", "a@b.example", "a@"),
        ("ipv4", "10.0.0.1", "10.0.0.01"),
        ("ipv6", "2001:db8::1", "2001::db8::1"),
        ("uuid", "123E4567-e89b-12d3-a456-426614174000", "123e4567e89b12d3a456426614174000"),
        ("json-pointer", "/a~1b", "/a~2"),
    ],
)
def test_formats_that_are_checked(name: str, good: str, bad: str) -> None:
    schema = {"type": "string", "format": name}
    assert contained({"const": good}, schema, formats=True).answer is Answer.YES
    assert contained({"const": bad}, schema, formats=True).witness == bad


@pytest.mark.parametrize(
    ("old", "new", "strict", "tolerant"),
    [
        (closed(a=TEXT, b=TEXT), closed(a=TEXT), Answer.NO, Answer.YES),
        (closed(a=TEXT, b=TEXT), closed(a=INTEGER), Answer.NO, Answer.NO),
        (closed(a=TEXT), {**closed(a=TEXT, b=TEXT), "required": ["b"]}, Answer.NO, Answer.NO),
        (
            {**closed(a=TEXT, c=TEXT), "required": ["a"]},
            {"oneOf": [closed(a=TEXT), closed(b=TEXT)]},
            Answer.NO,
            Answer.YES,
        ),
        ({"type": "object"}, {"not": closed(a=TEXT)}, Answer.NO, Answer.NO),
        (closed(a=closed(b=TEXT, c=TEXT)), closed(a=closed(b=TEXT)), Answer.NO, Answer.YES),
        (
            {"type": "object"},
            {"type": "object", "properties": {"a": True}, "unevaluatedProperties": False},
            Answer.NO,
            Answer.YES,
        ),
    ],
)
def test_open_objects_let_unknown_properties_pass(old: Any, new: Any, strict: Answer, tolerant: Answer) -> None:
    assert contained(old, new).answer is strict
    assert contained(old, new, open_objects=True).answer is tolerant


def test_the_drafts_differ() -> None:
    pair = {"items": [TEXT]}, {"items": [TEXT], "additionalItems": False}
    assert contained(*pair, dialect=Dialect.DRAFT_7).witness == ["", 0]
    beside = {"$ref": "#/$defs/t", "maxLength": 3, "$defs": {"t": TEXT}}
    assert contained(beside, {"maxLength": 3}).answer is Answer.YES
    assert contained(beside, {"maxLength": 3}, dialect=Dialect.DRAFT_7).answer is Answer.NO


def test_the_drafts_can_be_compared_with_each_other() -> None:
    old = {"$schema": Dialect.DRAFT_7.value, "items": [TEXT], "additionalItems": INTEGER}
    new = {"$schema": Dialect.DRAFT_2020_12.value, "prefixItems": [TEXT], "items": NUMBER}
    assert contained(old, new).answer is Answer.YES
    assert contained(new, old).witness == ["", 0.5]


def test_same_meaning_asks_both_ways() -> None:
    assert same_meaning(INTEGER, {"type": "number", "multipleOf": 1}).answer is Answer.YES
    assert same_meaning({"enum": [1, 2]}, {"anyOf": [{"const": 2}, {"const": 1.0}]}).answer is Answer.YES
    wider = same_meaning(INTEGER, NUMBER)
    assert wider.answer is Answer.NO
    assert wider.witness == 0.5
    [difference] = wider.differences
    assert (difference.old, difference.new) == ("integer", "number")
    assert same_meaning(NUMBER, INTEGER).witness == 0.5


@pytest.mark.parametrize(
    ("old", "new", "answer"),
    [
        ({"multipleOf": 0.3}, {"multipleOf": 0.1}, Answer.YES),  # 0.3 / 0.1 is 2.9999... as floats
        ({"const": 1}, {"enum": [1.0]}, Answer.YES),
        ({"const": True}, {"enum": [1]}, Answer.NO),
        ({"const": 1.0}, INTEGER, Answer.YES),
        ({"const": 9007199254740993}, {"maximum": 9007199254740992}, Answer.NO),
        ({"multipleOf": 2, "type": "number"}, INTEGER, Answer.YES),
        ({"multipleOf": 2.5, "type": "integer"}, {"multipleOf": 5}, Answer.YES),
        ({"type": "integer", "minimum": 1, "maximum": 3}, {"enum": [1, 2, 3]}, Answer.YES),
        ({"type": "integer", "minimum": 1, "maximum": 4}, {"enum": [1, 2, 3]}, Answer.NO),
        ({"type": "boolean"}, {"enum": [True, False]}, Answer.YES),
        ({"const": "é"}, {"maxLength": 1}, Answer.YES),
        ({"const": "\U0001f600"}, {"maxLength": 1}, Answer.YES),
        ({"type": "array", "items": {"type": "boolean"}, "uniqueItems": True}, {"maxItems": 2}, Answer.YES),
        ({"type": "array", "items": {"enum": [1, 2, 3]}, "uniqueItems": True}, {"maxItems": 2}, Answer.NO),
        ({"type": "array", "minItems": 1, "items": INTEGER}, {"contains": INTEGER}, Answer.YES),
        ({"contains": INTEGER, "minContains": 2}, {"contains": NUMBER, "minContains": 2}, Answer.YES),
        ({"contains": {"const": 1}, "minContains": 2}, {"not": {"type": "array", "uniqueItems": True}}, Answer.YES),
        (
            {"type": "array", "contains": {"const": 1}, "minContains": 2},
            {"not": {"type": "array", "uniqueItems": True}},
            Answer.YES,
        ),
        ({"type": "array", "contains": INTEGER, "maxContains": 1, "items": INTEGER}, {"maxItems": 1}, Answer.YES),
        ({"propertyNames": {"enum": ["a", "b"]}}, {"maxProperties": 1}, Answer.NO),
        ({"type": "object", "propertyNames": {"enum": ["a", "b"]}}, {"maxProperties": 2}, Answer.YES),
        ({"patternProperties": {"^a": INTEGER}}, {"properties": {"ab": NUMBER}}, Answer.YES),
        (
            {"type": "object", "minProperties": 1, "properties": {"a": False}, "additionalProperties": False},
            False,
            Answer.YES,
        ),
        ({"dependentRequired": {"a": ["b"]}, "required": ["a"]}, {"required": ["b"]}, Answer.YES),
        ({"if": TEXT, "then": {"minLength": 1}, "else": INTEGER}, {"type": ["string", "integer"]}, Answer.YES),
        (
            {"oneOf": [INTEGER, {"minimum": 2}], "type": "number"},
            {"not": {"type": "integer", "minimum": 2}},
            Answer.YES,
        ),
        ({"allOf": [{"properties": {"a": True}}], "unevaluatedProperties": {}}, {"maxProperties": 1}, Answer.NO),
        (
            {"type": "object", "allOf": [{"properties": {"a": True}}], "unevaluatedProperties": False},
            {"maxProperties": 1},
            Answer.YES,
        ),
        ({"type": "array", "contains": TEXT, "unevaluatedItems": False}, {"items": TEXT}, Answer.YES),
    ],
)
def test_keywords_that_surprise(old: Any, new: Any, answer: Answer) -> None:
    assert contained(old, new).answer is answer
    assert contained(old, new, search=False).answer is answer
