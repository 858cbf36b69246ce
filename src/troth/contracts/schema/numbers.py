"""A number within bounds, a multiple of some numbers and not of others: exactly, in fractions (2020-12 validation, 6.2)."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count, islice

from troth.contracts.schema.answers import Json
from troth.contracts.schema.outcomes import EMPTY, UNKNOWN, Literals, Outcome, found
from troth.contracts.schema.steps import Steps
from troth.contracts.schema.values import exact, key, plain

_MOST_TRIES = 4096
_MOST_BITS = 8_000  # of common multiples: what they are made of is shorter


@dataclass(slots=True)
class _Set:
    """All numbers from `low` to `high` that are multiples of `divisor`, of none of `avoided`, and none of `excluded`."""

    steps: Steps
    low: tuple[Fraction, bool] | None = None
    high: tuple[Fraction, bool] | None = None
    divisor: Fraction | None = None
    avoided: list[Fraction] = field(default_factory=list)
    excluded: set[Hashable] = field(default_factory=set)
    tries: int = 0

    def has(self, number: Fraction) -> bool:
        """Whether `number` lies in the set. The JSON value that says it must too, so it is asked about that."""
        self.tries += 1
        self.steps.take((self.tries % 8 == 0) + len(self.avoided) // 4)
        value = plain(number)
        number = exact(value)
        return (
            self.within(number)
            and (self.divisor is None or (number / self.divisor).denominator == 1)
            and all((number / avoided).denominator > 1 for avoided in self.avoided)
            and key(value) not in self.excluded
        )

    def within(self, number: Fraction) -> bool:
        """Whether `number` lies within the bounds."""
        above = self.low is None or number > self.low[0] or (number == self.low[0] and not self.low[1])
        below = self.high is None or number < self.high[0] or (number == self.high[0] and not self.high[1])
        return above and below


def number_model(steps: Steps, literals: Literals) -> Outcome:
    """A number that satisfies all of `literals`, atoms of numbers and their negations. Raises Exhausted."""
    numbers = _Set(steps)
    for literal in literals:
        if _is_too_long(numbers):
            break
        _restrict(numbers, literal.kind, literal.arguments, literal.positive)
    if _is_too_long(numbers):
        return UNKNOWN
    if numbers.low and numbers.high and numbers.low[0] >= numbers.high[0]:
        return _at(numbers, numbers.low[0]) if numbers.low[0] == numbers.high[0] else EMPTY
    return _among_reals(numbers) if numbers.divisor is None else _among_multiples(numbers, numbers.divisor)


def _at(numbers: _Set, only: Fraction) -> Outcome:
    if not _is_writable(only):
        return UNKNOWN
    return found(plain(only)) if numbers.has(only) else EMPTY


def _restrict(numbers: _Set, kind: str, arguments: tuple[Json, ...], positive: bool) -> None:
    if kind == "least":
        bound, excluded = arguments
        if positive:
            numbers.low = max(numbers.low or (bound, excluded), (bound, excluded))
        else:  # below the bound, or at it where it was excluded
            numbers.high = min(numbers.high or (bound, not excluded), (bound, not excluded), key=_tightness)
    elif kind == "multiple" and positive:
        numbers.divisor = arguments[0] if numbers.divisor is None else _common_multiple(numbers.divisor, arguments[0])
    elif kind == "multiple":
        numbers.avoided.append(arguments[0])
    else:
        numbers.excluded |= arguments[0]


def _tightness(bound: tuple[Fraction, bool]) -> tuple[Fraction, bool]:
    return bound[0], not bound[1]


def _is_too_long(numbers: _Set) -> bool:
    divisor = numbers.divisor
    return divisor is not None and divisor.numerator.bit_length() + divisor.denominator.bit_length() > _MOST_BITS


def _common_multiple(one: Fraction, other: Fraction) -> Fraction:
    return Fraction(
        math.lcm(one.numerator * other.denominator, other.numerator * one.denominator),
        one.denominator * other.denominator,
    )


def _among_multiples(numbers: _Set, divisor: Fraction) -> Outcome:
    """The multiples are `k` times the divisor. Where each `k` is ruled out by one avoided number, there is none."""
    if any((divisor / avoided).denominator == 1 for avoided in numbers.avoided):
        return EMPTY
    low = None if numbers.low is None else math.ceil(numbers.low[0] / divisor)
    high = None if numbers.high is None else math.floor(numbers.high[0] / divisor)
    for factor in islice(_near_zero(low, high), _MOST_TRIES + len(numbers.excluded)):
        if numbers.has(factor * divisor):
            return found(plain(factor * divisor))
    few = low is not None and high is not None and high - low < _MOST_TRIES
    if not few:
        return UNKNOWN
    numbers.steps.take(max(0, (high or 0) - (low or 0)) // 8)
    sure = all(_is_writable(factor * divisor) for factor in range(low or 0, (high or 0) + 1))
    return EMPTY if sure else UNKNOWN


def _is_writable(number: Fraction) -> bool:
    return exact(plain(number)) == number


def _near_zero(low: int | None, high: int | None) -> Iterator[int]:
    """The integers from `low` to `high`, those nearest to zero first."""
    if low is not None and low > 0:
        yield from count(low) if high is None else range(low, high + 1)
    elif high is not None and high < 0:
        yield from count(high, -1) if low is None else range(high, low - 1, -1)
    else:
        yield 0
        for distance in count(1):
            over, under = high is not None and distance > high, low is not None and -distance < low
            if over and under:
                return
            yield from () if over else (distance,)
            yield from () if under else (-distance,)


def _among_reals(numbers: _Set) -> Outcome:
    """There are infinitely many, so one is found among a few."""
    for number in islice(_dense(numbers), _MOST_TRIES):
        if numbers.has(number):
            return found(plain(number))
    return UNKNOWN


def _dense(numbers: _Set) -> Iterator[Fraction]:
    yield from (Fraction(number, 2) for number in (0, 2, -2, 1, -1))
    start = numbers.low[0] if numbers.low else numbers.high[0] if numbers.high else Fraction(0)
    width = numbers.high[0] - start if numbers.high and numbers.low else Fraction(1)
    downwards = numbers.high is not None and numbers.low is None
    bounded = numbers.high is not None and numbers.low is not None
    yield start
    yield from () if numbers.high is None else (numbers.high[0],)
    yield from (Fraction(whole) for whole in (math.ceil(start), math.ceil(start) + 1, math.floor(start) - 1))
    for parts in count(1):
        for place in range(1, 10 if parts == 1 else 2**parts, 1 if parts == 1 else 2):
            shift = width * place / (10 if parts == 1 and bounded else 2**parts)
            yield start - shift if downwards else start + shift
