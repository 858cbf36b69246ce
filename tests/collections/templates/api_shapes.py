"""Schemas in requests, parameters, responses and headers: the same change, judged in opposite directions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.collections.templates.api import ANSWER, BODY, BOTH, LIST, SCHEMAS, SHOW, V30, V31, Claim, Path, ref

YES, NO = "compatible", "breaking"
STRING: dict[str, Any] = {"type": "string"}
INTEGER: dict[str, Any] = {"type": "integer"}
NUMBER: dict[str, Any] = {"type": "number"}
HEADER: Path = (*SHOW, "responses", "200", "headers", "X-Rest")
QUERY: Path = (*LIST, "parameters", 1)


def thing(required: list[str] | None = None, /, **properties: Any) -> dict[str, Any]:
    """An open object."""
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


# fmt: off
# One claim a line: this is a table. (narrow, wide, why): every instance of the first is one of the second, not the other way round.
WIDER: list[tuple[Any, Any, str, tuple[str, ...]]] = [
    (INTEGER, NUMBER, "every integer is a number", BOTH),
    ({**STRING, "enum": ["a", "b"]}, {**STRING, "enum": ["a", "b", "c"]}, "one value more", BOTH),
    ({**STRING, "enum": ["a", "b"]}, STRING, "any value", BOTH),
    ({**STRING, "maxLength": 5}, {**STRING, "maxLength": 9}, "longer strings", BOTH),
    ({**STRING, "minLength": 2}, STRING, "shorter strings", BOTH),
    ({**STRING, "pattern": "^[a-z]+$"}, STRING, "other strings", BOTH),
    ({**INTEGER, "minimum": 1}, {**INTEGER, "minimum": 0}, "a lower bound lowered", BOTH),
    ({**INTEGER, "maximum": 9}, {**INTEGER, "maximum": 10}, "an upper bound raised", BOTH),
    ({**NUMBER, "minimum": 0, "exclusiveMinimum": True}, {**NUMBER, "minimum": 0}, "the bound itself comes in", (V30,)),
    ({**NUMBER, "exclusiveMinimum": 0}, {**NUMBER, "minimum": 0}, "the bound itself comes in", (V31,)),
    ({**INTEGER, "multipleOf": 4}, {**INTEGER, "multipleOf": 2}, "more multiples", BOTH),
    (STRING, {**STRING, "nullable": True}, "null beside", (V30,)),
    (STRING, {"type": ["string", "null"]}, "null beside", (V31,)),
    ({"const": "a"}, {"enum": ["a", "b"]}, "one value more", (V31,)),
    ({"type": ["string", "integer"]}, {"type": ["string", "number"]}, "every integer is a number", (V31,)),
    ({"type": "array", "items": STRING, "maxItems": 3}, {"type": "array", "items": STRING}, "longer lists", BOTH),
    ({"type": "array", "items": INTEGER}, {"type": "array", "items": NUMBER}, "items widened", BOTH),
    ({"type": "array", "items": STRING, "uniqueItems": True}, {"type": "array", "items": STRING}, "repetitions", BOTH),
]
SHAPES: list[tuple[Any, Any, str, tuple[str, ...]]] = [
    ({"oneOf": [STRING, INTEGER]}, {"oneOf": [STRING, INTEGER, {"type": "boolean"}]}, "one kind more", BOTH),
    ({"anyOf": [STRING, INTEGER]}, {"anyOf": [STRING, INTEGER, {"type": "array", "items": STRING}]}, "one kind more", BOTH),
    ({"allOf": [STRING, {"maxLength": 5}]}, {"allOf": [STRING]}, "one part less", BOTH),
    (thing(["a", "b"], a=STRING, b=STRING), thing(["a"], a=STRING, b=STRING), "b becomes optional", BOTH),
    (thing(["a"], a=INTEGER), thing(["a"], a=NUMBER), "a property widened", BOTH),
    (thing(a=thing(["b"], b=STRING)), thing(a=thing(b=STRING)), "a nested property becomes optional", BOTH),
    ({"type": "object", "additionalProperties": INTEGER}, {"type": "object", "additionalProperties": NUMBER}, "values widened", BOTH),
    ({"type": "object", "additionalProperties": STRING, "maxProperties": 3}, {"type": "object", "additionalProperties": STRING}, "more entries", BOTH),
    ({"type": "array", "items": thing(["a"], a=STRING)}, {"type": "array", "items": thing(a=STRING)}, "a property of the items becomes optional", BOTH),
    ({"type": "array", "prefixItems": [INTEGER], "minItems": 1}, {"type": "array", "prefixItems": [NUMBER], "minItems": 1}, "the first item widened", (V31,)),
    ({**thing(a=STRING, b=STRING), "dependentRequired": {"a": ["b"]}}, thing(a=STRING, b=STRING), "a demands nothing any more", (V31,)),
]
SAME: list[tuple[Any, Any, str, tuple[str, ...]]] = [
    ({**STRING, "enum": ["a", "b"]}, {**STRING, "enum": ["b", "a"]}, "order of values has no meaning", BOTH),
    (STRING, {**STRING, "description": "What it is.", "title": "It"}, "words only", BOTH),
    (STRING, {"allOf": [STRING]}, "one part is that part", BOTH),
    (INTEGER, {**INTEGER, "example": 5}, "an example holds nothing", BOTH),
    ({**STRING, "enum": ["a"]}, {"const": "a"}, "one value", (V31,)),
    ({"type": ["string"]}, STRING, "a list of one type is that type", (V31,)),
    ({"type": ["string", "null"]}, {"anyOf": [{"type": "null"}, STRING]}, "null beside", (V31,)),
    (STRING, {**STRING, "nullable": True}, "3.1 does not know nullable", (V31,)),
    (STRING, {**STRING, "nullable": False}, "false is what holds without it", (V30,)),
    (STRING, {**STRING, "deprecated": True}, "a note to readers", BOTH),
    (STRING, {**STRING, "x-note": "internal"}, "an extension holds nothing", BOTH),
    (STRING, {**STRING, "externalDocs": {"url": "https://pets.invalid/docs"}}, "words only", BOTH),
    ({**STRING, "minLength": 0}, STRING, "every string has at least no character", BOTH),
]
OTHER: list[tuple[Any, Any, str, tuple[str, ...]]] = [
    (STRING, INTEGER, "another type", BOTH),
    (STRING, {"type": "array", "items": STRING}, "a list in place of its item", BOTH),
    ({**STRING, "enum": ["a", "b"]}, {**STRING, "enum": ["a", "c"]}, "one value for another", BOTH),
    ({**INTEGER, "minimum": 0, "maximum": 9}, {**INTEGER, "minimum": 5, "maximum": 15}, "ranges that overlap", BOTH),
    ({"type": "boolean"}, STRING, "another type", BOTH),
    ({**STRING, "pattern": "^a"}, {**STRING, "pattern": "^b"}, "other strings", BOTH),
]
# fmt: on


def at(place: str, schema: Any) -> dict[Path, Any]:
    """The edit that puts a schema to one of the four places where schemas stand."""
    return {
        "request body": {BODY: thing(["value"], value=schema)},
        "response": {ANSWER: thing(["value"], value=schema)},
        "query parameter": {QUERY: {"name": "filter", "in": "query", "schema": schema}},
        "response header": {HEADER: {"required": True, "schema": schema}},
    }[place]


def turning(place: str, narrow: Any, wide: Any, why: str, versions: tuple[str, ...]) -> Claim:
    """Widening is compatible where the client writes, and breaking where it reads."""
    reads = place.startswith("response")
    said = f"{why}; what the client {'reads' if reads else 'writes'} may {'narrow' if reads else 'widen'} only"
    return Claim(
        f"schema in {place}",
        at(place, narrow),
        at(place, wide),
        NO if reads else YES,
        YES if reads else NO,
        said,
        versions,
    )


def is_text(schema: Any, other: Any) -> bool:
    """Whether the two differ where all is text: what is no string in a body may look like one in a query or a header."""
    return [schema.get("type"), schema.get("nullable")] != [other.get("type"), other.get("nullable")] or isinstance(
        schema.get("type"), list
    )


def shapes() -> Iterator[Claim]:
    """Every row at every place that can hold it."""
    for place in ("request body", "response", "query parameter", "response header"):
        is_document = place in ("request body", "response")
        for narrow, wide, why, versions in WIDER:
            if is_document or not is_text(narrow, wide) or (narrow, wide) == (INTEGER, NUMBER):
                yield turning(place, narrow, wide, why, versions)
        for one, other, why, versions in OTHER:
            if is_document or not is_text(one, other):
                yield Claim(f"schema in {place}", at(place, one), at(place, other), NO, "", why, versions)
    for place in ("request body", "response"):
        for narrow, wide, why, versions in SHAPES:
            yield turning(place, narrow, wide, why, versions)
        for one, other, why, versions in SAME:
            yield Claim(f"schema in {place}", at(place, one), at(place, other), YES, "", why, versions)


PET = (*SCHEMAS, "Pet")
NEW_PET = (*SCHEMAS, "NewPet")
SHARED = {BODY: ref("Pet")}

# fmt: off
MEMBERS = [
    Claim("response property", {}, {(*PET, "properties", "age"): INTEGER}, YES, NO, "a new field is compatible for a tolerant reader (PDB-14); one no longer returned is not (PDB-21)"),
    Claim("response property", {}, {(*PET, "properties", "age"): INTEGER, (*PET, "required"): ["id", "name", "age"]}, YES, NO, "a new field is compatible though it is always there; a promised one that is gone is not"),
    Claim("response property", {(*PET, "additionalProperties"): False}, {(*PET, "additionalProperties"): False, (*PET, "properties", "age"): INTEGER}, YES, NO, "a tolerant reader takes a new field even where the object was closed (N11)"),
    Claim("response property", {(*PET, "additionalProperties"): False}, {}, YES, YES, "responses are read as open objects (N11)"),
    Claim("response property", {}, {(*PET, "required"): ["id"]}, NO, YES, "a promised field may be missing; one that may be missing is always there"),
    Claim("response property", {}, {(*PET, "properties"): {"id": STRING, "label": STRING, "tag": STRING}, (*PET, "required"): ["id", "label"]}, NO, NO, "a field renamed"),
    Claim("response property", {}, {(*PET, "properties", "tag"): INTEGER}, NO, NO, "another type"),
    Claim("response property", {}, {(*PET, "properties", "owner"): thing(name=STRING)}, YES, NO, "a new nested field"),
    Claim("response property", {(*PET, "properties", "owner"): thing(["name"], name=STRING, mail=STRING)}, {(*PET, "properties", "owner"): thing(["name"], name=STRING)}, NO, YES, "a nested field no longer returned"),
    Claim("response property", {(*SCHEMAS, "Error", "properties", "code"): INTEGER}, {(*SCHEMAS, "Error", "properties", "code"): STRING}, NO, NO, "errors are promised too"),
    Claim("response property", {}, {ANSWER: {"type": "array", "items": ref("Pet")}}, NO, NO, "a list in place of its item"),
    Claim("response property", {}, {ANSWER: {"allOf": [ref("Pet"), thing(["age"], age=INTEGER)]}}, YES, NO, "a field more, put beside with allOf"),
    Claim("response property", {}, {ANSWER: {"oneOf": [ref("Pet"), ref("Error")]}}, NO, YES, "another kind may come"),
    Claim("request property", {}, {(*NEW_PET, "properties", "age"): INTEGER}, YES, NO, "a new optional one is compatible (PDB-18); one no longer accepted is not (PDB-21)"),
    Claim("request property", {}, {(*NEW_PET, "properties", "age"): INTEGER, (*NEW_PET, "required"): ["name", "age"]}, NO, NO, "a new required one (PDB-18); one no longer accepted"),
    Claim("request property", {}, {(*NEW_PET, "required"): ["name", "tag"]}, NO, YES, "an optional one is demanded; a required one becomes optional"),
    Claim("request property", {}, {(*NEW_PET, "required"): ["tag"], (*NEW_PET, "properties"): {"tag": STRING, "name": STRING}}, NO, NO, "tag is demanded in place of name"),
    Claim("request property", {}, {(*NEW_PET, "properties"): {"title": STRING, "tag": STRING}, (*NEW_PET, "required"): ["title"]}, NO, NO, "renamed"),
    Claim("request property", {}, {(*NEW_PET, "additionalProperties"): True}, YES, NO, "requests are judged as written (N11): opened, or closed"),
    Claim("request property", {BODY: thing(["a"], a=STRING)}, {BODY: thing(["a"], a=STRING, b=INTEGER)}, YES, NO, "a strict writer sends what is described: a new optional one is compatible though the object was open (PDB-13, PDB-18); one that is retired is not (PDB-24)"),
    Claim("request property", {BODY: thing(["a"], a=STRING)}, {BODY: thing(["a", "b"], a=STRING, b=INTEGER)}, NO, NO, "a new required one; one that is retired (PDB-24)"),
    Claim("request property", {}, {(*NEW_PET, "properties", "tag"): {**STRING, "default": "none"}}, "compatible:warning", "compatible:warning", "what is assumed when it is left out is said, or no longer said; the same requests are legal"),
    Claim("shared schema", SHARED, {**SHARED, (*PET, "properties", "kind"): {**STRING, "enum": ["cat"]}}, YES, NO, "a new optional property in requests and a new field in responses; in an open request it is no break (PDB-18)"),
    Claim("shared schema", {**SHARED, (*PET, "properties", "kind"): {**STRING, "enum": ["cat", "dog"]}}, {**SHARED, (*PET, "properties", "kind"): {**STRING, "enum": ["cat", "dog", "cow"]}}, NO, NO, "one value more breaks responses, one less breaks requests"),
    Claim("shared schema", SHARED, {**SHARED, (*PET, "required"): ["id", "name", "tag"]}, NO, NO, "more demanded breaks requests, less promised breaks responses"),
    Claim("shared schema", SHARED, {**SHARED, (*PET, "properties", "name"): {**STRING, "maxLength": 20}}, NO, NO, "narrower breaks requests, wider breaks responses"),
    Claim("readOnly", SHARED, {**SHARED, (*PET, "properties", "made"): {**STRING, "readOnly": True}, (*PET, "required"): ["id", "name", "made"]}, YES, NO, "3.0: required takes effect on the response only; a new field", (V30,)),
    Claim("readOnly", SHARED, {**SHARED, (*PET, "properties", "made"): {**STRING, "readOnly": True}}, YES, NO, "a new field in responses only; a field no longer returned"),
    Claim("readOnly", SHARED, {**SHARED, (*PET, "properties", "tag"): {**STRING, "readOnly": True}}, NO, YES, "it may not be sent any more; it may be sent as well"),
    Claim("readOnly", {**SHARED, (*PET, "properties", "id"): {**STRING, "readOnly": True}}, SHARED, NO, NO, "it is demanded in requests; it may not be sent any more", (V30,)),
    Claim("readOnly", {}, {(*PET, "properties", "id"): {**STRING, "readOnly": True}}, YES, YES, "the schema stands in responses only"),
    Claim("readOnly", {**SHARED, (*PET, "properties", "size"): {"type": "integer", "readOnly": True}}, {**SHARED, (*PET, "properties", "size"): {"type": "number", "readOnly": True}}, NO, YES, "it stands in responses only, so it may narrow only", (V30,)),
    Claim("writeOnly", SHARED, {**SHARED, (*PET, "properties", "tag"): {**STRING, "writeOnly": True}}, NO, YES, "it is no longer returned; it is returned as well"),
    Claim("writeOnly", SHARED, {**SHARED, (*PET, "properties", "secret"): {**STRING, "writeOnly": True}}, YES, NO, "a new optional one in requests only; one no longer accepted"),
    Claim("writeOnly", SHARED, {**SHARED, (*PET, "properties", "secret"): {**STRING, "writeOnly": True}, (*PET, "required"): ["id", "name", "secret"]}, NO, NO, "a new required one in requests; one no longer accepted", (V30,)),
    Claim("writeOnly", {**SHARED, (*PET, "properties", "size"): {"type": "integer", "writeOnly": True}}, {**SHARED, (*PET, "properties", "size"): {"type": "number", "writeOnly": True}}, YES, NO, "it stands in requests only, so it may widen only", (V30,)),
    Claim("format", {(*PET, "properties", "age"): {**INTEGER, "format": "int32"}}, {(*PET, "properties", "age"): {**INTEGER, "format": "int64"}}, "compatible:warning", "compatible:warning", "a format is an annotation", doubt="OpenAPI gives int32 a range; by JSON Schema and by troth's rule a format holds nothing unless the contract says so"),
    Claim("format", {}, {(*NEW_PET, "properties", "tag"): {**STRING, "format": "hostname"}}, "compatible:warning", "compatible:warning", "a format is an annotation"),
    Claim("$ref", {}, {(*PET, "properties", "name"): ref("Name"), (*SCHEMAS, "Name"): STRING}, YES, YES, "a reference stands for what it refers to"),
    Claim("$ref", {}, {BODY: {"type": "object", "required": ["name"], "properties": {"tag": STRING, "name": STRING}, "additionalProperties": False}}, YES, YES, "a reference stands for what it refers to"),
    Claim("$ref", {}, {(*SCHEMAS, "Animal"): thing(["id", "name"], id=STRING, name=STRING, tag=STRING), ANSWER: ref("Animal")}, YES, YES, "the name of a component is not on the wire"),
    Claim("$ref", {(*SCHEMAS, "Name"): STRING, (*NEW_PET, "properties", "name"): ref("Name")}, {(*SCHEMAS, "Name"): STRING, (*NEW_PET, "properties", "name"): {**ref("Name"), "maxLength": 5}}, YES, YES, "3.0: what stands beside $ref is ignored", (V30,)),
    Claim("$ref", {(*SCHEMAS, "Name"): STRING, (*NEW_PET, "properties", "name"): ref("Name")}, {(*SCHEMAS, "Name"): STRING, (*NEW_PET, "properties", "name"): {**ref("Name"), "maxLength": 5}}, NO, YES, "3.1: what stands beside $ref in a schema holds", (V31,)),
    Claim("$ref", {(*SCHEMAS, "Name"): STRING, (*PET, "properties", "name"): ref("Name")}, {(*SCHEMAS, "Name"): STRING, (*PET, "properties", "name"): {**ref("Name"), "nullable": True}}, YES, YES, "3.0: what stands beside $ref is ignored", (V30,)),
    Claim("$ref", {(*PET, "properties", "parent"): ref("Pet")}, {(*PET, "properties", "parent"): ref("Pet"), (*PET, "properties", "tag"): INTEGER}, NO, NO, "a recursive schema changed"),
    Claim("$ref", {(*PET, "properties", "parent"): ref("Pet")}, {(*PET, "properties", "parent"): ref("Pet"), (*PET, "properties", "tag"): {**STRING, "description": "x"}}, YES, YES, "a recursive schema described"),
    Claim("components", {}, {(*SCHEMAS, "Unused"): thing(a=STRING)}, YES, YES, "what nothing refers to is not on the wire"),
    Claim("components", {(*SCHEMAS, "Unused"): thing(a=STRING)}, {(*SCHEMAS, "Unused"): thing(["b"], b=INTEGER)}, YES, YES, "what nothing refers to is not on the wire"),
    Claim("components", {}, {SCHEMAS: {"Error": thing(["message"], message=STRING, code=INTEGER), "NewPet": {"type": "object", "required": ["name"], "properties": {"name": STRING, "tag": STRING}, "additionalProperties": False}, "Pet": thing(["name", "id"], tag=STRING, name=STRING, id=STRING)}}, YES, YES, "order has no meaning"),
]
CAT = thing(["kind"], kind={**STRING, "enum": ["cat"]}, lives=INTEGER)
DOG = thing(["kind"], kind={**STRING, "enum": ["dog"]}, barks={"type": "boolean"})
COW = thing(["kind"], kind={**STRING, "enum": ["cow"]}, milk=NUMBER)
KINDS = {(*SCHEMAS, "Cat"): CAT, (*SCHEMAS, "Dog"): DOG, (*SCHEMAS, "Cow"): COW}


def union(*names: str, key: str | None = "kind", **mapping: str) -> dict[str, Any]:
    """A choice of components, told apart by a property."""
    told = {"propertyName": key, "mapping": {name: f"#/components/schemas/{kind}" for name, kind in mapping.items()}}
    return {"oneOf": [ref(name) for name in names], **({"discriminator": told} if key else {})}


DISCRIMINATOR = [
    Claim("discriminator", {**KINDS, ANSWER: union("Cat", "Dog", cat="Cat", dog="Dog")}, {**KINDS, ANSWER: union("Cat", "Dog", "Cow", cat="Cat", dog="Dog", cow="Cow")}, NO, YES, "another kind may come"),
    Claim("discriminator", {**KINDS, BODY: union("Cat", "Dog", cat="Cat", dog="Dog")}, {**KINDS, BODY: union("Cat", "Dog", "Cow", cat="Cat", dog="Dog", cow="Cow")}, YES, NO, "another kind may be sent"),
    Claim("discriminator", {**KINDS, BODY: union("Cat", "Dog", cat="Cat", dog="Dog")}, {**KINDS, BODY: union("Dog", "Cat", dog="Dog", cat="Cat")}, YES, "", "order has no meaning"),
    Claim("discriminator", {**KINDS, ANSWER: union("Cat", "Dog", key=None)}, {**KINDS, ANSWER: union("Cat", "Dog", cat="Cat", dog="Dog")}, YES, YES, "a hint: what is valid stays the same"),
    Claim("discriminator", {(*SCHEMAS, "Cat"): thing(["kind", "sort"], kind=STRING, sort=STRING), ANSWER: union("Cat", key="kind", cat="Cat")}, {(*SCHEMAS, "Cat"): thing(["kind", "sort"], kind=STRING, sort=STRING), ANSWER: union("Cat", key="sort", cat="Cat")}, NO, "", "the property that tells them apart is another"),
    Claim("discriminator", {(*SCHEMAS, "Cat"): thing(["kind"], kind=STRING, lives=INTEGER), (*SCHEMAS, "Dog"): thing(["kind"], kind=STRING, barks={"type": "boolean"}), BODY: {"anyOf": [ref("Cat"), ref("Dog")], "discriminator": {"propertyName": "kind", "mapping": {"cat": "#/components/schemas/Cat", "dog": "#/components/schemas/Dog"}}}}, {(*SCHEMAS, "Cat"): thing(["kind"], kind=STRING, lives=INTEGER), (*SCHEMAS, "Dog"): thing(["kind"], kind=STRING, barks={"type": "boolean"}), BODY: {"anyOf": [ref("Cat"), ref("Dog")], "discriminator": {"propertyName": "kind", "mapping": {"feline": "#/components/schemas/Cat", "dog": "#/components/schemas/Dog"}}}}, NO, NO, "the name by which a kind is chosen is another"),
    Claim("discriminator", {(*SCHEMAS, "Cat"): thing(["kind"], kind=STRING), BODY: {"anyOf": [ref("Cat")], "discriminator": {"propertyName": "kind"}}}, {(*SCHEMAS, "Cat"): thing(["kind"], kind=STRING), BODY: {"anyOf": [ref("Cat")], "discriminator": {"propertyName": "kind", "mapping": {"Cat": "#/components/schemas/Cat"}}}}, YES, YES, "the mapping says what its absence implies"),
    Claim("discriminator", {(*SCHEMAS, "Cat"): CAT, ANSWER: ref("Cat")}, {(*SCHEMAS, "Cat"): {**CAT, "properties": {**CAT["properties"], "lives": {"type": "string"}}}, ANSWER: ref("Cat")}, NO, NO, "a kind's field has another type"),
]
ROWS = [*shapes(), *MEMBERS, *DISCRIMINATOR]
