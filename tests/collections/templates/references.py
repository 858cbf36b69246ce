"""$ref, $defs, $id, $anchor, $dynamicRef, recursion, the annotations, and what one draft knows and the other does not."""

from __future__ import annotations

from typing import Any

from tests.collections.templates.relations import DRAFT_7, DRAFT_2020, apart, constrains, idle, narrower, same

# fmt: off
# One claim a line: this is a table.
OBJECT: dict[str, Any] = {"type": "object"}
INTEGER: dict[str, Any] = {"type": "integer"}
NUMBER: dict[str, Any] = {"type": "number"}
STRING: dict[str, Any] = {"type": "string"}
ANY: dict[str, Any] = {}
NEW = {"dialects": (DRAFT_2020,)}
OLD = {"dialects": (DRAFT_7,), "verbatim": True}


def with_part(part: Any, **around: Any) -> dict[str, Any]:
    """A schema that holds `part` as a definition and refers to it from `value`."""
    return {"type": "object", "properties": {"value": {"$ref": "#/$defs/part"}}, "$defs": {"part": part}, **around}


def chain(value: Any, **around: Any) -> dict[str, Any]:
    """A linked list, recursive at its root."""
    return {"type": "object", "properties": {"value": value, "next": {"$ref": "#"}}, **around}


def tree(leaf: Any) -> dict[str, Any]:
    """A leaf, or a list of trees."""
    return {"$ref": "#/$defs/tree", "$defs": {"tree": {"anyOf": [leaf, {"type": "array", "items": {"$ref": "#/$defs/tree"}}]}}}


REFERENCES = [
    *constrains("$ref", {"$defs": {"part": INTEGER}}, {"$ref": "#/$defs/part"}, "a", "the reference holds"),
    *constrains("$ref", {**OBJECT, "$defs": {"part": {"required": ["a"]}}}, {"allOf": [{"$ref": "#/$defs/part"}]}, {}, "the reference holds"),
    *narrower("$ref", with_part(INTEGER), with_part(NUMBER), {"value": 0.5}, "what is referred to is widened"),
    *narrower("$ref", with_part({"enum": ["a"]}), with_part({"enum": ["a", "b"]}), {"value": "b"}, "what is referred to is widened"),
    *narrower("$ref", with_part(INTEGER), {"type": "object", "properties": {"value": NUMBER}}, {"value": 0.5}, "a reference against what stands in its place"),
    *apart("$ref", with_part(INTEGER), with_part(STRING), {"value": 1}, {"value": "a"}, "what is referred to is another"),
    *apart("$ref", {"$ref": "#/$defs/a", "$defs": {"a": INTEGER, "b": STRING}}, {"$ref": "#/$defs/b", "$defs": {"a": INTEGER, "b": STRING}}, 1, "a", "another reference"),
    *same("$ref", with_part(INTEGER), {"type": "object", "properties": {"value": INTEGER}}, "a reference against what it refers to"),
    *same("$ref", {"$ref": "#/$defs/a", "$defs": {"a": STRING}}, {"$ref": "#/$defs/b", "$defs": {"b": STRING}}, "the definition renamed"),
    *same("$ref", {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": STRING}}, STRING, "a reference to a reference"),
    *same("$ref", {"$ref": "#/$defs/a~1b", "$defs": {"a/b": STRING}}, STRING, "`~1` is a slash in a pointer"),
    *same("$ref", {"$ref": "#/$defs/a~0b", "$defs": {"a~b": STRING}}, STRING, "`~0` is a tilde in a pointer"),
    *same("$ref", {"$ref": "#/$defs/a%25b", "$defs": {"a%b": STRING}}, STRING, "`%25` is a percent sign in a fragment"),
    *same("$ref", {"properties": {"a": INTEGER, "b": {"$ref": "#/properties/a"}}}, {"properties": {"a": INTEGER, "b": INTEGER}}, "a reference to any place"),
    *same("$ref", {"$ref": "#/$defs/a", "$defs": {"a": True}}, ANY, "a reference to true"),
    *same("$ref", {"$ref": "#/$defs/a", "$defs": {"a": False}}, False, "a reference to false"),
    *narrower("$ref", {"properties": {"$ref": STRING}}, {"properties": {"$ref": {"type": ["string", "null"]}}}, {"$ref": None}, "a property named $ref is no reference"),
    *narrower("$ref", {"enum": [{"$ref": "#/a"}]}, OBJECT, {}, "a value that looks like a reference is none"),
    *constrains("$ref", {"$ref": "#/$defs/part", "$defs": {"part": INTEGER}}, {"minimum": 5}, 3, "what stands beside a reference holds", **NEW),
    *idle("$ref", {"$ref": "#/definitions/part", "definitions": {"part": INTEGER}}, {"minimum": 5}, "what stands beside a reference is ignored", **OLD),
    *same("$ref", {"$ref": "#/$defs/part", "$defs": {"part": INTEGER}, "minimum": 5}, {**INTEGER, "minimum": 5}, "both hold", **NEW),
    *same("$ref", {"properties": {"a": {"$ref": "#/definitions/part", "type": "string"}}, "definitions": {"part": INTEGER}}, {"properties": {"a": INTEGER}}, "what stands beside a reference is ignored", **OLD),
    *narrower("$ref", {"properties": {"a": {"$ref": "#/$defs/part", "maxLength": 2}}, "$defs": {"part": STRING}}, {"properties": {"a": {"$ref": "#/$defs/part"}}, "$defs": {"part": STRING}}, {"a": "abc"}, "what stands beside a reference holds", **NEW),
    *idle("$defs", STRING, {"$defs": {"part": INTEGER}}, "what nothing refers to says nothing"),
    *idle("$defs", ANY, {"$defs": {"part": False}}, "what nothing refers to says nothing"),
    *same("$defs", {"$defs": {"a": INTEGER}}, {"$defs": {"a": STRING}}, "what nothing refers to says nothing"),
    *narrower("$defs", {"$defs": {"a": INTEGER}, "items": {"$ref": "#/$defs/a"}}, {"$defs": {"a": {"type": ["integer", "null"]}}, "items": {"$ref": "#/$defs/a"}}, [None], "what is referred to is widened"),
    *idle("definitions", STRING, {"definitions": {"part": INTEGER}}, "what nothing refers to says nothing"),
    *same("definitions", {"$ref": "#/definitions/a", "definitions": {"a": INTEGER}}, INTEGER, "a pointer leads to any place"),
    *same("definitions", {"$ref": "#/definitions/a", "definitions": {"a": INTEGER}}, {"$ref": "#/$defs/a", "$defs": {"a": INTEGER}}, "two places for definitions", **NEW),
    *narrower("definitions", {"$ref": "#/definitions/a", "definitions": {"a": INTEGER}}, {"$ref": "#/definitions/a", "definitions": {"a": NUMBER}}, 0.5, "what is referred to is widened"),
    *same("$anchor", {"$ref": "#part", "$defs": {"a": {"$anchor": "part", **INTEGER}}}, INTEGER, "a reference by name", **NEW),
    *same("$anchor", {"$ref": "#one", "$defs": {"a": {"$anchor": "one", **INTEGER}}}, {"$ref": "#two", "$defs": {"a": {"$anchor": "two", **INTEGER}}}, "the name renamed", **NEW),
    *idle("$anchor", INTEGER, {"$anchor": "part"}, "a name says nothing", **NEW),
    *narrower("$anchor", {"items": {"$ref": "#part"}, "$defs": {"a": {"$anchor": "part", **INTEGER}}}, {"items": {"$ref": "#part"}, "$defs": {"a": {"$anchor": "part", **NUMBER}}}, [0.5], "what is referred to is widened", **NEW),
    *apart("$anchor", {"$ref": "#x", "$defs": {"a": {"$anchor": "x", **INTEGER}, "b": {"$anchor": "y", **STRING}}}, {"$ref": "#x", "$defs": {"a": {"$anchor": "y", **INTEGER}, "b": {"$anchor": "x", **STRING}}}, 1, "a", "the names exchanged", **NEW),
    *same("$id", {"$ref": "#part", "definitions": {"a": {"$id": "#part", **INTEGER}}}, INTEGER, "a reference by name, in draft-07's way", **OLD),
    *idle("$id", INTEGER, {"$id": "https://schemas.invalid/a"}, "a name says nothing"),
    *same("$id", {"$id": "https://schemas.invalid/a", **INTEGER}, {"$id": "https://schemas.invalid/b", **INTEGER}, "a name says nothing"),
    *same("$id", {"$id": "https://schemas.invalid/root", "$ref": "part", "$defs": {"a": {"$id": "part", **INTEGER}}}, INTEGER, "a reference to a part by its address, resolved against the root's", **NEW),
    *same("$id", {"$id": "https://schemas.invalid/root", "allOf": [{"$ref": "part"}], "definitions": {"a": {"$id": "part", **INTEGER}}}, INTEGER, "a reference to a part by its address, resolved against the root's", **OLD),
    *same("$id", {"$id": "https://schemas.invalid/root", "allOf": [{"$ref": "https://schemas.invalid/root#/$defs/a"}], "$defs": {"a": INTEGER}}, INTEGER, "a reference to oneself by the whole address", **NEW),
    *narrower("$id", {"$id": "https://schemas.invalid/root", "properties": {"value": {"$ref": "inner"}}, "$defs": {"a": {"$id": "inner", "$ref": "#/$defs/b", "$defs": {"b": INTEGER}}, "b": STRING}}, {"properties": {"value": NUMBER}}, {"value": 0.5}, "a pointer starts at the nearest $id", **NEW),
    *same("$schema", {"$ref": "#/$defs/a", "$defs": {"a": INTEGER}}, {"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": INTEGER}}, "a reference alone or in a list"),
    *same("$dynamicRef", {"$dynamicRef": "#part", "$defs": {"a": {"$dynamicAnchor": "part", **INTEGER}}}, INTEGER, "one such anchor: like a reference", **NEW),
    *narrower("$dynamicRef", {"items": {"$dynamicRef": "#part"}, "$defs": {"a": {"$dynamicAnchor": "part", **INTEGER}}}, {"items": {"$dynamicRef": "#part"}, "$defs": {"a": {"$dynamicAnchor": "part", **NUMBER}}}, [0.5], "what is referred to is widened", **NEW),
    *constrains("$dynamicRef", {"$defs": {"a": {"$dynamicAnchor": "part", **INTEGER}}}, {"$dynamicRef": "#part"}, "a", "the reference holds", **NEW),
    *same("$dynamicRef", {"$dynamicRef": "#part", "$defs": {"a": {"$anchor": "part", **INTEGER}}}, INTEGER, "an ordinary anchor: an ordinary reference", **NEW),
    *apart("$dynamicRef", {"items": {"$dynamicRef": "#x"}, "$defs": {"a": {"$dynamicAnchor": "x", **INTEGER}}}, {"items": {"$dynamicRef": "#x"}, "$defs": {"a": {"$dynamicAnchor": "x", **STRING}}}, [1], ["a"], "what is referred to is another", **NEW),
    *idle("$dynamicAnchor", INTEGER, {"$dynamicAnchor": "node"}, "a name says nothing", **NEW),
    *same("$dynamicAnchor", {"$id": "https://schemas.invalid/strings", "$ref": "list", "$defs": {"item": {"$dynamicAnchor": "item", **STRING}, "list": {"$id": "list", "type": "array", "items": {"$dynamicRef": "#item"}, "$defs": {"default": {"$dynamicAnchor": "item"}}}}}, {"type": "array", "items": STRING}, "the outermost anchor of the dynamic scope is meant", **NEW),
    *narrower("$dynamicAnchor", {"$id": "https://schemas.invalid/strings", "$ref": "list", "$defs": {"item": {"$dynamicAnchor": "item", **STRING}, "list": {"$id": "list", "type": "array", "items": {"$dynamicRef": "#item"}, "$defs": {"default": {"$dynamicAnchor": "item"}}}}}, {"$id": "https://schemas.invalid/strings", "$ref": "list", "$defs": {"list": {"$id": "list", "type": "array", "items": {"$dynamicRef": "#item"}, "$defs": {"default": {"$dynamicAnchor": "item"}}}}}, [1], "without the outer anchor any item passes", **NEW),
    *narrower("$dynamicRef", {"$dynamicAnchor": "node", "type": "object", "properties": {"next": {"$dynamicRef": "#node"}, "value": INTEGER}}, {"type": "object", "properties": {"next": {"$ref": "#"}, "value": NUMBER}}, {"value": 0.5}, "a recursion by name against one by pointer", **NEW),
    *idle("$vocabulary", INTEGER, {"$vocabulary": {"https://json-schema.org/draft/2020-12/vocab/core": True}}, "it has a meaning in a metaschema only", **NEW),
]

RECURSION = [
    *narrower("recursion", chain(INTEGER), chain(NUMBER), {"value": 0.5}, "every value is widened"),
    *narrower("recursion", chain(INTEGER, required=["value"]), chain(INTEGER), {}, "value becomes optional all along"),
    *narrower("recursion", chain(INTEGER, additionalProperties=False), chain(INTEGER), {"other": 1}, "opened all along"),
    *narrower("recursion", {"type": "object", "properties": {"value": INTEGER}, "additionalProperties": False}, chain(INTEGER, additionalProperties=False), {"next": {}}, "a list of one against any"),
    *narrower("recursion", {"type": "object", "properties": {"value": INTEGER, "next": chain(INTEGER)["properties"]["next"]}, "additionalProperties": False}, {"type": "object", "properties": {"value": INTEGER, "next": OBJECT}, "additionalProperties": False}, {"next": {"other": 1}}, "all along against once"),
    *narrower("recursion", tree(INTEGER), tree(NUMBER), [[0.5]], "every leaf is widened"),
    *narrower("recursion", tree(STRING), {"type": ["string", "array"]}, [1], "a tree is a string or a list"),
    *narrower("recursion", {"type": "array", "items": INTEGER}, tree(INTEGER), 1, "a flat list is a tree"),
    *narrower("recursion", {"type": "array", "items": {"type": "array", "items": {"type": "array", "items": INTEGER}}}, tree(INTEGER), [1], "a deep list is a tree"),
    *narrower("recursion", tree({"enum": ["a"]}), tree({"enum": ["a", "b"]}), ["b"], "one more leaf"),
    *narrower("recursion", {"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}, "size": {**INTEGER, "minimum": 0}}}, {"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}, "size": INTEGER}}, {"left": {"size": -1}}, "a bound dropped all along"),
    *apart("recursion", tree(INTEGER), tree(STRING), [1], ["a"], "other leaves"),
    *apart("recursion", chain(INTEGER), chain(STRING), {"value": 1}, {"value": "a"}, "other values"),
    *apart("recursion", chain(INTEGER, additionalProperties=False), {"type": "object", "properties": {"value": INTEGER, "after": {"$ref": "#"}}, "additionalProperties": False}, {"next": {}}, {"after": {}}, "the step renamed"),
    *same("recursion", {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]}, False, "no document is endless"),
    *same("recursion", {"type": "array", "items": {"$ref": "#"}, "minItems": 1}, False, "no document is endless"),
    *same("recursion", {"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}, "required": ["a"], "$defs": {"b": {"type": "object", "properties": {"b": {"$ref": "#"}}, "required": ["b"]}}}, False, "no document is endless, by two steps either"),
    *same("recursion", chain(INTEGER), {"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties": {"value": INTEGER, "next": {"$ref": "#/$defs/node"}}}}}, "recursion at the root or in a definition"),
    *same("recursion", chain(INTEGER), {"type": "object", "properties": {"value": INTEGER, "next": {"$ref": "#/$defs/node"}}, "$defs": {"node": {"type": "object", "properties": {"value": INTEGER, "next": {"$ref": "#"}}}}}, "one step unrolled"),
    *same("recursion", tree(INTEGER), {"$ref": "#/$defs/node", "$defs": {"node": {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/node"}}, INTEGER]}}}, "renamed and reordered"),
    *same("recursion", {"type": "array", "items": {"$ref": "#"}, "maxItems": 0}, {"const": []}, "the recursion is never entered"),
    *same("recursion", {"anyOf": [INTEGER, {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"], "maxProperties": 1}], "not": {"type": "object"}}, INTEGER, "the recursive branch is excluded"),
    *narrower("recursion", {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"], "additionalProperties": False}]}, {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"next": {"$ref": "#"}}, "additionalProperties": False}]}, {}, "a list that ends with null, or may just end"),
    *narrower("recursion", {"$ref": "#/$defs/even", "$defs": {"even": {"anyOf": [{"type": "null"}, {"type": "array", "items": {"$ref": "#/$defs/odd"}, "minItems": 1, "maxItems": 1}]}, "odd": {"type": "array", "items": {"$ref": "#/$defs/even"}, "minItems": 1, "maxItems": 1}}}, {"anyOf": [{"type": "null"}, {"type": "array", "items": {"$ref": "#"}, "minItems": 1, "maxItems": 1}]}, [None], "even depths are depths"),
]

WORDS = {
    "title": ("A name", "Another name"),
    "description": ("What it is.", "What it is, told better."),
    "default": (1, 2),
    "examples": ([1], [2, 3]),
    "$comment": ("a note", "another note"),
    "readOnly": (True, False),
    "writeOnly": (True, False),
    "format": ("date-time", "uri"),
    "contentEncoding": ("base64", "base32"),
    "contentMediaType": ("application/json", "text/html"),
}
NEW_WORDS: dict[str, tuple[Any, Any]] = {
    "deprecated": (True, False),
    "contentSchema": ({"type": "object"}, {"type": "array"}),
}
FORMATS = ["date", "time", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6", "uri", "uri-reference", "iri", "uri-template", "json-pointer", "relative-json-pointer", "regex", "made-up"]
ANNOTATIONS = [
    *[row for word, (one, _) in WORDS.items() for row in idle(word, STRING, {word: one}, "an annotation holds nothing")],
    *[row for word, (one, other) in WORDS.items() for row in same(word, {**STRING, word: one}, {**STRING, word: other}, "an annotation holds nothing")],
    *[row for word, (one, _) in WORDS.items() for row in narrower(word, {**INTEGER, word: one}, {**NUMBER}, 0.5, "an annotation holds nothing; the type is widened")],
    *[row for word, (one, _) in NEW_WORDS.items() for row in idle(word, STRING, {word: one}, "an annotation holds nothing", **NEW)],
    *[row for word, (one, other) in NEW_WORDS.items() for row in same(word, {**STRING, word: one}, {**STRING, word: other}, "an annotation holds nothing", **NEW)],
    *[row for word in FORMATS for row in same("format", {**STRING, "format": word}, STRING, "a format is an annotation")],
    *same("format", {"format": "ipv4"}, ANY, "a format is an annotation"),
    *narrower("format", {**STRING, "format": "date"}, {"type": ["string", "null"]}, None, "a format holds nothing; null is allowed beside"),
    *apart("format", {**STRING, "format": "date", "maxLength": 10}, {**STRING, "format": "date", "minLength": 10}, "2020", "2020-01-01x", "the lengths decide, the format does not"),
    *same("contentSchema", {**STRING, "contentMediaType": "application/json", "contentSchema": {"type": "object"}}, STRING, "what a string holds is not judged"),
    *idle("x-unknown", INTEGER, {"x-unknown": {"minimum": 5}}, "an unknown word is ignored"),
    *idle("extends", OBJECT, {"extends": False, "divisibleBy": 2, "disallow": "object"}, "words of older drafts are ignored"),
    *idle("nullable", STRING, {"nullable": True}, "OpenAPI's word is unknown here"),
    *idle("discriminator", OBJECT, {"discriminator": {"propertyName": "kind"}}, "OpenAPI's word is unknown here"),
    *same("default", {"properties": {"a": {"default": 1}}}, ANY, "a default fills nothing in"),
    *constrains("default", {"properties": {"a": {"default": 1}}}, {"required": ["a"]}, {}, "a default fills nothing in, so a is demanded"),
    *idle("$recursiveRef", INTEGER, {"$recursiveRef": "#", "$recursiveAnchor": True}, "words of 2019-09 are ignored", dialects=(DRAFT_7,)),
]

ROWS = [*REFERENCES, *RECURSION, *ANNOTATIONS]
