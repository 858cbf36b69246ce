"""What ran in each call: at hand for the last second, then in the registry, so that receipts outlive the server.

A call costs an append of one tuple. A reply's receipt can be asked for at once: what was not written yet is found in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import is_
from typing import Any

from sqlalchemy import Connection

from troth.registry.call_records import CallRecord, add_records, circumstances_id, mark_used

#: calls that may wait for the registry; the oldest beyond that are forgotten
_MOST_WAITING = 50_000
#: calls in one transaction, which others of the registry wait for
AT_ONCE = 5_000
_MOST_CIRCUMSTANCES = 10_000
_OWN = ("request", "caller", "reference", "outcome", "seconds", "at")

#: (request, caller's name, reference, route, outcome, seconds, ...): the fourth, and from the seventh on, are objects that
#: many calls share, and whose receipts are therefore alike but for the rest
Facts = tuple[Any, ...]
#: number in the registry of what calls have in common, by the identities of the shared objects, which are held as well
Known = dict[tuple[int, ...], tuple[tuple[Any, ...], int]]


#: the facts of a call, after the moment at which they were settled, in seconds since 1970
Kept = tuple[int, Facts]


class Records:
    """The calls that were not handed to the registry yet. `describe` makes a receipt from the facts of a call."""

    def __init__(self, describe: Callable[[Facts], dict[str, Any]], most_waiting: int = _MOST_WAITING) -> None:
        self._describe = describe
        self._most = most_waiting
        #: holds a second's calls at most, because `settle` runs on the loop that serves them
        self._fresh: list[Facts] = []
        self._waiting: dict[str, Kept] = {}
        self._under_way: dict[str, Kept] = {}
        self._known: Known = {}
        #: calls whose records were given up, because the registry did not keep up
        self.lost = 0

    def keep(self, *facts: Any) -> None:
        """Keeps the facts of one call, the request id first."""
        self._fresh.append(facts)

    @property
    def waiting(self) -> int:
        """Calls that wait for the registry."""
        return len(self._fresh) + len(self._waiting) + len(self._under_way)

    def settle(self, now: int) -> None:
        """Notes the moment on what was kept since the last time."""
        self._waiting.update({facts[0]: (now, facts) for facts in self._fresh})
        self._fresh = []
        beyond = len(self._waiting) - self._most
        if beyond > 0:
            for request in list(self._waiting)[:beyond]:
                del self._waiting[request]
            self.lost += beyond

    def find(self, request: str, now: int) -> dict[str, Any] | None:
        """The receipt of a call that the registry does not have yet."""
        self.settle(now)
        kept = self._waiting.get(request) or self._under_way.get(request)
        return {**self._describe(kept[1]), "at": kept[0]} if kept else None

    def take(self) -> list[Kept]:
        """The oldest calls that wait, as many as one transaction takes; `done` or `give_back` follows."""
        requests = list(self._waiting)[:AT_ONCE]
        self._under_way = {request: self._waiting.pop(request) for request in requests}
        return list(self._under_way.values())

    def done(self, known: Known) -> None:
        """What was taken is in the registry; `known` is what `write` returned."""
        self._under_way = {}
        if len(self._known) >= _MOST_CIRCUMSTANCES:
            self._known = {}
        self._known.update(known)

    def give_back(self) -> None:
        """What was taken waits again, before what came meanwhile."""
        self._waiting = {**self._under_way, **self._waiting}
        self._under_way = {}

    def write(self, connection: Connection, kept: Sequence[Kept]) -> Known:
        """Adds what was taken to the registry; what became known by it holds once that is committed."""
        known: Known = {}
        used: dict[int, int] = {}
        rows = []
        shared: tuple[Any, ...] = ()
        number = 0
        for at, facts in kept:
            request, caller, reference, route, outcome, seconds, *others = facts
            found = (route, *others)
            if len(found) != len(shared) or not all(map(is_, found, shared)):  # calls in a row mostly ran alike
                shared = found
                number = self._circumstances(connection, facts, at, known)
            used[number] = at
            rows.append(CallRecord(at, request, caller, reference, str(outcome), seconds, number))
        if used:
            mark_used(connection, list(used), max(used.values()))
        add_records(connection, rows)
        return known

    def forget_circumstances(self) -> None:
        """Looks everything up anew, because some may have been deleted."""
        self._known = {}

    def _circumstances(self, connection: Connection, facts: Facts, at: int, known: Known) -> int:
        key = (id(facts[3]), *map(id, facts[6:]))
        found = self._known.get(key) or known.get(key)
        if found is not None:
            return found[1]
        receipt = self._describe(facts)
        number = circumstances_id(connection, {name: receipt[name] for name in receipt if name not in _OWN}, at)
        known[key] = ((facts[3], *facts[6:]), number)
        return number
