"""An object with given names, none of others, whose values satisfy formulas by name (2020-12 core, 10.3.2; validation, 6.5).

Names that no assertion spells out are alike if the same formulas of names hold for them; so one of each kind stands for all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from troth.contracts.schema.answers import Json
from troth.contracts.schema.formulas import Formula
from troth.contracts.schema.outcomes import EMPTY, UNKNOWN, Literals, Models, Outcome, Status, found

_MOST_NAMES = 400
_MOST_WANTED = 12


@dataclass(slots=True)
class _Object:
    """The assertions of one conjunction."""

    least: int = 0
    most: int | None = None
    required: list[str] = field(default_factory=list)
    forbidden: set[str] = field(default_factory=set)
    #: by name, what the value has to satisfy
    named: dict[str, list[Formula]] = field(default_factory=dict)
    #: formula of names, and what the values have to satisfy
    every: list[tuple[Formula, Formula]] = field(default_factory=list)
    #: formula of names, and what one value has to satisfy
    wanted: list[tuple[Formula, Formula]] = field(default_factory=list)

    def fits(self, count: int) -> bool:
        """Whether there may be so many properties."""
        return self.most is None or count <= self.most


@dataclass(frozen=True, slots=True)
class _Fresh:
    """One of the names that are not spelled out: what is said of it, and what its value has to satisfy besides."""

    names: Formula
    signs: tuple[bool, ...]
    values: Formula


class _Doubt(Exception):
    """Whether a name satisfies a formula is not known."""


def object_model(models: Models, literals: Literals) -> Outcome:
    """An object that satisfies all of `literals`, atoms of objects and their negations."""
    asked = _Object()
    for literal in literals:
        _restrict(models, asked, literal)
    asked.required = list(dict.fromkeys(asked.required))
    if not asked.fits(max(asked.least, len(asked.required))) or not asked.forbidden.isdisjoint(asked.required):
        return EMPTY
    if len(asked.wanted) > _MOST_WANTED:
        return UNKNOWN
    try:
        return _Search(models, asked).outcome()
    except _Doubt:
        return UNKNOWN


def _restrict(models: Models, asked: _Object, literal: Formula) -> None:
    arguments = literal.arguments
    if literal.kind == "properties" and literal.positive:
        asked.least = max(asked.least, arguments[0])
    elif literal.kind == "properties":
        asked.most = arguments[0] - 1 if asked.most is None else min(asked.most, arguments[0] - 1)
    elif literal.kind == "has" and literal.positive:
        asked.required.append(arguments[0])
    elif literal.kind == "has":
        asked.forbidden.add(arguments[0])
    else:
        names = models.formulas.narrowed(arguments[0], "string")
        listed = names.arguments[0] if names.kind == "in" and names.positive else ()
        if not literal.positive and len(listed) == 1:
            name = next(iter(listed))
            asked.required.append(name)
            asked.named.setdefault(name, []).append(arguments[1].negation)
        elif not literal.positive:
            asked.wanted.append((names, arguments[1].negation))
        elif listed:
            for name in listed:
                asked.named.setdefault(name, []).append(arguments[1])
        else:
            asked.every.append((names, arguments[1]))


class _Search:
    """The search for one object."""

    def __init__(self, models: Models, asked: _Object) -> None:
        self.models, self.asked = models, asked
        spelled = [
            name for names, _ in asked.wanted if names.kind == "in" and names.positive for name in names.arguments[0]
        ]
        self.spelled = sorted({*asked.required, *asked.named, *asked.forbidden, *spelled})
        make = models.formulas
        self.unspelled = make.all_of((make.atom("is", "string"), make.one_of(self.spelled).negation))
        self._values: dict[str, Formula] = {}
        self._kinds: list[_Fresh] | None = None

    def outcome(self) -> Outcome:
        """The smallest object over all ways to give names to what is wanted."""
        best = EMPTY
        for name in self.asked.required:
            outcome = self.models.model(self.value(name))
            if outcome.status is Status.EMPTY:
                return EMPTY
        start: dict[str | _Key, list[Formula]] = {name: [] for name in self.asked.required}
        for chosen in self._assignments(0, start):
            outcome = self._filled(chosen)
            if outcome.status is Status.FOUND:
                return outcome
            best = outcome if outcome.status is Status.UNKNOWN else best
        return best

    def value(self, name: str) -> Formula:
        """What the value of a spelled name has to satisfy."""
        if name not in self._values:
            parts = [formula for names, formula in self.asked.every if self._is(names, name)]
            self._values[name] = self.models.formulas.all_of([*self.asked.named.get(name, ()), *parts])
        return self._values[name]

    def _is(self, names: Formula, name: str) -> bool:
        holds = self.models.holds(names, name)
        if holds is None:
            raise _Doubt
        return holds

    def kinds(self) -> list[_Fresh]:
        """Every kind of names that are not spelled out, of which there is a name and for which there is a value."""
        if self._kinds is None:
            sorts = list(dict.fromkeys([names for names, _ in (*self.asked.every, *self.asked.wanted)]))
            sorts = [names for names in sorts if not (names.kind == "in" and names.positive)]
            self._kinds = list(self._divided(sorts, self.unspelled, ()))
        return self._kinds

    def _divided(self, sorts: list[Formula], names: Formula, signs: tuple[bool, ...]) -> Iterator[_Fresh]:
        self.models.steps.take()
        if self.models.model(names).status is Status.EMPTY:
            return
        if len(signs) < len(sorts):
            sort = sorts[len(signs)]
            for sign, said in ((True, sort), (False, sort.negation)):
                yield from self._divided(sorts, self.models.formulas.all_of((names, said)), (*signs, sign))
            return
        true = {sort for sort, sign in zip(sorts, signs, strict=True) if sign}
        values = self.models.formulas.all_of([formula for sort, formula in self.asked.every if sort in true])
        yield _Fresh(names, tuple(sort in true for sort, _ in self.asked.wanted), values)

    def _assignments(
        self, place: int, chosen: dict[str | _Key, list[Formula]]
    ) -> Iterator[dict[str | _Key, list[Formula]]]:
        """Every way to give a name, or one of a kind, to each property that is wanted."""
        self.models.steps.take()
        if place == len(self.asked.wanted):
            yield chosen
            return
        names, formula = self.asked.wanted[place]
        for option in self._options(place, names, chosen):
            more = {**chosen, option: [*chosen.get(option, ()), formula]}
            if self.asked.fits(len(more)) and self._possible(option, more[option]):
                yield from self._assignments(place + 1, more)

    def _options(self, place: int, names: Formula, chosen: dict[str | _Key, list[Formula]]) -> Iterator[str | _Key]:
        for name in self.spelled:
            if name not in self.asked.forbidden and self._is(names, name):
                yield name
        if names.kind == "in" and names.positive:
            return
        for index, kind in enumerate(self.kinds()):
            if kind.signs[place]:
                used = [key for key in chosen if isinstance(key, tuple) and key[0] == index]
                yield from used
                yield (index, len(used))

    def _possible(self, option: str | _Key, formulas: list[Formula]) -> bool:
        return self.models.model(self._needs(option, formulas)).status is not Status.EMPTY

    def _needs(self, option: str | _Key, formulas: list[Formula]) -> Formula:
        own = self.value(option) if isinstance(option, str) else self.kinds()[option[0]].values
        return self.models.formulas.all_of([own, *formulas])

    def _filled(self, chosen: dict[str | _Key, list[Formula]]) -> Outcome:
        """The object with what is chosen, and as many more properties as it needs."""
        made: dict[str, Json] = {}
        weak = False
        if self.asked.least > _MOST_NAMES:
            return self._too_many(chosen)
        for option, formulas in chosen.items():
            if isinstance(option, str):
                outcome = self.models.model(self._needs(option, formulas))
                if outcome.status is Status.EMPTY:
                    return EMPTY
                weak = weak or outcome.status is Status.UNKNOWN
                made[option] = outcome.value
        missing = self.asked.least - len(chosen)
        for name, outcome in islice(self._more_spelled(chosen), max(0, missing)):
            made[name], weak, missing = outcome.value, weak or outcome.status is Status.UNKNOWN, missing - 1
        fresh = self._fresh(chosen, max(0, missing))
        if fresh.status is Status.EMPTY or not isinstance(fresh.value, dict):
            return fresh
        values = {**made, **fresh.value}
        if any(value is UNKNOWN.value for value in values.values()):
            return UNKNOWN
        return found(values).weakened() if weak or fresh.status is Status.UNKNOWN else found(values)

    def _too_many(self, chosen: dict[str | _Key, list[Formula]]) -> Outcome:
        """More properties are needed than are written down; whether there are kinds of names enough is not asked."""
        some = any(self.models.model(kind.values).status is not Status.EMPTY for kind in self.kinds())
        available = len([1 for _ in self._more_spelled(chosen)]) + len(chosen)
        return UNKNOWN if some or available >= self.asked.least else EMPTY

    def _more_spelled(self, chosen: dict[str | _Key, list[Formula]]) -> Iterator[tuple[str, Outcome]]:
        for name in self.spelled:
            if name not in chosen and name not in self.asked.forbidden:
                outcome = self.models.model(self.value(name))
                if outcome.status is not Status.EMPTY:
                    yield name, outcome

    def _fresh(self, chosen: dict[str | _Key, list[Formula]], missing: int) -> Outcome:
        """Properties with names that are not spelled out: those chosen, and `missing` more of any kind."""
        made: dict[str, Json] = {}
        weak = False
        for index, kind in enumerate(self.kinds() if missing or any(isinstance(key, tuple) for key in chosen) else ()):
            wanted = [formulas for key, formulas in chosen.items() if isinstance(key, tuple) and key[0] == index]
            spare = self.models.model(kind.values)
            extra = missing if spare.status is not Status.EMPTY else 0
            if not wanted and not extra:
                continue
            names = self.models.sample(kind.names, len(wanted) + extra)
            if len(names.values) < len(wanted):
                return EMPTY if names.complete else UNKNOWN
            needs = [self.models.model(self._needs((index, 0), formulas)) for formulas in wanted]
            outcomes = [*needs, *([spare] * extra)]
            if any(outcome.status is Status.EMPTY for outcome in needs):
                return EMPTY
            for name, outcome in zip(names.values, outcomes, strict=False):
                made[name] = outcome.value
                weak = weak or outcome.status is Status.UNKNOWN
            missing -= max(0, len(names.values) - len(wanted))
            weak = weak or (names.complete is None and missing > 0)
        if missing > 0:
            return UNKNOWN if weak else EMPTY
        return found(made).weakened() if weak else found(made)


_Key = tuple[int, int]
