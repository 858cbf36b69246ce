"""OpenTelemetry traces of calls: from the door over the queue to the worker, in the trace of the caller where it has one.

The call path notes moments on a `CallTrace`. Spans are made of it after the answer was sent, in a thread of their own, and
sent by OTLP over HTTP. Without the setting `traces` there is no `Tracing`, and nothing of OpenTelemetry is imported.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from troth.errors import MalformedSetting

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

    from troth.observe.spans import SpanWriter

#: finished calls that may wait for their spans to be made; the oldest beyond that have none
_MOST_WAITING = 10_000
#: seconds between two makings of spans, and that the last may take to be sent
_PAUSE, _LAST_WORDS = 0.5, 5.0
_SAMPLED = 1
#: W3C Trace Context, sections 3.2 and 3.3: neither identity is zero, and 512 characters of state are passed on
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
_TRACESTATE = re.compile(r"[\x20-\x7e]{1,512}", re.ASCII)


@dataclass(slots=True)
class CallTrace:
    """The moments of one traced call, in nanoseconds since 1970. The call path sets them as they pass; 0 is never."""

    trace_id: int
    parent: SpanContext | None
    #: identities of the spans of the door, the queue and the worker
    door: int
    queue: int
    worker: int
    received: int
    queued: int = 0
    started: int = 0
    ended: int = 0
    answered: int = 0
    facts: dict[str, str] = field(default_factory=dict)
    outcome: str = ""

    @property
    def traceparent(self) -> str:
        """W3C's header with which the algorithm continues the trace."""
        return f"00-{self.trace_id:032x}-{self.worker:016x}-{_SAMPLED:02x}"

    @property
    def tracestate(self) -> str:
        """The header that goes with `traceparent`, unchanged; empty where there is none."""
        return self.parent.trace_state.to_header() if self.parent is not None else ""


def continuation(traceparent: str, tracestate: str) -> str:
    """Both headers as an algorithm is handed them, a line each; empty where the first is none of W3C's, and without the second where
    that is out of bounds."""
    if not _TRACEPARENT.fullmatch(traceparent):
        return ""
    return f"{traceparent}\n{tracestate if _TRACESTATE.fullmatch(tracestate) else ''}"


class Tracing:
    """Begins and finishes traces of calls. `begin` and `finish` are for the thread of the server's loop."""

    @staticmethod
    def open(address: str, ratio: float) -> Tracing | None:
        """What sends traces to the receiver at this address; None where it is empty. Raises MalformedSetting."""
        if not address:
            return None
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise MalformedSetting(
                f"traces cannot be sent to {address!r}",
                why="the setting is the http address of an OTLP receiver",
                repair="write http://127.0.0.1:4318",
            )
        if not 0 <= ratio <= 1:
            raise MalformedSetting(f"traces_ratio cannot be {ratio:g}", why="it is a share", repair="write 0 to 1")
        try:
            from troth.observe.spans import SpanWriter
        except ImportError as error:
            raise MalformedSetting(
                "traces cannot be sent", why=f"OpenTelemetry is missing: {error}", repair="install troth[telemetry]"
            ) from None
        whole = address if parts.path.strip("/") else f"{address.rstrip('/')}/v1/traces"
        return Tracing(SpanWriter(whole, version("troth")), ratio)

    def __init__(self, writer: SpanWriter, ratio: float) -> None:
        self._writer = writer
        self._ratio = ratio
        self._finished: deque[CallTrace] = deque(maxlen=_MOST_WAITING)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="traces", daemon=True)
        self._thread.start()

    def begin(self, traceparent: str, tracestate: str = "") -> CallTrace | None:
        """The trace of a call that was received now, with the caller's headers as they came.

        None where the call is not traced: then the caller's headers are handed on as they are.
        """
        parent = self._writer.parent(traceparent, tracestate) if traceparent else None
        if parent is not None:
            if not parent.trace_flags.sampled:
                return None
        elif self._ratio < 1 and random.random() >= self._ratio:  # noqa: S311 - a sample is no secret
            return None
        trace_id = parent.trace_id if parent is not None else random.getrandbits(128) or 1
        door, queue, worker = (random.getrandbits(64) or 1 for _ in range(3))
        return CallTrace(trace_id, parent, door, queue, worker, time.time_ns())

    def finish(self, trace: CallTrace, outcome: str, **facts: str) -> None:
        """Ends a trace whose answer was sent just now; `facts` become attributes (`reference`, `version`, `request`...)."""
        trace.answered = time.time_ns()
        trace.outcome = outcome
        trace.facts = facts
        self._finished.append(trace)

    def close(self) -> None:
        """Sends what is left, for a few seconds at most."""
        self._closing.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._closing.wait(_PAUSE):
            self._write()
        self._write()
        self._writer.close(_LAST_WORDS)

    def _write(self) -> None:
        while self._finished:
            self._writer.write(self._finished.popleft())
