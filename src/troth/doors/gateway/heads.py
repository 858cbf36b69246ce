"""Which headers pass the gateway, in both directions.

What is of one connection only does not (RFC 9110, section 7.6.1), nor what would make an upstream speak for troth: its own headers,
cookies and policies for the whole host.
"""

from __future__ import annotations

from collections.abc import Iterable

Header = tuple[bytes, bytes]
_HOP = frozenset(
    [
        b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"proxy-authorization", b"te", b"trailer",
        b"transfer-encoding", b"upgrade",
    ]
)  # fmt: skip
#: of a request: troth's own key, cookies of the host, and what the gateway says itself
_NOT_IN = _HOP | {
    b"host", b"expect", b"cookie", b"troth-key", b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto",
    b"x-forwarded-prefix", b"x-real-ip",
}  # fmt: skip
#: of a reply: what holds for the whole host, and what this process says itself
_NOT_OUT = _HOP | {
    b"set-cookie", b"clear-site-data", b"strict-transport-security", b"alt-svc", b"service-worker-allowed", b"public-key-pins",
    b"nel", b"report-to", b"reporting-endpoints", b"date", b"x-content-type-options",
}  # fmt: skip
#: Pages come from strangers: their origin is nobody's (decision 0096).
SANDBOX = (
    (
        b"content-security-policy",
        b"sandbox allow-scripts allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads allow-modals",
    ),
    (b"x-content-type-options", b"nosniff"),
)


def inward(headers: Iterable[Header]) -> list[Header]:
    """The headers of a request as the upstream gets them, without its Host."""
    headers = list(headers)
    named = _named(headers)
    return [header for header in headers if header[0] not in _NOT_IN and header[0] not in named]


def outward(headers: Iterable[Header], moved: tuple[bytes, bytes]) -> list[Header]:
    """The headers of a reply as the client gets them; a Location below the first of `moved` leads below the second."""
    lowered = [(name.lower(), value) for name, value in headers]
    named = _named(lowered)
    found = []
    for name, value in lowered:
        if name in _NOT_OUT or name in named or name.startswith(b"troth-"):
            continue
        if name == b"location" and value.startswith(moved[0]):
            value = moved[1] + value[len(moved[0]) :]
        found.append((name, value))
    return [*found, *SANDBOX]


def _named(headers: Iterable[Header]) -> frozenset[bytes]:
    """The headers that `Connection` says are of this connection only."""
    said = [value for name, value in headers if name == b"connection"]
    if not said:
        return frozenset()
    named = frozenset(part.strip().lower() for value in said for part in value.split(b","))
    return named - {b"content-length", b"content-type", b"authorization"}  # no request smuggles these away
