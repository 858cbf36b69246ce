"""Numbers for JSON values: equal for values that are equal, and found once for each, however often they are asked about."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from troth.contracts.schema.answers import Json
from troth.contracts.schema.values import key


class Identities:
    """One numbering. `silent` names the members of an object that do not count.

    Values must not change once they were asked about. They are kept, so that no other can take their place in memory.
    """

    def __init__(self, numbers: dict[Hashable, int], silent: Callable[[dict[str, Json]], frozenset[str]]) -> None:
        self._numbers, self._silent = numbers, silent
        self._known: dict[int, tuple[Json, int]] = {}

    def of(self, value: Json) -> int:
        """The number of a value, the same as that of every equal one by the same table of numbers."""
        if not isinstance(value, dict | list):
            return self._number(key(value))
        known = self._known.get(id(value))
        if known is None:
            known = self._known[id(value)] = (value, self._number(self._told(value)))
        return known[1]

    def _told(self, value: dict[str, Json] | list[Json]) -> Hashable:
        if isinstance(value, list):
            return ("array", *map(self.of, value))
        silent = self._silent(value)
        return ("object", frozenset([(name, self.of(inner)) for name, inner in value.items() if name not in silent]))

    def _number(self, told: Hashable) -> int:
        return self._numbers.setdefault(told, len(self._numbers))
