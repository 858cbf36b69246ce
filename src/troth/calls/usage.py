"""How often each version is called, by whom, with what outcome and how fast: counted in memory, handed on in batches.

A call costs one look-up and three additions. Everything else (minutes, sums, names in two) is done when a second's counts are
settled, so a call is counted in the minute in which it was settled, at most about a second after it ended.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping

from troth.observe.latency import BOUNDS, BUCKETS
from troth.observe.metrics import CallTotals
from troth.registry.usage import Series

#: series that may wait for the registry; beyond that they are merged
_MOST_WAITING = 20_000
#: stands for callers and versions that were merged
MERGED = "*"
_EMPTY = (0, 0.0, *(0,) * BUCKETS)

#: what the call path counts by: (owner/name, version, caller, outcome)
_Key = tuple[str, str, str, str]


class Usage:
    """Counts of calls that were not handed to the registry yet. `totals` hold what was counted since the start."""

    def __init__(self, totals: CallTotals, most_waiting: int = _MOST_WAITING) -> None:
        self.totals = totals
        #: how often counts were merged because the registry did not keep up
        self.merged = 0
        self._most = most_waiting
        self._fresh: dict[_Key, list[float]] = {}
        self._waiting: dict[Series, list[float]] = {}

    def add(self, algorithm: str, version: str, caller: str, outcome: str, seconds: float) -> None:
        """Counts one call of `owner/name` by the account of this name."""
        cell = self._fresh.get((algorithm, version, caller, outcome))
        if cell is None:
            cell = self._fresh[algorithm, version, caller, outcome] = list(_EMPTY)
        cell[0] += 1
        cell[1] += seconds
        cell[2 + bisect_left(BOUNDS, seconds)] += 1

    def settle(self, minute: int) -> None:
        """Puts what was counted since the last time under this minute, and into the totals."""
        fresh, self._fresh = self._fresh, {}
        for (algorithm, version, caller, outcome), cell in fresh.items():
            self.totals.add(algorithm, version, outcome, cell)
            owner, _, name = algorithm.partition("/")
            # a member of an enumeration may come as outcome, and databases want plain text
            _add(self._waiting, Series(minute, owner, name, version, caller, f"{outcome}"), cell)
        if len(self._waiting) > self._most:
            self._merge(minute)

    def take(self) -> dict[Series, list[float]]:
        """What waits for the registry, which is then nobody's but the caller's."""
        taken, self._waiting = self._waiting, {}
        return taken

    def give_back(self, counts: Mapping[Series, list[float]], minute: int) -> None:
        """Counts again what the registry did not take."""
        for series, cell in counts.items():
            _add(self._waiting, series, cell)
        if len(self._waiting) > self._most:
            self._merge(minute)

    @property
    def waiting(self) -> int:
        """Series that wait for the registry."""
        return len(self._waiting)

    def _merge(self, minute: int) -> None:
        """Gives up minutes, then callers, then versions, as far as it takes. No call is lost."""
        self.merged += 1
        for merge in (
            lambda series: series._replace(minute=minute),
            lambda series: series._replace(minute=minute, caller=MERGED),
            lambda series: series._replace(minute=minute, caller=MERGED, version=MERGED),
            lambda series: Series(minute, MERGED, MERGED, MERGED, MERGED, series.outcome),
        ):
            merged: dict[Series, list[float]] = {}
            for series, cell in self._waiting.items():
                _add(merged, merge(series), cell)
            self._waiting = merged
            if len(merged) <= self._most:
                return


def _add(counts: dict[Series, list[float]], series: Series, cell: list[float]) -> None:
    found = counts.get(series)
    if found is None:
        counts[series] = list(cell)
    else:
        for index, value in enumerate(cell):
            found[index] += value
