"""`POST /v1/algo/OWNER/NAME[/VERSION]`: calls of algorithms, as a bare ASGI callable.

Nothing here waits for a database or a disk, and bodies pass unread. Answers and errors have the shapes of
`algorithmia-api.md`, sections 3.1 and 4: an error is a 200 with an `error` object, because the clients throw away every
other body; overload (503), internal faults (500) and `output=raw` are the exceptions.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import structlog

from troth.calls.receipts import Receipts
from troth.calls.routing import Caller, Route, RoutingTable
from troth.doors.authorization import caller_of
from troth.errors import Overloaded, TrothError
from troth.observe.metrics import CallCounts
from troth.runtime import worker
from troth.runtime.engine import CallRequest, CallResult, Engine

PREFIX = "/v1/algo/"
Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]
#: Says why a reference has no answer, to those who may know: from (reference, caller) to words, None where it has one.
Explain = Callable[[str, Caller], Awaitable[str | None]]

log = structlog.get_logger()

_KINDS = {
    b"text/plain": worker.TEXT,
    b"application/text": worker.TEXT,
    b"application/json": worker.JSON,
    b"application/octet-stream": worker.BINARY,
}
_NAMES = {worker.TEXT: b"text", worker.JSON: b"json", worker.BINARY: b"binary"}
_RAW_TYPES = {
    worker.TEXT: b"text/plain; charset=utf-8",
    worker.JSON: b"application/json",
    worker.BINARY: b"application/octet-stream",
}
_ERROR_TYPES = worker.ERROR_TYPES | {"SystemExit", "TimeoutError", "LoadingError"}
#: characters that are passed on of each part of an error
_LONGEST_WORDS = 64 * 1024
#: How often, and after how many seconds, a reference is looked up again that was published this moment.
_LOOKS, _LOOK = 100, 0.01
#: Bytes of a body that is too large which are still read, so that the client hears why.
_PATIENCE = 64 << 20


class CallError(Exception):
    """A call that ends with an error object instead of a result."""

    def __init__(self, message: str, error_type: str = "SystemError", *, status: int = 200, stack: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.error_type = error_type
        self.status = status
        self.stack = stack
        self.retry_after: int | None = None


class ClientGone(Exception):
    """The client left before its request was complete."""


@dataclass(slots=True)
class _Options:
    seconds: float
    stdout: bool = False
    output: str = ""


class CallDoor:
    """The ASGI application for calls."""

    def __init__(
        self,
        table: RoutingTable,
        engine: Engine,
        counts: CallCounts,
        receipts: Receipts,
        explain: Explain,
        *,
        call_seconds: float,
        longest_call_seconds: float,
        request_bytes: int,
    ) -> None:
        self._table = table
        self._engine = engine
        self._counts = counts
        self._receipts = receipts
        self._explain = explain
        self._default = _Options(call_seconds)
        self._longest = longest_call_seconds
        self._largest = request_bytes
        self._behind: set[asyncio.Task[None]] = set()
        first = str(uuid.uuid4())
        self._request_prefix, self._requests = f"req-{first[:24]}", int(first[24:], 16)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        request_id = self._next_request()
        received = False
        route: Route | None = None
        caller: Caller | None = None
        options = self._default
        reference = scope["path"].lstrip("/")[len(PREFIX) - 1 :].strip("/")
        try:
            authorization, content_type, length = _headers(scope)
            if scope["query_string"]:
                options = self._options(scope["query_string"])
            if scope["method"] != "POST":
                raise CallError("calls are made by POST", status=405)
            caller = caller_of(self._table, authorization)
            if caller is None:
                raise CallError("authorization required")
            route = await self._route(reference, caller)
            kind = _kind(content_type)
            received = True
            body, at_once = await self._body(receive, length)
            if not at_once:  # it took a while to come, and the caller's rights are those of now (ALG-26)
                caller = caller_of(self._table, authorization)
                if caller is None:
                    raise CallError("authorization required")
                route = await self._route(reference, caller)
            if options.output == "void":
                await self._start_behind(
                    send, request_id, reference, route, caller, CallRequest(kind, body, options.seconds)
                )
                return
            capture = options.stdout and self._sees_source_output(reference, caller)
            request = CallRequest(kind, body, options.seconds, options.output == "raw", capture)
            result = await self._engine.call(route.spec, request)
        except ClientGone:
            return  # nobody is there to hear, and half a request is none
        except CallError as error:
            if not received:
                await _drained(receive)
            await self._refuse(send, error, options, reference, route, caller, request_id)
            return
        except TrothError as error:
            await self._refuse(send, _call_error(error), options, reference, route, caller, request_id)
            return
        except Exception:
            log.exception("call failed inside the server", request=request_id, reference=reference)
            inside = CallError("internal error", status=500)
            await self._refuse(send, inside, options, reference, route, caller, request_id)
            return
        if result.failed:
            failure = self._failure(result, reference, route, caller)
            await self._refuse(send, failure, options, reference, route, caller, request_id, result)
            return
        self._record(request_id, caller, reference, route, "ok", result.seconds)
        content = b"application/json" if options.output != "raw" else _RAW_TYPES[result.kind]
        body = result.body if options.output == "raw" else _envelope(result, request_id)
        await _respond(send, 200, content, body, _receipt_headers(route, reference, request_id))

    def _next_request(self) -> str:
        """A new request id: a random uuid of this process, counted up, because making one each costs 3 microseconds."""
        self._requests = (self._requests + 1) & 0xFFFFFFFFFFFF
        return f"{self._request_prefix}{self._requests:012x}"

    async def _route(self, reference: str, caller: Caller) -> Route:
        owner, _, rest = reference.partition("/")
        name, _, version = rest.partition("/")
        subject = f"{owner}/{name}"
        route = self._table.resolve(subject, version, caller)
        if route is not None:
            return route
        routes = self._table.algorithms.get(subject)
        message = f"algorithm algo://{reference} not found"
        if routes is not None and self._table.belongs(caller, routes.owner_id):
            for _ in range(_LOOKS):
                why = await self._explain(reference, caller)
                if why is not None:
                    raise CallError(message + why)
                # the registry has it, and this table will in a moment: a commit is seen there first
                await asyncio.sleep(_LOOK)
                route = self._table.resolve(subject, version, caller)
                if route is not None:
                    return route
        raise CallError(message)

    def _options(self, query: bytes) -> _Options:
        given = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
        seconds = self._default.seconds
        if "timeout" in given:
            try:
                seconds = float(given["timeout"])
            except ValueError:
                seconds = 0.0
            if not seconds >= 1:
                raise CallError(f"timeout is a number of seconds, at least 1, and not {given['timeout'][:40]!r}")
        output = given.get("output", "")
        if output not in ("", "raw", "void"):
            raise CallError(f"output is raw or void, and not {output[:40]!r}")
        return _Options(min(seconds, self._longest), given.get("stdout", "").lower() == "true", output)

    async def _body(self, receive: Receive, length: int) -> tuple[bytes, bool]:
        """The whole body, and whether it was there at once. One beyond the limit is read on for a while, so that the client hears why it is refused."""
        message = await receive()
        body: bytes = message.get("body", b"")
        if message["type"] == "http.request" and not message["more_body"] and len(body) <= self._largest:
            return body, True
        chunks, size = [body], len(body)
        while message["type"] == "http.request" and message["more_body"] and size <= _PATIENCE:
            message = await receive()
            chunk = message.get("body", b"")
            size += len(chunk)
            if size <= self._largest:
                chunks.append(chunk)
        if message["type"] == "http.disconnect":
            raise ClientGone
        if size > self._largest or length > self._largest:
            raise CallError(f"the body is larger than {self._largest} bytes", "TooLargeError")
        return b"".join(chunks), False

    def _sees_source_output(self, reference: str, caller: Caller) -> bool:
        """Whether the caller may see what the algorithm prints: owners and members of organisations that own it."""
        routes = self._table.algorithms.get("/".join(reference.split("/")[:2]))
        return routes is not None and self._table.belongs(caller, routes.owner_id)

    async def _start_behind(
        self, send: Send, request_id: str, reference: str, route: Route, caller: Caller, request: CallRequest
    ) -> None:
        """Answers at once and lets the call run on; its result is thrown away."""
        running = self._engine.call(route.spec, request)

        async def run() -> None:
            try:
                result = await running
                self._record(request_id, caller, reference, route, "failed" if result.failed else "ok", result.seconds)
            except TrothError as error:
                self._record(request_id, caller, reference, route, error.code, 0.0)

        task = asyncio.get_running_loop().create_task(run())
        self._behind.add(task)
        task.add_done_callback(self._behind.discard)
        body = json.dumps({"async": True, "request_id": request_id}, separators=(",", ":")).encode()
        await _respond(send, 200, b"application/json", body, _receipt_headers(route, reference, request_id))

    def _failure(self, result: CallResult, reference: str, route: Route, caller: Caller) -> CallError:
        """A worker's error; its words are the algorithm's, so they may be anything."""
        try:
            found = json.loads(result.body)
            message, kind, stack = (str(found[key])[:_LONGEST_WORDS] for key in ("message", "error_type", "stacktrace"))
        except (ValueError, KeyError, TypeError, RecursionError):
            message, kind, stack = "the algorithm failed", "AlgorithmError", ""
        if kind not in _ERROR_TYPES:
            kind = "AlgorithmError"
        shown = route.source_open or self._sees_source_output(reference, caller)
        return CallError(message, kind, stack=stack if shown else "")

    async def _refuse(
        self,
        send: Send,
        error: CallError,
        options: _Options,
        reference: str,
        route: Route | None,
        caller: Caller | None,
        request_id: str,
        result: CallResult | None = None,
    ) -> None:
        described: dict[str, Any] = {"message": error.message, "error_type": error.error_type}
        if error.stack:
            described |= {"stacktrace": error.stack, "stack_trace": error.stack}
        seconds = result.seconds if result else 0.0
        metadata: dict[str, Any] = {"duration": seconds, "request_id": request_id}
        if result is not None and result.output is not None:
            metadata["stdout"] = result.output
        status = 400 if options.output == "raw" and error.status == 200 else error.status
        headers = [(b"retry-after", str(error.retry_after).encode())] if error.retry_after else []
        if route is not None and caller is not None:
            headers += _receipt_headers(route, reference, request_id)
            self._record(request_id, caller, reference, route, error.error_type, seconds)
        body = json.dumps({"error": described, "metadata": metadata}, ensure_ascii=False, separators=(",", ":"))
        await _respond(send, status, b"application/json", body.encode(errors="replace"), headers)

    def _record(
        self, request_id: str, caller: Caller, reference: str, route: Route, outcome: str, seconds: float
    ) -> None:
        self._counts.add("/".join(reference.split("/", 2)[:2]), route.version, outcome, seconds)
        self._receipts.keep(request_id, caller.name, reference, route, outcome, seconds)


async def _drained(receive: Receive) -> None:
    """Reads a body that is not wanted, for a while: who is still sending would not hear why it was refused."""
    size, more = 0, True
    while more and size <= _PATIENCE:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)


def _headers(scope: dict[str, Any]) -> tuple[bytes, bytes, int]:
    authorization = content_type = b""
    length = 0
    for name, value in scope["headers"]:
        if name == b"authorization":
            authorization = value
        elif name == b"content-type":
            content_type = value
        elif name == b"content-length":
            length = int(value)
    return authorization, content_type, length


def _kind(content_type: bytes) -> int:
    kind = _KINDS.get(content_type) or _KINDS.get(content_type.split(b";")[0].strip().lower())
    if kind is None:
        said = content_type.decode("latin-1")[:80]
        raise CallError(
            f"the content type {said!r} is not one of text/plain, application/json and application/octet-stream"
            if said
            else "the content type is missing: text/plain, application/json or application/octet-stream"
        )
    return kind


def _call_error(error: TrothError) -> CallError:
    """A refusal of the engine in the shape of a call's answer."""
    clauses = f" ({', '.join(error.clauses)})" if error.clauses else ""
    said = f"{error.what}{clauses}: {error.why}" if error.why else f"{error.what}{clauses}"
    said += f" (help: {error.repair})" if error.repair else ""
    if isinstance(error, Overloaded):
        found = CallError(said, status=503)
        found.retry_after = error.retry_after
        return found
    return CallError(said, "InitializationError")


def _envelope(result: CallResult, request_id: str) -> bytes:
    stdout = b"" if result.output is None else b',"stdout":' + json.dumps(result.output).encode()
    return b'{"result":%b,"metadata":{"content_type":"%b","duration":%b%b,"request_id":"%b"}}' % (
        result.body,
        _NAMES[result.kind],
        repr(round(result.seconds, 9)).encode() if result.seconds >= 1e-4 else b"%.9f" % result.seconds,
        stdout,
        request_id.encode(),
    )


def _receipt_headers(route: Route, reference: str, request_id: str) -> list[tuple[bytes, bytes]]:
    return [
        (b"troth-version", route.version.encode()),
        (b"troth-reference", reference.encode()),
        (b"troth-digest", route.source.encode()),
        (b"troth-request", request_id.encode()),
    ]


async def _respond(
    send: Send, status: int, content_type: bytes, body: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
