"""From an Authorization header to a caller, in every form that clients send."""

from __future__ import annotations

import functools
import hashlib

from troth.calls.routing import Caller, RoutingTable

_SCHEMES = (b"simple ", b"bearer ")


@functools.lru_cache(maxsize=4096)  # a digest says nothing of rights: those are looked up each time
def digest_of(authorization: bytes) -> str:
    """SHA-256 of the key in the header: bare, or after `Simple` or `Bearer`; nothing where there is none."""
    key = authorization.strip()
    if key[:7].lower() in _SCHEMES:
        key = key[7:].strip()
    return hashlib.sha256(key).hexdigest() if key else ""


def caller_of(table: RoutingTable, authorization: bytes) -> Caller | None:
    """The caller whose valid key the header holds."""
    return table.callers.get(digest_of(authorization))
