"""Instances drawn from a schema: likely to be valid, never sure to be.

All that applies to one instance is laid together first: the schema, what it refers to, `allOf`, one branch of each `anyOf`
and `oneOf`, and so on. From that a type is drawn, and a value near the bounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from troth.contracts.schema.answers import Dialect, Json
from troth.contracts.schema.documents import Document, Schema
from troth.contracts.schema.formats import SAMPLES
from troth.contracts.schema.pool import Pool, sampled
from troth.contracts.schema.steps import Steps
from troth.contracts.schema.values import TYPES

_DEEPEST = 7
_MOST_VALUES = 40
_MOST_REQUIRED = 1000  # values beyond those that are drawn because they have to be there, before nesting ends
_MOST_PARTS = 400
_MOST_NAMES = 300
_SPOKEN: dict[str, frozenset[str]] = {
    "number": frozenset(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
    "string": frozenset(["minLength", "maxLength", "pattern"]),
    "array": frozenset(
        [
            "items",
            "prefixItems",
            "additionalItems",
            "contains",
            "minItems",
            "maxItems",
            "uniqueItems",
            "unevaluatedItems",
        ]
    ),
    "object": frozenset(
        [
            "properties",
            "patternProperties",
            "additionalProperties",
            "required",
            "propertyNames",
            "minProperties",
            "maxProperties",
            "dependentRequired",
            "dependentSchemas",
            "dependencies",
            "unevaluatedProperties",
        ]
    ),
}


class Drawing:
    """Draws from one document."""

    def __init__(self, document: Document, pool: Pool, chance: Random, steps: Steps | None = None) -> None:
        self._document, self._pool, self._chance = document, pool, chance
        self._steps = steps or Steps()
        self._left = 0  # how many more values the instance may have before the rest is kept small

    def instance(self) -> Json:
        """An instance of the document, perhaps. Raises Exhausted."""
        self._left = _MOST_VALUES
        return self._of([self._document.root], 0)

    def _of(self, schemas: list[Schema], depth: int) -> Json:
        """An instance of all of `schemas` at once."""
        self._left -= 1
        seen: set[int] = set()
        parts = [part for schema in schemas for part in self._parts(schema, 0, seen)]
        self._steps.take(1 + len(parts))
        fixed = [part for part in parts if "enum" in part or "const" in part]
        if fixed:
            part = self._chance.choice(fixed)
            values = [part["const"]] if "const" in part else part["enum"]
            return self._chance.choice(values) if values else None
        type_ = self._type(parts)
        if (depth > _DEEPEST or self._left < -_MOST_REQUIRED) and type_ in ("array", "object"):
            return [] if type_ == "array" else dict.fromkeys(self._required(parts))
        draw = {"number": self._number, "string": self._string, "array": self._array, "object": self._object}.get(type_)
        if draw is not None:
            return draw(parts, depth)
        return None if type_ == "null" else self._chance.random() < 0.5

    def _parts(self, schema: Schema, depth: int, seen: set[int]) -> Iterator[dict[str, Json]]:
        """The schemas that apply to the same instance, each once, branches drawn."""
        if isinstance(schema, bool) or depth > 12 or id(schema) in seen or len(seen) > _MOST_PARTS:
            return
        seen.add(id(schema))
        alone = self._document.dialect is Dialect.DRAFT_7 and "$ref" in schema
        if not alone:
            yield schema
        if "$ref" in schema:
            yield from self._parts(self._document.resolve(schema), depth + 1, seen)
        if alone:
            return
        for inner in schema.get("allOf", ()):
            yield from self._parts(inner, depth + 1, seen)
        for word in ("anyOf", "oneOf"):
            if word in schema:
                yield from self._parts(self._chance.choice(schema[word]), depth + 1, seen)
        if "if" in schema:
            words = ("if", "then") if self._chance.random() < 0.5 else ("else",)
            for word in words:
                yield from self._parts(schema.get(word, True), depth + 1, seen)
        for inner in schema.get("dependentSchemas", {}).values():
            if self._chance.random() < 0.5:
                yield from self._parts(inner, depth + 1, seen)

    def _type(self, parts: list[dict[str, Json]]) -> str:
        named = [part["type"] for part in parts if "type" in part]
        if named:
            types = [{names} if isinstance(names, str) else set(names) for names in named]
            both = sorted(set.intersection(*types)) or sorted(types[0])
            chosen = str(self._chance.choice(both))
            return "number" if chosen == "integer" else chosen
        spoken = [type_ for type_, words in _SPOKEN.items() if any(words & part.keys() for part in parts)]
        if spoken and self._chance.random() < 0.85:
            return self._chance.choice(spoken)
        return self._chance.choice(TYPES)

    def _all(self, parts: list[dict[str, Json]], word: str) -> list[Json]:
        return [part[word] for part in parts if word in part]

    def _number(self, parts: list[dict[str, Json]], depth: int) -> Json:
        low = self._all(parts, "minimum") + self._all(parts, "exclusiveMinimum")
        high = self._all(parts, "maximum") + self._all(parts, "exclusiveMaximum")
        options: list[Json] = [self._pool.any(self._chance, "number")]
        options += [bound + shift for bound in low for shift in (0, 1, 0.5)]
        options += [bound - shift for bound in high for shift in (0, 1, 0.5)]
        steps = self._all(parts, "multipleOf")
        value = self._chance.choice(options)
        if steps and self._chance.random() < 0.8:
            step = self._chance.choice(steps)
            value = step * round(value / step) if abs(value / step) < 1e15 else 0
        integral = any(type_ == "integer" for type_ in self._all(parts, "type"))
        return int(value) if integral and self._chance.random() < 0.9 else value

    def _string(self, parts: list[dict[str, Json]], depth: int) -> Json:
        patterns = self._all(parts, "pattern")
        options = [text for pattern in patterns for text in sampled(pattern, self._steps)]
        options += [text for name in self._all(parts, "format") for text in SAMPLES.get(name, ())]
        text = str(self._chance.choice(options)) if options else str(self._pool.any(self._chance, "string"))
        least = min(2000, int(max(self._all(parts, "minLength"), default=0)))
        most = int(min(self._all(parts, "maxLength"), default=len(text) + least))
        if patterns and self._chance.random() < 0.7:
            return text
        return (text + "a" * (least - len(text)))[: max(0, most)]

    def _array(self, parts: list[dict[str, Json]], depth: int) -> Json:
        least = min(40, int(max(self._all(parts, "minItems"), default=0)))
        most = int(min(self._all(parts, "maxItems"), default=least + 3))
        wanted = [inner for inner in self._all(parts, "contains") if self._chance.random() < 0.8]
        length = self._chance.randint(least, max(least, min(most, least + 3)))
        length = max(length, min(len(wanted), most))
        items = []
        for place in range(length if self._left >= 0 else least):
            schemas = [schema for part in parts for schema in self._at(part, place)]
            schemas += [wanted[place]] if place < len(wanted) else []
            items.append(self._of(schemas, depth + 1) if schemas else self._pool.any(self._chance))
        return items

    def _at(self, part: dict[str, Json], place: int) -> Iterator[Schema]:
        items = part.get("items")
        listed: list[Schema] = items if isinstance(items, list) else part.get("prefixItems", [])
        rest = part.get("additionalItems") if isinstance(items, list) else items
        if place < len(listed):
            yield listed[place]
        elif rest is not None:
            yield rest
        elif "unevaluatedItems" in part:
            yield part["unevaluatedItems"]

    def _required(self, parts: list[dict[str, Json]]) -> list[str]:
        return [name for names in self._all(parts, "required") for name in names]

    def _object(self, parts: list[dict[str, Json]], depth: int) -> Json:
        required = dict.fromkeys(self._required(parts))
        known = [name for properties in self._all(parts, "properties") for name in properties]
        known = self._chance.sample(known, _MOST_NAMES) if len(known) > _MOST_NAMES else known
        share = self._chance.choice((0.1, 0.5, 0.9)) if depth < 4 else 0.1
        names = dict.fromkeys([*required, *(name for name in known if self._chance.random() < share)])
        least = int(max(self._all(parts, "minProperties"), default=0))
        for _ in range(min(20, max(0, least - len(names)) + (self._chance.random() < 0.4))):
            names.setdefault(self._chance.choice(self._pool.names))
        for needed in self._all(parts, "dependentRequired"):
            names.update(dict.fromkeys(name for key in needed if key in names for name in needed[key]))
        made = {}
        for name in names:
            if self._left < 0 and name not in required:
                continue
            self._steps.take(len(parts))
            schemas = [schema for part in parts for schema in self._under(part, name)]
            made[name] = self._of(schemas, depth + 1) if schemas else self._pool.any(self._chance)
        return made

    def _under(self, part: dict[str, Json], name: str) -> Iterator[Schema]:
        if name in part.get("properties", ()):
            yield part["properties"][name]
        elif "additionalProperties" in part and part["additionalProperties"] is not False:
            yield part["additionalProperties"]
        elif isinstance(part.get("unevaluatedProperties"), dict):
            yield part["unevaluatedProperties"]
        for pattern, inner in part.get("patternProperties", {}).items():
            if name in sampled(pattern, self._steps):
                yield inner
