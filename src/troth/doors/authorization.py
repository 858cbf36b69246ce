"""From an Authorization header to a caller, in every form that clients send."""

from __future__ import annotations

import hashlib

from troth.calls.routing import Caller, RoutingTable

_SCHEMES = (b"simple ", b"bearer ")


def caller_of(table: RoutingTable, authorization: bytes) -> Caller | None:
    """The caller whose valid key the header holds: bare, or after `Simple` or `Bearer`."""
    key = authorization.strip()
    if key[:7].lower() in _SCHEMES:
        key = key[7:].strip()
    return table.callers.get(hashlib.sha256(key).hexdigest()) if key else None
