"""Whether an instance is valid under a schema, quickly: each schema becomes a function once.

It judges the many instances of the search, from the document and not from the formulas that the proof works on, so that a
mistake there is seen here. Witnesses are confirmed by another validator besides. Sources: JSON Schema 2020-12 validation, 6;
core, 10 and 11; draft-07 validation, 6.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import TypeAlias

from troth.contracts.schema.answers import Dialect, Json
from troth.contracts.schema.documents import Document, Schema
from troth.contracts.schema.evaluated import evaluated_items, evaluated_names
from troth.contracts.schema.formats import conforms
from troth.contracts.schema.keywords import IN_PLACE
from troth.contracts.schema.remembering import Check, Remembering
from troth.contracts.schema.steps import Steps
from troth.contracts.schema.texts import NotUnderstood, matcher
from troth.contracts.schema.values import CLASSES, exact, is_number, is_of, key

#: Keywords that may lead to one schema on several ways, or look at schemas again.
_WAYS = frozenset([*IN_PLACE, "$ref", "$dynamicRef", "unevaluatedItems", "unevaluatedProperties"])


class Evaluator:
    """Validation under the schemas of one document. `formats` makes `format` an assertion.

    `opened` reads the document as N11 does: a property that it does not know is no fault, wherever `additionalProperties` or
    `unevaluatedProperties` forbids all of them. Where a schema must not hold (`not`, the others of `oneOf`), it is read as
    it stands, so that the opened schema accepts whatever the schema does.
    """

    def __init__(
        self, document: Document, *, formats: bool = False, opened: bool = False, steps: Steps | None = None
    ) -> None:
        self.document = document
        self.memory = Remembering(steps)
        self.formats = formats
        self.opened = opened
        self._checks: dict[tuple[int, bool], Check] = {}

    def valid(self, instance: Json) -> bool | None:
        """Whether `instance` is valid under the whole document; None where that is not understood. Raises Exhausted."""
        self.memory.begin()
        try:
            return self.check(self.document.root, self.opened)(instance)
        except NotUnderstood:
            return None

    def check(self, schema: Schema, opened: bool) -> Check:
        """The function that validates under one schema of the document."""
        if isinstance(schema, bool):
            return _always if schema else _never
        name = (id(schema), opened)
        found = self._checks.get(name)
        if found is None:
            self._checks[name] = lambda instance: self._checks[name](instance)  # for a schema that refers to itself
            found = self._checks[name] = self._made(schema, opened)
        return found

    def _made(self, schema: dict[str, Json], opened: bool) -> Check:
        dialect = self.document.dialect
        if dialect is Dialect.DRAFT_7 and "$ref" in schema:
            return self.check(self.document.resolve(schema), opened)
        builders = _BUILDERS[dialect]
        made = [builders[word](self, schema, opened) for word in schema if word in builders]
        checks = tuple(check for check in made if check is not _always)
        if not checks or (len(checks) == 1 and "$ref" in schema):
            return checks[0] if checks else _always
        all_hold = checks[0] if len(checks) == 1 else partial(_each_holds, checks)
        return self.memory.remembered(all_hold) if _WAYS & schema.keys() else self.memory.counted(all_hold)


def _each_holds(checks: tuple[Check, ...], instance: Json) -> bool:
    return all(check(instance) for check in checks)


def _always(instance: Json) -> bool:
    return True


def _never(instance: Json) -> bool:
    return False


Builder: TypeAlias = Callable[[Evaluator, "dict[str, Json]", bool], Check]


def _type(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
    named = schema["type"]
    names = [named] if isinstance(named, str) else named
    if len(names) == 1 and names[0] in CLASSES:
        kind = CLASSES[names[0]]
        return lambda instance: isinstance(instance, kind)
    return lambda instance: any(is_of(instance, name) for name in names)


def _enum(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
    keys = {key(value) for value in schema["enum"]}
    return lambda instance: evaluator.memory.key(instance) in keys


def _const(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
    only = key(schema["const"])
    return lambda instance: evaluator.memory.key(instance) == only


def _number(word: str, holds: Callable[[Fraction, Fraction], bool]) -> Builder:
    def build(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
        bound = exact(schema[word])
        return lambda instance: not is_number(instance) or holds(exact(instance), bound)

    return build


def _sized(
    word: str, kind: type[str] | type[list[Json]] | type[dict[str, Json]], holds: Callable[[int, int], bool]
) -> Builder:
    def build(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
        bound = int(schema[word])
        return lambda instance: not isinstance(instance, kind) or holds(len(instance), bound)

    return build


def _pattern(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
    pattern = matcher(schema["pattern"])
    return lambda instance: not isinstance(instance, str) or evaluator.memory.matches(pattern, instance)


def _format(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
    name = schema["format"]
    if not evaluator.formats:
        return _always
    return lambda instance: not isinstance(instance, str) or conforms(name, instance) is not False


def _unique(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
    if not schema["uniqueItems"]:
        return _always
    keyed = evaluator.memory.key
    return lambda instance: not isinstance(instance, list) or len({keyed(item) for item in instance}) == len(instance)


def _prefix(word: str) -> Builder:
    def build(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
        checks = [evaluator.check(inner, opened) for inner in schema[word]]
        return lambda instance: (
            not isinstance(instance, list) or all(check(item) for check, item in zip(checks, instance, strict=False))
        )

    return build


def _rest(word: str, start: Callable[[dict[str, Json]], int]) -> Builder:
    def build(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
        check, first = evaluator.check(schema[word], opened), start(schema)

        def others(instance: Json) -> bool:
            if not isinstance(instance, list):
                return True
            evaluator.memory.steps.take(len(instance) // 4)
            return all(check(item) for item in instance[first:])

        return others

    return build


def _old_items(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
    builder = _prefix("items") if isinstance(schema["items"], list) else _rest("items", lambda schema: 0)
    return builder(evaluator, schema, opened)


def _additional_items(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
    if not isinstance(schema.get("items"), list):
        return _always
    return _rest("additionalItems", lambda schema: len(schema["items"]))(evaluator, schema, opened)


def _contains(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
    new_draft = evaluator.document.dialect is Dialect.DRAFT_2020_12
    least = int(schema.get("minContains", 1)) if new_draft else 1
    most = int(schema["maxContains"]) if new_draft and "maxContains" in schema else None
    check = evaluator.check(schema["contains"], opened and most is None)

    def counted(instance: Json) -> bool:
        if not isinstance(instance, list):
            return True
        evaluator.memory.steps.take(len(instance) // 4)
        count = sum([check(item) for item in instance])
        return count >= least and (most is None or count <= most)

    return counted


def _properties(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
    checks = {name: evaluator.check(inner, opened) for name, inner in schema["properties"].items()}

    def known(instance: Json) -> bool:
        if not isinstance(instance, dict):
            return True
        evaluator.memory.steps.take(len(instance) // 4)
        if len(instance) < len(checks):
            return all(checks[name](value) for name, value in instance.items() if name in checks)
        return all(check(instance[name]) for name, check in checks.items() if name in instance)

    return known


def _pattern_properties(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
    checks = [(matcher(word), evaluator.check(inner, opened)) for word, inner in schema["patternProperties"].items()]
    matches = evaluator.memory.matches
    return lambda instance: (
        not isinstance(instance, dict)
        or all(check(value) for word, check in checks for name, value in instance.items() if matches(word, name))
    )


def _additional(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
    if opened and schema["additionalProperties"] is False:
        return _always
    check = evaluator.check(schema["additionalProperties"], opened)
    known = schema.get("properties", {})
    matchers, matches = [matcher(word) for word in schema.get("patternProperties", {})], evaluator.memory.matches

    def others(instance: Json) -> bool:
        if not isinstance(instance, dict):
            return True
        evaluator.memory.steps.take(len(instance) // 4)
        for name, value in instance.items():
            if name not in known and not any(matches(word, name) for word in matchers) and not check(value):
                return False
        return True

    return others


def _names(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
    check = evaluator.check(schema["propertyNames"], opened)
    return lambda instance: not isinstance(instance, dict) or all(check(name) for name in instance)


def _required(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
    names = frozenset(schema["required"])
    return lambda instance: not isinstance(instance, dict) or names <= instance.keys()


def _dependencies(word: str) -> Builder:
    def build(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
        pairs = [(name, _dependency(evaluator, value, opened)) for name, value in schema[word].items()]
        return lambda instance: (
            not isinstance(instance, dict) or all(check(instance) for name, check in pairs if name in instance)
        )

    return build


def _dependency(evaluator: Evaluator, value: Json, opened: bool) -> Check:
    if not isinstance(value, list):
        return evaluator.check(value, opened)
    names = frozenset(value)
    return lambda instance: names <= instance.keys()


def _all(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
    checks = tuple(dict.fromkeys(evaluator.check(inner, opened) for inner in schema["allOf"]))
    return partial(_each_holds, checks)


def _any(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
    checks = tuple(dict.fromkeys(evaluator.check(inner, opened) for inner in schema["anyOf"]))

    def some(instance: Json) -> bool:
        evaluator.memory.steps.take(len(checks) // 4)
        return any(check(instance) for check in checks)

    return some


def _one(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
    closed = [evaluator.check(inner, False) for inner in schema["oneOf"]]
    checks = [evaluator.check(inner, opened) for inner in schema["oneOf"]]

    def one(instance: Json) -> bool:
        evaluator.memory.steps.take(len(closed) // 4)
        strict = [check(instance) for check in closed]
        if not opened or sum(strict) == 1:
            return sum(strict) == 1
        return sum(strict) == 0 and any(check(instance) for check in checks)

    return one


def _not(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
    check = evaluator.check(schema["not"], False)
    return lambda instance: not check(instance)


def _if(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
    if "then" not in schema and "else" not in schema:
        return _always
    closed = evaluator.check(schema["if"], False)
    checks = evaluator.check(schema.get("then", True), opened), evaluator.check(schema.get("else", True), opened)
    return lambda instance: checks[0](instance) if closed(instance) else checks[1](instance)


def _reference(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
    return evaluator.check(evaluator.document.resolve(schema), opened)


def _dynamic(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
    target = evaluator.document.resolve_dynamic(schema)
    return _always if target is None else evaluator.check(target, opened)


def _unevaluated_properties(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
    if opened and schema["unevaluatedProperties"] is False:
        return _always
    check = evaluator.check(schema["unevaluatedProperties"], opened)

    def others(instance: Json) -> bool:
        if not isinstance(instance, dict):
            return True
        seen = evaluated_names(evaluator, schema, instance)
        return all(check(value) for name, value in instance.items() if name not in seen)

    return others


def _unevaluated_items(evaluator: Evaluator, schema: dict[str, Json], opened: bool) -> Check:
    check = evaluator.check(schema["unevaluatedItems"], opened)

    def others(instance: Json) -> bool:
        if not isinstance(instance, list):
            return True
        seen = evaluated_items(evaluator, schema, instance)
        return all(check(item) for place, item in enumerate(instance) if place not in seen)

    return others


_BOTH: dict[str, Builder] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "minimum": _number("minimum", lambda value, bound: value >= bound),
    "maximum": _number("maximum", lambda value, bound: value <= bound),
    "exclusiveMinimum": _number("exclusiveMinimum", lambda value, bound: value > bound),
    "exclusiveMaximum": _number("exclusiveMaximum", lambda value, bound: value < bound),
    "multipleOf": _number("multipleOf", lambda value, bound: (value / bound).denominator == 1),
    "minLength": _sized("minLength", str, lambda size, bound: size >= bound),
    "maxLength": _sized("maxLength", str, lambda size, bound: size <= bound),
    "pattern": _pattern,
    "format": _format,
    "minItems": _sized("minItems", list, lambda size, bound: size >= bound),
    "maxItems": _sized("maxItems", list, lambda size, bound: size <= bound),
    "uniqueItems": _unique,
    "contains": _contains,
    "minProperties": _sized("minProperties", dict, lambda size, bound: size >= bound),
    "maxProperties": _sized("maxProperties", dict, lambda size, bound: size <= bound),
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
_BUILDERS: dict[Dialect, dict[str, Builder]] = {
    Dialect.DRAFT_7: {
        **_BOTH,
        "items": _old_items,
        "additionalItems": _additional_items,
        "dependencies": _dependencies("dependencies"),
    },
    Dialect.DRAFT_2020_12: {
        **_BOTH,
        "prefixItems": _prefix("prefixItems"),
        "items": _rest("items", lambda schema: len(schema.get("prefixItems", ()))),
        "dependentRequired": _dependencies("dependentRequired"),
        "dependentSchemas": _dependencies("dependentSchemas"),
        "unevaluatedItems": _unevaluated_items,
        "unevaluatedProperties": _unevaluated_properties,
        "$dynamicRef": _dynamic,
    },
}
