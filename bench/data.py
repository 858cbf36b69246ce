"""256 MiB up and down through the data API, and through Starlette streaming the same bytes to a file, beside it."""

from __future__ import annotations

import io
import math
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from bench.processes import processor_time
from bench.section import Findings, Options
from bench.servers import OWNER, ROOT, running, troth_server
from bench.table import Table, each, met, rounds_of

BYTES = 256 << 20
TARGET = 0.7
_PIECE = 1 << 20
_TROTH, _STARLETTE, _SYNCED = "troth", "Starlette", "Starlette, on disk"
_UP, _DOWN = "up", "down"
#: seconds for which no server does anything before the next transfer begins
_STILL = 0.2


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file goes to on one server."""

    name: str
    port: int
    path: str
    key: str
    process_id: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """One file that went up or down."""

    server: str
    way: str
    seconds: float
    right: bool


def measure(options: Options) -> Findings:
    """Ratios of the speed up and down, and the memory that the server took for it."""
    piece = os.urandom(_PIECE)
    found: list[Transfer] = []
    with _places() as places:
        for place in places:  # once before anything counts
            _up(place, piece)
        grown = -_peak(places[0].process_id)
        for number in range(options.rounds):
            options.say(f"data: round {number + 1} of {options.rounds}")
            for way, transfer in ((_UP, _up), (_DOWN, _down)):
                for place in places:
                    if (place.name, way) != (_SYNCED, _DOWN):
                        _settle(places)
                        found.append(transfer(place, piece))
            places.append(places.pop(0))
        grown += _peak(next(place.process_id for place in places if place.name == _TROTH))
    rows = []
    for way, other in ((_UP, _STARLETTE), (_UP, _SYNCED), (_DOWN, _STARLETTE)):
        values = _ratios(found, way, other)
        speeds = [BYTES / one.seconds / 1e6 for one in found if (one.server, one.way) == (_TROTH, way)]
        judged = [f"{TARGET:g}", met(statistics.median(values) >= TARGET)] if other == _STARLETTE else ["-", "-"]
        rows.append([f"{way}, over {other}", *each(values), *judged, f"{statistics.median(speeds):,.0f} MB/s"])
    wrong = sum(not one.right for one in found)
    note = (
        f"{wrong} wrong answers. troth checks key and rights, computes the SHA-256 and answers an upload when it is on disk. Starlette "
        f"answers before that, but in the second line. Each transfer begins when the disk has what came before. troth's largest memory grew by {grown / 1e6:.0f} MB while {options.rounds} times {BYTES >> 20} MiB went each way."
    )
    head = ["", *rounds_of(options.rounds), "target", "", "troth's speed"]
    title = f"{BYTES >> 20} MiB through the data API: speed of troth over that of Starlette"
    return Findings([Table(title, head, rows, note)], wrong)


@contextmanager
def _places() -> Iterator[list[Place]]:
    with tempfile.TemporaryDirectory(prefix="troth-bench-") as folder, troth_server() as server:
        headers = {"Authorization": server.key}
        httpx2.post(f"{server.address}/v1/data/{OWNER}", json={"name": "files"}, headers=headers).raise_for_status()
        command = [sys.executable, "-m", "bench.data_server", folder]
        with running(command, ROOT, dict(os.environ), ending="\n") as (process, said):
            yield [
                Place(_TROTH, _port(server.address), f"/v1/data/{OWNER}/files/large", server.key, server.process_id),
                Place(_STARLETTE, _port(said), "/large", "", process),
                Place(_SYNCED, _port(said), "/synced/large", "", process),
            ]


def _up(place: Place, piece: bytes) -> Transfer:
    with _connection(place) as wire:
        begun = time.perf_counter()
        wire.sendall(_head(place, "PUT", f"Content-Length: {BYTES}\r\n"))
        for _ in range(BYTES // len(piece)):
            wire.sendall(piece)
        answer = wire.recv(65536)
        return Transfer(place.name, _UP, time.perf_counter() - begun, answer.startswith(b"HTTP/1.1 200"))


def _down(place: Place, piece: bytes) -> Transfer:
    with _connection(place) as wire:
        begun = time.perf_counter()
        wire.sendall(_head(place, "GET"))
        file = io.BufferedReader(wire.makefile("rb", buffering=0), _PIECE)
        right = file.readline().startswith(b"HTTP/1.1 200")
        while file.readline() not in (b"\r\n", b""):
            pass
        buffer, left = bytearray(len(piece)), BYTES
        while left and (read := file.readinto(buffer)):
            left -= read
            right = right and buffer == piece
        return Transfer(place.name, _DOWN, time.perf_counter() - begun, right and not left)


def _head(place: Place, method: str, more: str = "") -> bytes:
    key = f"Authorization: {place.key}\r\n" if place.key else ""
    return f"{method} {place.path} HTTP/1.1\r\nHost: x\r\n{key}{more}Connection: close\r\n\r\n".encode()


def _connection(place: Place) -> socket.socket:
    return socket.create_connection(("127.0.0.1", place.port), timeout=120)


def _settle(places: list[Place]) -> None:
    """Waits until nothing is left to do of what came before: the disk has it, and the servers have removed what it replaced."""
    os.sync()
    before, after = -math.inf, _used(places)
    while after - before > _STILL / 10:
        time.sleep(_STILL)
        before, after = after, _used(places)


def _used(places: list[Place]) -> float:
    """Seconds that the processors worked for these servers."""
    return sum(processor_time(process).server for process in {place.process_id for place in places})


def _ratios(found: list[Transfer], way: str, other: str) -> list[float]:
    """troth's speed over the other's, round by round."""
    ours, theirs = (
        [one.seconds for one in found if (one.server, one.way) == (server, way)] for server in (_TROTH, other)
    )
    return [theirs[number] / ours[number] for number in range(len(ours))]


def _peak(process_id: int) -> int:
    """Bytes of memory that a process held at most until now."""
    lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) << 10


def _port(address: str) -> int:
    return urlsplit(address.strip()).port or 0
