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
    true: frozenset[Formula]
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
        sorts = list(dict.fromkeys([names for names, _ in (*asked.every, *asked.wanted)]))
        self.sorts = [names for names in sorts if not (names.kind == "in" and names.positive)]
        self.kinds: list[_Fresh] = []
        self._numbers: dict[frozenset[Formula], int] = {}

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

    def feasible(self, names: Formula, wanted: Formula) -> Iterator[int]:
        """The kinds of names that are not spelled out, satisfy `names`, and may have a value that satisfies `wanted`.

        Each is found by a name: it says which formulas of names hold. Where these leave no value, the fewest that leave
        none are kept in mind, and names that satisfy all of those are not looked at again.
        """
        make = self.models.formulas
        left = make.all_of((self.unspelled, names))
        while True:
            self.models.steps.take()
            outcome = self.models.model(left)
            if outcome.status is Status.EMPTY:
                return
            if outcome.status is Status.UNKNOWN or not isinstance(outcome.value, str):
                raise _Doubt
            true = [sort for sort in self.sorts if self._is(sort, outcome.value)]
            refuted = self._refuted(true, wanted)
            if refuted is None:
                yield self._kind(frozenset(true))
                among = frozenset(true)
                others = [sort for sort in self.sorts if sort not in among]
                left = make.all_of((left, make.any_of([*others, *(sort.negation for sort in true)])))
            else:
                left = make.all_of((left, make.any_of([sort.negation for sort in refuted])))

    def _refuted(self, true: list[Formula], wanted: Formula) -> list[Formula] | None:
        """The fewest of the formulas of names that together leave no value; None where there is one."""
        if self._may_be(true, wanted):
            return None
        for sort in list(true):
            fewer = [other for other in true if other is not sort]
            if not self._may_be(fewer, wanted):
                true = fewer
        return true

    def _may_be(self, true: list[Formula], wanted: Formula) -> bool:
        self.models.steps.take(1 + len(self.asked.every) // 16)
        among = frozenset(true)
        said = [formula for sort, formula in self.asked.every if sort in among]
        return self.models.model(self.models.formulas.all_of([*said, wanted])).status is not Status.EMPTY

    def _kind(self, true: frozenset[Formula]) -> int:
        """The number of the kind of names for which just these formulas hold."""
        if true not in self._numbers:
            make = self.models.formulas
            signs = [sort if sort in true else sort.negation for sort in self.sorts]
            values = make.all_of([formula for sort, formula in self.asked.every if sort in true])
            self._numbers[true] = len(self.kinds)
            self.kinds.append(_Fresh(make.all_of([self.unspelled, *signs]), true, values))
        return self._numbers[true]

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
        fresh = [option for option in chosen if isinstance(option, tuple)]
        yield from (option for option in fresh if names in self.kinds[option[0]].true)
        for number in self.feasible(names, self.asked.wanted[place][1]):
            yield (number, sum(option[0] == number for option in fresh))

    def _possible(self, option: str | _Key, formulas: list[Formula]) -> bool:
        return self.models.model(self._needs(option, formulas)).status is not Status.EMPTY

    def _needs(self, option: str | _Key, formulas: list[Formula]) -> Formula:
        own = self.value(option) if isinstance(option, str) else self.kinds[option[0]].values
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
        some = next(self.feasible(self.models.formulas.true, self.models.formulas.true), None) is not None
        available = len([1 for _ in self._more_spelled(chosen)]) + len(chosen)
        return UNKNOWN if some or available >= self.asked.least else EMPTY

    def _more_spelled(self, chosen: dict[str | _Key, list[Formula]]) -> Iterator[tuple[str, Outcome]]:
        for name in self.spelled:
            if name not in chosen and name not in self.asked.forbidden:
                self.models.steps.take()
                outcome = self.models.model(self.value(name))
                if outcome.status is not Status.EMPTY:
                    yield name, outcome

    def _fresh(self, chosen: dict[str | _Key, list[Formula]], missing: int) -> Outcome:
        """Properties with names that are not spelled out: those chosen, and `missing` more of any kind."""
        made: dict[str, Json] = {}
        weak = False
        for number in dict.fromkeys(option[0] for option in chosen if isinstance(option, tuple)):
            wanted = [formulas for key, formulas in chosen.items() if isinstance(key, tuple) and key[0] == number]
            needs = [self.models.model(self._needs((number, 0), formulas)) for formulas in wanted]
            names = self.models.sample(self.kinds[number].names, len(wanted))
            if any(need.status is Status.EMPTY for need in needs) or (
                names.complete and len(names.values) < len(wanted)
            ):
                return EMPTY
            if len(names.values) < len(wanted):
                return UNKNOWN
            made.update((name, need.value) for name, need in zip(names.values, needs, strict=True))
            weak = weak or any(need.status is Status.UNKNOWN for need in needs)
        make = self.models.formulas
        for number in self.feasible(make.true, make.true) if missing else ():
            kind = self.kinds[number]
            value = self.models.model(kind.values)
            others = make.all_of((kind.names, make.one_of(made).negation))
            names = self.models.sample(others, missing)
            made.update((name, value.value) for name in names.values)
            missing -= len(names.values)
            weak = weak or value.status is Status.UNKNOWN or (names.complete is None and missing > 0)
            if not missing:
                break
        if missing:
            return UNKNOWN if weak else EMPTY
        return found(made).weakened() if weak else found(made)


_Key = tuple[int, int]
