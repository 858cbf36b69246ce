"""What a schema asserts, keyword by keyword, as a formula.

Sources: JSON Schema 2020-12 validation, 6; core, 10 and 11; draft-07 validation, 6. `unevaluated` has a module of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from troth.contracts.schema.answers import Dialect, Json
from troth.contracts.schema.documents import Document, Schema
from troth.contracts.schema.formats import is_asserted
from troth.contracts.schema.formulas import Formula, Formulas
from troth.contracts.schema.steps import Steps
from troth.contracts.schema.values import exact, key


class Assertions:
    """The formulas of one document.

    `opened` reads as N11 does, like `evaluation.Evaluator`: where the schema must hold, what forbids all unknown
    properties forbids none.
    """

    def __init__(self, document: Document, formulas: Formulas, steps: Steps, *, formats: bool, opened: bool) -> None:
        self.document = document
        self.formulas = formulas
        self.steps = steps
        self.formats = formats
        self.opened = opened
        self._made: dict[tuple[int, bool], Formula] = {}
        self._open: set[tuple[int, bool]] = set()

    def root(self) -> Formula:
        """What the whole document asserts."""
        return self.of(self.document.root, self.opened)

    def of(self, schema: Schema, opened: bool) -> Formula:
        """What one schema of the document asserts. One that refers to itself has an atom `reference` inside."""
        if isinstance(schema, bool):
            return self.formulas.true if schema else self.formulas.false
        name = (id(schema), opened)
        if name in self._open:
            return self.formulas.atom("reference", self, *name)
        if name not in self._made:
            self.steps.take()
            self._open.add(name)
            self._made[name] = self._read(schema, opened)
            self._open.discard(name)
        return self._made[name]

    def expanded(self, schema: int, opened: bool) -> Formula:
        """What an atom `reference` of this document stands for."""
        return self._made[schema, opened]

    def _read(self, schema: dict[str, Json], opened: bool) -> Formula:
        if self.document.dialect is Dialect.DRAFT_7 and "$ref" in schema:
            return self.of(self.document.resolve(schema), opened)
        readers = READERS[self.document.dialect]
        ordered = ("type", *(word for word in schema if word != "type")) if "type" in schema else tuple(schema)
        return self.formulas.all_of([readers[word](self, schema, opened) for word in ordered if word in readers])

    def names(self, schema: dict[str, Json]) -> list[Formula]:
        """Which names `properties` and `patternProperties` of a schema look at, as formulas of strings."""
        known = list(schema.get("properties", ()))
        patterns = [self.formulas.atom("matches", word) for word in schema.get("patternProperties", ())]
        return [self.formulas.one_of(known), *patterns]


Reader: TypeAlias = Callable[[Assertions, "dict[str, Json]", bool], Formula]


def _type(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    named = schema["type"]
    names = [named] if isinstance(named, str) else named
    return made.formulas.any_of([_one_type(made.formulas, name) for name in names])


def _one_type(formulas: Formulas, name: str) -> Formula:
    return formulas.atom("multiple", exact(1)) if name == "integer" else formulas.atom("is", name)


def _enum(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    return made.formulas.one_of(schema["enum"])


def _const(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    return made.formulas.one_of([schema["const"]])


def _minimum(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    return made.formulas.when("number", made.formulas.atom("least", exact(schema["minimum"]), False))


def _exclusive_minimum(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    return made.formulas.when("number", made.formulas.atom("least", exact(schema["exclusiveMinimum"]), True))


def _maximum(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    return made.formulas.when("number", made.formulas.atom("least", exact(schema["maximum"]), True).negation)


def _exclusive_maximum(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    return made.formulas.when("number", made.formulas.atom("least", exact(schema["exclusiveMaximum"]), False).negation)


def _multiple(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    return made.formulas.when("number", made.formulas.atom("multiple", exact(schema["multipleOf"])))


def _least(word: str, type_: str, atom: str) -> Reader:
    def read(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
        return at_least(made.formulas, type_, atom, int(schema[word]))

    return read


def _most(word: str, type_: str, atom: str) -> Reader:
    def read(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
        return made.formulas.when(type_, made.formulas.atom(atom, int(schema[word]) + 1).negation)

    return read


def at_least(formulas: Formulas, type_: str, atom: str, least: int) -> Formula:
    """`least` and more characters, items or properties; 0 and more says nothing."""
    return formulas.when(type_, formulas.atom(atom, least)) if least else formulas.true


def _pattern(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    return made.formulas.when("string", made.formulas.atom("matches", schema["pattern"]))


def _format(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    if not made.formats or not is_asserted(schema["format"]):
        return made.formulas.true
    return made.formulas.when("string", made.formulas.atom("opaque", "string", ("format", schema["format"])))


def _unique(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    return made.formulas.when("array", made.formulas.atom("unique")) if schema["uniqueItems"] else made.formulas.true


def _each(formulas: Formulas, start: int, stop: int | None, formula: Formula) -> Formula:
    if formula is formulas.true:
        return formula
    return formulas.when("array", formulas.atom("each", start, stop, formula))


def _prefix(word: str) -> Reader:
    def read(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
        inner = enumerate(schema[word])
        return made.formulas.all_of(
            [_each(made.formulas, place, place + 1, made.of(item, opened)) for place, item in inner]
        )

    return read


def _items(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    return rest(made.formulas, len(schema.get("prefixItems", ())), made.of(schema["items"], opened))


def rest(formulas: Formulas, start: int, formula: Formula) -> Formula:
    """Every item from `start` on satisfies `formula`; where none can, there are `start` items at most."""
    if formula is formulas.false:
        return formulas.when("array", formulas.atom("items", start + 1).negation)
    return _each(formulas, start, None, formula)


def _old_items(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    if isinstance(schema["items"], list):
        return _prefix("items")(made, schema, opened)
    return rest(made.formulas, 0, made.of(schema["items"], opened))


def _additional_items(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    if not isinstance(schema.get("items"), list):
        return made.formulas.true
    return rest(made.formulas, len(schema["items"]), made.of(schema["additionalItems"], opened))


def _contains(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    new_draft = made.document.dialect is Dialect.DRAFT_2020_12
    least = int(schema.get("minContains", 1)) if new_draft else 1
    most = int(schema["maxContains"]) if new_draft and "maxContains" in schema else None
    inner = made.of(schema["contains"], opened and most is None)
    parts = [_count(made.formulas, least, inner)] if least else []
    if most is not None:
        parts.append(_count(made.formulas, most + 1, inner).negation)
    return made.formulas.when("array", made.formulas.all_of(parts))


def _count(formulas: Formulas, least: int, formula: Formula) -> Formula:
    """`least` items and more, at least one, satisfy `formula`; an array's formula."""
    if formula is formulas.true:
        return formulas.atom("items", least)
    return formulas.false if formula is formulas.false else formulas.atom("count", least, formula)


def every(formulas: Formulas, names: Formula, formula: Formula) -> Formula:
    """Every property whose name satisfies `names` has a value that satisfies `formula`."""
    if formula is formulas.true or names is formulas.false:
        return formulas.true
    return formulas.when("object", formulas.atom("every", names, formula))


def _properties(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    inner = schema["properties"].items()
    return made.formulas.all_of(
        [every(made.formulas, made.formulas.one_of([name]), made.of(value, opened)) for name, value in inner]
    )


def _pattern_properties(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    inner = schema["patternProperties"].items()
    return made.formulas.all_of(
        [every(made.formulas, made.formulas.atom("matches", word), made.of(value, opened)) for word, value in inner]
    )


def _additional(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    if opened and schema["additionalProperties"] is False:
        return made.formulas.true
    others = made.formulas.any_of(made.names(schema)).negation
    return every(made.formulas, others, made.of(schema["additionalProperties"], opened))


def _names(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    bad = made.of(schema["propertyNames"], opened).negation
    return every(made.formulas, bad, made.formulas.false)


def _has(formulas: Formulas, names: list[str]) -> Formula:
    return formulas.all_of([formulas.atom("has", name) for name in names])


def _required(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    return made.formulas.when("object", _has(made.formulas, schema["required"]))


def _dependencies(word: str) -> Reader:
    def read(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
        return made.formulas.all_of([_dependency(made, name, value, opened) for name, value in schema[word].items()])

    return read


def _dependency(made: Assertions, name: str, value: Json, opened: bool) -> Formula:
    formulas = made.formulas
    then = _has(formulas, value) if isinstance(value, list) else made.of(value, opened)
    return formulas.any_of((formulas.atom("has", name).negation, then))


def _all(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    return made.formulas.all_of([made.of(inner, opened) for inner in schema["allOf"]])


def _any(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    return made.formulas.any_of([made.of(inner, opened) for inner in schema["anyOf"]])


def _one(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    closed = [made.of(inner, False) for inner in schema["oneOf"]]
    strict = _exactly_one(made, closed)
    if not opened:
        return strict
    none = made.formulas.any_of(closed).negation
    loose = made.formulas.any_of([made.of(inner, True) for inner in schema["oneOf"]])
    return made.formulas.any_of((strict, made.formulas.all_of((none, loose))))


def _exactly_one(made: Assertions, parts: list[Formula]) -> Formula:
    """One of `parts` and no other."""
    made.steps.take(len(parts) ** 2 // 8)
    alone = []
    for place, part in enumerate(parts):
        others = [other.negation for index, other in enumerate(parts) if index != place]
        alone.append(made.formulas.all_of([part, *others]))
    return made.formulas.any_of(alone)


def _not(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    return made.of(schema["not"], False).negation


def _if(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    if "then" not in schema and "else" not in schema:
        return made.formulas.true
    condition = made.of(schema["if"], False)
    then, otherwise = made.of(schema.get("then", True), opened), made.of(schema.get("else", True), opened)
    join = made.formulas
    return join.all_of((join.any_of((condition.negation, then)), join.any_of((condition, otherwise))))


def _reference(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    return made.of(made.document.resolve(schema), opened)


def _dynamic(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    target = made.document.resolve_dynamic(schema)
    if target is not None:
        return made.of(target, opened)
    return made.formulas.atom("opaque", None, ("dynamic", key(made.document.root), schema["$dynamicRef"], opened))


_BOTH: dict[str, Reader] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "minimum": _minimum,
    "maximum": _maximum,
    "exclusiveMinimum": _exclusive_minimum,
    "exclusiveMaximum": _exclusive_maximum,
    "multipleOf": _multiple,
    "minLength": _least("minLength", "string", "length"),
    "maxLength": _most("maxLength", "string", "length"),
    "pattern": _pattern,
    "format": _format,
    "minItems": _least("minItems", "array", "items"),
    "maxItems": _most("maxItems", "array", "items"),
    "uniqueItems": _unique,
    "contains": _contains,
    "minProperties": _least("minProperties", "object", "properties"),
    "maxProperties": _most("maxProperties", "object", "properties"),
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional,
    "propertyNames": _names,
    "required": _required,
    "allOf": _all,
    "anyOf": _any,
    "oneOf": _one,
    "not": _not,
    "if": _if,
    "$ref": _reference,
}
READERS: dict[Dialect, dict[str, Reader]] = {
    Dialect.DRAFT_7: {
        **_BOTH,
        "items": _old_items,
        "additionalItems": _additional_items,
        "dependencies": _dependencies("dependencies"),
    },
    Dialect.DRAFT_2020_12: {
        **_BOTH,
        "prefixItems": _prefix("prefixItems"),
        "items": _items,
        "dependentRequired": _dependencies("dependentRequired"),
        "dependentSchemas": _dependencies("dependentSchemas"),
        "$dynamicRef": _dynamic,
    },
}
