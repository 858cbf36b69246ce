"""`POST /v1/algo/OWNER/NAME[/VERSION]`: calls of algorithms, without a database, a disk or a framework, bodies unread.

`CallDoor.start` takes a whole request and replies by a callback; the ASGI application here and the protocol of
`troth.doors.server` both come down to it.
"""

from __future__ import annotations

import asyncio
import functools
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

import structlog

from troth.calls.own_apis import OwnApis
from troth.calls.results import Results
from troth.calls.routing import Caller, RoutingTable
from troth.calls.within import MARK, CallKeys, NotYet
from troth.doors.algorithmia import streams
from troth.doors.algorithmia.answers import Answer, CallError, head_of
from troth.doors.algorithmia.browsers import preflight
from troth.doors.algorithmia.content_types import kind_of
from troth.doors.algorithmia.encodings import unpacked
from troth.doors.algorithmia.exchange import Asked, Exchange, Options, Respond
from troth.doors.algorithmia.watch import Watch
from troth.doors.algorithmia.within import admit_within
from troth.doors.authorization import caller_of, digest_of, why_not
from troth.errors import Malformed, TooLarge
from troth.observe.tracing import continuation
from troth.runtime.engine import CallRequest, Engine, Outcome

PREFIX = "/v1/algo/"
Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]
#: Says why a reference has no answer, to those who may know: from (reference, caller) to words, None where it has one.
Explain = Callable[[str, Caller], Awaitable[str | None]]

log = structlog.get_logger()

#: How often, and after how many seconds, a reference is looked up again that was published this moment.
_LOOKS, _LOOK = 100, 0.01
#: Bytes of a body that is too large which are still read, so that the client hears why.
_PATIENCE = 64 << 20
#: characters of a path beyond which what it names is not remembered
_LONG_PATH = 256
_HASH_LENGTH = 40


class ClientGone(Exception):
    """The client left before its request was complete."""


class _Unexplained(Exception):
    """A reference has no answer, and its caller may know why."""


class CallDoor:
    """The door for calls: `start` for a request that is there, and an ASGI application."""

    def __init__(
        self,
        table: RoutingTable,
        engine: Engine,
        watch: Watch,
        results: Results,
        explain: Explain,
        keys: CallKeys,
        apis: OwnApis | None = None,
        *,
        call_seconds: float,
        longest_call_seconds: float,
        request_bytes: int,
    ) -> None:
        self.results = results
        self.engine = engine
        self.largest = request_bytes
        self._table = table
        self.watch = watch
        self._explain = explain
        self._default = Options(call_seconds)
        self._longest = longest_call_seconds
        self._keys = keys
        #: what every reply says of the state of this API
        self.apis = apis or OwnApis()
        #: request ids of calls under way that have written to the session of theirs, and what hears of their end
        self.sessions: set[str] = set()
        self.end_session: Callable[[str], None] = _nothing
        self._explaining: set[asyncio.Task[None]] = set()
        first = str(uuid.uuid4())
        self._request_prefix, self._requests = f"req-{first[:24]}", int(first[24:], 16)

    def open(
        self, path: str, authorization: bytes, respond: Respond, traceparent: bytes = b"", tracestate: bytes = b""
    ) -> Exchange:
        """A call of the reference in a path, of which nothing is looked at yet."""
        # a new request id: a random uuid of this process, counted up, because making one each costs 3 microseconds
        self._requests = (self._requests + 1) & 0xFFFFFFFFFFFF
        request_id = f"{self._request_prefix}{self._requests:012x}"
        asked = _known_path(path) if len(path) <= _LONG_PATH else _asked(path)
        exchange = Exchange(self, request_id, asked, authorization, self._default, respond)
        if traceparent or self.watch.tracing is not None:
            self._trace(exchange, traceparent.decode("latin-1"), tracestate.decode("latin-1"))
        return exchange

    def start(self, exchange: Exchange, query: bytes, content_type: bytes, body: bytes) -> None:
        """Runs the call and replies, now or later. Must run on the loop's thread."""
        try:
            self._admit(exchange, query, "POST")
            kind = kind_of(content_type)
            self._check_size(len(body))
            self._run(exchange, kind, body)
        except (_Unexplained, NotYet):
            task = asyncio.get_running_loop().create_task(self._start_later(exchange, query, content_type, body))
            self._explaining.add(task)
            task.add_done_callback(self._explaining.discard)
        except Exception as error:
            self._fail(exchange, error)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS" and (allowed := preflight(scope["headers"])) is not None:
            await send({"type": "http.response.start", "status": 204, "headers": allowed})
            await send({"type": "http.response.body", "body": b""})
            return
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        head = dict(scope["headers"])
        authorization, content_type = head.get(b"authorization", b""), head.get(b"content-type", b"")
        length, form = int(head.get(b"content-length", 0)), streams.form_of(head.get(b"accept", b""))
        exchange = self.open(
            "/" + scope["path"].lstrip("/"),
            authorization,
            lambda answer: None if future.done() else future.set_result(answer),
            head.get(b"traceparent", b""),
            head.get(b"tracestate", b""),
        )
        exchange.head = scope["headers"]
        exchange.peer = scope["client"]
        received = False
        try:
            await self._admitted(exchange, scope["query_string"], scope["method"])
            kind = kind_of(content_type)
            received = True
            body, at_once = await self._body(receive, length)
            body = self._unpacked(body, head.get(b"content-encoding", b""))
            if not at_once:  # it took a while to come, and the caller's rights are those of now (ALG-26)
                await self._admitted(exchange, scope["query_string"], scope["method"])
            if form is not None and not exchange.options.output:
                self.begin(exchange)
                request = CallRequest(
                    kind,
                    body,
                    exchange.options.seconds,
                    trace=exchange.continued(),
                    origin=exchange,
                    parent=exchange.parent,
                )
                await streams.stream(exchange, request, form, receive, send)
                return
            self._run(exchange, kind, body)
        except ClientGone:
            return  # nobody is there to hear, and half a request is none
        except Exception as error:
            if not received:
                await _drained(receive)
            self._fail(exchange, error)
        if await _left(future, receive):
            exchange.cancel()
        else:
            await respond(send, future.result())

    def begin(self, exchange: Exchange) -> None:
        """Counts the call among those under way. Raises CallError where its key makes more than it may."""
        limits = self.watch.limits
        if limits.active and exchange.parent is None:  # within a call another number holds
            key = digest_of(exchange.authorization)
            refused = limits.admit(key, asyncio.get_running_loop().time())
            if refused is not None:
                said = f"this call is one too many: {refused.words}"
                raise CallError(said, status=429, outcome=Outcome.RATE_LIMITED, retry_after=refused.retry_after)
            exchange.counted_as = key
        if exchange.trace is not None:
            exchange.trace.queued = time.time_ns()

    def _trace(self, exchange: Exchange, traceparent: str, tracestate: str) -> None:
        """Begins the call's trace, or lets the algorithm continue its caller's where no span is written here."""
        if self.watch.tracing is not None:
            exchange.trace = self.watch.tracing.begin(traceparent, tracestate)
        if exchange.trace is None:
            exchange.traced = continuation(traceparent, tracestate)

    def owns(self, caller: Caller, subject: str) -> bool:
        """Whether the caller is the algorithm's owner or a member of it."""
        routes = self._table.algorithms.get(subject)
        return routes is not None and self._table.belongs(caller, routes.owner_id)

    def _admit(self, exchange: Exchange, query: bytes, method: str) -> None:
        """Finds out what is asked, by whom, and which version answers. Raises CallError, and _Unexplained."""
        if query:
            exchange.options = self._options(query)
        if method != "POST":
            raise CallError("calls are made by POST", status=405)
        if MARK in exchange.authorization:
            caller: Caller | None = admit_within(exchange, self._keys)
        else:
            caller = caller_of(self._table, exchange.authorization, exchange.head)
        exchange.caller = caller
        if caller is None:
            exchange.route = None
            why = why_not(self._table, exchange.authorization, exchange.head)
            raise CallError(f"authorization required: {why}" if why else "authorization required")
        exchange.route = self._table.resolve(exchange.subject, exchange.version, caller)
        if caller.limited:
            self._keep_to_scope(exchange, caller)
        if exchange.route is None:
            stopped = self._table.stopped(exchange.subject, exchange.version)
            if not stopped and self.owns(caller, exchange.subject):
                raise _Unexplained
            raise _not_found(exchange, stopped)

    def _keep_to_scope(self, exchange: Exchange, caller: Caller) -> None:
        """Raises CallError for what the key is not for, and counts what a production key calls by a floating reference.

        What is private is not found then, even by its owner, exactly like what never was (ALG-25).
        """
        subject, version = exchange.subject, exchange.version
        if not caller.reaches(subject):
            exchange.route = None
            if not self._table.public(subject, version):
                raise _not_found(exchange, "")
            said = f"this key is not for algo://{subject}"
            raise CallError(f"{said}: it may call {', '.join(caller.scope.algorithms[:5]) or 'nothing'}")
        if caller.scope.production and exchange.route is not None and version != exchange.route.version:
            exchange.floats = len(version) != _HASH_LENGTH
            if exchange.floats:
                self._table.uses.floated(exchange.reference, caller.key_id)

    async def _admitted(self, exchange: Exchange, query: bytes, method: str) -> None:
        for looks in range(_LOOKS):
            try:
                self._admit(exchange, query, method)
            except NotYet:
                if looks == _LOOKS - 1:
                    raise CallError(
                        "authorization required: the call that this key was made for does not run"
                    ) from None
                await asyncio.sleep(_LOOK / 10)
            except _Unexplained:
                await self._explained(exchange)
                return
            else:
                return

    async def _explained(self, exchange: Exchange) -> None:
        """The version after all, if it was published this moment. Raises CallError with the reason why there is none."""
        assert exchange.caller is not None
        for _ in range(_LOOKS):
            why = await self._explain(exchange.reference, exchange.caller)
            if why is not None:
                raise _not_found(exchange, why)
            # the registry has it, and this table will in a moment: a commit is seen there first
            await asyncio.sleep(_LOOK)
            exchange.route = self._table.resolve(exchange.subject, exchange.version, exchange.caller)
            if exchange.route is not None:
                return
        raise _not_found(exchange, "")

    async def _start_later(self, exchange: Exchange, query: bytes, content_type: bytes, body: bytes) -> None:
        try:
            await self._admitted(exchange, query, "POST")
            kind = kind_of(content_type)
            self._check_size(len(body))
            self._run(exchange, kind, body)
        except Exception as error:
            self._fail(exchange, error)

    def _run(self, exchange: Exchange, kind: int, body: bytes) -> None:
        options, route = exchange.options, exchange.route
        assert route is not None
        self.begin(exchange)
        capture = options.stdout and exchange.sees_source()
        trace, raw = exchange.continued(), options.output == "raw"
        request = CallRequest(kind, body, options.seconds, raw, capture, trace, exchange, exchange.parent)
        if options.output == "void":
            self.engine.submit(route.spec, request, exchange.settle_behind)
            exchange.begun()
        else:
            ticket = self.engine.submit(route.spec, request, exchange.settle)
            if not exchange.replied:
                exchange.ticket = ticket

    def _fail(self, exchange: Exchange, error: Exception) -> None:
        """Replies with what went wrong before the call was anywhere."""
        if isinstance(error, CallError):
            exchange.refuse(error)
            return
        log.exception("call failed inside the server", request=exchange.request_id, reference=exchange.reference)
        exchange.refuse(CallError("internal error", status=500, outcome=Outcome.INTERNAL))

    def _options(self, query: bytes) -> Options:
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
        return Options(min(seconds, self._longest), given.get("stdout", "").lower() == "true", output)

    async def _body(self, receive: Receive, length: int) -> tuple[bytes, bool]:
        """The whole body, and whether it was there at once. One beyond the limit is read on for a while, so that the client hears why it is refused."""
        message = await receive()
        body: bytes = message.get("body", b"")
        if message["type"] == "http.request" and not message["more_body"] and len(body) <= self.largest:
            return body, True
        chunks, size = [body], len(body)
        while message["type"] == "http.request" and message["more_body"] and size <= _PATIENCE:
            message = await receive()
            chunk = message.get("body", b"")
            size += len(chunk)
            if size <= self.largest:
                chunks.append(chunk)
        if message["type"] == "http.disconnect":
            raise ClientGone
        self._check_size(max(size, length))
        return b"".join(chunks), False

    def _unpacked(self, body: bytes, encoding: bytes) -> bytes:
        try:
            return unpacked(body, encoding.decode("latin-1"), self.largest)
        except TooLarge as error:
            raise CallError(error.what, "TooLargeError") from None
        except Malformed as error:
            raise CallError(error.what) from None

    def _check_size(self, size: int) -> None:
        if size > self.largest:
            raise CallError(f"the body is larger than {self.largest} bytes", "TooLargeError")


async def respond(send: Send, answer: Answer) -> None:
    """Sends a whole reply."""
    await send({"type": "http.response.start", "status": answer.status, "headers": head_of(answer)})
    await send({"type": "http.response.body", "body": answer.body})


def _asked(path: str) -> Asked:
    reference = path[len(PREFIX) :].strip("/")
    owner, _, rest = reference.partition("/")
    name, _, version = rest.partition("/")
    return Asked(reference, f"{owner}/{name}", version)


_known_path = functools.lru_cache(maxsize=1024)(_asked)


def _not_found(exchange: Exchange, why: str) -> CallError:
    return CallError(f"algorithm algo://{exchange.reference} not found{why}")


async def _left(future: asyncio.Future[Answer], receive: Receive) -> bool:
    """Waits for the reply; whether the client left before it."""
    if future.done():
        return False
    gone = asyncio.ensure_future(_disconnected(receive))
    gone.add_done_callback(lambda _: future.cancel())
    try:
        await asyncio.wait([future])
    finally:
        gone.cancel()
    return future.cancelled()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _drained(receive: Receive) -> None:
    """Reads a body that is not wanted, for a while: who is still sending would not hear why it was refused."""
    size, more = 0, True
    while more and size <= _PATIENCE:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)


def _nothing(session: str) -> None:
    """No session has ended that anybody asks for."""
