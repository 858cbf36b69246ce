"""Who calls which operation of which version of an API, counted in memory and handed on in batches, as calls are (decision 0035)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from troth.calls.operations import OTHER
from troth.registry.api_callers import Series

_DAY = 86400
#: what may wait for the registry; beyond that operations and parameters, then callers are no longer told apart
_MOST = 20_000
#: operations of one version that are told apart until the counts are written
_MOST_OPERATIONS = 1000

#: (owner/name, version, operation, parameters, caller), the caller an account's name, empty without a key
_Fresh = tuple[str, int, str, tuple[str, ...], str]


class ApiUses:
    """Counts that were not handed to the registry yet."""

    def __init__(self) -> None:
        self._fresh: dict[_Fresh, int] = {}
        self._waiting: Counter[Series] = Counter()
        self._operations: dict[tuple[str, int], set[str]] = {}

    def add(self, api: str, version: int, operation: str, parameters: tuple[str, ...], caller: str) -> None:
        """Counts one request."""
        key = (api, version, operation, parameters, caller)
        self._fresh[key] = self._fresh.get(key, 0) + 1

    def settle(self, now: float) -> None:
        """Puts what was counted since the last time under the day of this second."""
        fresh, self._fresh = self._fresh, {}
        day = int(now) // _DAY
        for (api, version, operation, parameters, caller), calls in fresh.items():
            named = self._operations.setdefault((api, version), set())
            if operation not in named and len(named) >= _MOST_OPERATIONS:
                operation, parameters = OTHER, ()
            named.add(operation)
            for parameter in ("", *parameters):
                self._waiting[day, api, version, operation, parameter, caller] += calls
        self._bound()

    def take(self) -> Mapping[Series, int]:
        """What waits for the registry, which is then nobody's but the caller's."""
        taken, self._waiting = self._waiting, Counter()
        self._operations.clear()
        return taken

    def give_back(self, counts: Mapping[Series, int]) -> None:
        """Counts again what the registry did not take."""
        self._waiting.update(counts)
        self._bound()

    def _bound(self) -> None:
        """No call is lost where there are too many to tell apart."""
        if len(self._waiting) > _MOST:
            self._merge(lambda day, api, version, caller: (day, api, version, OTHER, "", caller))
        if len(self._waiting) > _MOST:
            self._merge(lambda day, api, version, caller: (day, api, version, OTHER, "", OTHER))

    def _merge(self, merged: Callable[[int, str, int, str], Series]) -> None:
        found: Counter[Series] = Counter()
        for (day, api, version, _, parameter, caller), calls in self._waiting.items():
            if not parameter:  # those are counted once more with their operation
                found[merged(day, api, version, caller)] += calls
        self._waiting = found
