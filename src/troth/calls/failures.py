"""Failed calls, at hand until they are written to the registry, for those who look after the algorithm."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence

from troth.registry.failures import Failure

#: failures that may wait for the registry; the oldest beyond that are forgotten
_MOST_WAITING = 10_000
#: characters of an error that are kept
_LONGEST = 4_000


class Failures:
    """The failures that are not in the registry yet."""

    def __init__(self) -> None:
        self._waiting: deque[Failure] = deque(maxlen=_MOST_WAITING)

    def keep(self, request: str, caller: str, subject: str, version: str, error: str, error_type: str) -> None:
        """Keeps one failure of a moment ago."""
        owner, _, name = subject.partition("/")
        error = error[:_LONGEST].replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
        self._waiting.append(
            Failure(int(time.time() * 1000), request, caller, owner, name, version, error, error_type[:64])
        )

    def add(self, found: Sequence[Failure]) -> None:
        """Keeps what another process kept."""
        self._waiting.extend(found)

    def take(self) -> list[Failure]:
        """Everything that waits; `give_back` follows where it was not written."""
        found = list(self._waiting)
        self._waiting.clear()
        return found

    def give_back(self, found: Sequence[Failure]) -> None:
        """What was taken waits again."""
        self._waiting.extendleft(reversed(found))
