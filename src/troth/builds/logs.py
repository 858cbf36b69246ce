"""Logs of builds under way, so that they can be followed while they are written."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass, field

#: characters that are kept of one log
LARGEST_LOG = 512 * 1024
_LOOK = 0.05


@dataclass(slots=True)
class BuildLog:
    """The log of one build. `say` may be called from every thread."""

    text: str = ""
    ended: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def say(self, words: str) -> None:
        """Adds lines, without what terminals would obey or databases refuse; what is beyond the limit is cut, and said so."""
        clean = "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in words.rstrip())
        with self._lock:
            room = LARGEST_LOG - len(self.text)
            if room > 0:
                self.text += clean + "\n" if len(clean) < room else clean[:room] + "\n... (the log is cut here)\n"


class BuildLogs:
    """The logs of builds under way, by algorithm and commit."""

    def __init__(self) -> None:
        self._logs: dict[tuple[str, str], BuildLog] = {}

    def open(self, algorithm_id: str, commit: str) -> BuildLog:
        """A new log; it can be found until it is closed."""
        log = self._logs[algorithm_id, commit] = BuildLog()
        return log

    def close(self, algorithm_id: str, commit: str, log: BuildLog) -> None:
        """Lets go of a log, whose text is in the registry now, unless another build of the commit was begun since."""
        log.ended = True
        if self._logs.get((algorithm_id, commit)) is log:
            del self._logs[algorithm_id, commit]

    def find(self, algorithm_id: str, commit: str) -> BuildLog | None:
        return self._logs.get((algorithm_id, commit))


async def grown(log: BuildLog, after: int, seconds: float) -> None:
    """Waits until the log has more than `after` characters, has ended, or `seconds` are over."""
    deadline = time.monotonic() + seconds
    while len(log.text) <= after and not log.ended and time.monotonic() < deadline:
        await asyncio.sleep(_LOOK)
