"""Digests of schemas that refer to each other: equal for those that say the same in the same words, with all they need.

What refers to itself in a circle has its digest together with the circle (R. Tarjan, Depth-First Search and Linear Graph
Algorithms, 1972), so that each schema is looked at once, however many ways lead to it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

_written = json.JSONEncoder(sort_keys=True, default=str).encode


def digest(value: Any) -> str:
    """A digest of a value as JSON."""
    return hashlib.sha256(_written(value).encode()).hexdigest()


@dataclass(slots=True)
class Digests:
    """The digests of what references lead to. `read` gives the references in one part, and the digest of its text."""

    read: Callable[[str], tuple[frozenset[str], str]]
    _known: dict[str, str] = field(default_factory=dict)

    def of(self, references: Iterable[str]) -> list[tuple[str, str]]:
        """Each of the references with the digest of all that it leads to."""
        return [(reference, self._of(reference)) for reference in sorted(references)]

    def _of(self, start: str) -> str:
        if start not in self._known:
            self._visit(start)
        return self._known[start]

    def _visit(self, start: str) -> None:
        number: dict[str, int] = {start: 0}
        lowest: dict[str, int] = {start: 0}
        pending = [start]
        path: list[tuple[str, Iterator[str]]] = [(start, iter(sorted(self.read(start)[0])))]
        while path:
            current, following = path[-1]
            inner = next((one for one in following if one not in self._known), None)
            if inner is None:
                path.pop()
                if path:
                    lowest[path[-1][0]] = min(lowest[path[-1][0]], lowest[current])
                if lowest[current] == number[current]:
                    self._close(pending, current)
            elif inner in number:
                lowest[current] = min(lowest[current], number[inner])
            else:
                number[inner] = lowest[inner] = len(number)
                pending.append(inner)
                path.append((inner, iter(sorted(self.read(inner)[0]))))

    def _close(self, pending: list[str], first: str) -> None:
        """Gives the parts of one circle, or the one part that is in none, their digests."""
        place = pending.index(first)
        circle, outside = pending[place:], set[str]()
        del pending[place:]
        for reference in circle:
            outside |= self.read(reference)[0]
        told = [sorted((one, self.read(one)[1]) for one in circle)]
        told.append([(one, self._known[one]) for one in sorted(outside - set(circle))])
        whole = digest(told)
        self._known.update((one, whole if len(circle) == 1 else digest([one, whole])) for one in circle)
