"""Writes wire/*.ndjson from the rows below: `python -m tests.collections.make_wire`. No checker is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
STRING: dict[str, Any] = {"type": "string"}
INTEGER: dict[str, Any] = {"type": "integer"}
SAME, NEW = "same", "new-version"
DIALECT = {"$schema": "https://json-schema.org/draft/2020-12/schema"}


def command(required: list[str] | None = None, /, **properties: Any) -> dict[str, Any]:
    """A payload that is a closed object."""
    return {"type": "object", "properties": properties, "required": required or [], "additionalProperties": False}


def opened(required: list[str] | None = None, /, **properties: Any) -> dict[str, Any]:
    """A payload that is an open object."""
    return {"type": "object", "properties": properties, "required": required or []}


NODE = command(["certname"], certname=STRING, values={"type": "object"}, producer=STRING)
EDGE = command(["from", "to"], **{"from": STRING, "to": STRING})

# fmt: off
# One claim a line: this is a table. (old, new, why): no difference of meaning, in either direction (PDB-45, N17).
EQUAL: list[tuple[Any, Any, str]] = [
    (NODE, {**NODE, "title": "Replace facts", "description": "Puts new facts in place."}, "words only"),
    (NODE, {**NODE, "$comment": "from the second draft"}, "words only"),
    (NODE, {**NODE, "$id": "https://schemas.invalid/replace-facts"}, "a name"),
    (command(["a"], a=STRING, b=INTEGER), command(["a"], b=INTEGER, a=STRING), "order of parameters has no meaning"),
    (command(["a", "b"], a=STRING, b=INTEGER), command(["b", "a"], a=STRING, b=INTEGER), "order of names has no meaning"),
    (command(["a"], a=STRING), command(["a"], a={**STRING, "description": "The name."}), "words only"),
    (command(["a"], a=STRING), command(["a"], a={**STRING, "examples": ["x"], "title": "A"}), "words only"),
    (command(["a"], a=STRING), command(["a"], a={"type": ["string"]}), "a list of one type is that type"),
    (command(["a"], a={"type": ["string", "null"]}), command(["a"], a={"type": ["null", "string"]}), "order of types has no meaning"),
    (command(["a"], a={"type": ["string", "null"]}), command(["a"], a={"anyOf": [STRING, {"type": "null"}]}), "one meaning in two spellings"),
    (command(["a"], a={"enum": ["x", "y"]}), command(["a"], a={"enum": ["y", "x"]}), "order of values has no meaning"),
    (command(["a"], a={"enum": ["x", "y"]}), command(["a"], a={"type": "string", "enum": ["x", "y"]}), "the type says nothing new"),
    (command(["a"], a={"enum": ["x"]}), command(["a"], a={"const": "x"}), "one value"),
    (command(["a"], a=STRING), command(["a"], a={"allOf": [STRING]}), "one part is that part"),
    (command(["a"], a={**STRING, "minLength": 2, "maxLength": 9}), command(["a"], a={"allOf": [{**STRING, "maxLength": 9}, {"minLength": 2}]}), "the parts put together"),
    (command(["a"], a=STRING), {**command(["a"], a={"$ref": "#/$defs/name"}), "$defs": {"name": STRING}}, "a reference stands for what it refers to"),
    ({**command(["a"], a={"$ref": "#/$defs/name"}), "$defs": {"name": STRING}}, {**command(["a"], a={"$ref": "#/$defs/text"}), "$defs": {"text": STRING}}, "the name of a definition has no meaning"),
    ({**NODE, "$defs": {"unused": INTEGER}}, NODE, "what nothing refers to has no meaning"),
    (command(["a"], a={**INTEGER, "minimum": 1}), command(["a"], a={**INTEGER, "exclusiveMinimum": 0}), "the integers from 1"),
    (command(["a"], a={**INTEGER, "minimum": 1}), command(["a"], a={**INTEGER, "minimum": 1.0}), "one number"),
    (command(["a"], a={"type": "boolean"}), command(["a"], a={"enum": [True, False]}), "there are two booleans"),
    (command(["a"], a={"type": "array", "items": STRING}), command(["a"], a={"type": "array", "items": STRING, "minItems": 0}), "the default said"),
    (command(["a"], a={"type": "array", "items": STRING}), command(["a"], a={"type": "array", "items": STRING, "uniqueItems": False}), "the default said"),
    (opened(["a"], a=STRING), {**opened(["a"], a=STRING), "additionalProperties": True}, "the default said"),
    (opened(["a"], a=STRING), {"type": "object", "properties": {"a": STRING}, "required": ["a"], "minProperties": 1}, "where a is, one is"),
    (opened([], a=STRING), {"type": "object", "properties": {"a": STRING}}, "an empty list demands nothing"),
    (STRING, {**STRING, "description": "The certname of the node."}, "a bare scalar, described (PDB-42)"),
    (STRING, {"type": ["string"]}, "a bare scalar in another spelling (PDB-42)"),
    ({"oneOf": [STRING, {"type": "null"}]}, {"type": ["string", "null"]}, "the branches exclude each other"),
    (command(["a"], a={"type": "number"}), command(["a"], a={"anyOf": [INTEGER, {"type": "number"}]}), "integers are numbers already"),
    (command(["a"], a={**STRING, "pattern": "^[0-9a-f]+$"}), command(["a"], a={**STRING, "pattern": "^[a-f0-9]+$"}), "order in a class has no meaning"),
    (NODE, {"allOf": [{"type": "object"}], "additionalProperties": False, "required": ["certname"], "properties": NODE["properties"]}, "the same words at other places"),
]
# (old, new, why, may the tolerant setting let it pass forwards): a difference of meaning, so a new version (PDB-45, PDB-46).
DIFFERENT: list[tuple[Any, Any, str, bool]] = [
    (command(["a"], a=STRING), command(["a"], a=STRING, b=INTEGER), "an optional parameter more", True),
    (opened(["a"], a=STRING), opened(["a"], a=STRING, b=INTEGER), "an optional parameter more, in an open object", True),
    (command(["a", "b"], a=STRING, b=INTEGER), command(["a"], a=STRING, b=INTEGER), "a required parameter becomes optional", True),
    (command(["a"], a={"enum": ["x", "y"]}), command(["a"], a={"enum": ["x", "y", "z"]}), "a value more", True),
    (command(["a"], a={"const": "x"}), command(["a"], a={"enum": ["x", "y"]}), "a value more: a constant is an enum of one", True),
    (command(["a"], a={"type": "string", "enum": ["x"]}), command(["a"], a={"type": "string", "enum": ["y", "x", "z"]}), "two values more", True),
    (command(["a", "b"], a={"enum": ["x"]}, b=STRING), command(["a"], a={"enum": ["x", "y"]}, b=STRING, c=STRING), "all three at once", True),
    (command(["a"], a=command(["b"], b=STRING)), command(["a"], a=command(["b"], b=STRING, c=STRING)), "an optional parameter more, deeper down", True),
    (command(["a"], a={"type": "array", "items": command(["b", "c"], b=STRING, c=STRING)}), command(["a"], a={"type": "array", "items": command(["b"], b=STRING, c=STRING)}), "a required parameter becomes optional, in a list", True),
    (command(["a"], a={"type": "array", "items": {"enum": ["x"]}}), command(["a"], a={"type": "array", "items": {"enum": ["x", "y"]}}), "a value more, in a list", True),
    (command(["a"], a=STRING), command(["a", "b"], a=STRING, b=INTEGER), "a required parameter more", False),
    (command(["a"], a=STRING), command(["b"], b=STRING), "renamed", False),
    (command(["a"], a=STRING), command(["A"], A=STRING), "renamed: case counts", False),
    (command(["a"], a=STRING), command(["a"], a=INTEGER), "another type", False),
    (command(["a"], a=INTEGER), command(["a"], a={"type": "number"}), "another type, though a wider one", False),
    (command(["a"], a=STRING), command(["a"], a={"type": ["string", "null"]}), "null beside", False),
    (command(["a"], a=STRING), command(["a"], a={"type": ["string", "integer"]}), "another type beside", False),
    (command(["a"], a=STRING), command(["a"], a={"type": "array", "items": STRING}), "a list in place of its item", False),
    (command(["a"], a={"enum": ["x", "y"]}), command(["a"], a=STRING), "any string in place of two", False),
    (command(["a"], a={"enum": ["x"]}), command(["a"], a={"enum": ["y"]}), "a value for another", False),
    (command(["a"], a={"enum": ["x", "y"]}), command(["a"], a={"enum": ["x", "z", "w"]}), "values added, and one removed", False),
    (command(["a"], a={"enum": ["on", "off"]}), command(["a"], a={"type": "boolean"}), "another type for two values", False),
    (command(["a"], a={**STRING, "maxLength": 10}), command(["a"], a={**STRING, "maxLength": 20}), "a bound moved", False),
    (command(["a"], a={**STRING, "minLength": 1}), command(["a"], a=STRING), "a bound dropped", False),
    (command(["a"], a={**INTEGER, "minimum": 0}), command(["a"], a={**INTEGER, "minimum": 1}), "a bound moved", False),
    (command(["a"], a={**INTEGER, "maximum": 9}), command(["a"], a={**INTEGER, "exclusiveMaximum": 9}), "a bound taken out", False),
    (command(["a"], a={"type": "array", "items": STRING}), command(["a"], a={"type": "array", "items": STRING, "uniqueItems": True}), "repetitions refused", False),
    (command(["a"], a={"type": "array", "items": STRING}), command(["a"], a={"type": "array", "items": STRING, "minItems": 1}), "an empty list refused", False),
    (command(["a"], a={**STRING, "pattern": "^[a-z]+$"}), command(["a"], a={**STRING, "pattern": "^[a-z0-9]+$"}), "another pattern", False),
    (command(["a"], a={**STRING, "pattern": "^(?=.*[0-9])[a-z0-9]+$"}), command(["a"], a={**STRING, "pattern": "^(?=.*[0-9])(?=.*[a-z])[a-z0-9]+$"}), "two patterns that are hard to compare: when unsure, a new version (PDB-44); they differ in \"1\"", False),
    (command(["a"], a={**STRING, "pattern": "^(.)\\1$"}), command(["a"], a={**STRING, "pattern": "^(.)(.)\\2\\1$"}), "two patterns that are hard to compare: when unsure, a new version (PDB-44); they differ in \"aa\"", False),
    (command(["a"], a={**INTEGER, "default": 1}), command(["a"], a={**INTEGER, "default": 2}), "what is assumed where it is left out is a parameter's value", False),
    (command(["a"], a=STRING), opened(["a"], a=STRING), "other parameters are accepted", False),
    (command(["a"], a=STRING), {**command(["a"], a=STRING), "additionalProperties": STRING}, "other parameters are accepted", False),
    (command(["a"], a=STRING), {**command(["a"], a=STRING), "patternProperties": {"^x-": True}}, "other parameters are accepted", False),
    (command([], a=STRING, b=STRING), {**command([], a=STRING, b=STRING), "dependentRequired": {"a": ["b"]}}, "a demands b", False),
    (command(["a"], a=command(["b"], b=STRING)), command(["b"], b=STRING), "nesting taken away", False),
    (EDGE, {"type": "array", "prefixItems": [STRING, STRING], "minItems": 2, "maxItems": 2}, "a list in place of an object", False),
    (STRING, {**STRING, "maxLength": 9}, "a bare scalar, bounded (PDB-42)", False),
    (STRING, command(["certname"], certname=STRING), "a bare scalar, wrapped (PDB-42)", False),
    (STRING, {"type": ["string", "null"]}, "a bare scalar, or null (PDB-42)", False),
    ({**command(["a"], a={"$ref": "#/$defs/n"}), "$defs": {"n": STRING}}, {**command(["a"], a={"$ref": "#/$defs/n"}), "$defs": {"n": {**STRING, "minLength": 1}}}, "what is referred to has another meaning", False),
    ({"oneOf": [command(["a"], a=STRING), command(["b"], b=STRING)]}, {"oneOf": [command(["a"], a=STRING), command(["b"], b=STRING), command(["c"], c=STRING)]}, "another form of the payload", False),
    (NODE, True, "anything", False),
]
# Serialisation inside the payload (PDB-46).
INSIDE: list[tuple[Any, Any, str, bool]] = [
    (command(["a"], a=opened(["b"], b=STRING)), command(["a"], a={**STRING, "contentMediaType": "application/json", "contentSchema": opened(["b"], b=STRING)}), "an object, written into a string as JSON", False),
    (NODE, {**STRING, "contentMediaType": "application/json", "contentSchema": NODE}, "the payload, written into a string as JSON", False),
    (command(["a"], a={**STRING, "contentEncoding": "base64"}), command(["a"], a={**STRING, "contentEncoding": "base32"}), "written in another way, though any string is valid", False),
    (command(["a"], a=STRING), command(["a"], a={**STRING, "contentEncoding": "base64"}), "written in another way, though any string is valid", False),
    (command(["a"], a={**STRING, "contentMediaType": "application/json"}), command(["a"], a={**STRING, "contentMediaType": "application/xml"}), "another language inside the string", False),
    (command(["a"], a={**STRING, "contentMediaType": "application/json", "contentSchema": opened([], b=STRING)}), command(["a"], a={**STRING, "contentMediaType": "application/json", "contentSchema": opened([], b=INTEGER)}), "another meaning inside the string", False),
    (command(["at"], at=STRING), command(["at"], at=INTEGER), "a time as text, or as seconds", False),
    (command(["n"], n=INTEGER), command(["n"], n={**STRING, "pattern": "^[0-9]+$"}), "a number, written into a string", False),
    (command(["on"], on={"type": "boolean"}), command(["on"], on={"enum": ["true", "false"]}), "a boolean, written into a string", False),
]
# (old schema, its serialisation, new schema, its serialisation, label, why): the serialisation of the whole payload (PDB-46).
WHOLE: list[tuple[Any, str, Any, str, str, str]] = [
    (NODE, "application/json", NODE, "application/msgpack", NEW, "another serialisation, though the schema is the same"),
    (NODE, "application/msgpack", NODE, "application/json", NEW, "another serialisation, though the schema is the same"),
    (STRING, "application/json", STRING, "text/plain", NEW, "a bare scalar with quotes, or without"),
    (NODE, "application/msgpack", {**NODE, "title": "Replace facts"}, "application/msgpack", SAME, "the same serialisation, and words only"),
    (NODE, "application/json", NODE, "Application/JSON", SAME, "media types are not case-sensitive"),
    (NODE, "application/json", {**NODE, "required": ["certname", "values"]}, "application/json", NEW, "the same serialisation, and a parameter demanded"),
]
DOUBTFUL: list[tuple[Any, Any, str, str]] = [
    (command(["at"], at={**STRING, "format": "date-time"}), command(["at"], at={**STRING, "format": "date"}), "another kind of value is meant; when unsure, a new version (PDB-44)", "a format is an annotation: the same strings are valid"),
]
# fmt: on


def stamped(schema: Any) -> Any:
    """The schema with its dialect, where it is an object."""
    return {**DIALECT, **schema} if isinstance(schema, dict) else schema


def line(name: str, old: Any, new: Any, label: str, tolerant: str, why: str, **more: Any) -> dict[str, Any]:
    """One line of the collection."""
    sides = {"old": stamped(old), "new": stamped(new)}
    return {"id": name, **sides, **more, "label": label, "tolerant": tolerant, "why": why}


def schemas() -> Iterator[dict[str, Any]]:
    """Pairs told apart by their schemas alone, each in both directions."""
    for number, (old, new, why) in enumerate(EQUAL, 1):
        yield line(f"equal/{number}", old, new, SAME, SAME, why)
        yield line(f"equal/{number}/back", new, old, SAME, SAME, why)
    for group, rows in (("different", DIFFERENT), ("inside", INSIDE)):
        for number, (old, new, why, passes) in enumerate(rows, 1):
            yield line(f"{group}/{number}", old, new, NEW, SAME if passes else NEW, why)
            yield line(f"{group}/{number}/back", new, old, NEW, NEW, f"{why}; the other way round")
    for number, (old, new, why, doubt) in enumerate(DOUBTFUL, 1):
        yield line(f"doubtful/{number}", old, new, NEW, NEW, why, doubtful=True, doubt=doubt)


def payloads() -> Iterator[dict[str, Any]]:
    """Pairs with the serialisation of the whole payload said beside the schemas."""
    for number, (old, was, new, is_now, label, why) in enumerate(WHOLE, 1):
        more = {"old_serialisation": was, "new_serialisation": is_now}
        yield line(f"serialisation/{number}", old, new, label, label, why, **more)


FAMILIES = {"schemas": schemas, "serialisation": payloads}


def main() -> None:
    """Writes the files and says how many lines each has."""
    (HERE / "wire").mkdir(exist_ok=True)
    for family, rows in FAMILIES.items():
        written = [json.dumps(row) + "\n" for row in rows()]
        (HERE / "wire" / f"{family}.ndjson").write_text("".join(written))
        print(f"{family}: {len(written)}")


if __name__ == "__main__":
    main()
