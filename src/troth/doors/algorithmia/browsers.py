"""What browsers ask for before a page of another host may call (CORS), and what they want to read in the reply.

A key travels in a header that no browser sends by itself, so everybody may ask; whether the call is admitted is the key's
own matter. Replies can be read by pages only where the key names their host.
"""

from __future__ import annotations

from collections.abc import Iterable

Headers = Iterable[tuple[bytes, bytes]]
_SECONDS = b"600"
_READABLE = b"troth-version, troth-reference, troth-digest, troth-request, troth-warning, retry-after"


def preflight(headers: Headers) -> list[tuple[bytes, bytes]] | None:
    """The headers of the answer to a browser that asks whether a page may call; None for what asks nothing like it."""
    asked = dict(headers)
    origin = asked.get(b"origin")
    if not origin or asked.get(b"access-control-request-method", b"").upper() != b"POST":
        return None
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-methods", b"POST"),
        (b"access-control-allow-headers", b"authorization, content-type, accept"),
        (b"access-control-max-age", _SECONDS),
        (b"vary", b"origin"),
    ]


def readable_lines(headers: Headers) -> bytes:
    """Header lines by which the page that called may read the reply; its host was compared with the key's before."""
    origin = dict(headers).get(b"origin")
    if not origin:
        return b""
    return b"access-control-allow-origin: %b\r\naccess-control-expose-headers: %b\r\nvary: origin\r\n" % (
        origin,
        _READABLE,
    )
