"""Everything but calls, handed on by a front to the server, as it came."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2
from starlette.requests import Request

from troth.doors.algorithmia.refusals import refusal
from troth.doors.server.relaying import Relaying
from troth.errors import ServerUnreachable, Unauthenticated

#: headers of one connection only (RFC 9110, section 7.6.1), and what both ends' libraries write themselves
_HOP = frozenset(
    [b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"expect"]
)


class _Ended(Exception):
    """The call ended in which a request was made, before the request was complete."""


class Proxy:
    """An ASGI application over the server's own socket; `own` are the doors of this process, each by what its paths begin with."""

    def __init__(self, inner: str, own: Mapping[str, Any], relaying: Relaying) -> None:
        self._own = own
        self._relaying = relaying
        transport = httpx2.AsyncHTTPTransport(uds=inner, limits=httpx2.Limits(max_connections=None))
        self._client = httpx2.AsyncClient(
            transport=transport, timeout=None, follow_redirects=False, base_url="http://troth", trust_env=False
        )

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        path = "/" + scope["path"].lstrip("/")
        for prefix, door in self._own.items():
            if path.startswith(prefix):
                await door({**scope, "path": path}, receive, send)
                return
        try:
            await self._handed_on(scope, receive, send)
        except (Unauthenticated, _Ended) as error:
            refused = error if isinstance(error, Unauthenticated) else Unauthenticated("authorization required")
            response = refusal(
                refused, Request(scope, receive), str(uuid.uuid4()), plain_status=scope["method"] != "PUT"
            )
            await response(scope, receive, send)
        except httpx2.TransportError as error:
            body = json.dumps(ServerUnreachable(f"the server does not answer: {error}").as_problem()).encode()
            headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 503, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    async def _handed_on(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = [(name, value) for name, value in await self._relaying.head(scope) if name not in _HOP]
        query = scope["query_string"]
        target = scope["raw_path"] + (b"?" + query if query else b"")
        url = self._client.base_url.copy_with(raw_path=target)
        has_body = any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])
        content = self._body(scope, receive) if has_body else None
        request = httpx2.Request(scope["method"], url, headers=headers, content=content)
        reply = await self._client.send(request, stream=True)
        try:
            kept = [(name.lower(), value) for name, value in reply.headers.raw if name.lower() not in _HOP]
            kept = [(name, value) for name, value in kept if name != b"date"]  # this process writes its own
            await send({"type": "http.response.start", "status": reply.status_code, "headers": kept})
            async for chunk in reply.aiter_raw():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            await reply.aclose()

    async def _body(self, scope: dict[str, Any], receive: Any) -> AsyncIterator[bytes]:
        """The body. The last of it goes on only if the call still runs that sends it, as the server's own workers have it."""
        last, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise httpx2.ReadError("the client left")
            piece, more = message.get("body", b""), message.get("more_body", False)
            if piece and last:
                yield last
            last = piece or last
        if not await self._relaying.holds(scope):
            raise _Ended
        yield last
