"""allOf, anyOf, oneOf, not, if, then, else, the boolean schemas, and how they meet the rest."""

from __future__ import annotations

from typing import Any

from tests.collections.templates.relations import apart, constrains, idle, narrower, same

# fmt: off
# One claim a line: this is a table.
OBJECT: dict[str, Any] = {"type": "object"}
INTEGER: dict[str, Any] = {"type": "integer"}
NUMBER: dict[str, Any] = {"type": "number"}
STRING: dict[str, Any] = {"type": "string"}
NULL: dict[str, Any] = {"type": "null"}
ANY: dict[str, Any] = {}


def kind(name: str, **properties: Any) -> dict[str, Any]:
    """A branch that is chosen by its `kind`."""
    return {"type": "object", "properties": {"kind": {"const": name}, **properties}, "required": ["kind"]}


ALL = [
    *constrains("allOf", ANY, {"allOf": [INTEGER]}, "a", "the part holds"),
    *constrains("allOf", INTEGER, {"allOf": [{"minimum": 0}, {"maximum": 9}]}, 10, "both parts hold"),
    *constrains("allOf", OBJECT, {"allOf": [{"required": ["a"]}, {"properties": {"a": INTEGER}}]}, {}, "both parts hold"),
    *idle("allOf", INTEGER, {"allOf": [True, {}]}, "the parts say nothing"),
    *idle("allOf", INTEGER, {"allOf": [NUMBER]}, "every integer is a number"),
    *narrower("allOf", {"allOf": [INTEGER, {"minimum": 0}]}, {"allOf": [INTEGER]}, -1, "one part less"),
    *narrower("allOf", {"allOf": [INTEGER, {"minimum": 0}]}, {"allOf": [NUMBER, {"minimum": 0}]}, 0.5, "one part widened"),
    *narrower("allOf", {"allOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"required": ["b"]}, {"b": 1}, "one part less"),
    *apart("allOf", {"allOf": [{"minimum": 0}, INTEGER]}, {"allOf": [{"maximum": 0}, NUMBER]}, 1, -0.5, "other parts"),
    *apart("allOf", {"allOf": [STRING, {"maxLength": 2}]}, {"allOf": [STRING, {"minLength": 2}]}, "a", "abc", "other parts"),
    *same("allOf", {"allOf": [STRING]}, STRING, "one part is that part"),
    *same("allOf", {"allOf": [STRING, {"maxLength": 3}]}, {**STRING, "maxLength": 3}, "the parts put together"),
    *same("allOf", {"allOf": [{"maxLength": 3}, STRING]}, {"allOf": [STRING, {"maxLength": 3}]}, "order of parts has no meaning"),
    *same("allOf", {"allOf": [{"allOf": [STRING]}, {"maxLength": 3}]}, {**STRING, "maxLength": 3}, "parts of parts"),
    *same("allOf", {"allOf": [STRING, STRING]}, STRING, "one part twice"),
    *same("allOf", {"allOf": [{"enum": ["a", "b"]}, {"enum": ["b", "c"]}]}, {"const": "b"}, "one value is in both"),
    *same("allOf", {"allOf": [STRING, False]}, False, "false is passed by nothing"),
    *same("allOf", {"allOf": [{"anyOf": [STRING, INTEGER]}, {"anyOf": [INTEGER, NULL]}]}, INTEGER, "one branch is in both"),
]

ANYOF = [
    *constrains("anyOf", ANY, {"anyOf": [INTEGER, STRING]}, None, "two kinds are left"),
    *constrains("anyOf", OBJECT, {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"c": 1}, "one of two is demanded"),
    *constrains("anyOf", INTEGER, {"anyOf": [{"minimum": 10}, {"maximum": 0}]}, 5, "the middle is out"),
    *idle("anyOf", INTEGER, {"anyOf": [{"minimum": 0}, True]}, "one branch passes all"),
    *idle("anyOf", INTEGER, {"anyOf": [{"minimum": 0}, {"maximum": 5}]}, "every integer is in one of them"),
    *idle("anyOf", INTEGER, {"anyOf": [{"minimum": 6}, {"maximum": 5}]}, "no integer lies between"),
    *narrower("anyOf", {"anyOf": [INTEGER, STRING]}, {"anyOf": [INTEGER, STRING, NULL]}, None, "one branch more"),
    *narrower("anyOf", {"anyOf": [INTEGER, STRING]}, {"anyOf": [NUMBER, STRING]}, 0.5, "one branch widened"),
    *narrower("anyOf", STRING, {"anyOf": [STRING, {"type": "array", "items": STRING}]}, ["a"], "a list is allowed beside"),
    *narrower("anyOf", {"anyOf": [kind("a", x=INTEGER)]}, {"anyOf": [kind("a", x=INTEGER), kind("b", y=STRING)]}, {"kind": "b"}, "one kind more"),
    *narrower("anyOf", {"anyOf": [{**INTEGER, "minimum": 0, "maximum": 5}, {**INTEGER, "minimum": 6, "maximum": 10}]}, {**NUMBER, "minimum": 0, "maximum": 10}, 0.5, "the ranges joined"),
    *narrower("anyOf", {"anyOf": [{"const": 1}, {"const": 2}]}, {"anyOf": [{"enum": [1, 2, 3]}]}, 3, "one value more"),
    *narrower("anyOf", {"type": "object", "required": ["a"], "properties": {"a": {"anyOf": [INTEGER, STRING]}}}, {"anyOf": [{"required": ["a"], "properties": {"a": INTEGER}, **OBJECT}, {"properties": {"a": STRING}, **OBJECT}]}, {}, "a choice inside against a choice outside"),
    *apart("anyOf", {"anyOf": [INTEGER, STRING]}, {"anyOf": [STRING, NULL]}, 1, None, "one branch for another"),
    *apart("anyOf", {"anyOf": [INTEGER, NULL]}, {"anyOf": [{"type": "boolean"}, STRING]}, 1, True, "other branches"),
    *apart("anyOf", {"anyOf": [{"minimum": 5}, STRING]}, {"anyOf": [{"minimum": 0}, INTEGER], "type": "number"}, "a", 1, "wider in numbers, strings out"),
    *same("anyOf", {"anyOf": [STRING]}, STRING, "one branch is that branch"),
    *same("anyOf", {"anyOf": [STRING, NULL]}, {"anyOf": [NULL, STRING]}, "order of branches has no meaning"),
    *same("anyOf", {"anyOf": [INTEGER, NUMBER]}, NUMBER, "one branch is in the other"),
    *same("anyOf", {"anyOf": [STRING, False]}, STRING, "false adds nothing"),
    *same("anyOf", {"anyOf": [False, {"not": {}}]}, False, "no branch can pass"),
    *same("anyOf", {"anyOf": [{"enum": [1]}, {"enum": [2, 3]}]}, {"enum": [1, 2, 3]}, "the values joined"),
    *same("anyOf", {**NUMBER, "anyOf": [{"minimum": 3}, {"minimum": 5}]}, {**NUMBER, "minimum": 3}, "the weaker bound decides"),
    *same("anyOf", {"anyOf": [{**INTEGER, "maximum": 5}, {**INTEGER, "minimum": 6}]}, INTEGER, "the ranges joined"),
    *same("anyOf", {"anyOf": [{**NUMBER, "maximum": 5}, {**NUMBER, "minimum": 3}]}, NUMBER, "the ranges overlap"),
    *same("anyOf", {"anyOf": [{"type": "array", "maxItems": 1}, {"type": "array", "minItems": 2}]}, {"type": "array"}, "the sizes joined"),
    *same("anyOf", {"anyOf": [{"properties": {"a": INTEGER}, "required": ["a"], **OBJECT}, {"properties": {"a": STRING}, "required": ["a"], **OBJECT}]}, {"properties": {"a": {"type": ["integer", "string"]}}, "required": ["a"], **OBJECT}, "a choice outside, or inside"),
    *narrower("anyOf", {"type": "object", "properties": {"a": {"enum": [1]}}, "required": ["a"]}, {"anyOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"const": 1}}}], **OBJECT}, {}, "one branch holds it"),
]

ONEOF = [
    *constrains("oneOf", ANY, {"oneOf": [INTEGER, STRING]}, None, "two kinds are left"),
    *constrains("oneOf", INTEGER, {"oneOf": [{"multipleOf": 2}, {"multipleOf": 3}]}, 6, "what passes both is out"),
    *constrains("oneOf", OBJECT, {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1, "b": 1}, "exactly one is demanded"),
    *idle("oneOf", INTEGER, {"oneOf": [{"minimum": 6}, {"maximum": 5}]}, "every integer is in exactly one"),
    *idle("oneOf", STRING, {"oneOf": [True, False]}, "exactly one passes"),
    *narrower("oneOf", {"oneOf": [kind("a"), kind("b")]}, {"oneOf": [kind("a"), kind("b"), kind("c")]}, {"kind": "c"}, "one kind more, that excludes the others"),
    *narrower("oneOf", {"oneOf": [kind("a", x=INTEGER), kind("b")]}, {"oneOf": [kind("a", x=NUMBER), kind("b")]}, {"kind": "a", "x": 0.5}, "a branch widened that excludes the other"),
    *narrower("oneOf", {"oneOf": [{"minimum": 0, **NUMBER}, {"maximum": 0, **NUMBER}]}, NUMBER, 0, "zero passes both"),
    *narrower("oneOf", {"oneOf": [INTEGER, NUMBER]}, NUMBER, 1, "an integer passes both, so it is out"),
    *narrower("oneOf", {"oneOf": [{"multipleOf": 2}, {"multipleOf": 3}], **INTEGER}, {"anyOf": [{"multipleOf": 2}, {"multipleOf": 3}], **INTEGER}, 6, "one against at least one"),
    *narrower("oneOf", {"oneOf": [STRING, INTEGER]}, {"oneOf": [STRING, INTEGER, NULL]}, None, "one kind more"),
    *apart("oneOf", {"oneOf": [INTEGER, STRING]}, {"oneOf": [INTEGER, NUMBER]}, 1, 0.5, "the second branch takes the integers away"),
    *apart("oneOf", {"oneOf": [INTEGER]}, {"oneOf": [INTEGER, {"minimum": 5}]}, 7, "a", "a branch added that overlaps takes and gives"),
    *apart("oneOf", {"oneOf": [{**NUMBER, "maximum": 3}, {**NUMBER, "minimum": 5}]}, {"oneOf": [{**NUMBER, "maximum": 6}, {**NUMBER, "minimum": 5}]}, 5.5, 4, "a branch widened into the other"),
    *apart("oneOf", {"oneOf": [kind("a"), kind("b")]}, {"oneOf": [kind("a"), kind("c")]}, {"kind": "b"}, {"kind": "c"}, "one kind for another"),
    *same("oneOf", {"oneOf": [STRING]}, STRING, "one branch is that branch"),
    *same("oneOf", {"oneOf": [STRING, INTEGER]}, {"anyOf": [STRING, INTEGER]}, "the branches exclude each other"),
    *same("oneOf", {"oneOf": [INTEGER, STRING]}, {"oneOf": [STRING, INTEGER]}, "order of branches has no meaning"),
    *same("oneOf", {"oneOf": [STRING, STRING]}, False, "what passes one passes the other"),
    *same("oneOf", {"oneOf": [INTEGER, NUMBER]}, {**NUMBER, "not": INTEGER}, "numbers that are not integers"),
    *same("oneOf", {"oneOf": [True, STRING]}, {"not": STRING}, "strings pass both"),
    *same("oneOf", {"oneOf": [STRING, {**STRING, "maxLength": 2}]}, {**STRING, "minLength": 3}, "short strings pass both"),
    *same("oneOf", {"oneOf": [kind("a", x=INTEGER), kind("b")]}, {"anyOf": [kind("b"), kind("a", x=INTEGER)]}, "kinds exclude each other"),
    *same("oneOf", {"oneOf": [{"enum": [1, 2]}, {"enum": [2, 3]}]}, {"enum": [1, 3]}, "2 passes both"),
]

NOT = [
    *constrains("not", ANY, {"not": STRING}, "a", "strings are out"),
    *constrains("not", STRING, {"not": {"enum": ["a"]}}, "a", "one string is out"),
    *constrains("not", OBJECT, {"not": {"required": ["a"]}}, {"a": 1}, "a may not be"),
    *constrains("not", OBJECT, {"not": {"required": ["a", "b"]}}, {"a": 1, "b": 1}, "not both"),
    *idle("not", STRING, {"not": INTEGER}, "no string is an integer"),
    *idle("not", INTEGER, {"not": False}, "nothing passes false"),
    *idle("not", {**INTEGER, "minimum": 5}, {"not": {"const": 3}}, "3 is out anyhow"),
    *narrower("not", {"not": NUMBER}, {"not": INTEGER}, 0.5, "less is excluded"),
    *narrower("not", {"not": {"enum": ["a", "b"]}}, {"not": {"enum": ["a"]}}, "b", "less is excluded"),
    *narrower("not", {**STRING, "not": {"pattern": "^a"}}, {**STRING, "not": {"pattern": "^ab"}}, "ac", "less is excluded"),
    *narrower("not", {"not": {"anyOf": [STRING, NULL]}}, {"not": STRING}, None, "less is excluded"),
    *narrower("not", INTEGER, {"not": STRING}, None, "no integer is a string"),
    *narrower("not", {"not": {}}, INTEGER, 1, "nothing is everything's part"),
    *apart("not", {"not": STRING}, {"not": INTEGER}, 1, "a", "something else is excluded"),
    *apart("not", {"not": STRING}, STRING, 1, "a", "the complement"),
    *apart("not", {**NUMBER, "not": {"minimum": 5}}, {**NUMBER, "not": {"maximum": 3}}, 1, 7, "something else is excluded"),
    *same("not", {"not": {"not": STRING}}, STRING, "twice is nothing"),
    *same("not", {"not": {}}, False, "nothing passes"),
    *same("not", {"not": True}, {"not": {}}, "two spellings of nothing"),
    *same("not", {"not": False}, ANY, "everything passes"),
    *same("not", {**NUMBER, "not": {"minimum": 5}}, {**NUMBER, "exclusiveMaximum": 5}, "the complement of a bound"),
    *same("not", {**NUMBER, "not": {"exclusiveMinimum": 5}}, {**NUMBER, "maximum": 5}, "the complement of a bound"),
    *same("not", {**INTEGER, "not": {"minimum": 5}}, {**INTEGER, "maximum": 4}, "the integer before"),
    *same("not", {"not": {"minimum": 5}}, {**NUMBER, "exclusiveMaximum": 5}, "what is no number passes the bound, so it is out"),
    *same("not", {"not": {"pattern": "a"}}, {**STRING, "not": {"pattern": "a"}}, "what is no string passes the pattern, so it is out"),
    *same("not", {"not": {"allOf": [STRING, {"minLength": 2}]}}, {"anyOf": [{"not": STRING}, {"maxLength": 1}]}, "either is missed"),
    *same("not", {"not": {"anyOf": [STRING, INTEGER]}}, {"allOf": [{"not": STRING}, {"not": INTEGER}]}, "both are missed"),
    *same("not", {"type": ["string", "null"], "not": NULL}, STRING, "one type of two is out"),
    *same("not", {"enum": ["a", "b", "c"], "not": {"const": "b"}}, {"enum": ["a", "c"]}, "one value of three is out"),
    *same("not", {**STRING, "not": STRING}, False, "out and in"),
    *same("not", {"type": "array", "not": {"type": "array", "contains": INTEGER}}, {"type": "array", "items": {"not": INTEGER}}, "no integer among the items"),
    *same("not", {**OBJECT, "not": {"properties": {"a": INTEGER}}}, {**OBJECT, "required": ["a"], "properties": {"a": {"not": INTEGER}}}, "to miss it, a must be there"),
]

CONDITION = {"properties": {"kind": {"const": "card"}}, "required": ["kind"]}
CONDITIONS = [
    *constrains("if", OBJECT, {"if": CONDITION, "then": {"required": ["number"]}}, {"kind": "card"}, "a card has a number"),
    *constrains("if", INTEGER, {"if": {"minimum": 10}, "then": {"multipleOf": 10}, "else": {"multipleOf": 2}}, 15, "both ways hold"),
    *idle("if", OBJECT, {"if": {"required": ["a"]}}, "without then and else it says nothing"),
    *idle("if", INTEGER, {"if": STRING, "then": False}, "the condition is never met"),
    *narrower("if", {**OBJECT, "if": {"required": ["a"]}, "then": {"required": ["b"]}}, {**OBJECT, "if": {"required": ["a", "c"]}, "then": {"required": ["b"]}}, {"a": 1}, "the condition is met less often"),
    *narrower("if", {**OBJECT, "if": True, "then": {"required": ["b"]}}, {**OBJECT, "if": {"required": ["a"]}, "then": {"required": ["b"]}}, {}, "always, or beside a"),
    *apart("if", {**OBJECT, "if": {"required": ["a"]}, "then": {"required": ["b"]}}, {**OBJECT, "if": {"required": ["b"]}, "then": {"required": ["a"]}}, {"b": 1}, {"a": 1}, "the other way round"),
    *apart("if", {**INTEGER, "if": {"minimum": 0}, "then": {"maximum": 5}, "else": {"minimum": -5}}, {**INTEGER, "if": {"minimum": 10}, "then": {"maximum": 15}, "else": {"minimum": 0}}, -3, 12, "other ranges"),
    *same("if", {"if": STRING, "then": {"maxLength": 2}, "else": False}, {**STRING, "maxLength": 2}, "else is passed by nothing"),
    *same("if", {"if": True, "then": STRING, "else": INTEGER}, STRING, "always then"),
    *same("if", {"if": False, "then": STRING, "else": INTEGER}, INTEGER, "always else"),
    *same("if", {"if": STRING, "then": {"minLength": 1}}, {"minLength": 1}, "a length is about strings anyhow"),
    *same("if", {**OBJECT, "if": {"required": ["a"]}, "then": False}, {**OBJECT, "not": {"required": ["a"]}}, "a may not be"),
    *constrains("then", {**OBJECT, "if": CONDITION}, {"then": {"required": ["number"]}}, {"kind": "card"}, "a demand when the condition is met"),
    *constrains("then", {**NUMBER, "if": {"minimum": 0}, "else": {"minimum": -5}}, {"then": {"maximum": 5}}, 6, "a bound when the condition is met"),
    *idle("then", INTEGER, {"then": {"minimum": 5}}, "without if it says nothing"),
    *narrower("then", {**OBJECT, "if": CONDITION, "then": {"required": ["number", "name"]}}, {**OBJECT, "if": CONDITION, "then": {"required": ["number"]}}, {"kind": "card", "number": 1}, "a weaker demand"),
    *narrower("then", {**NUMBER, "if": {"minimum": 0}, "then": {"maximum": 5}}, {**NUMBER, "if": {"minimum": 0}, "then": {"maximum": 6}}, 6, "a weaker bound"),
    *apart("then", {**OBJECT, "if": CONDITION, "then": {"required": ["a"]}}, {**OBJECT, "if": CONDITION, "then": {"required": ["b"]}}, {"kind": "card", "a": 1}, {"kind": "card", "b": 1}, "another demand"),
    *same("then", {**INTEGER, "if": {"minimum": 0}, "then": {"maximum": 9}}, {**INTEGER, "maximum": 9}, "what is below zero is below nine"),
    *constrains("else", {**OBJECT, "if": CONDITION}, {"else": {"required": ["iban"]}}, {"kind": "bank"}, "a demand when the condition is not met"),
    *constrains("else", {**NUMBER, "if": {"minimum": 0}, "then": {"maximum": 5}}, {"else": {"minimum": -5}}, -6, "a bound when the condition is not met"),
    *idle("else", INTEGER, {"else": {"minimum": 5}}, "without if it says nothing"),
    *idle("else", {**INTEGER, "if": NUMBER}, {"else": False}, "the condition is always met"),
    *narrower("else", {**NUMBER, "if": {"minimum": 0}, "else": {"minimum": -5}}, {**NUMBER, "if": {"minimum": 0}, "else": {"minimum": -6}}, -6, "a weaker bound"),
    *narrower("else", {"if": STRING, "else": INTEGER}, {"if": STRING, "else": NUMBER}, 0.5, "a weaker demand"),
    *apart("else", {"if": STRING, "else": INTEGER}, {"if": STRING, "else": NULL}, 1, None, "another demand"),
    *same("else", {"if": STRING, "else": INTEGER}, {"type": ["string", "integer"]}, "strings, or else integers"),
    *same("else", {"if": INTEGER, "then": {"minimum": 0}, "else": STRING}, {"anyOf": [STRING, {**INTEGER, "minimum": 0}]}, "two kinds"),
]

BOOLEANS = [
    *narrower("boolean schema", False, True, 1, "nothing is in everything"),
    *narrower("boolean schema", False, STRING, "a", "nothing is in everything"),
    *narrower("boolean schema", STRING, True, 1, "true is passed by everything"),
    *same("boolean schema", True, ANY, "two spellings of everything"),
    *same("boolean schema", False, {"not": {}}, "two spellings of nothing"),
    *same("boolean schema", False, {"enum": [1], "type": "string"}, "two spellings of nothing"),
    *same("boolean schema", True, {"anyOf": [STRING, {"not": STRING}]}, "a thing or its opposite"),
    *same("boolean schema", {"properties": {"a": True}}, ANY, "any value, or none"),
    *narrower("boolean schema", {"properties": {"a": False}}, {"properties": {"a": True}}, {"a": 1}, "a may be"),
    *narrower("boolean schema", {"type": "array", "items": False}, {"type": "array", "items": True}, [1], "items may be"),
    *narrower("boolean schema", {"allOf": [False]}, {"anyOf": [False, INTEGER]}, 1, "one branch can pass"),
]

ROWS = [*ALL, *ANYOF, *ONEOF, *NOT, *CONDITIONS, *BOOLEANS]
