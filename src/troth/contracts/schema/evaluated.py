"""Which properties and items of an instance were looked at by a schema and what it applies in place (core, 11)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from troth.contracts.schema.answers import Json
from troth.contracts.schema.documents import Document, Schema
from troth.contracts.schema.remembering import Check, Remembering
from troth.contracts.schema.texts import matcher


class Validation(Protocol):
    """What is asked of who validates."""

    document: Document
    memory: Remembering

    def check(self, schema: Schema, opened: bool) -> Check:
        """The function that validates under one schema of the document."""


def evaluated_names(validation: Validation, schema: Schema, instance: dict[str, Json]) -> set[str]:
    """The properties that count as evaluated for `unevaluatedProperties` of `schema` (core, 11.3)."""
    seen: set[str] = set()
    for inner in _annotating(validation, schema, instance):
        if inner is not schema and "unevaluatedProperties" in inner:
            return set(instance)
        if "additionalProperties" in inner:
            return set(instance)
        seen |= inner.get("properties", {}).keys() & instance.keys()
        for word in map(matcher, inner.get("patternProperties", ())):
            seen |= {name for name in instance if validation.memory.matches(word, name)}
    return seen


def evaluated_items(validation: Validation, schema: Schema, instance: list[Json]) -> set[int]:
    """The places of the items that count as evaluated for `unevaluatedItems` of `schema` (core, 11.2)."""
    seen: set[int] = set()
    for inner in _annotating(validation, schema, instance):
        if "items" in inner or (inner is not schema and "unevaluatedItems" in inner):
            return set(range(len(instance)))
        seen |= set(range(len(inner.get("prefixItems", ()))))
        if "contains" in inner:
            check = validation.check(inner["contains"], False)
            validation.memory.steps.take(len(instance) // 4)
            seen |= {place for place, item in enumerate(instance) if check(item)}
    return seen


def _annotating(validation: Validation, schema: Schema, instance: Json) -> Iterator[dict[str, Json]]:
    """`schema` and every schema in place under which `instance` is valid; nothing inside `not` (core, 7.7.1.1).

    Each once, however many ways lead to it.
    """
    seen: set[int] = set()
    waiting = [schema]
    while waiting:
        current = waiting.pop()
        if isinstance(current, dict) and id(current) not in seen:
            seen.add(id(current))
            validation.memory.steps.take(1 + len(current) // 8)
            yield current
            waiting += _applied(validation, current, instance)


def _applied(validation: Validation, schema: dict[str, Json], instance: Json) -> Iterator[Schema]:
    def holds(inner: Schema) -> bool:
        return validation.check(inner, False)(instance)

    if "$ref" in schema:
        yield validation.document.resolve(schema)
    if "$dynamicRef" in schema:
        target = validation.document.resolve_dynamic(schema)
        yield from () if target is None else (target,)
    for word in ("allOf", "anyOf", "oneOf"):
        yield from filter(holds, schema.get(word, ()))
    if "if" in schema:
        met = holds(schema["if"])
        yield from (schema["if"],) if met else ()
        yield schema.get("then" if met else "else", True)
    for name, inner in schema.get("dependentSchemas", {}).items():
        if isinstance(instance, dict) and name in instance:
            yield inner
