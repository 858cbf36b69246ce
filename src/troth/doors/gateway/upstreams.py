"""The connections to one upstream, and whether it is well."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlsplit

import httpx2
import structlog

from troth.doors.gateway.addresses import Addresses
from troth.errors import Malformed, TrothError, UpstreamFailed, UpstreamTimeout
from troth.registry.upstreams import Upstream

#: seconds for which a name's addresses are believed
_BELIEVED = 10.0
#: seconds between looks at its health, for one look, and looks in a row that must fail
_LOOK, _LOOK_SECONDS, _ILL = 5.0, 3.0, 3
_CONNECTIONS, _IDLE_SECONDS = 200, 30.0

log = structlog.get_logger()


class UpstreamClient:
    """Hands requests to one upstream. No proxy of the environment is used, and no redirect followed."""

    def __init__(self, upstream: Upstream, addresses: Addresses) -> None:
        self.upstream = upstream
        parts = urlsplit(upstream.url)
        self._scheme, self._host = parts.scheme, parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._authority = parts.netloc.rpartition("@")[2].encode()
        self.base = parts.path.rstrip("/").encode()
        self.origin = f"{parts.scheme}://{parts.netloc}".encode()
        self._addresses = addresses
        self._believed: tuple[float, list[str]] = (0.0, [])
        limits = httpx2.Limits(max_connections=_CONNECTIONS, keepalive_expiry=_IDLE_SECONDS)
        self._transport = httpx2.AsyncHTTPTransport(limits=limits, trust_env=False, retries=0)
        timeout = {
            "connect": upstream.connect_seconds,
            "read": upstream.seconds,
            "write": upstream.seconds,
            "pool": upstream.connect_seconds,
        }
        self._extensions: dict[str, Any] = {"timeout": timeout, "sni_hostname": self._host}
        self._failed = 0
        self._looking: asyncio.Task[None] | None = None

    @property
    def is_well(self) -> bool:
        """Whether it answered when it was last asked for its health; nobody asks where it names no path for that."""
        return self._failed < _ILL

    def watch(self, named: Callable[[], bool] = lambda: True) -> None:
        """Looks after its health from now on, as long as it is `named`."""
        if self.upstream.health_path is not None and (self._looking is None or self._looking.done()):
            self._looking = asyncio.get_running_loop().create_task(self._look(named))

    async def close(self) -> None:
        """Closes its connections; requests under way fail."""
        if self._looking is not None:
            self._looking.cancel()
        await self._transport.aclose()

    async def send(
        self,
        method: str,
        target: bytes,
        headers: list[tuple[bytes, bytes]],
        content: AsyncIterator[bytes] | bytes | None,
    ) -> httpx2.Response:
        """The head of its reply, whose body is still to be read. Raises UpstreamFailed and UpstreamTimeout."""
        headers = [(b"host", self._authority), *headers]
        failure: TrothError = UpstreamFailed("the upstream cannot be connected to", repair="ask its owner")
        for address in await self._found():
            host = f"[{address}]" if ":" in address else address
            try:
                url = httpx2.URL(scheme=self._scheme, host=host, port=self._port, raw_path=target)
            except (httpx2.InvalidURL, UnicodeError):
                raise Malformed("the address cannot be handed on", why="it is too long, or not ASCII") from None
            request = httpx2.Request(method, url, headers=headers, content=content, extensions=self._extensions)
            try:
                return await self._transport.handle_async_request(request)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                self._believed = (0.0, [])
            except httpx2.TimeoutException:
                raise UpstreamTimeout(
                    f"the upstream did not answer within {self.upstream.seconds:g} seconds", repair="try again later"
                ) from None
            except httpx2.TransportError:
                raise UpstreamFailed("the upstream broke off", repair="try again, or ask its owner") from None
        raise failure

    async def _found(self) -> list[str]:
        now = time.monotonic()
        until, addresses = self._believed
        if now >= until:
            addresses = await self._addresses.of(self._host, self._port)
            self._believed = (now + _BELIEVED, addresses)
        return addresses

    async def _look(self, named: Callable[[], bool]) -> None:
        while named():
            was_well = self.is_well
            self._failed = 0 if await self._answers() else self._failed + 1
            if was_well != self.is_well:
                log.warning(
                    "an upstream is well again" if self.is_well else "an upstream is ill", url=self.upstream.url
                )
            await asyncio.sleep(_LOOK)
        self._failed = 0

    async def _answers(self) -> bool:
        target = self.base + (self.upstream.health_path or "/").encode()
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                reply = await self.send("GET", target, [(b"user-agent", b"troth")], None)
                await reply.aclose()
                return reply.status_code < 500
        except (TrothError, TimeoutError):
            return False
