"""Tries to reach everything, by every way that a library may take. Standard library only; run inside a sandbox."""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

#: names in the hosts file of the scene, and addresses written in every form
HOSTS = (
    "good.test", "private.test", "allowed.test", "loop.test", "meta.test", "own.test", "denied.test",
    "203.0.113.2", "[2001:db8::2]", "10.78.0.2", "10.77.0.2", "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0.0.0.0",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]", "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]",
    "[2002:7f00:1::1]", "169.254.169.254", "203.0.113.1", "10.78.0.1", "[2001:db8::1]", "[fe80::1]", "224.0.0.1",
    "255.255.255.255", "203.0.113.255", "[ff02::1]", "localhost", "nowhere.test",
)  # fmt: skip


def _tried(action: Callable[[], str]) -> str:
    try:
        return action()
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read().decode(errors='replace').strip()}"
    except (OSError, ValueError) as error:
        return f"failed: {error}"


def _fetched(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return str(answer.read().decode())


def _posted(url: str) -> str:
    with urllib.request.urlopen(url, data=b"x" * 500_000, timeout=20) as answer:
        return str(len(answer.read()))


def _tunnel(host: str, port: int) -> str:
    """CONNECT, as for https."""
    with _proxy() as link:
        link.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        answer = link.recv(4096).split(b"\r\n")[0].decode()
        if " 200 " not in answer:
            return answer
        link.sendall(b"GET /tunnel HTTP/1.0\r\n\r\n")
        return _rest(link)


def _socks(host: str, port: int) -> str:
    name = host.strip("[]").encode()
    with _proxy() as link:
        link.sendall(b"\x05\x01\x00")
        assert link.recv(2) == b"\x05\x00"
        link.sendall(b"\x05\x01\x00\x03" + bytes([len(name)]) + name + struct.pack("!H", port))
        answer = link.recv(10)
        if answer[1]:
            return f"socks {answer[1]}"
        link.sendall(b"GET /socks HTTP/1.0\r\n\r\n")
        return _rest(link)


def _proxy() -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(os.environ["HTTP_PROXY"].rpartition(":")[2])), timeout=20)


def _rest(link: socket.socket) -> str:
    found = b""
    while chunk := link.recv(65536):
        found += chunk
    return found.rpartition(b"\r\n\r\n")[2].decode()


def _asked(path: str, line: bytes = b"") -> str:
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(20)
        link.connect(path)
        if line:
            link.sendall(line)
        return link.recv(4096).decode()


def _direct(host: str, port: int) -> str:
    with socket.create_connection((host, port), timeout=5):
        return "connected"


def _datagram() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        return str(link.sendto(b"x", ("203.0.113.2", 9)))


def _raw() -> str:
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
    return "made"


def _other_protocol() -> str:
    socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262).close()  # MPTCP
    return "made"


def main() -> None:
    asked: dict[str, Any] = json.loads(sys.argv[1])
    port, own = asked["port"], asked["own_port"]
    found: dict[str, Any] = {
        "api": _tried(lambda: _asked(asked["api"])),
        "direct": _tried(lambda: _direct("203.0.113.2", port)),
        "direct to loopback": _tried(lambda: _direct("127.0.0.1", own)),
        "datagram": _tried(_datagram),
        "raw": _tried(_raw),
        "other protocol": _tried(_other_protocol),
        "children": _tried(lambda: str(os.waitpid(-1, os.WNOHANG))),
        "descriptors": sorted(set(os.listdir("/proc/self/fd")) - {"0", "1", "2"})[:-1],
    }
    if "HTTP_PROXY" in os.environ:
        found["http"] = {host: _tried(lambda: _fetched(f"http://{host}:{port}/x?y=1")) for host in HOSTS}  # noqa: B023
        found["own"] = {host: _tried(lambda: _fetched(f"http://{host}:{own}/")) for host in HOSTS}  # noqa: B023
        found["tunnel"] = {host: _tried(lambda: _tunnel(host, port)) for host in HOSTS}  # noqa: B023
        found["socks"] = {host: _tried(lambda: _socks(host, port)) for host in HOSTS}  # noqa: B023
        found["post"] = _tried(lambda: _posted(f"http://good.test:{port}/"))
        lie = json.dumps({"host": "127.0.0.1", "port": own}).encode() + b"\n"
        found["broker"] = _tried(lambda: _asked("/troth/egress.sock", lie))
        found["broker told nonsense"] = _tried(lambda: _asked("/troth/egress.sock", b"x" * 5000 + b"\n"))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
