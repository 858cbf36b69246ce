"""Questions to an automaton: its shortest text of some lengths, and more of its texts, always in the order of lengths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from itertools import count
from typing import Any, NamedTuple

from troth.contracts.patterns.alphabet import character, numbers_of
from troth.contracts.patterns.automata import Automaton
from troth.contracts.patterns.limits import LONGEST_WITNESS, Budget
from troth.contracts.patterns.pieces import Choice

Level = frozenset[int]
#: For each state, a character that leads to it, and the state before.
Origins = dict[int, tuple[int, int]]


class Found(NamedTuple):
    """A text of a language. `text` is None where it is too long to be spelled."""

    length: int
    text: str | None


def accepted(automaton: Automaton, text: str, budget: Budget) -> bool:
    """Whether `text` belongs to the language. Raises Undecidable beyond the budget."""
    state = automaton.start
    for number in numbers_of(text):
        if automaton.hopeless(state) or automaton.certain(state):
            break
        moves = automaton.moves(state)
        budget.spend(moves.cost)
        state = moves.at(number)
    return automaton.accepts(state)


class Exploration:
    """The states of an automaton, numbered as they are found. Those without hope are left out.

    With `branching` a state stands for a part of the texts that lead to it only, which keeps states few; not all ways
    are different texts then.
    """

    def __init__(self, automaton: Automaton, budget: Budget, branching: bool = False) -> None:
        self._automaton = automaton
        self._budget = budget
        self._branching = branching
        self._states: list[Any] = []
        self._numbers: dict[Any, int] = {}
        self._ways: list[list[tuple[Choice, int]] | None] = []
        self._first = frozenset(self._parts(automaton.start))

    def shortest(self, low: int = 0, high: int | None = None) -> Found | None:
        """A shortest text of `low` to `high` characters, in readable ones; None if there is none. Raises Undecidable."""
        level: Iterable[int] = _Levels(self, self._first).at(low)
        seen, length = set(level), low
        while level and (high is None or length <= high):
            if any(self.accepts(state) for state in level):
                return Found(length, self._spelled(length))
            targets = {target for state in level for _, target in self.ways(state)}
            level = targets - seen
            seen |= level
            length += 1
        return None

    def _spelled(self, length: int) -> str | None:
        """The most readable text of that length. Which one it is does not depend on the order of the states."""
        if length > LONGEST_WITNESS:
            return None
        rank = dict.fromkeys(self._first, 0)
        known: dict[frozenset[tuple[int, int]], tuple[dict[int, int], Origins]] = {}
        origins: list[Origins] = []

        for _ in range(length):
            key = frozenset(rank.items())
            if key not in known:
                known[key] = self._next_ranks(rank)
            rank, found = known[key]
            origins.append(found)
        state = min((state for state in rank if self.accepts(state)), key=rank.__getitem__)
        characters: list[str] = []
        for origin in reversed(origins):
            number, state = origin[state]
            characters.append(character(number))
        return "".join(reversed(characters))

    def _next_ranks(self, rank: dict[int, int]) -> tuple[dict[int, int], Origins]:
        """The states after one more character, in the order of their most readable texts, and where those come from."""
        choices: dict[int, tuple[int, Choice, int]] = {}
        for state, order in rank.items():
            for choice, target in self.ways(state):
                if target not in choices or (order, choice) < choices[target][:2]:
                    choices[target] = (order, choice, state)
        orders = {key: order for order, key in enumerate(sorted({found[:2] for found in choices.values()}))}
        return (
            {target: orders[found[:2]] for target, found in choices.items()},
            {target: (found[1][1], found[2]) for target, found in choices.items()},
        )

    def accepts(self, state: int) -> bool:
        """Whether the texts that lead to the state belong to the language."""
        return self._automaton.accepts(self._states[state])

    def ways(self, state: int) -> list[tuple[Choice, int]]:
        """The states that follow, each with a readable character that leads there."""
        known = self._ways[state]
        self._budget.spend(1)
        if known is None:
            moves = self._automaton.moves(self._states[state])
            self._budget.spend(moves.cost, 1)
            known = self._ways[state] = [
                (choice, part) for choice, target in moves.best() for part in self._parts(target)
            ]
        self._budget.spend(len(known))
        return known

    def _parts(self, state: Any) -> list[int]:
        """The numbers of the states that are looked at instead of `state`."""
        parts = self._automaton.branches(state) if self._branching else (state,)
        return [self._number(part) for part in parts if not self._automaton.hopeless(part)]

    def _number(self, state: Any) -> int:
        known = self._numbers.get(state)
        if known is None:
            known = self._numbers[state] = len(self._states)
            self._states.append(state)
            self._ways.append(None)
        return known

    def texts(self, low: int, high: int | None) -> Iterator[str]:
        """Texts of `low` to `high` characters, one for each way through the automaton.

        Raises Undecidable beyond the budget, at first if the automaton has too many states.
        """
        distances = self._distances()
        order = count()
        waiting: list[tuple[int, int, int, str, int]] = []
        waiting += [(max(low, distances[one]), 0, next(order), "", one) for one in self._first if one in distances]
        while waiting:
            least, _, _, text, state = heappop(waiting)
            if high is not None and least > high:
                return
            self._budget.spend(1 + len(text) // 8)
            if least == len(text) and self.accepts(state):
                yield text
            for (_, number), target in self.ways(state):
                if target in distances:
                    longer = text + character(number)
                    key = max(low, len(longer) + distances[target])
                    heappush(waiting, (key, -len(longer), next(order), longer, target))

    def _distances(self) -> dict[int, int]:
        """How many characters each state is from the end of a text of the language; others are left out."""
        origins: dict[int, list[int]] = {}
        state = 0
        while state < len(self._states):
            for _, target in self.ways(state):
                origins.setdefault(target, []).append(state)
            state += 1
        level = [state for state in range(len(self._states)) if self.accepts(state)]
        distances: dict[int, int] = dict.fromkeys(level, 0)
        distance = 0
        while level:
            distance += 1
            level = [origin for state in level for origin in origins.get(state, ()) if origin not in distances]
            level = list(dict.fromkeys(level))
            distances.update(dict.fromkeys(level, distance))
        return distances


class _Levels:
    """The sets of states that texts of one length lead to. They come round again, so that any length is cheap."""

    def __init__(self, exploration: Exploration, first: Level) -> None:
        self._exploration = exploration
        self._levels = [first]
        self._seen = {first: 0}
        self._period: int | None = None

    def at(self, length: int) -> Level:
        """The states after all texts of `length` characters."""
        while self._period is None and len(self._levels) <= length:
            following = frozenset(target for state in self._levels[-1] for _, target in self._exploration.ways(state))
            before = self._seen.setdefault(following, len(self._levels))
            if before < len(self._levels):
                self._period = len(self._levels) - before
            else:
                self._levels.append(following)
        if length < len(self._levels):
            return self._levels[length]
        assert self._period is not None
        first = len(self._levels) - self._period
        return self._levels[first + (length - first) % self._period]
