"""Which keys were used, and how often production keys called what floats: gathered in memory, written down in batches.

A request costs one addition to a set. When a key was used is known to about a second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

_DAY = 86400
#: floating references that are told apart until they are written down; calls by others are counted under `OTHER`
_MOST_REFERENCES = 10_000
OTHER = "*"

#: (reference, id of the key)
Floating = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Uses:
    """What was gathered: when each key was used last, in seconds since 1970, and floating calls by day, reference and key."""

    used: Mapping[str, int] = field(default_factory=dict)
    floating: Mapping[tuple[int, str, str], int] = field(default_factory=dict)


class KeyUses:
    """What was not handed to the registry yet. `references` holds floating calls since the start, by reference."""

    def __init__(self) -> None:
        #: ids of keys that were used this moment; whoever admits a request adds to it
        self.fresh: set[str] = set()
        self.references: Counter[str] = Counter()
        self._floated: Counter[Floating] = Counter()
        self._used: dict[str, int] = {}
        self._floating: Counter[tuple[int, str, str]] = Counter()

    def floated(self, reference: str, key_id: str, calls: int = 1) -> None:
        """Counts calls with a production key by a reference that floats."""
        self._floated[reference, key_id] += calls

    def gathered(self) -> tuple[list[str], list[tuple[str, str, int]]]:
        """(keys, floating calls) since the last time, for another process that writes them down."""
        fresh, self.fresh = self.fresh, set()
        floated, self._floated = self._floated, Counter()
        return sorted(fresh), [(reference, key, calls) for (reference, key), calls in floated.items()]

    def settle(self, now: int) -> None:
        """Puts what was gathered since the last time under this moment."""
        fresh, floated = self.gathered()
        for key in filter(None, fresh):  # who signed in by a token has none
            self._used[key] = now
        for reference, key, calls in floated:
            known = reference in self.references or len(self.references) < _MOST_REFERENCES
            told = reference if known else OTHER
            self.references[told] += calls
            self._floating[now // _DAY, told, key] += calls

    def take(self) -> Uses:
        """What waits for the registry, which is then the taker's."""
        used, self._used = self._used, {}
        floating, self._floating = self._floating, Counter()
        return Uses(used, floating)

    def give_back(self, uses: Uses) -> None:
        """Takes back what the registry did not take."""
        self._used = {**uses.used, **self._used}
        self._floating.update(uses.floating)
