"""`unevaluatedProperties` and `unevaluatedItems` as formulas (2020-12 core, 11.2 and 11.3).

What counts as evaluated depends on which schemas hold in place. So the instances are divided into cases by which of them
do, and in each case it is known which names or items were looked at. Where there are too many cases, the keyword becomes
an atom that is not understood.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from troth.contracts.schema.answers import Dialect, Json
from troth.contracts.schema.assertions import READERS, Assertions, every, rest
from troth.contracts.schema.documents import Schema
from troth.contracts.schema.formulas import Formula, Formulas

_MOST_CASES = 256
_LOOKING = frozenset(
    [
        "properties",
        "patternProperties",
        "additionalProperties",
        "prefixItems",
        "items",
        "contains",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
        "dependentSchemas",
        "$ref",
        "$dynamicRef",
        "unevaluatedProperties",
        "unevaluatedItems",
    ]
)


class _TooMany(Exception):
    """There are more cases than are worked out."""


#: Items: how many come first (None: all), and what others satisfy that were looked at. Properties: a formula of names.
Coverage: TypeAlias = "tuple[int | None, frozenset[Formula]] | Formula"
_Cases: TypeAlias = "dict[Coverage, Formula]"


class _Kind:
    """How coverage is read and joined: once for properties, once for items."""

    def __init__(
        self,
        nothing: Coverage,
        own: Callable[[dict[str, Json], bool], Coverage],
        joined: Callable[[Coverage, Coverage], Coverage],
    ) -> None:
        self.nothing, self.own, self.joined = nothing, own, joined


def unevaluated_properties(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    """What `unevaluatedProperties` asserts."""
    if opened and schema["unevaluatedProperties"] is False:
        return made.formulas.true
    inner = made.of(schema["unevaluatedProperties"], opened)
    kind = _Kind(made.formulas.false, lambda schema, outer: _own_names(made, schema, outer), _either(made.formulas))
    return _by_cases(made, schema, opened, "object", kind, lambda names: every(made.formulas, _negated(names), inner))


def unevaluated_items(made: Assertions, schema: dict[str, Json], opened: bool) -> Formula:
    """What `unevaluatedItems` asserts; items that `contains` looks for count as evaluated."""
    inner = made.of(schema["unevaluatedItems"], opened)

    def said(coverage: Coverage) -> Formula:
        assert isinstance(coverage, tuple)
        first, found = coverage
        return (
            made.formulas.true if first is None else rest(made.formulas, first, made.formulas.any_of([*found, inner]))
        )

    kind = _Kind((0, frozenset()), lambda schema, outer: _own_items(made, schema, outer), _longer)
    return _by_cases(made, schema, opened, "array", kind, said)


def _by_cases(
    made: Assertions,
    schema: dict[str, Json],
    opened: bool,
    type_: str,
    kind: _Kind,
    said: Callable[[Coverage], Formula],
) -> Formula:
    try:
        cases = _cases(made, schema, kind, True)
    except _TooMany:
        return made.formulas.atom("opaque", type_, ("unevaluated", made.document.bare(_looking(schema)), opened))
    parts = [made.formulas.all_of((condition, said(coverage))) for coverage, condition in cases.items()]
    return made.formulas.when(type_, made.formulas.any_of(parts))


def _looking(schema: dict[str, Json]) -> dict[str, Json]:
    """The part of a schema that decides what counts as evaluated, and what is asked of the rest."""
    return {word: value for word, value in schema.items() if word in _LOOKING}


def _cases(made: Assertions, schema: Schema, kind: _Kind, outer: bool) -> _Cases:
    """Coverage by which conditions: those exclude each other, and one holds for each instance that is valid."""
    made.steps.take()
    if isinstance(schema, bool):
        return {kind.nothing: made.formulas.true}
    found: _Cases = {kind.own(schema, outer): made.formulas.true}
    document = made.document
    always = list(schema.get("allOf", ()))
    if "$ref" in schema:
        always.append(document.resolve(schema))
    if "$dynamicRef" in schema:
        target = document.resolve_dynamic(schema)
        if target is None:
            raise _TooMany
        always.append(target)
    for inner in always:
        found = _product(made, kind, found, _cases(made, inner, kind, False))
    for inner in [*schema.get("anyOf", ()), *schema.get("oneOf", ())]:
        found = _product(made, kind, found, _where(made, kind, made.of(inner, False), inner, True))
    if "if" in schema:
        found = _product(made, kind, found, _branches(made, kind, schema))
    for name, inner in schema.get("dependentSchemas", {}).items():
        found = _product(made, kind, found, _where(made, kind, made.formulas.atom("has", name), inner, True))
    return found


def _where(made: Assertions, kind: _Kind, condition: Formula, then: Schema, otherwise: Schema) -> _Cases:
    """The cases of `then` where the condition holds, and those of `otherwise` where not."""
    found: _Cases = {}
    for guard, schema in ((condition, then), (condition.negation, otherwise)):
        for coverage, inner in _cases(made, schema, kind, False).items():
            _add(made, found, coverage, made.formulas.all_of((guard, inner)))
    return found


def _branches(made: Assertions, kind: _Kind, schema: dict[str, Json]) -> _Cases:
    condition = made.of(schema["if"], False)
    looked = _where(made, kind, condition, schema["if"], True)
    return _product(
        made, kind, looked, _where(made, kind, condition, schema.get("then", True), schema.get("else", True))
    )


def _product(made: Assertions, kind: _Kind, left: _Cases, right: _Cases) -> _Cases:
    found: _Cases = {}
    for first, one in left.items():
        for second, other in right.items():
            _add(made, found, kind.joined(first, second), made.formulas.all_of((one, other)))
    if len(found) > _MOST_CASES:
        raise _TooMany
    return found


def _add(made: Assertions, cases: _Cases, coverage: Coverage, condition: Formula) -> None:
    made.steps.take()
    if condition is not made.formulas.false:
        cases[coverage] = made.formulas.any_of((cases.get(coverage, made.formulas.false), condition))


def _own_names(made: Assertions, schema: dict[str, Json], outer: bool) -> Formula:
    if "additionalProperties" in schema or (not outer and "unevaluatedProperties" in schema):
        return made.formulas.true
    return made.formulas.any_of(made.names(schema))


def _own_items(made: Assertions, schema: dict[str, Json], outer: bool) -> Coverage:
    if "items" in schema or (not outer and "unevaluatedItems" in schema):
        return None, frozenset()
    found = [made.of(schema["contains"], False)] if "contains" in schema else []
    return len(schema.get("prefixItems", ())), frozenset(found)


def _longer(one: Coverage, other: Coverage) -> Coverage:
    assert isinstance(one, tuple)
    assert isinstance(other, tuple)
    first = None if one[0] is None or other[0] is None else max(one[0], other[0])
    return (None, frozenset()) if first is None else (first, one[1] | other[1])


def _either(formulas: Formulas) -> Callable[[Coverage, Coverage], Coverage]:
    def joined(one: Coverage, other: Coverage) -> Coverage:
        return formulas.any_of((_named(one), _named(other)))

    return joined


def _named(coverage: Coverage) -> Formula:
    assert isinstance(coverage, Formula)
    return coverage


def _negated(coverage: Coverage) -> Formula:
    return _named(coverage).negation


READERS[Dialect.DRAFT_2020_12].update(
    unevaluatedProperties=unevaluated_properties,
    unevaluatedItems=unevaluated_items,
)
