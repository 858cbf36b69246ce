"""What browsers ask for before a page of another host may ask for something (CORS), and what they want to read in the reply.

A key travels in a header that no browser sends by itself, so everybody may ask; whether the request is admitted is the key's
own matter. Replies can be read by pages only where the key names their host.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from troth.calls.routing import RoutingTable
from troth.doors.authorization import caller_of

Headers = Iterable[tuple[bytes, bytes]]
_SECONDS = b"600"
_CALLS, _OTHERS = (b"POST",), (b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE")
_ALLOWED = b"authorization, content-type, accept, range, if-none-match"
_READABLE = (
    b"troth-version, troth-reference, troth-digest, troth-request, troth-warning, retry-after, x-data-type, x-error-message,"
    b" content-range, etag"
)


def preflight(headers: Headers, methods: tuple[bytes, ...] = _CALLS) -> list[tuple[bytes, bytes]] | None:
    """The headers of the answer to a browser that asks whether a page may ask; None for what asks nothing like it."""
    asked = dict(headers)
    origin = asked.get(b"origin")
    if not origin or asked.get(b"access-control-request-method", b"").upper() not in methods:
        return None
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-methods", b", ".join(methods)),
        (b"access-control-allow-headers", _ALLOWED),
        (b"access-control-max-age", _SECONDS),
        (b"vary", b"origin"),
    ]


def readable_lines(headers: Headers) -> bytes:
    """Header lines by which the page that called may read the reply; its host was compared with the key's before."""
    return b"".join(b"%b: %b\r\n" % line for line in _readable(headers))


class Pages:
    """An ASGI application for everything but calls, which pages of a key's host may ask and read too."""

    def __init__(self, application: Any, table: RoutingTable) -> None:
        self._application = application
        self._table = table

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = scope["headers"]
        if scope["method"] == "OPTIONS" and (allowed := preflight(headers, _OTHERS)) is not None:
            await send({"type": "http.response.start", "status": 204, "headers": allowed})
            await send({"type": "http.response.body", "body": b""})
            return
        lines = self._lines(headers)

        async def sent(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *lines]}
            await send(message)

        await self._application(scope, receive, sent if lines else send)

    def _lines(self, headers: Headers) -> list[tuple[bytes, bytes]]:
        """What lets the page read that sent this, if its key names its host."""
        asked = dict(headers)
        if b"origin" not in asked:
            return []
        caller = caller_of(self._table, asked.get(b"authorization", b""), headers)
        return _readable(headers) if caller is not None and caller.scope.origin else []


def _readable(headers: Headers) -> list[tuple[bytes, bytes]]:
    origin = dict(headers).get(b"origin")
    if not origin:
        return []
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-expose-headers", _READABLE),
        (b"vary", b"origin"),
    ]
