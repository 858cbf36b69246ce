"""Results of calls whose end nobody waited for: kept for a while, in bounded memory, for whom made the call."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from troth.access.scopes import Scope


@dataclass(slots=True)
class Kept:
    """A call that was begun, and its reply once it has ended."""

    caller_id: str
    #: `owner/name`
    subject: str
    since: float
    body: bytes | None = None


class Results:
    """The newest of them. Those that are too many, too large together or too old are forgotten, the oldest first."""

    def __init__(self, *, size: int, seconds: float, now: Callable[[], float], most: int = 10_000) -> None:
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._bytes = 0
        self._size = size
        self._seconds = seconds
        self._now = now
        self._most = most

    def begin(self, request: str, caller_id: str, subject: str) -> None:
        """A call that runs, of the algorithm `subject`."""
        self._kept[request] = Kept(caller_id, subject, self._now())
        self._trim()

    def finish(self, request: str, body: bytes) -> None:
        """Its reply, as it would have been sent."""
        found = self._kept.get(request)
        if found is not None:
            found.body = body
            self._bytes += len(body)
            self._trim()

    def find(self, request: str, caller_id: str, scope: Scope) -> Kept | None:
        """What is known of a call that this caller made, for a key of theirs that is for its algorithm."""
        self._trim()
        found = self._kept.get(request)
        return found if found and found.caller_id == caller_id and scope.sees(found.subject) else None

    def _trim(self) -> None:
        oldest = self._now() - self._seconds
        while self._kept:
            found = next(iter(self._kept.values()))
            if self._bytes <= self._size and len(self._kept) <= self._most and found.since >= oldest:
                return
            self._kept.popitem(last=False)
            self._bytes -= len(found.body or b"")
