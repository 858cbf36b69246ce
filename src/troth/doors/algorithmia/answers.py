"""What a call is answered: results and errors in the shapes of `algorithmia-api.md`, sections 3.1 and 4.

An error is a 200 with an `error` object, because the clients throw away every other body; overload (503), limits (429),
internal faults (500) and `output=raw` are the exceptions.
"""

from __future__ import annotations

import functools
import json
from typing import Any, NamedTuple

from troth.calls.routing import Route
from troth.errors import Overloaded, ParentEnded, RateLimited, TrothError
from troth.runtime import worker
from troth.runtime.engine import CallResult, Outcome

JSON_TYPE = b"application/json"
_NAMES = {worker.TEXT: b"text", worker.JSON: b"json", worker.BINARY: b"binary"}
_RAW_TYPES = {
    worker.TEXT: b"text/plain; charset=utf-8",
    worker.JSON: JSON_TYPE,
    worker.BINARY: b"application/octet-stream",
}
_ERROR_TYPES = worker.ERROR_TYPES | {"SystemExit", "TimeoutError", "LoadingError"}
#: characters that are passed on of each part of an error
_LONGEST_WORDS = 64 * 1024
# made once: json.dumps with options makes a new encoder each time
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_OUTCOMES = {"queue-full": Outcome.QUEUE_FULL, "queue-deadline": Outcome.QUEUE_DEADLINE}


class Answer(NamedTuple):
    """A whole reply to a call."""

    status: int
    content_type: bytes
    body: bytes
    #: further header lines as they are sent, each with its end
    lines: bytes = b""


class CallError(Exception):
    """A call that ends with an error object instead of a result."""

    def __init__(
        self,
        message: str,
        error_type: str = "SystemError",
        *,
        status: int = 200,
        stack: str = "",
        outcome: Outcome = Outcome.REFUSED,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.error_type = error_type
        self.status = status
        self.stack = stack
        self.outcome = outcome
        self.retry_after = retry_after

    def described(self) -> dict[str, Any]:
        """The `error` object."""
        found = {"message": self.message, "error_type": self.error_type}
        return found | {"stacktrace": self.stack, "stack_trace": self.stack} if self.stack else found


def call_error(error: TrothError) -> CallError:
    """A refusal of the engine as the error of a call."""
    clauses = f" ({', '.join(error.clauses)})" if error.clauses else ""
    said = f"{error.what}{clauses}: {error.why}" if error.why else f"{error.what}{clauses}"
    said += f" (help: {error.repair})" if error.repair else ""
    if isinstance(error, RateLimited):
        return CallError(said, status=429, outcome=Outcome.RATE_LIMITED, retry_after=error.retry_after)
    if isinstance(error, Overloaded):
        outcome = _OUTCOMES.get(error.code, Outcome.REFUSED)
        return CallError(said, status=503, outcome=outcome, retry_after=error.retry_after)
    if isinstance(error, ParentEnded):
        return CallError(said, outcome=Outcome.CANCELLED)
    return CallError(said, "InitializationError")


def failure(result: CallResult, *, source_shown: bool) -> CallError:
    """A worker's error; its words are the algorithm's, so they may be anything."""
    try:
        found = json.loads(result.body)
        message, kind, stack = (str(found[key])[:_LONGEST_WORDS] for key in ("message", "error_type", "stacktrace"))
    except (ValueError, KeyError, TypeError, RecursionError):
        message, kind, stack = "the algorithm failed", "AlgorithmError", ""
    if kind not in _ERROR_TYPES:
        kind = "AlgorithmError"
    outcome = Outcome.OUT_OF_MEMORY if kind == "OutOfMemoryError" else result.outcome
    return CallError(message, kind, stack=stack if source_shown else "", outcome=outcome)


def success(result: CallResult, request_id: str, *, raw: bool, lines: bytes = b"") -> Answer:
    """The reply with a result."""
    if raw:
        return Answer(200, _RAW_TYPES[result.kind], result.body, lines)
    stdout = b"" if result.output is None else b',"stdout":' + json.dumps(result.output).encode()
    body = b'{"result":%b,"metadata":{"content_type":"%b","duration":%b%b,"request_id":"%b"}}' % (
        result.body,
        _NAMES[result.kind],
        repr(round(result.seconds, 9)).encode() if result.seconds >= 1e-4 else b"%.9f" % result.seconds,
        stdout,
        request_id.encode(),
    )
    return Answer(200, JSON_TYPE, body, lines)


def refusal(error: CallError, request_id: str, result: CallResult | None, *, raw: bool, lines: bytes = b"") -> Answer:
    """The reply with an error."""
    metadata: dict[str, Any] = {"duration": result.seconds if result else 0.0, "request_id": request_id}
    if result is not None and result.output is not None:
        metadata["stdout"] = result.output
    status = 400 if raw and error.status == 200 else error.status
    retry = b"retry-after: %d\r\n" % error.retry_after if error.retry_after else b""
    body = compact({"error": error.described(), "metadata": metadata})
    return Answer(status, JSON_TYPE, body, retry + lines)


def begun(request_id: str, lines: bytes) -> Answer:
    """The reply to a call whose end is not waited for."""
    return Answer(200, JSON_TYPE, compact({"async": True, "request_id": request_id}), lines)


def receipt_lines(route: Route, reference: str, request_id: str) -> bytes:
    """Which version ran, in header lines. `reference` led to the route, so that there is nothing strange in it."""
    return _circumstances(route.version, reference, route.source) + request_id.encode() + b"\r\n"


@functools.lru_cache(maxsize=1024)
def _circumstances(version: str, reference: str, source: str) -> bytes:
    said = f"troth-version: {version}\r\ntroth-reference: {reference}\r\ntroth-digest: {source}\r\ntroth-request: "
    return said.encode()


def head_of(answer: Answer) -> list[tuple[bytes, bytes]]:
    """The headers of a reply, in order."""
    length = str(len(answer.body)).encode()
    return [(b"content-type", answer.content_type), (b"content-length", length), *fields(answer.lines)]


def fields(lines: bytes) -> list[tuple[bytes, bytes]]:
    """Header lines as names and values."""
    parts = (line.partition(b": ") for line in lines.split(b"\r\n") if line)
    return [(name, value) for name, _, value in parts]


def floating_warning(subject: str, route: Route) -> bytes:
    """What a production key is told that called by a reference which a later publication can change (ALG-14, ALG-20)."""
    return f'troth-warning: ALG-14 "this reference floats: in production call {subject}/{route.version}"\r\n'.encode()


def compact(document: Any) -> bytes:
    """JSON without spaces; what is no Unicode is replaced."""
    return _encode(document).encode(errors="replace")
