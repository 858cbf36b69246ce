"""Automata beside those of patterns: listed texts, complements, and products of other automata.

All are deterministic and complete, and made state by state while a question looks at them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from troth.contracts.patterns.alphabet import LAST, numbers_of
from troth.contracts.patterns.pieces import Pieces, constant, zipped

#: Parts that a state of a product is taken apart into.
_MOST_BRANCHES = 256


class Automaton(Protocol):
    """What a question needs to know of a language. States are hashable values of the automaton's own."""

    @property
    def start(self) -> Any:
        """The state before the first character."""
        ...

    def accepts(self, state: Any) -> bool:
        """Whether the texts that lead to `state` belong to the language."""
        ...

    def hopeless(self, state: Any) -> bool:
        """Whether it is seen at once that no text from `state` on belongs to the language."""
        ...

    def certain(self, state: Any) -> bool:
        """Whether it is seen at once that every text from `state` on belongs to the language."""
        ...

    def moves(self, state: Any) -> Pieces[Any]:
        """The state after each character."""
        ...

    def branches(self, state: Any) -> Iterable[Any]:
        """States whose languages together are that of `state`: fewer states in all, where ways may be many."""
        ...


_BEYOND = -1


class TextsAutomaton:
    """The texts of a list. The state is a node of the tree of their beginnings."""

    start = 0

    def __init__(self, texts: Iterable[str]) -> None:
        self._nodes: list[dict[int, int]] = [{}]
        self._ends: set[int] = set()
        for text in texts:
            self._ends.add(self._grown(text))

    def _grown(self, text: str) -> int:
        node = 0
        for number in numbers_of(text):
            following = self._nodes[node].setdefault(number, len(self._nodes))
            if following == len(self._nodes):
                self._nodes.append({})
            node = following
        return node

    def accepts(self, state: int) -> bool:
        """See `Automaton`."""
        return state in self._ends

    def hopeless(self, state: int) -> bool:
        """See `Automaton`."""
        return state == _BEYOND

    def certain(self, state: int) -> bool:
        """See `Automaton`."""
        return False

    def moves(self, state: int) -> Pieces[int]:
        """See `Automaton`."""
        if state == _BEYOND:
            return constant(_BEYOND)
        starts, values = [0], [_BEYOND]
        for number, following in sorted(self._nodes[state].items()):
            if starts[-1] == number:
                starts.pop()
                values.pop()
            starts += [number, number + 1]
            values += [following, _BEYOND]
        if starts[-1] > LAST:
            starts.pop()
            values.pop()
        return Pieces(starts, values, len(starts))

    def branches(self, state: int) -> Iterable[int]:
        """See `Automaton`."""
        return (state,)


class ComplementAutomaton:
    """The texts that the other automaton does not accept."""

    def __init__(self, other: Automaton) -> None:
        self._other = other
        self.start = other.start
        self.hopeless = other.certain
        self.certain = other.hopeless
        self.moves = other.moves

    def accepts(self, state: Any) -> bool:
        """See `Automaton`."""
        return not self._other.accepts(state)

    def branches(self, state: Any) -> Iterable[Any]:
        """See `Automaton`. A complement is not taken apart: every branch of the other would have to fail."""
        return (state,)


class ProductAutomaton:
    """The texts that both automata accept. The state is a pair."""

    def __init__(self, first: Automaton, second: Automaton) -> None:
        self._first = first
        self._second = second
        self.start = (first.start, second.start)

    def accepts(self, state: Any) -> bool:
        """See `Automaton`."""
        return self._first.accepts(state[0]) and self._second.accepts(state[1])

    def hopeless(self, state: Any) -> bool:
        """See `Automaton`."""
        return self._first.hopeless(state[0]) or self._second.hopeless(state[1])

    def certain(self, state: Any) -> bool:
        """See `Automaton`."""
        return self._first.certain(state[0]) and self._second.certain(state[1])

    def moves(self, state: Any) -> Pieces[Any]:
        """See `Automaton`."""
        return zipped(self._first.moves(state[0]), self._second.moves(state[1]))

    def branches(self, state: Any) -> Iterable[Any]:
        """See `Automaton`. Where there are very many, the state stays in one piece: they multiply with each factor."""
        first, second = list(self._first.branches(state[0])), list(self._second.branches(state[1]))
        if len(first) * len(second) > _MOST_BRANCHES:
            return (state,)
        return [(one, two) for one in first for two in second]


def product(automata: Sequence[Automaton]) -> Automaton:
    """The texts that all accept; at least one is given. It is a balanced tree, so that nothing recurs deeply."""
    level = list(automata)
    while len(level) > 1:
        pairs = [level[index : index + 2] for index in range(0, len(level), 2)]
        level = [ProductAutomaton(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return level[0]
