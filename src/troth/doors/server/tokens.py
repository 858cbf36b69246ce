"""Signing in with a JWT of another directory: its signature, issuer, audience and time are checked, its claim names the account.

The keys (a JWKS, by file or address) are read by a thread of their own: when the server starts, every few minutes, and soon
after a token came whose key is not among them. A request never waits for that; a token of a key that is not known yet is
refused until it is. Without `tokens_jwks` no token is taken, and the libraries are not loaded.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog

from troth.calls.routing import EXTERNAL, Caller, RoutingTable
from troth.errors import MalformedSetting
from troth.settings import Settings

log = structlog.get_logger()

#: What a token may be signed with: never `none`, and nothing whose key the verifier would have to keep secret.
ALGORITHMS = frozenset(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"])
_FETCH_SECONDS, _LARGEST_SET, _MOST_KEYS = 5.0, 256 << 10, 50
#: seconds after which keys are read again, and between two readings at least
_FRESH, _PAUSE = 300.0, 2.0
_LONGEST_TOKEN, _MOST_REMEMBERED, _LEEWAY = 8192, 4096, 30
_SHORTEST_RSA = 2048
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Tokens:
    """Who signed tokens stand for. `caller` is what the doors ask; `start` and `close` are its thread's."""

    def __init__(self, settings: Settings, table: RoutingTable) -> None:
        self._source = settings.tokens_jwks
        self._issuer, self._audience = settings.tokens_issuer, settings.tokens_audience
        self._claim = settings.tokens_claim
        self._algorithms = _checked(settings)
        self._table = table
        self._keys: Mapping[str, dict[str, Any]] = {}
        #: names that were proved, with the moment until which the proof holds, by the token's digest
        self._proved: OrderedDict[bytes, tuple[str, float]] = OrderedDict()
        self._wanted, self._closing = threading.Event(), False
        self._thread = threading.Thread(target=self._follow, name="keys of tokens", daemon=True)

    def start(self) -> None:
        """Begins to read keys."""
        self._thread.start()

    def close(self) -> None:
        """Ends the reading; one under way is not waited for."""
        self._closing = True
        self._wanted.set()

    def caller(self, token: bytes) -> Caller | None:
        """The account that the token names, with all its rights of this moment; None where the token does not hold."""
        digest = hashlib.sha256(token).digest()
        found = self._proved.get(digest)
        if found is None:
            found = self._prove(token)
            if found is None:
                return None
            self._proved[digest] = found
            if len(self._proved) > _MOST_REMEMBERED:
                self._proved.popitem(last=False)
        name, until = found
        return self._table.accounts.get(name) if time.time() < until else None

    def _prove(self, token: bytes) -> tuple[str, float] | None:
        import jwt

        if len(token) > _LONGEST_TOKEN or token.count(b".") != 2:
            return None
        try:
            header = jwt.get_unverified_header(token)
            algorithm, named = header.get("alg"), header.get("kid") or header.get("x5t")
            if algorithm not in self._algorithms or not isinstance(named, str) or "crit" in header:
                return None
            held = self._keys.get(named)
            if held is None:
                self._wanted.set()
                return None
            if held.get("alg", algorithm) != algorithm:
                return None
            claims = jwt.decode(
                token,
                jwt.PyJWK(held, algorithm=algorithm).key,
                algorithms=[algorithm],
                issuer=self._issuer,
                audience=self._audience,
                leeway=_LEEWAY,
                options={"require": ["exp", "iss", "aud"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            log.info("a token was refused", why=type(error).__name__)
            return None
        name = claims.get(self._claim or "sub")
        if not isinstance(name, str) or not name or (self._claim and ":" in name):
            return None
        return (name if self._claim else f"{EXTERNAL}{name}"), float(claims["exp"])

    def _follow(self) -> None:
        while not self._closing:
            self._wanted.clear()
            try:
                found = self._read()
                if found != self._keys:
                    self._keys = found
                    self._proved = OrderedDict()  # what a key proved that is gone does not hold any more
            except Exception as error:
                log.warning("keys of tokens cannot be read", source=self._source, why=str(error)[:200])
            time.sleep(_PAUSE)
            self._wanted.wait(_FRESH)

    def _read(self) -> dict[str, dict[str, Any]]:
        """The usable keys by each of their names."""
        found: dict[str, dict[str, Any]] = {}
        for key in json.loads(self._content())["keys"][:_MOST_KEYS]:
            if key.get("use", "sig") == "sig" and _verifies(key):
                found |= {name: key for name in (key.get("kid"), key.get("x5t")) if isinstance(name, str)}
        return found

    def _content(self) -> bytes:
        if "://" not in self._source:
            with Path(self._source).open("rb") as file:
                return file.read(_LARGEST_SET)
        import httpx2

        # no proxies and no redirects: the address that was configured is the one that is trusted
        with (
            httpx2.Client(timeout=_FETCH_SECONDS, trust_env=False, follow_redirects=False) as client,
            client.stream("GET", self._source) as reply,
        ):
            reply.raise_for_status()
            content, deadline = b"", time.monotonic() + _FETCH_SECONDS
            for chunk in reply.iter_bytes():
                content += chunk
                if len(content) > _LARGEST_SET or time.monotonic() > deadline:
                    raise ValueError("the answer is too large or takes too long")
        return content


def opened(settings: Settings, table: RoutingTable) -> Tokens | None:
    """What takes tokens, started and known to the table; None where none are taken. Raises MalformedSetting."""
    if not settings.tokens_jwks:
        return None
    tokens = Tokens(settings, table)
    tokens.start()
    table.sign_in = tokens.caller
    return tokens


def _verifies(key: dict[str, Any]) -> bool:
    """Whether a key of a set is a public one that is long enough."""
    import jwt

    if key.get("kty") not in ("RSA", "EC", "OKP"):
        return False
    try:
        held = jwt.PyJWK(key, algorithm=key.get("alg") or {"RSA": "RS256", "OKP": "EdDSA"}.get(key["kty"]))
    except (jwt.PyJWTError, ValueError, TypeError):
        return False
    return key["kty"] != "RSA" or int(held.key.key_size) >= _SHORTEST_RSA


def _checked(settings: Settings) -> frozenset[str]:
    """The algorithms that are taken. Raises MalformedSetting for what would make tokens worth nothing."""
    wanted = frozenset(one.strip() for one in settings.tokens_algorithms.split(",") if one.strip())
    if not wanted or not wanted <= ALGORITHMS:
        raise MalformedSetting(
            f"tokens_algorithms cannot be {settings.tokens_algorithms!r}",
            why=f"a token is signed with {', '.join(sorted(ALGORITHMS))}",
            repair="write RS256",
        )
    if not settings.tokens_issuer or not settings.tokens_audience:
        raise MalformedSetting(
            "tokens need an issuer and an audience",
            why="else every token of that directory, whoever it was made for, would sign in here",
            repair="set tokens_issuer and tokens_audience",
        )
    address = urlsplit(settings.tokens_jwks)
    if address.scheme not in ("", "https") and not (address.scheme == "http" and address.hostname in _LOOPBACK):
        raise MalformedSetting(
            f"tokens_jwks cannot be {settings.tokens_jwks!r}",
            why="who can change the keys on their way can sign in as anybody",
            repair="use https, or a file",
        )
    return wanted
