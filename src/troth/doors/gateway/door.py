"""The door of the gateway: hands a request to the upstream of its version, streaming both ways, and says in which state that is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import structlog

from troth.calls.api_uses import ApiUses
from troth.calls.apis import GATEWAY, Apis, ServedApi
from troth.calls.operations import OTHER
from troth.calls.routing import Caller, RoutingTable
from troth.doors.authorization import caller_of, digest_of
from troth.doors.gateway.addresses import Addresses
from troth.doors.gateway.heads import SANDBOX, inward, outward
from troth.doors.gateway.paths import Place, place_of
from troth.doors.gateway.upstreams import UpstreamClient
from troth.errors import (
    Malformed,
    NotFound,
    TooLarge,
    TrothError,
    Unauthenticated,
    Unavailable,
    UpstreamFailed,
)
from troth.registry.upstreams import Upstream
from troth.sdk.lifecycles.asgi import marked, refuse
from troth.versions.lifecycles.headers import Marking

PREFIX = GATEWAY
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
#: upstreams whose connections are kept
_MOST = 1000

log = structlog.get_logger()


class _ClientGone(Exception):
    """The client left before its request was complete."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that is let in."""

    place: Place
    api: ServedApi
    marking: Marking
    caller: Caller | None


class GatewayDoor:
    """ASGI for everything below `/gateway/`."""

    def __init__(self, table: RoutingTable, apis: Apis, uses: ApiUses, addresses: Addresses) -> None:
        self._table = table
        self._apis = apis
        self._uses = uses
        self._addresses = addresses
        self._clients: dict[Upstream, UpstreamClient] = {}

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        try:
            asked = self._let_in(scope)
        except TrothError as error:
            await _fail(send, scope["method"], error)
            return
        live, marking = asked.api.live, asked.marking
        self._count(asked, scope)
        if marking.headers:
            send = marked(send, marking)
        production = asked.caller is not None and asked.caller.scope.production
        refusal = live.refused(marking, production=production)
        if refusal is not None:
            await refuse(send, "http.response", scope["method"], refusal)
            return
        try:
            await self._hand_on(asked, scope, receive, send)
        except TrothError as error:
            await _fail(send, scope["method"], error)
        except _ClientGone:
            return

    async def close(self) -> None:
        """Closes every connection to an upstream."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.close()

    def health(self, upstream: Upstream) -> bool | None:
        """Whether an upstream is well; None where nobody has asked for it yet, or it names no path for that."""
        client = self._clients.get(upstream)
        return client.is_well if client is not None and upstream.health_path is not None else None

    def _let_in(self, scope: dict[str, Any]) -> _Asked:
        """Raises NotFound, in the same words for what is private as for what there is not, Unauthenticated and Malformed."""
        if scope["method"] in ("TRACE", "CONNECT"):
            raise Malformed(f"{scope['method']} is not for the gateway", repair="use another method")
        place = place_of(scope["raw_path"])
        caller = self._caller(scope["headers"])
        api = self._apis.served.get(place.subject)
        if api is None or not api.shown_to(caller, self._table):
            raise NotFound(
                f"there is no API {place.subject[:130]}",
                why="it was never made, or you may not know of it",
                repair="look at its name; what is private needs a key in Troth-Key",
            )
        marking = api.live.marking(place.version)
        if marking is None:
            served = ", ".join(version.name for version in api.live.table.versions.values())
            raise NotFound(
                f"{place.subject} has no version {place.version[:40]}",
                why=f"it has {served}" if served else "it has none yet",
                repair="name one of them" if served else "ask its owner",
                clauses=["PDB-10"],
            )
        return _Asked(place, api, marking, caller)

    def _caller(self, headers: list[tuple[bytes, bytes]]) -> Caller | None:
        key = next((value for name, value in headers if name == b"troth-key"), b"")
        if not key:
            return None
        caller = caller_of(self._table, key, headers)
        if caller is None:
            raise Unauthenticated(
                "the key in Troth-Key is none", why="no valid key came with the request", repair="send a valid one"
            )
        return caller

    def _count(self, asked: _Asked, scope: dict[str, Any]) -> None:
        number = asked.marking.version.number
        operations = asked.api.operations.get(number)
        operation, parameters = OTHER, tuple[str, ...]()
        if operations is not None:
            path = asked.place.rest.decode("latin-1")
            operation, parameters = operations.of(scope["method"], path, scope["query_string"])
        self._uses.add(asked.api.subject, number, operation, parameters, asked.caller.name if asked.caller else "")

    async def _hand_on(self, asked: _Asked, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        client = self._client(asked)
        upstream = client.upstream
        length = _length(scope["headers"])
        if length is not None and length > upstream.body_bytes:
            raise _too_large(upstream)
        if not client.is_well:
            raise Unavailable("the upstream is not well", why="it does not answer for its health", repair="try later")
        passed = [
            header
            for header in inward(scope["headers"])  # a key of this server is no upstream's, wherever it stands
            if header[0] != b"authorization" or digest_of(header[1]) not in self._table.callers
        ]
        headers = [*passed, *_forwarded(scope, asked.place)]
        has_body = length is not None or any(name == b"transfer-encoding" for name, _ in scope["headers"])
        target = client.base + b"/" + asked.place.version.encode() + asked.place.rest
        if scope["query_string"]:
            target += b"?" + scope["query_string"]
        moved = (client.base + b"/", f"{GATEWAY}{asked.place.subject}/".encode())
        async with _until_left(receive) as watch:
            if not has_body:
                watch()
            content = _body(receive, upstream.body_bytes, watch) if has_body else None
            reply = await client.send(scope["method"], target, headers, content)
            watch()  # what is left of a body that is answered already is nobody's
            try:
                told = outward(reply.headers.raw, moved)
                if reply.status_code in (204, 304):  # which have no body, whatever length they tell
                    told = [header for header in told if header[0] != b"content-length"]
                await send({"type": "http.response.start", "status": reply.status_code, "headers": told})
                await _pass_on(reply, send)
            finally:
                await reply.aclose()
        await send({"type": "http.response.body", "body": b""})

    def _client(self, asked: _Asked) -> UpstreamClient:
        upstream = asked.api.upstream(asked.marking.version.number)
        if upstream is None:
            raise Unavailable(
                f"{asked.api.subject} has no upstream for {asked.place.version}",
                why="nobody told the gateway where it runs",
                repair=f"its owner does: troth api upstream {asked.api.subject} URL",
            )
        client = self._clients.get(upstream)
        if client is None:
            client = self._clients[upstream] = UpstreamClient(upstream, self._addresses)
            if len(self._clients) > _MOST:
                self._forget()
        client.watch(lambda: any(upstream in api.upstreams.values() for api in self._apis.served.values()))
        return client

    def _forget(self) -> None:
        """Closes what no API names any more, and the oldest beyond what is kept."""
        named = {upstream for api in self._apis.served.values() for upstream in api.upstreams.values()}
        gone = [upstream for upstream in self._clients if upstream not in named] or list(self._clients)[: _MOST // 10]
        for upstream in gone:
            task = asyncio.get_running_loop().create_task(self._clients.pop(upstream).close())
            task.add_done_callback(lambda done: done.cancelled() or done.exception())


async def _pass_on(reply: httpx2.Response, send: Send) -> None:
    """Hands on a body piece by piece, but for its end. What breaks off ends the connection, so that nobody takes it for whole."""
    try:
        async for piece in reply.aiter_raw():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    except httpx2.TransportError as error:
        log.warning("an upstream broke off in its reply", why=str(error) or type(error).__name__)
        raise _ClientGone from None  # the reply stays incomplete, and the server closes the connection


@asynccontextmanager
async def _until_left(receive: Receive) -> AsyncIterator[Callable[[], None]]:
    """Ends the block with _ClientGone once the client left, even while an upstream keeps silent.

    The client is watched from when the function that it gives is called: until then, somebody else receives the body.
    """
    watching: list[asyncio.Task[None]] = []
    try:
        async with asyncio.timeout(None) as block:

            def watch() -> None:
                if not watching:
                    watching.append(asyncio.ensure_future(_end(block, receive)))

            try:
                yield watch
            finally:
                for task in watching:
                    task.cancel()
    except TimeoutError:
        if block.expired():
            raise _ClientGone from None
        raise


async def _end(block: asyncio.Timeout, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    block.reschedule(0)


async def _body(receive: Receive, most: int, received: Callable[[], None]) -> AsyncIterator[bytes]:
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _ClientGone
        piece = message.get("body", b"")
        size += len(piece)
        if size > most:
            raise TooLarge(f"the body is larger than {most} bytes", repair="send a smaller one")
        if piece:
            yield piece
        more = message.get("more_body", False)
    received()


def _forwarded(scope: dict[str, Any], place: Place) -> list[tuple[bytes, bytes]]:
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    client = scope.get("client")
    found = [(b"x-forwarded-host", host), (b"x-forwarded-proto", scope["scheme"].encode())] if host else []
    if client:
        found.append((b"x-forwarded-for", str(client[0]).encode()))
    found.append((b"x-forwarded-prefix", f"{GATEWAY}{place.subject}".encode()))
    return found


def _length(headers: list[tuple[bytes, bytes]]) -> int | None:
    for name, value in headers:
        if name == b"content-length":
            return int(value)  # the parser has looked at it
    return None


def _too_large(upstream: Upstream) -> TooLarge:
    return TooLarge(f"the body is larger than {upstream.body_bytes} bytes", repair="send a smaller one")


async def _fail(send: Send, method: str, error: TrothError) -> None:
    body = json.dumps(error.as_problem(), default=str).encode()
    head = [(b"content-type", b"application/problem+json"), (b"content-length", b"%d" % len(body)), *SANDBOX]
    if isinstance(error, (Unavailable, UpstreamFailed)):
        head.append((b"retry-after", b"5"))
    await send({"type": "http.response.start", "status": error.status, "headers": head})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})
