"""An array of given length whose items satisfy formulas, some of them, so many of them, all of them different.

Which arrays are tried is complete: behind the last place that an assertion names, places are alike, and an array keeps its
properties if a place there is left out that nothing needs (2020-12 core, 10.3.1; validation, 6.4).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

from troth.contracts.schema.answers import Json
from troth.contracts.schema.formulas import Formula
from troth.contracts.schema.outcomes import EMPTY, UNKNOWN, Literals, Models, Outcome, Status, found
from troth.contracts.schema.values import key

_LONGEST = 2000
_LONGEST_BRANCHING = 24
_MOST_WANTED = 12


@dataclass(slots=True)
class _Array:
    """The assertions of one conjunction."""

    least: int = 0
    most: int | None = None
    unique: bool = False
    repeated: bool = False
    each: list[tuple[int, int | None, Formula]] = field(default_factory=list)
    #: places, formula and how many items have to satisfy it
    wanted: list[tuple[int, int | None, Formula, int]] = field(default_factory=list)
    #: formula, and how many items may satisfy it
    limited: list[tuple[Formula, int]] = field(default_factory=list)

    def named(self) -> int:
        """How many places at the front differ from all behind."""
        bounds = [place for start, stop, _ in self.each for place in (start, stop)]
        bounds += [place for start, stop, *_ in self.wanted for place in (start, stop)]
        return max((place for place in bounds if place is not None), default=0)

    def fits(self, length: int) -> bool:
        """Whether there may be so many items."""
        return self.most is None or length <= self.most


def array_model(models: Models, literals: Literals) -> Outcome:
    """An array that satisfies all of `literals`, atoms of arrays and their negations."""
    array = _Array()
    for literal in literals:
        _restrict(array, literal)
    if not array.fits(array.least) or _contradicts(models, array):
        return EMPTY
    if sum(count for *_, count in array.wanted) > _MOST_WANTED:
        return _crowded(models, array)
    best = EMPTY
    for assigned in _assignments(models, array, _separate(array), {}):
        outcome = _filled(models, array, assigned)
        if outcome.status is Status.FOUND:
            return outcome
        best = outcome if outcome.status is Status.UNKNOWN else best
    return best


def _restrict(array: _Array, literal: Formula) -> None:
    arguments = literal.arguments
    if literal.kind == "items" and literal.positive:
        array.least = max(array.least, arguments[0])
    elif literal.kind == "items":
        array.most = arguments[0] - 1 if array.most is None else min(array.most, arguments[0] - 1)
    elif literal.kind == "unique":
        array.unique, array.repeated = array.unique or literal.positive, array.repeated or not literal.positive
    elif literal.kind == "each" and literal.positive:
        array.each.append(arguments)
    elif literal.kind == "each" and arguments[1] == arguments[0] + 1:
        array.least = max(array.least, arguments[1])
        array.each.append((arguments[0], arguments[1], arguments[2].negation))
    elif literal.kind == "each":
        array.wanted.append((arguments[0], arguments[1], arguments[2].negation, 1))
    elif literal.positive:
        array.wanted.append((0, None, arguments[1], arguments[0]))
    else:
        array.limited.append((arguments[1], arguments[0] - 1))


def _separate(array: _Array) -> list[tuple[int, int | None, Formula, int]]:
    """One entry for each item that is wanted, with the number of its group; two where items have to be equal."""
    entries = []
    for group, (start, stop, formula, count) in enumerate(array.wanted):
        entries += [(start, stop, formula, group)] * count
    return entries


_Assigned = dict[int, list[Formula]]


def _assignments(
    models: Models, array: _Array, entries: list[tuple[int, int | None, Formula, int]], chosen: _Assigned
) -> Iterator[_Assigned]:
    """Every way to give places to what is wanted; of places that are alike and unused, the first only."""
    yield from _assign(models, array, entries, chosen, {})


def _assign(
    models: Models,
    array: _Array,
    entries: list[tuple[int, int | None, Formula, int]],
    chosen: _Assigned,
    taken: dict[int, int],
) -> Iterator[_Assigned]:
    models.steps.take()
    if not entries:
        yield chosen
        return
    start, stop, formula, group = entries[0]
    behind = max([array.named(), *(place + 1 for place in chosen)])
    for place in range(max(start, taken.get(group, 0)), behind + 1 if stop is None else stop):
        models.steps.take()
        if array.fits(place + 1):
            more = {**chosen, place: [*chosen.get(place, ()), formula]}
            yield from _assign(models, array, entries[1:], more, {**taken, group: place + 1})


def _filled(models: Models, array: _Array, assigned: _Assigned) -> Outcome:
    """The shortest array in which the assigned places have what they need."""
    length = max([array.least, *(place + 1 for place in assigned)])
    if array.repeated:
        return _with_equals(models, array, assigned, length)
    return _of_length(models, array, assigned, length)


def _with_equals(models: Models, array: _Array, assigned: _Assigned, length: int) -> Outcome:
    """Two items are equal: any two of the places up to two behind the last that is named."""
    last = max([length, array.named()]) + 2
    best = EMPTY
    for second in range(1, min(last, _LONGEST_BRANCHING * 2)):
        for first in range(second):
            models.steps.take()
            size = max(length, second + 1)
            if array.unique or not array.fits(size):
                continue
            formulas = [_place(models, array, assigned, place) for place in range(size)]
            formulas[first] = formulas[second] = models.formulas.all_of((formulas[first], formulas[second]))
            outcome = _choose(models, array, formulas, (first, second))
            if outcome.status is Status.FOUND:
                return outcome
            best = outcome if outcome.status is Status.UNKNOWN else best
    return best if last <= _LONGEST_BRANCHING * 2 or best.status is Status.UNKNOWN else UNKNOWN


def _of_length(models: Models, array: _Array, assigned: _Assigned, length: int) -> Outcome:
    behind = max([array.named(), *(place + 1 for place in assigned)])
    if length > behind:  # before long arrays are made: whether there is anything to fill them with
        filler = models.model(_place(models, array, assigned, behind))
        if filler.status is Status.EMPTY:
            return EMPTY
    if length > _LONGEST:
        return UNKNOWN
    return _choose(models, array, [_place(models, array, assigned, place) for place in range(length)], None)


def _place(models: Models, array: _Array, assigned: _Assigned, place: int) -> Formula:
    """What the item at a place has to satisfy."""
    models.steps.take((place % 8 == 0) + len(array.each) // 8)
    said = [formula for start, stop, formula in array.each if start <= place and (stop is None or place < stop)]
    return models.formulas.all_of([*said, *assigned.get(place, ())])


def _choose(models: Models, array: _Array, formulas: list[Formula], equal: tuple[int, int] | None) -> Outcome:
    if not array.limited:
        return _items(models, array, formulas, equal)
    if len(formulas) > _LONGEST_BRANCHING:
        return UNKNOWN
    best = EMPTY
    for chosen in _within_limits(models, array, formulas, equal):
        outcome = _items(models, array, chosen, equal)
        if outcome.status is Status.FOUND:
            return outcome
        best = outcome if outcome.status is Status.UNKNOWN else best
    return best


def _within_limits(
    models: Models, array: _Array, formulas: list[Formula], equal: tuple[int, int] | None
) -> Iterator[list[Formula]]:
    """Every way to say of each item which limited formulas it satisfies; of equal items the same is said."""
    failed: set[tuple[int, tuple[int, ...]]] = set()

    def go(place: int, left: tuple[int, ...], chosen: list[Formula]) -> Iterator[list[Formula]]:
        models.steps.take()
        if place == len(formulas):
            yield chosen
            return
        if equal is None and not array.unique and (place, left) in failed:
            return
        for formula, rest in _said_of(models, array, formulas[place], left):
            if models.model(formula).status is not Status.EMPTY:
                yield from go(place + 1, rest, [*chosen, formula])
        failed.add((place, left))

    if equal is None:
        yield from go(0, tuple(limit for _, limit in array.limited), [])
        return
    first, _second = equal
    for signs in _signs(len(array.limited)):
        models.steps.take()
        said = [f if sign else f.negation for (f, _), sign in zip(array.limited, signs, strict=True)]
        left = tuple(limit - 2 * sign for (_, limit), sign in zip(array.limited, signs, strict=True))
        both = models.formulas.all_of([formulas[first], *said])
        others = [formula for place, formula in enumerate(formulas) if place not in equal]
        if min(left) < 0 or models.model(both).status is Status.EMPTY:
            continue
        yield from _merged(models, array, others, left, equal, both)


def _merged(
    models: Models,
    array: _Array,
    others: list[Formula],
    left: tuple[int, ...],
    equal: tuple[int, int],
    both: Formula,
) -> Iterator[list[Formula]]:
    limited = [(formula, limit) for (formula, _), limit in zip(array.limited, left, strict=True)]
    for chosen in _within_limits(models, _Array(unique=array.unique, limited=limited), others, None):
        merged = list(chosen)
        for place in equal:
            merged.insert(place, both)
        yield merged


def _signs(count: int) -> Iterator[tuple[int, ...]]:
    for number in range(2**count):
        yield tuple(number >> place & 1 for place in range(count))


def _said_of(
    models: Models, array: _Array, formula: Formula, left: tuple[int, ...]
) -> Iterator[tuple[Formula, tuple[int, ...]]]:
    for signs in _signs(len(left)):
        models.steps.take()
        rest = tuple(limit - sign for limit, sign in zip(left, signs, strict=True))
        if min(rest) >= 0:
            said = [f if sign else f.negation for (f, _), sign in zip(array.limited, signs, strict=True)]
            yield models.formulas.all_of([formula, *said]), rest


def _items(models: Models, array: _Array, formulas: list[Formula], equal: tuple[int, int] | None) -> Outcome:
    """An array with one instance of each formula."""
    if array.unique:
        return _different(models, formulas)
    weak, items = False, []
    for formula in formulas:
        outcome = models.model(formula)
        if outcome.status is Status.EMPTY:
            return EMPTY
        weak = weak or outcome.status is Status.UNKNOWN
        items.append(outcome.value)
    if equal is not None:
        items[equal[1]] = items[equal[0]]
    return _joined(items, weak)


def _joined(items: list[Json], weak: bool) -> Outcome:
    if any(item is UNKNOWN.value for item in items):
        return UNKNOWN
    return found(items).weakened() if weak else found(items)


def _different(models: Models, formulas: list[Formula]) -> Outcome:
    """An array of different items, one for each formula: a matching of places and values.

    A place for which there are as many values as places can always be given one; so where the matching fails, it fails
    for all arrays, provided that the other places' values are known completely.
    """
    count = len(formulas)
    if count > _LONGEST_BRANCHING * 3:
        return UNKNOWN
    models.steps.take(count * count // 16)
    samples = [models.sample(formula, count) for formula in formulas]
    if any(not sample.values and sample.complete for sample in samples):
        return EMPTY
    choice = _matched([[key(value) for value in sample.values] for sample in samples])
    if choice is None:
        sure = all(len(sample.values) >= count or sample.complete for sample in samples)
        return EMPTY if sure else UNKNOWN
    items = [sample.values[place] for sample, place in zip(samples, choice, strict=True)]
    return _joined(items, any(sample.complete is None for sample in samples))


def _matched(offers: list[list[Hashable]]) -> list[int] | None:
    """For each place which of its offers it takes, all different; None where that cannot be (augmenting paths)."""
    owner: dict[Hashable, tuple[int, int]] = {}

    def give(place: int, seen: set[Hashable]) -> bool:
        for index, offer in enumerate(offers[place]):
            if offer not in seen:
                seen.add(offer)
                if offer not in owner or give(owner[offer][0], seen):
                    owner[offer] = (place, index)
                    return True
        return False

    if not all(give(place, set()) for place in range(len(offers))):
        return None
    return [index for _, index in sorted(owner.values())]


def _crowded(models: Models, array: _Array) -> Outcome:
    """Very many items are wanted: none is given a place, but an array that is nothing else may be worth a try."""
    if array.unique or array.repeated:
        return UNKNOWN
    formula, count = max(((wanted[2], wanted[3]) for wanted in array.wanted), key=lambda wanted: wanted[1])
    length = max(array.least, count)
    if length > _LONGEST:
        return UNKNOWN
    places = [models.formulas.all_of((_place(models, array, {}, place), formula)) for place in range(length)]
    return _items(models, array, places, None).weakened()


def _contradicts(models: Models, array: _Array) -> bool:
    """Whether more items are wanted than there may be, of all items or of those that satisfy a formula."""
    for start, stop, formula, count in array.wanted:
        places = {max(start, place) for place in range(array.named() + 1) if stop is None or place < stop}
        options = [models.formulas.all_of((_place(models, array, {}, place), formula)) for place in places]
        if not array.fits(count) or all(models.model(option).status is Status.EMPTY for option in options):
            return True
        for limit, most in array.limited:
            against = models.formulas.all_of((formula, limit.negation))
            if count > most and models.model(against).status is Status.EMPTY:
                return True
    return False
