"""Pairs of documents compared one after the other in a process of its own, which is ended when a pair takes too long.

Documents are strangers'. Comparing them is bounded by steps; the process bounds what nobody thought of, so that a hostile pair
has an answer like any other, and the pairs behind it have theirs.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from troth.contracts.changes import invalid
from troth.contracts.unfinished import unfinished
from troth.errors import Failed

SECONDS: Final = 30.0
#: A line is two documents of at most 16 MiB, and what JSON adds to them.
LARGEST_LINE: Final = 64 << 20
_STARTING_SECONDS: Final = 120.0
#: What the checker keeps between pairs is given back after so many.
_MOST_PAIRS: Final = 2_000
#: A checker of formats takes seconds to import, and formats are annotations here.
_PROGRAM: Final = """\
import sys
sys.modules["rfc3987_syntax"] = None
from troth.doors.cli.pair_process import main
main()
"""


class Pairs:
    """Compares pairs of one kind: `lines` as `troth check --bulk` reads them, or `texts` as files hold them."""

    def __init__(self, kind: str, *, form: str = "lines", tolerant: bool = False, seconds: float = SECONDS) -> None:
        self._kind = kind
        self._command = [sys.executable, "-I", "-c", _PROGRAM, kind, form, "tolerant" if tolerant else "strict"]
        self._seconds = seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._answers = 0

    def __enter__(self) -> Pairs:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    @property
    def process(self) -> int | None:
        """The id of the process that compares, once there is one."""
        return self._child.pid if self._child else None

    def answer(self, line: bytes) -> dict[str, Any]:
        """The answer to one line, within the time that a pair has. What came to no end is never `compatible`."""
        named, answer, late = self._asked(line)
        if answer is None and not late and self._answers > 1:  # what earlier pairs left behind shall not decide
            named, answer, late = self._asked(line)
        if answer is not None:
            return answer
        why = f"it took longer than {self._seconds:g} seconds" if late else "it took more memory than is spent on it"
        return {"id": named, **unfinished(self._kind, f"comparing the two came to no end: {why}").as_dict()}

    def _asked(self, line: bytes) -> tuple[Any, dict[str, Any] | None, bool]:
        """What the child told of a line: its id, its answer, and whether it was stopped for its time."""
        child = self._running()
        assert child.stdin is not None
        assert child.stdout is not None
        self._answers += 1
        with _Watch(child, self._seconds) as watch:
            try:
                child.stdin.write(line.rstrip(b"\r\n") + b"\n")
                child.stdin.flush()
                named, answer = child.stdout.readline(), child.stdout.readline()
            except BrokenPipeError:
                named = answer = b""
        known = json.loads(named) if named.endswith(b"\n") else None
        if answer.endswith(b"\n"):
            return known, json.loads(answer), False
        self._stop()
        return known, None, watch.late

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._answers < _MOST_PAIRS:
            return self._child
        self._stop()
        child = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            start_new_session=True,
        )
        self._child, self._answers = child, 0
        assert child.stdout is not None
        with _Watch(child, _STARTING_SECONDS):
            started = child.stdout.readline()
        if not started:
            self._stop()
            raise Failed("the process that compares did not start", repair="is there memory left on this machine?")
        return child

    def _stop(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None


class _Watch:
    """Ends a process that is not done in time."""

    def __init__(self, child: subprocess.Popen[bytes], seconds: float) -> None:
        self.late = False
        self._child = child
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> _Watch:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def _end(self) -> None:
        self.late = True
        self._child.kill()


def lines_of(stream: BinaryIO) -> Iterator[bytes | None]:
    """The lines of a stream as they come; None for one that is longer than is read."""
    while line := stream.readline(LARGEST_LINE):
        if line.endswith(b"\n") or len(line) < LARGEST_LINE:
            yield line
            continue
        while (rest := stream.readline(LARGEST_LINE)) and not rest.endswith(b"\n"):
            pass
        yield None


def too_long() -> dict[str, Any]:
    """The answer to a line that is longer than is read."""
    return {"id": None, **invalid(f"a line is at most {LARGEST_LINE >> 20} MiB long").as_dict()}
