"""Whether a value satisfies a formula; None where that turns on something that is not understood."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any

from troth.contracts.schema.answers import Json
from troth.contracts.schema.formats import conforms
from troth.contracts.schema.formulas import Formula, Formulas
from troth.contracts.schema.remembering import weight
from troth.contracts.schema.steps import Steps
from troth.contracts.schema.texts import is_understood, matcher
from troth.contracts.schema.values import exact, key, type_of

#: As many steps of a pattern are one of a proof.
PATTERN_STEPS = 20


class Holding:
    """The evaluation of formulas of one maker."""

    def __init__(self, formulas: Formulas, steps: Steps) -> None:
        self.formulas, self.steps = formulas, steps

    def holds(self, formula: Formula, value: Json) -> bool | None:
        """Whether `value` satisfies `formula`."""
        if formula.kind == "and":
            return _all(self.holds(part, value) for part in formula.arguments)
        if formula.kind == "or":
            return _any(self.holds(part, value) for part in formula.arguments)
        if formula.kind in ("true", "false"):
            return formula.kind == "true"
        said = self._atom(formula, value)
        return said if formula.positive or said is None else not said

    def _atom(self, formula: Formula, value: Json) -> bool | None:
        self.steps.take()
        if formula.kind == "reference":
            return self.holds(self.formulas.expand(formula if formula.positive else formula.negation), value)
        type_, test = _TESTS[formula.kind]
        if type_ is not None and type_of(value) != type_:
            return False
        return test(self, value, *formula.arguments)


def _all(parts: Iterable[bool | None]) -> bool | None:
    known: bool | None = True
    for part in parts:
        if part is False:
            return False
        known = known if part else None
    return known


def _any(parts: Iterable[bool | None]) -> bool | None:
    known: bool | None = False
    for part in parts:
        if part:
            return True
        known = None if part is None else known
    return known


def _in(holding: Holding, value: Json, keys: frozenset[Hashable]) -> bool:
    if isinstance(value, list | dict):
        holding.steps.take(weight(value) // 16)
    return key(value) in keys


def _unique(holding: Holding, value: Json) -> bool:
    holding.steps.take(weight(value) // 16)
    return len({key(item) for item in value}) == len(value)


def _opaque(holding: Holding, value: Json, type_: str | None, name: tuple[str, ...]) -> bool | None:
    if type_ is not None and type_of(value) != type_:
        return False
    return conforms(name[1], value) if name[0] == "format" else None


def _least(holding: Holding, value: Json, bound: Any, excluded: bool) -> bool:
    return bool(exact(value) > bound if excluded else exact(value) >= bound)


def _matches(holding: Holding, value: Json, pattern: str) -> bool | None:
    if not is_understood(pattern):
        return None
    said, cost = matcher(pattern).told(value)
    holding.steps.take(cost // PATTERN_STEPS)
    return said


def _each(holding: Holding, value: Json, start: int, stop: int | None, formula: Formula) -> bool | None:
    return _all(holding.holds(formula, item) for item in value[start:stop])


def _count(holding: Holding, value: Json, least: int, formula: Formula) -> bool | None:
    found = [holding.holds(formula, item) for item in value]
    if found.count(True) >= least:
        return True
    return None if len(found) - found.count(False) >= least else False


def _every(holding: Holding, value: Json, names: Formula, formula: Formula) -> bool | None:
    if names.kind == "in" and names.positive:
        return _all(holding.holds(formula, value[name]) for name in names.arguments[0] if name in value)
    return _all(
        _any((_not(holding.holds(names, name)), holding.holds(formula, inner))) for name, inner in value.items()
    )


def _not(said: bool | None) -> bool | None:
    return None if said is None else not said


_Test = Callable[..., bool | None]
_TESTS: dict[str, tuple[str | None, _Test]] = {
    "is": (None, lambda holding, value, type_: type_of(value) == type_),
    "in": (None, _in),
    "opaque": (None, _opaque),
    "least": ("number", _least),
    "multiple": ("number", lambda holding, value, divisor: (exact(value) / divisor).denominator == 1),
    "length": ("string", lambda holding, value, least: len(value) >= least),
    "matches": ("string", _matches),
    "items": ("array", lambda holding, value, least: len(value) >= least),
    "unique": ("array", _unique),
    "each": ("array", _each),
    "count": ("array", _count),
    "properties": ("object", lambda holding, value, least: len(value) >= least),
    "has": ("object", lambda holding, value, name: name in value),
    "every": ("object", _every),
}
