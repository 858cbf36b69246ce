"""Pairs of schemas drawn from a seed: the second is the first with a few changes, so that both answers are frequent."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

from troth.contracts.schema import Dialect

Schema = Any
_NAMES = ("a", "b", "c", "ab")
_PATTERNS = ("^a", "b$", "^[ab]+$", "c", "^.$", "^a|b$")
_VALUES: tuple[Any, ...] = (None, True, False, 0, 1, 2, 1.0, 1.5, -1, "", "a", "b", "ab", [], [1], ["a"], {}, {"a": 1})
_IN_PLACE = frozenset(
    ["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies", "propertyNames"]
)
_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
_NUMBERS = (-2, -1, 0, 0.5, 1, 1.5, 2, 3, 4)


class SchemaDrawing:
    """Draws schemas of one dialect in which every keyword occurs, over few names and values, so that they interfere."""

    def __init__(self, chance: Random, dialect: Dialect) -> None:
        self.chance, self.dialect = chance, dialect
        self.new_draft = dialect is Dialect.DRAFT_2020_12
        self.definitions = "$defs" if self.new_draft else "definitions"

    def below(self, depth: int) -> Schema:
        """A schema for what lies inside an instance; there it may be a reference, also to itself."""
        if self.chance.random() < 0.12:
            return {"$ref": f"#/{self.definitions}/{self.chance.choice('xy')}"}
        return self.schema(depth)

    def schema(self, depth: int) -> Schema:
        """One schema."""
        if self.chance.random() < 0.07:
            return self.chance.random() < 0.7
        made: dict[str, Any] = {}
        if self.chance.random() < 0.6:
            made["type"] = self.type()
        for _ in range(self.chance.choice((0, 1, 1, 2, 2, 3))):
            keyword = self.chance.choice(self.keywords(depth, made.get("type")))
            made[keyword] = self.value(keyword, depth)
            self.beside(made, keyword, depth)
        return made

    def type(self) -> Any:
        if self.chance.random() < 0.75:
            return self.chance.choice(_TYPES)
        return self.chance.sample(_TYPES, self.chance.choice((2, 3)))

    def keywords(self, depth: int, type_: Any) -> list[str]:
        groups = {
            "number": ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
            "string": ["minLength", "maxLength", "pattern"],
            "array": ["minItems", "maxItems", "uniqueItems"],
            "object": ["minProperties", "maxProperties", "required"],
        }
        groups["integer"] = groups["number"]
        words = [
            word for name, group in groups.items() if type_ in (name, None) or isinstance(type_, list) for word in group
        ]
        words += ["enum", "const"]
        if depth > 0:
            words += ["allOf", "anyOf", "oneOf", "not", "if"]
            if type_ in ("array", None) or isinstance(type_, list):
                words += ["items", "contains", "items", "contains"] + (
                    ["prefixItems", "unevaluatedItems"] if self.new_draft else ["additionalItems"]
                )
            if type_ in ("object", None) or isinstance(type_, list):
                words += ["properties", "properties", "patternProperties", "additionalProperties", "propertyNames"]
                words += (
                    ["dependentSchemas", "dependentRequired", "unevaluatedProperties"]
                    if self.new_draft
                    else ["dependencies"]
                )
        return words

    def value(self, keyword: str, depth: int) -> Any:
        chance = self.chance

        def inner() -> Schema:
            return self.schema(depth - 1) if keyword in _IN_PLACE else self.below(depth - 1)

        if keyword in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
            return chance.choice(_NUMBERS)
        if keyword == "multipleOf":
            return chance.choice((0.5, 1, 1.5, 2, 3))
        if keyword in ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"):
            return chance.choice((0, 1, 1, 2, 2, 3))
        if keyword == "pattern":
            return chance.choice(_PATTERNS)
        if keyword == "uniqueItems":
            return chance.random() < 0.85
        if keyword == "required":
            return chance.sample(_NAMES, chance.choice((1, 1, 2)))
        if keyword == "enum":
            return chance.sample(_VALUES, chance.choice((1, 2, 3, 4)))
        if keyword == "const":
            return chance.choice(_VALUES)
        if keyword in ("allOf", "anyOf", "oneOf", "prefixItems"):
            return [inner() for _ in range(chance.choice((1, 2, 2, 3)))]
        if keyword == "items" and not self.new_draft and chance.random() < 0.4:
            return [inner() for _ in range(chance.choice((1, 2)))]
        if keyword in ("properties", "dependentSchemas"):
            return {name: inner() for name in chance.sample(_NAMES, chance.choice((1, 2, 2)))}
        if keyword == "patternProperties":
            return {pattern: inner() for pattern in chance.sample(_PATTERNS, chance.choice((1, 1, 2)))}
        if keyword == "dependentRequired":
            return {name: chance.sample(_NAMES, 1) for name in chance.sample(_NAMES, chance.choice((1, 2)))}
        if keyword == "dependencies":
            return {
                name: inner() if chance.random() < 0.5 else chance.sample(_NAMES, 1)
                for name in chance.sample(_NAMES, 1)
            }
        if keyword == "propertyNames":
            return chance.choice(
                ({"pattern": chance.choice(_PATTERNS)}, {"maxLength": 1}, {"enum": ["a", "b"]}, inner())
            )
        if keyword in ("additionalProperties", "unevaluatedProperties", "unevaluatedItems", "additionalItems"):
            return False if chance.random() < 0.5 else inner()
        return inner()

    def beside(self, made: dict[str, Any], keyword: str, depth: int) -> None:
        """Keywords that mean something beside others only."""
        if keyword == "if":
            for word in ("then", "else"):
                if self.chance.random() < 0.7:
                    made[word] = self.schema(depth - 1)
        if keyword == "contains" and self.new_draft:
            for word in ("minContains", "maxContains"):
                if self.chance.random() < 0.4:
                    made[word] = self.chance.choice((0, 1, 2))
        if keyword in ("additionalProperties", "unevaluatedProperties") and self.chance.random() < 0.7:
            made.setdefault("properties", self.value("properties", depth))
        if keyword == "additionalItems":
            made["items"] = [self.schema(depth - 1)]
        if keyword == "unevaluatedItems" and self.chance.random() < 0.7:
            made.setdefault("prefixItems", self.value("prefixItems", depth))

    def changed(self, schema: Schema, depth: int = 2) -> Schema:
        """The schema with one change somewhere."""
        if not isinstance(schema, dict) or self.chance.random() < 0.15:
            return self.around(schema)
        turn = self.chance.random()
        words = [word for word in schema if word not in ("$defs", "definitions", "$ref")]
        if turn < 0.2 and words:
            left = self.chance.choice(words)
            return {word: value for word, value in schema.items() if word != left}
        if turn < 0.4 or not words:
            keyword = self.chance.choice(self.keywords(depth, schema.get("type")))
            made = {**schema, keyword: self.value(keyword, depth)}
            self.beside(made, keyword, depth)
            return made
        word = self.chance.choice(words)
        return {**schema, word: self.changed_value(word, schema[word], depth)}

    def changed_value(self, word: str, value: Any, depth: int) -> Any:
        if word == "type":
            return self.type()
        if word in ("properties", "patternProperties", "dependentSchemas") and value:
            name = self.chance.choice(list(value))
            return {**value, name: self.changed(value[name], depth - 1)}
        if word in ("allOf", "anyOf", "oneOf", "prefixItems"):
            place = self.chance.randrange(len(value))
            if self.chance.random() < 0.3:
                return [*value, self.schema(depth - 1)] if self.chance.random() < 0.5 else (value[1:] or value)
            return [*value[:place], self.changed(value[place], depth - 1), *value[place + 1 :]]
        if isinstance(value, dict) and word not in ("dependentRequired", "dependencies", "const"):
            return self.changed(value, depth - 1)
        return self.value(word, max(1, depth)) if word in self.keywords(1, None) else value

    def around(self, schema: Schema) -> Schema:
        """The schema inside another, or beside one."""
        other = self.schema(1)
        options: list[Schema] = [
            {"anyOf": [schema, other]},
            {"allOf": [schema, other]},
            {"oneOf": [schema, other]},
            {"not": {"not": schema}},
            {"if": other, "then": schema, "else": schema},
            {"allOf": [schema]},
            {"not": schema},
        ]
        return self.chance.choice(options)


def pair(number: int) -> tuple[Schema, Schema]:
    """The pair of a number: the same for everybody."""
    chance = Random(number)
    dialect = chance.choice(list(Dialect))
    drawing = SchemaDrawing(chance, dialect)
    old = drawing.schema(3)
    new = copy.deepcopy(old) if chance.random() < 0.92 else drawing.schema(3)
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        new = drawing.changed(new)
    known = {name: drawing.schema(2) for name in ("x", "y")}
    later = {name: drawing.changed(schema) if chance.random() < 0.3 else schema for name, schema in known.items()}
    both = [_whole(old, known, drawing), _whole(new, later, drawing)]
    return (both[0], both[1]) if chance.random() < 0.5 else (both[1], both[0])


def _whole(schema: Schema, known: dict[str, Schema], drawing: SchemaDrawing) -> Schema:
    """A document: the schema with its dialect, and with definitions where it refers to them."""
    if not isinstance(schema, dict):
        return schema
    definitions = {drawing.definitions: known} if '"$ref"' in json.dumps(schema) else {}
    return {"$schema": drawing.dialect.value, **schema, **definitions}
