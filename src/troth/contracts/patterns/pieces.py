"""Functions of one character that are constant on ranges of characters.

A transition of an automaton is such a function; so no question ever looks at characters one by one. Finding classes of
characters that behave alike: J. A. Brzozowski 1964, and Owens, Reppy, Turon 2009 for large alphabets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Generic, TypeVar

from troth.contracts.patterns.alphabet import LAST, Ranges, readable
from troth.contracts.patterns.limits import MOST_STEPS, Undecidable

T = TypeVar("T")
U = TypeVar("U")
#: How badly a character is read, and its number: the smallest is best.
Choice = tuple[int, int]


class Pieces(Generic[T]):
    """The value `values[i]` from character `starts[i]` up to the next start. `starts[0]` is 0.

    `cost` counts the steps that making it takes from nothing, whatever was at hand already.
    """

    __slots__ = ("cost", "starts", "values")

    def __init__(self, starts: Sequence[int], values: Sequence[T], cost: int = 1) -> None:
        self.starts = starts
        self.values = values
        self.cost = cost

    def best(self) -> list[tuple[Choice, T]]:
        """Each value once, with the most readable character that gives it; most readable first."""
        found: dict[T, Choice] = {}
        last = len(self.starts) - 1
        for index, value in enumerate(self.values):
            end = LAST if index == last else self.starts[index + 1] - 1
            choice = readable(self.starts[index], end)
            known = found.get(value)
            if known is None or choice < known:
                found[value] = choice
        return sorted(((choice, value) for value, choice in found.items()), key=itemgetter(0))

    def at(self, number: int) -> T:
        """The value for one character."""
        low, high = 0, len(self.starts)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.starts[middle] <= number else (low, middle)
        return self.values[low]


def constant(value: T) -> Pieces[T]:
    """The same value for every character."""
    return Pieces((0,), (value,))


def split(ranges: Ranges, inside: T, outside: T) -> Pieces[T]:
    """One value for the characters of `ranges`, another for all others."""
    starts: list[int] = []
    values: list[T] = []
    position = 0
    for low, high in ranges:
        if position < low:
            starts.append(position)
            values.append(outside)
        starts.append(low)
        values.append(inside)
        position = high + 1
    if position <= LAST:
        starts.append(position)
        values.append(outside)
    return Pieces(starts, values, len(starts))


def mapped(pieces: Pieces[T], change: Callable[[T], U]) -> Pieces[U]:
    """`change` of every value; equal neighbours are joined."""
    known: dict[T, U] = {}
    for value in pieces.values:
        if value not in known:
            known[value] = change(value)
    return _joined(pieces.starts, [known[value] for value in pieces.values], pieces.cost + len(pieces.starts))


def zipped(first: Pieces[T], second: Pieces[U]) -> Pieces[tuple[T, U]]:
    """Both values as a pair."""
    starts: list[int] = []
    values: list[tuple[T, U]] = []
    i = j = position = 0
    while True:
        starts.append(position)
        values.append((first.values[i], second.values[j]))
        next_i = first.starts[i + 1] if i + 1 < len(first.starts) else LAST + 1
        next_j = second.starts[j + 1] if j + 1 < len(second.starts) else LAST + 1
        position = next_i if next_i < next_j else next_j
        if position > LAST:
            return Pieces(starts, values, first.cost + second.cost + len(starts))
        i += next_i == position
        j += next_j == position


def gathered(many: Iterable[Pieces[T]], skipped: T) -> Pieces[tuple[T, ...]]:
    """All values but `skipped`, whose pieces cost nothing. Equal values of one place may come several times."""
    functions = list(many)
    starts = sorted({start for pieces in functions for start in pieces.starts})
    places = {start: index for index, start in enumerate(starts)}
    places[LAST + 1] = len(starts)
    found: list[list[T]] = [[] for _ in starts]
    cost = len(starts)
    for pieces in functions:
        ends = [*pieces.starts[1:], LAST + 1]
        for start, end, value in zip(pieces.starts, ends, pieces.values, strict=True):
            if value is not skipped:
                for index in range(places[start], places[end]):
                    found[index].append(value)
                cost += places[end] - places[start]
                if cost > MOST_STEPS:
                    raise Undecidable(f"a transition takes more than {MOST_STEPS} steps")
        cost += pieces.cost + len(ends)
    return Pieces(starts, [tuple(values) for values in found], cost)


def _joined(starts: Sequence[int], values: Sequence[T], cost: int) -> Pieces[T]:
    kept = [index for index, value in enumerate(values) if index == 0 or values[index - 1] is not value]
    if len(kept) == len(starts):
        return Pieces(starts, values, cost)
    return Pieces([starts[index] for index in kept], [values[index] for index in kept], cost)
