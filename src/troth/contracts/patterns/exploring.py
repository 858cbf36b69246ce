"""Questions to an automaton: its shortest text of some lengths, and more of its texts, always in the order of lengths."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import count
from typing import Any, NamedTuple

from troth.contracts.patterns.alphabet import character, numbers_of
from troth.contracts.patterns.automata import Automaton
from troth.contracts.patterns.limits import LONGEST_WITNESS, Budget

Level = frozenset[int]


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
    """The states of an automaton, numbered as they are found. Those without hope are left out."""

    def __init__(self, automaton: Automaton, budget: Budget) -> None:
        self._automaton = automaton
        self._budget = budget
        self._states: list[Any] = []
        self._numbers: dict[Any, int] = {}
        self._ways: list[list[tuple[int, int]] | None] = []
        self._first = None if automaton.hopeless(automaton.start) else self._number(automaton.start)

    def shortest(self, low: int = 0, high: int | None = None) -> Found | None:
        """A shortest text of `low` to `high` characters, in readable ones; None if there is none. Raises Undecidable."""
        levels = _Levels(self, frozenset(() if self._first is None else (self._first,)))
        origins: dict[int, tuple[int, int]] = {}
        seen, level = set(levels.at(low)), sorted(levels.at(low))
        length = low
        while level and (high is None or length <= high):
            for state in level:
                if self.accepts(state):
                    return Found(length, self._spelled(levels, low, length, state, origins))
            following: list[int] = []
            for state in level:
                for number, target in self.ways(state):
                    if target not in seen:
                        seen.add(target)
                        origins[target] = (state, number)
                        following.append(target)
            level = following
            length += 1
        return None

    def _spelled(
        self, levels: _Levels, low: int, length: int, state: int, origins: dict[int, tuple[int, int]]
    ) -> str | None:
        if length > LONGEST_WITNESS:
            return None
        self._budget.spend(length)
        characters: list[str] = []
        for _ in range(length - low):
            state, number = origins[state]
            characters.append(character(number))
        return levels.spelled(low, state) + "".join(reversed(characters))

    def accepts(self, state: int) -> bool:
        """Whether the texts that lead to the state belong to the language."""
        return self._automaton.accepts(self._states[state])

    def ways(self, state: int) -> list[tuple[int, int]]:
        """The states that follow, each with a readable character that leads there."""
        known = self._ways[state]
        self._budget.spend(1)
        if known is None:
            moves = self._automaton.moves(self._states[state])
            self._budget.spend(moves.cost, 1)
            known = self._ways[state] = [
                (number, self._number(target))
                for number, target in moves.best()
                if not self._automaton.hopeless(target)
            ]
        self._budget.spend(len(known))
        return known

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
        if self._first is not None and self._first in distances:
            waiting.append((max(low, distances[self._first]), 0, next(order), "", self._first))
        while waiting:
            least, _, _, text, state = heappop(waiting)
            if high is not None and least > high:
                return
            self._budget.spend(1 + len(text) // 8)
            if least == len(text) and self.accepts(state):
                yield text
            for number, target in self.ways(state):
                if target in distances:
                    longer = text + character(number)
                    key = max(low, len(longer) + distances[target])
                    heappush(waiting, (key, -len(longer), next(order), longer, target))

    def _distances(self) -> dict[int, int]:
        """How many characters each state is from the end of a text of the language; others are left out."""
        origins: dict[int, list[int]] = {}
        for state in range(0 if self._first is None else 1):
            self.ways(state)
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

    def spelled(self, length: int, state: int) -> str:
        """A text of `length` characters that leads to `state`."""
        origins: dict[int, list[tuple[int, int]]] = {}
        for origin in set().union(*self._levels):
            for number, target in self._exploration.ways(origin):
                origins.setdefault(target, []).append((number, origin))
        characters: list[str] = []
        for position in range(length - 1, -1, -1):
            level = self.at(position)
            number, state = next(way for way in origins[state] if way[1] in level)
            characters.append(character(number))
        return "".join(reversed(characters))
