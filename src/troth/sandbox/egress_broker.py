"""Connects sandboxes to other machines, and to none that they must not reach. Standard library only.

Run by the launcher as a service: `python -I -S -B egress_broker.py FD RULES`, FD being the launcher's link and RULES
JSON with `allow` (private networks that may be reached) and `deny` (others that must not). By the link come listening Unix
sockets, one for each version, with `{"open": NUMBER}`, and `{"close": NUMBER}` when one is of no use any more. A client sends
one line of JSON, `{"host": ..., "port": ...}`, gets one line back, `{"error": ""}` or why not, and then the bytes of the
connection. One version has so many connections and no more, so that none keeps the others from having any; what is beyond
waits in its own socket.

Names are resolved here, every address is checked, and the connection is made to the address that was checked.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
import struct
import sys
from typing import Any, TypeAlias

Address: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"
Network: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"

_LONGEST_LINE = 1024
#: connections of all versions, and of one
_CONNECTIONS, _OF_ONE = 512, 64
#: seconds until more is taken where there was no descriptor for it
_PAUSE = 0.1
_CONNECT_SECONDS = 20.0
_IDLE_SECONDS = 600.0
_CHUNK = 64 * 1024

#: What is never reached, whatever the operator allows: (what it is, its networks).
NEVER = (
    ("unspecified", ("0.0.0.0/8", "::/128")),
    ("loopback", ("127.0.0.0/8", "::1/128")),
    ("link-local, where clouds keep their metadata", ("169.254.0.0/16", "fe80::/10")),
    ("metadata of a cloud", ("fd00:ec2::254/128", "fd20:ce::254/128", "100.100.100.200/32", "192.0.0.192/32")),
    ("multicast", ("224.0.0.0/4", "ff00::/8")),
    ("reserved", ("240.0.0.0/4", "2001::/32", "64:ff9b:1::/48", "fec0::/10", "100::/64")),
)
#: What is reached only where the operator allows the network.
PRIVATE = (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "fc00::/7",
)  # fmt: skip
#: IPv6 networks whose addresses stand for an IPv4 address: (network, bits behind it)
_EMBEDDING = (("::ffff:0:0/96", 0), ("::/96", 0), ("64:ff9b::/96", 0), ("2002::/16", 80))
_UNICAST, _ROUTE_TYPES = 1, {2: "this machine's own", 3: "broadcast", 4: "anycast", 5: "multicast"}


class Rules:
    """What may be reached."""

    def __init__(self, allow: list[str], deny: list[str]) -> None:
        self.allow = [ipaddress.ip_network(one) for one in allow]
        self.deny = [ipaddress.ip_network(one) for one in deny]

    def refusal(self, address: Address) -> str:
        """Why an address must not be reached, empty if it may."""
        forms = [address, *embedded(address)]
        return next((why for form in forms if (why := self._refusal(form))), "") or _astray(forms)

    def _refusal(self, address: Address) -> str:
        for what, networks in NEVER:
            if any(within(address, ipaddress.ip_network(one)) for one in networks):
                return f"{address} is {what}"
        if any(within(address, one) for one in self.deny):
            return f"{address} is denied by the operator"
        private = any(within(address, ipaddress.ip_network(one)) for one in PRIVATE)
        if private and not any(within(address, one) for one in self.allow):
            return f"{address} is private, and the operator does not allow its network"
        return ""


def _astray(forms: list[Address]) -> str:
    """Why the route to an address is refused: it must lead to another machine, and no other form of it to this one."""
    kinds = [route_type(form) for form in forms]
    for form, kind in zip(forms, kinds, strict=True):
        if kind in _ROUTE_TYPES:
            return f"{form} is {_ROUTE_TYPES[kind]}"
    return "" if kinds[0] == _UNICAST else f"{forms[0]} is not routed"


def within(address: Address, network: Network) -> bool:
    """Whether an address is in a network; one of the other family is not."""
    return address.version == network.version and address in network


def embedded(address: Address) -> list[Address]:
    """The IPv4 addresses that an IPv6 address stands for: where a gateway on the way would take it."""
    found: list[Address] = []
    for network, shift in _EMBEDDING:
        if within(address, ipaddress.ip_network(network)) and int(address) > 1:
            found.append(ipaddress.IPv4Address((int(address) >> shift) & 0xFFFFFFFF))
    return found


def route_type(address: Address) -> int:
    """How this machine would route to an address (rtnetlink(7), `rtm_type`): 1 to another machine; 0 if not at all."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    packed = address.packed
    attribute = struct.pack("HH", 4 + len(packed), 1) + packed  # RTA_DST
    body = struct.pack("BBBBBBBBI", family, len(packed) * 8, 0, 0, 0, 0, 0, 0, 0) + attribute
    head = struct.pack("IHHII", 16 + len(body), 26, 1, 1, 0)  # RTM_GETROUTE, NLM_F_REQUEST
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as link:
        link.settimeout(2)
        link.sendto(head + body, (0, 0))
        answer = link.recv(8192)
    if struct.unpack_from("H", answer, 4)[0] != 24:  # RTM_NEWROUTE, else an error
        return 0
    return answer[16 + 7]


async def _connected(rules: Rules, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the first allowed address of a name. Raises PermissionError where there is none, and OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    failure: OSError = PermissionError(f"{host} has no address")
    for _, _, _, _, target in found:
        address = ipaddress.ip_address(str(target[0]).partition("%")[0])
        if why := rules.refusal(address):
            failure = PermissionError(why)
            continue
        try:
            # an address, so nothing is resolved again
            return await asyncio.wait_for(asyncio.open_connection(str(address), port), _CONNECT_SECONDS)
        except (OSError, TimeoutError) as error:
            failure = ConnectionError(str(error) or "it does not answer")
    raise failure


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Passes bytes on until they end, and then the end."""
    while chunk := await asyncio.wait_for(reader.read(_CHUNK), _IDLE_SECONDS):
        writer.write(chunk)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


class Broker:
    """Serves the clients of each listening socket that it is handed."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._room = asyncio.Semaphore(_CONNECTIONS)
        self._doors: dict[int, asyncio.Task[None]] = {}
        self._served: set[asyncio.Task[None]] = set()

    def told(self, link: socket.socket) -> None:
        """Does what the launcher says; ends where it is gone."""
        said, files, _, _ = socket.recv_fds(link, _LONGEST_LINE, 1)
        if not said:
            raise SystemExit
        order = json.loads(said)
        if "open" in order:
            self._doors[order["open"]] = asyncio.get_running_loop().create_task(self._take(files[0]))
        else:
            self._doors.pop(order["close"]).cancel()

    async def _take(self, descriptor: int) -> None:
        """Takes the connections of one version, as many at a time as it may have."""
        loop, room = asyncio.get_running_loop(), asyncio.Semaphore(_OF_ONE)
        with socket.socket(fileno=descriptor) as listener:
            listener.setblocking(False)
            while True:
                await room.acquire()
                try:
                    connection, _ = await loop.sock_accept(listener)
                except OSError:
                    room.release()
                    await asyncio.sleep(_PAUSE)
                    continue
                served = loop.create_task(self._serve(connection))
                self._served.add(served)
                served.add_done_callback(self._served.discard)
                served.add_done_callback(lambda _: room.release())

    async def _serve(self, connection: socket.socket) -> None:
        reader, writer = await asyncio.open_unix_connection(sock=connection, limit=_LONGEST_LINE)
        try:
            async with self._room:
                await self._connect(reader, writer)
        except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked: dict[str, Any] = json.loads(await asyncio.wait_for(reader.readuntil(b"\n"), _CONNECT_SECONDS))
        try:
            theirs, to_them = await _connected(self._rules, str(asked["host"]), int(asked["port"]))
        except (OSError, UnicodeError, OverflowError) as error:
            kind = "refused" if isinstance(error, PermissionError) else "unreachable"
            writer.write(json.dumps({"error": str(error) or kind, "kind": kind}).encode() + b"\n")
            await writer.drain()
            return
        try:
            writer.write(b'{"error": ""}\n')
            await asyncio.gather(copy(reader, to_them), copy(theirs, writer))
        finally:
            to_them.close()


async def main() -> None:
    rules = json.loads(sys.argv[2])
    broker = Broker(Rules(rules["allow"], rules["deny"]))
    link = socket.socket(fileno=int(sys.argv[1]))
    asyncio.get_running_loop().add_reader(link.fileno(), broker.told, link)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
