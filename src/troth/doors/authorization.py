"""From an Authorization header to a caller, in every form that clients send, if its key may be used here and now."""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Iterable
from urllib.parse import urlsplit

from troth.calls.routing import Caller, RoutingTable

_SCHEMES = (b"simple ", b"bearer ")
Headers = Iterable[tuple[bytes, bytes]]


@functools.lru_cache(maxsize=4096)  # a digest says nothing of rights: those are looked up each time
def digest_of(authorization: bytes) -> str:
    """SHA-256 of the key in the header: bare, or after `Simple` or `Bearer`; nothing where there is none."""
    key = key_in(authorization)
    return hashlib.sha256(key).hexdigest() if key else ""


def key_in(authorization: bytes) -> bytes:
    """The key or token in the header, without its scheme."""
    key = authorization.strip()
    return key[7:].strip() if key[:7].lower() in _SCHEMES else key


def caller_of(table: RoutingTable, authorization: bytes, headers: Headers = ()) -> Caller | None:
    """The caller whose valid key the header holds. A key with an origin needs the request's `headers` to name it."""
    caller = table.callers.get(digest_of(authorization))
    if caller is not None and not caller.limited:
        table.uses.fresh.add(caller.key_id)
        return caller
    return _admitted(table, caller, authorization, headers)


def caller_with(table: RoutingTable, key: str, headers: Headers = ()) -> Caller | None:
    """The caller whose valid key this is."""
    return _admitted(table, table.callers.get(hashlib.sha256(key.encode()).hexdigest()), key.encode(), headers)


def is_production(table: RoutingTable, headers: Headers) -> bool:
    """Whether the key that came with a request is one for production, valid or not."""
    authorization = next((value for name, value in headers if name == b"authorization"), b"")
    caller = table.callers.get(digest_of(authorization))
    return caller is not None and caller.scope.production


def why_not(table: RoutingTable, authorization: bytes, headers: Headers) -> str:
    """Why the key that came is not taken, for who holds it; nothing where it is none that ever was."""
    caller = table.callers.get(digest_of(authorization))
    if caller is None or in_force(caller, headers):
        return ""
    if caller.expires is not None and caller.expires <= time.time():
        return "this key has expired"
    return "this key is for another origin"


def in_force(caller: Caller, headers: Headers) -> bool:
    """Whether the key may be used at this moment, by pages of the host that sent the request."""
    if caller.expires is not None and caller.expires <= time.time():
        return False
    return not caller.scope.origin or caller.scope.origin in _origins(headers)


def _admitted(table: RoutingTable, caller: Caller | None, key: bytes, headers: Headers) -> Caller | None:
    if caller is None:
        return table.sign_in(key_in(key)) if table.sign_in is not None and b"." in key else None
    if not in_force(caller, headers):
        return None
    table.uses.fresh.add(caller.key_id)
    return caller


def _origins(headers: Headers) -> list[str]:
    """The host, with its port where that is named, of the page that a request says it comes from."""
    said = {name: value for name, value in headers if name in (b"origin", b"referer")}
    page = said.get(b"origin", said.get(b"referer", b""))
    try:
        return [urlsplit(page.decode("latin-1")).netloc.lower()]
    except ValueError:
        return []
