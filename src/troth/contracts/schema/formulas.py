"""What a schema asserts, as a formula: atoms, "not", "and", "or". Equal formulas are one object, so equality is cheap.

An atom says something of instances of one type and is false of all others: `length 3` is true of strings of three
characters and more. A keyword like `minLength`, which says nothing of other types, is `not string, or length 3`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any

from troth.contracts.schema.answers import Json
from troth.contracts.schema.steps import Steps
from troth.contracts.schema.values import key, type_of

#: Atoms, their arguments and the type they speak of; None where it is several.
ATOMS: dict[str, str | None] = {
    "is": None,  # type
    "in": None,  # keys of values: the instance is one of them
    "opaque": None,  # type or None, anything hashable: something that is not understood, and is equal to itself
    "reference": None,  # place: what the schema there asserts; expanded when needed
    "least": "number",  # bound, whether it is excluded
    "multiple": "number",  # divisor
    "length": "string",  # n: n characters and more
    "matches": "string",  # pattern, somewhere in the string
    "items": "array",  # n: n items and more
    "unique": "array",
    "each": "array",  # start, stop or None, formula: every item with such an index satisfies it
    "count": "array",  # n, formula: n items and more satisfy it
    "properties": "object",  # n: n properties and more
    "has": "object",  # name
    "every": "object",  # formula of names, formula: every property with such a name satisfies it
}


class Formula:
    """One formula. `kind` is true, and, or, or the name of an atom; `positive` is whether it is asserted or denied."""

    __slots__ = ("arguments", "index", "kind", "negation", "positive")

    def __init__(self, index: int, kind: str, arguments: tuple[Any, ...], positive: bool) -> None:
        self.index = index
        self.kind = kind
        self.arguments = arguments
        self.positive = positive
        self.negation: Formula

    def __repr__(self) -> str:
        said = f"{self.kind}{list(self.arguments)}" if self.arguments else self.kind
        return said if self.positive else f"not {said}"


class Formulas:
    """The maker of formulas. Those of two makers cannot be mixed. Long ones take steps: raises Exhausted."""

    def __init__(self, steps: Steps | None = None) -> None:
        self._steps = steps or Steps()
        self._made: dict[Hashable, Formula] = {}
        self._count = 0
        self.values: dict[Hashable, Json] = {}
        self._narrowed: dict[tuple[int, str], Formula] = {}
        self.true, self.false = self._pair("true", (), "false", ())
        self.expand: Callable[[Formula], Formula] = lambda reference: reference

    def atom(self, kind: str, *arguments: Any) -> Formula:
        """The atom `kind` of ATOMS."""
        found = self._made.get((kind, arguments))
        if found is None:
            found = self._new(kind, arguments, True)
            found.negation = self._new(kind, arguments, False)
            found.negation.negation = found
            self._made[(kind, arguments)] = found
        return found

    def one_of(self, values: Iterable[Json]) -> Formula:
        """The instance equals one of `values` (`enum`, `const`)."""
        keys = {key(value): value for value in values}
        self.values.update(keys)
        return self.atom("in", frozenset(keys)) if keys else self.false

    def when(self, type_: str, formula: Formula) -> Formula:
        """`formula`, of instances of one type; nothing is said of others."""
        return self.any_of((self.atom("is", type_).negation, formula))

    def all_of(self, parts: Iterable[Formula]) -> Formula:
        """All of `parts`."""
        return self._joined("and", self.true, parts)

    def any_of(self, parts: Iterable[Formula]) -> Formula:
        """At least one of `parts`."""
        return self._joined("or", self.false, parts)

    def _joined(self, kind: str, neutral: Formula, parts: Iterable[Formula]) -> Formula:
        found: dict[int, Formula] = {}
        for part in parts:
            if part is neutral:
                continue
            if part is neutral.negation:
                return part
            for piece in part.arguments if part.kind == kind else (part,):
                if piece.negation.index in found:
                    return neutral.negation
                found[piece.index] = piece
        if sum([piece.kind == "in" for piece in found.values()]) > 1:
            found = self._merged(kind, list(found.values()))
            if neutral.negation.index in found:
                return neutral.negation
        if len(found) < 2:
            return next(iter(found.values()), neutral)
        self._steps.take(len(found) >> 4)
        pieces = tuple(found[index] for index in sorted(found))
        name = (kind, tuple(piece.index for piece in pieces))
        if name not in self._made:
            other = "or" if kind == "and" else "and"
            opposite = tuple(sorted((piece.negation for piece in pieces), key=lambda piece: piece.index))
            made, _ = self._pair(kind, pieces, other, opposite)
            self._made[name] = made
            self._made[(other, tuple(piece.index for piece in opposite))] = made.negation
        return self._made[name]

    def _merged(self, kind: str, pieces: list[Formula]) -> dict[int, Formula]:
        """The pieces with all atoms of values made one: so `anyOf` of constants is the same as `enum`."""
        others = [piece for piece in pieces if piece.kind != "in"]
        listed = [piece for piece in pieces if piece.kind == "in"]
        neutral = self.true if kind == "and" else self.false
        merged = self._met(listed) if kind == "and" else self._met([piece.negation for piece in listed]).negation
        return {piece.index: piece for piece in (*others, merged) if piece is not neutral}

    def _met(self, listed: list[Formula]) -> Formula:
        """All of some atoms of values: one of these, none of those."""
        out: frozenset[Hashable] = frozenset().union(*(piece.arguments[0] for piece in listed if not piece.positive))
        sets = [piece.arguments[0] for piece in listed if piece.positive]
        if not sets:
            return self.atom("in", out).negation
        keys = frozenset.intersection(*sets) - out
        return self.atom("in", keys) if keys else self.false

    def _pair(
        self, kind: str, arguments: tuple[Any, ...], other: str, opposite: tuple[Any, ...]
    ) -> tuple[Formula, Formula]:
        made, against = self._new(kind, arguments, True), self._new(other, opposite, True)
        made.negation, against.negation = against, made
        return made, against

    def _new(self, kind: str, arguments: tuple[Any, ...], positive: bool) -> Formula:
        self._count += 1
        return Formula(self._count, kind, arguments, positive)

    def narrowed(self, formula: Formula, type_: str) -> Formula:
        """What `formula` says of instances of one type, with atoms of that type only."""
        if formula is self.true or formula is self.false:
            return formula
        found = self._narrowed.get((formula.index, type_))
        if found is None:
            found = self._narrowed[(formula.index, type_)] = self._narrow(formula, type_)
        return found

    def _narrow(self, formula: Formula, type_: str) -> Formula:
        if formula.kind in ("and", "or"):
            return self._narrow_joined(formula, type_)
        if not formula.positive:
            return self.narrowed(formula.negation, type_).negation
        if formula.kind == "is":
            return self.true if formula.arguments[0] == type_ else self.false
        if formula.kind == "in":
            return self._narrow_values(formula, type_)
        if formula.kind == "reference":
            return self.narrowed(self.expand(formula), type_)
        spoken = formula.arguments[0] if formula.kind == "opaque" else ATOMS[formula.kind]
        return formula if spoken in (type_, None) else self.false

    def _narrow_joined(self, formula: Formula, type_: str) -> Formula:
        """Stops at the first part that decides: most schemas name their type."""
        stop = self.false if formula.kind == "and" else self.true
        parts = []
        for part in formula.arguments:
            parts.append(self.narrowed(part, type_))
            if parts[-1] is stop:
                return stop
        return self.all_of(parts) if formula.kind == "and" else self.any_of(parts)

    def _narrow_values(self, formula: Formula, type_: str) -> Formula:
        values = [self.values[name] for name in formula.arguments[0]]
        self._steps.take(len(values) >> 4)
        return self.one_of([value for value in values if type_of(value) == type_])
