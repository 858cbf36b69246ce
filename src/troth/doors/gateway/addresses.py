"""Where an upstream may be: names are resolved here, every address is checked, and what was checked is what is connected to."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import urlsplit

from troth.errors import MalformedSetting, UpstreamFailed
from troth.sandbox.egress_broker import NEVER, Address, Network, Rules, embedded, within

_SECONDS = 5.0
#: Names are strangers', and so are the servers that may not answer for them: they hold up no thread of anybody else.
_RESOLVERS = ThreadPoolExecutor(16, thread_name_prefix="names of upstreams")
#: What no operator can allow: nobody's API is there, and clouds keep their keys there. An API may be on this machine.
_NEVER = tuple(ipaddress.ip_network(one) for what, networks in NEVER if what != "loopback" for one in networks)


class Addresses:
    """Which addresses the gateway connects to: those of other machines in public networks, and those that the operator allows."""

    def __init__(self, allow: Iterable[str]) -> None:
        self._allow = [_network(one) for one in allow]
        self._rules = Rules([str(one) for one in self._allow], [])

    def refusal(self, address: Address) -> str:
        """Why an address must not be connected to; empty if it may."""
        address = getattr(address, "ipv4_mapped", None) or address
        forms = [address, *embedded(address)]
        allowed = all(any(within(form, one) for one in self._allow) for form in forms)
        never = any(within(form, one) for form in forms for one in _NEVER)
        return "" if allowed and not never else self._rules.refusal(address)

    async def trouble(self, url: str) -> str:
        """Why an address would not be connected to now, in a sentence; empty where nothing speaks against it."""
        parts = urlsplit(url)
        try:
            await self.of(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        except UpstreamFailed as error:
            return "; ".join(part for part in (error.what, error.repair) if part)
        return ""

    async def of(self, host: str, port: int) -> list[str]:
        """The addresses of a name that may be connected to. Raises UpstreamFailed, which names none of the others."""
        try:
            found = await asyncio.wait_for(_resolved(host, port), _SECONDS)
        except (OSError, UnicodeError, TimeoutError):
            raise UpstreamFailed("the upstream's name has no address now", repair="ask its owner") from None
        usable = [address for address in found if not self.refusal(ipaddress.ip_address(address))]
        if not usable:
            raise UpstreamFailed(
                "the upstream is at an address that the gateway does not connect to",
                why="it is of this machine, private, or kept for other things, and the operator does not allow its network",
                repair="use a public address, or have the operator set gateway_allow",
            )
        return usable


async def _resolved(host: str, port: int) -> list[str]:
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    rows = await asyncio.get_running_loop().run_in_executor(_RESOLVERS, ask)
    return list(dict.fromkeys(str(row[4][0]).partition("%")[0] for row in rows))


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise MalformedSetting(
            f"gateway_allow cannot have {text!r}", why="it is a list of networks", repair="write 10.1.0.0/16"
        ) from None
