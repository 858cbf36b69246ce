"""Which properties and items of an instance were looked at by a schema and what it applies in place (core, 11)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from troth.contracts.schema.answers import Json
from troth.contracts.schema.documents import Document, Schema
from troth.contracts.schema.texts import matcher

_Checks = Callable[[Schema], Callable[[Json], bool]]


def evaluated_names(document: Document, checks: _Checks, schema: Schema, instance: dict[str, Json]) -> set[str]:
    """The properties that count as evaluated for `unevaluatedProperties` of `schema` (core, 11.3)."""
    seen: set[str] = set()
    for inner in _annotating(document, checks, schema, instance):
        if inner is not schema and "unevaluatedProperties" in inner:
            return set(instance)
        if "additionalProperties" in inner:
            return set(instance)
        seen |= inner.get("properties", {}).keys() & instance.keys()
        for word in inner.get("patternProperties", ()):
            seen |= set(filter(matcher(word), instance))
    return seen


def evaluated_items(document: Document, checks: _Checks, schema: Schema, instance: list[Json]) -> set[int]:
    """The places of the items that count as evaluated for `unevaluatedItems` of `schema` (core, 11.2)."""
    seen: set[int] = set()
    for inner in _annotating(document, checks, schema, instance):
        if "items" in inner or (inner is not schema and "unevaluatedItems" in inner):
            return set(range(len(instance)))
        seen |= set(range(len(inner.get("prefixItems", ()))))
        if "contains" in inner:
            check = checks(inner["contains"])
            seen |= {place for place, item in enumerate(instance) if check(item)}
    return seen


def _annotating(document: Document, checks: _Checks, schema: Schema, instance: Json) -> Iterator[dict[str, Json]]:
    """`schema` and every schema in place under which `instance` is valid; nothing inside `not` (core, 7.7.1.1)."""
    if isinstance(schema, bool):
        return
    yield schema
    for inner in _applied(document, checks, schema, instance):
        yield from _annotating(document, checks, inner, instance)


def _applied(document: Document, checks: _Checks, schema: dict[str, Json], instance: Json) -> Iterator[Schema]:
    if "$ref" in schema:
        yield document.resolve(schema)
    if "$dynamicRef" in schema:
        target = document.resolve_dynamic(schema)
        yield from () if target is None else (target,)
    for word in ("allOf", "anyOf", "oneOf"):
        yield from (inner for inner in schema.get(word, ()) if checks(inner)(instance))
    if "if" in schema:
        holds = checks(schema["if"])(instance)
        yield from (schema["if"],) if holds else ()
        yield schema.get("then" if holds else "else", True)
    for name, inner in schema.get("dependentSchemas", {}).items():
        if isinstance(instance, dict) and name in instance:
            yield inner
