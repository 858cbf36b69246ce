"""How loads, calls and workers end, in words: what a worker says, which may be anything, and what is seen of it from outside."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import dataclass

from troth.runtime import worker
from troth.runtime.engine import CallResult, Outcome

_SIGNALS = {number.value: number.name for number in signal.Signals}
#: characters that are kept of what a load failed with
_LONGEST_WORDS = 64 * 1024


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a version could not be loaded, or how a worker ended."""

    message: str
    error_type: str
    stacktrace: str = ""
    outcome: Outcome = Outcome.LOAD_FAILURE

    def as_result(self, seconds: float = 0.0) -> CallResult:
        """What a call that met it is answered."""
        described = {"message": self.message, "error_type": self.error_type, "stacktrace": self.stacktrace}
        return CallResult(worker.ERROR, json.dumps(described).encode(), seconds, outcome=self.outcome)


def load_failure(body: bytes) -> Failure:
    """What a worker says of its failed load; its words are the algorithm's, so they may be anything."""
    try:
        found = json.loads(body)
        message, kind, stack = (text(str(found[key])) for key in ("message", "error_type", "stacktrace"))
    except (ValueError, KeyError, TypeError, RecursionError):
        return Failure("loading failed", "LoadingError")
    return Failure(message, kind, stack)


def text(words: str) -> str:
    """Words as text that every database and every JSON reader takes: not endless, no half characters, no nulls."""
    return words[:_LONGEST_WORDS].encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def timed_out(seconds: float) -> Failure:
    """A call that ran out of time."""
    return Failure(f"the call took more than {seconds:g} seconds", "TimeoutError", outcome=Outcome.TIMEOUT)


def item_timed_out(seconds: float) -> Failure:
    """A call whose next result did not come in time."""
    return Failure(f"the next result took more than {seconds:g} seconds", "TimeoutError", outcome=Outcome.TIMEOUT)


def exited_with(code: int) -> Failure:
    """A worker that ended itself."""
    return Failure(f"the algorithm's process exited with code {code}", "SystemExit", outcome=Outcome.EXIT)


def code_of(body: bytes) -> int:
    """The exit code that a worker gives as its own."""
    try:
        return int(body[:4]) & 0xFF
    except ValueError:
        return 1


def ending(status: int, *, out_of_memory: bool = False) -> Failure:
    """A dead process by its status: a code, or minus the number of a signal, which some pass on as 128 plus the number."""
    number = -status if status < 0 else status - 128
    if number == signal.SIGKILL and out_of_memory:
        said = "the algorithm used more memory than it may, and its process was ended"
        return Failure(said, "OutOfMemoryError", outcome=Outcome.OUT_OF_MEMORY)
    if number in _SIGNALS:
        said = f"the algorithm's process was killed by signal {_SIGNALS[number]}"
        return Failure(said, "SystemExit", outcome=Outcome.SIGNAL)
    return exited_with(status)


def status_of(report: bytes) -> int:
    """The status of a fork by the report of the process that it was forked from: its wait status in digits."""
    try:
        return os.waitstatus_to_exitcode(int(report.split()[0]) & 0xFFFF)
    except (ValueError, IndexError):
        return 1
