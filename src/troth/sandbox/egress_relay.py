"""A proxy inside a sandbox: takes connections at its loopback and hands them to the egress broker. Standard library only.

Run as `python -I -S -B egress_relay.py FD BROKER`, FD being a listening socket. It speaks HTTP (CONNECT, and requests with a
whole address) and SOCKS version 5 without names and passwords (RFC 1928).
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import sys
from urllib.parse import urlsplit

_LARGEST_HEAD = 64 * 1024
_CHUNK = 64 * 1024
_CONNECTIONS = 64
_SOCKS_ERRORS = {"refused": 2, "unreachable": 4}
#: headers that are for the proxy
_OURS = (b"proxy-connection", b"proxy-authorization", b"connection", b"keep-alive")


class Refused(Exception):
    """The broker did not connect: its kind and why."""


class Relay:
    """Serves the clients of the listening socket."""

    def __init__(self, broker: str) -> None:
        self._broker = broker
        self._room = asyncio.Semaphore(_CONNECTIONS)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with self._room:
                first = await reader.readexactly(1)
                await (self._socks(reader, writer) if first == b"\x05" else self._http(first, reader, writer))
        except (OSError, ValueError, EOFError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _http(self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = first + await reader.readuntil(b"\r\n\r\n")
        method, target, version = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        tunnel = method == "CONNECT"
        address = urlsplit(f"//{target}" if tunnel else target)
        if not address.hostname or (not tunnel and address.scheme != "http"):
            writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        try:
            theirs, to_them = await self._connect(address.hostname, address.port or (443 if tunnel else 80))
        except Refused as refused:
            kind, why = refused.args
            status = "403 Forbidden" if kind == "refused" else "502 Bad Gateway"
            text = f"troth's egress proxy: {why}\n".encode()
            writer.write(f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\n".encode())
            writer.write(b"Connection: close\r\n\r\n" + text)
            return
        if tunnel:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            path = (address.path or "/") + (f"?{address.query}" if address.query else "")
            to_them.write(_forwarded(f"{method} {path} {version}".encode("latin-1"), head))
        await _join(reader, writer, theirs, to_them)

    async def _socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly((await reader.readexactly(1))[0])
        writer.write(b"\x05\x00")
        _, command, _, kind = await reader.readexactly(4)
        if kind == 3:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode("idna")
        else:
            family, size = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
            host = socket.inet_ntop(family, await reader.readexactly(size))
        (port,) = struct.unpack("!H", await reader.readexactly(2))
        error = 0 if command == 1 else 7
        try:
            theirs, to_them = await self._connect(host, port) if not error else (reader, writer)
        except Refused as refused:
            error = _SOCKS_ERRORS.get(refused.args[0], 1)
        writer.write(struct.pack("!BBBB4sH", 5, error, 0, 1, b"\0\0\0\0", 0))
        if not error:
            await _join(reader, writer, theirs, to_them)

    async def _connect(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_unix_connection(self._broker, limit=_LARGEST_HEAD)
        writer.write(json.dumps({"host": host, "port": port}).encode() + b"\n")
        answer = json.loads(await reader.readuntil(b"\n"))
        if answer["error"]:
            writer.close()
            raise Refused(answer["kind"], answer["error"])
        return reader, writer


def _forwarded(line: bytes, head: bytes) -> bytes:
    """The head of a request as the server gets it: its path only, and one request for each connection."""
    kept = [header for header in head.split(b"\r\n")[1:-2] if header.partition(b":")[0].strip().lower() not in _OURS]
    return b"\r\n".join([line, *kept, b"Connection: close", b"", b""])


async def _join(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    theirs: asyncio.StreamReader,
    to_them: asyncio.StreamWriter,
) -> None:
    try:
        await asyncio.gather(_copy(reader, to_them), _copy(theirs, writer))
    finally:
        to_them.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(_CHUNK):
        writer.write(chunk)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def main() -> None:
    listener = socket.socket(fileno=int(sys.argv[1]))
    server = await asyncio.start_server(Relay(sys.argv[2]).serve, sock=listener, limit=_LARGEST_HEAD)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
