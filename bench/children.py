"""What a call costs that an algorithm makes, beside the same call made from outside over one connection that is kept."""

from __future__ import annotations

import json
import socket
import statistics
import time
from urllib.parse import urlsplit

from bench.section import Findings, Options
from bench.servers import BODY, OWNER, TrothServer, troth_server, write_project
from bench.table import Table, met, spread
from troth.sdk import Client

#: Times a direct call that a call within another may take.
TARGET = 1.5
_CALLS, _WARM = 300, 100
_CODE = f"""
import time
import Algorithmia

def apply(input):
    algorithm = Algorithmia.client().algo("algo://{OWNER}/called")
    took, wrong = [], 0
    for _ in range(input["calls"]):
        started = time.perf_counter()
        found = algorithm.pipe(input["value"]).result
        took.append(time.perf_counter() - started)
        wrong += found != input["value"]
    return [took, wrong]
"""


def measure(options: Options) -> Findings:
    """Direct calls and calls within a call by turns, in every round."""
    options.say(f"children: {options.rounds} rounds")
    direct: list[float] = []
    within: list[float] = []
    ratios: list[float] = []
    wrong = 0
    with troth_server() as server, server.client() as client:
        _publish(client, server)
        _direct(server, _WARM)
        _within(client, _WARM)
        for _ in range(options.rounds):
            took, faults = _direct(server, _CALLS)
            inside, more = _within(client, _CALLS)
            wrong += faults + more
            direct.append(statistics.median(took))
            within.append(statistics.median(inside))
            ratios.append(within[-1] / direct[-1])
    return Findings([_table(direct, within, ratios, wrong)], wrong)


def _table(direct: list[float], within: list[float], ratios: list[float], wrong: int) -> Table:
    rows = [
        ["direct, ms", *spread([one * 1000 for one in direct])],
        ["within another call, ms", *spread([one * 1000 for one in within])],
        ["ratio", *spread(ratios)],
    ]
    judged = met(statistics.median(ratios) <= TARGET)
    return Table(
        "A call that an algorithm makes, beside a direct one",
        ["what", "median", "least", "most"],
        rows,
        f"Target: a ratio of at most {TARGET:g}: {judged}. Medians of {_CALLS} calls a round, one after the other, "
        f"100 bytes of JSON; {wrong} wrong answers.",
    )


def _publish(client: Client, server: TrothServer) -> None:
    for name, code in (("called", "def apply(input):\n    return input\n"), ("calling", _CODE)):
        project = write_project(server.folder, name, code, pipeline=name == "calling")
        client.publish(f"{OWNER}/{name}", client.compile(project)["hash"], bump="minor", visibility="public")


def _within(client: Client, calls: int) -> tuple[list[float], int]:
    """Seconds of each call that an algorithm made, as it measured them, and how many answers were wrong."""
    took, wrong = client.call(f"{OWNER}/calling", {"calls": calls, "value": json.loads(BODY)}).result
    return took, wrong


def _direct(server: TrothServer, calls: int) -> tuple[list[float], int]:
    """The same from here, by a client that does nothing but send and receive."""
    address = urlsplit(server.address)
    request = (
        f"POST /v1/algo/{OWNER}/called HTTP/1.1\r\nhost: troth\r\nauthorization: {server.key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(BODY)}\r\n\r\n"
    ).encode() + BODY
    took, wrong = [], 0
    with socket.create_connection((address.hostname or "", address.port or 0)) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(calls):
            started = time.perf_counter()
            link.sendall(request)
            received = b""
            while not received.endswith(b"}}"):
                received += link.recv(65536)
            took.append(time.perf_counter() - started)
            found = json.loads(received.partition(b"\r\n\r\n")[2])
            wrong += found.get("result") != json.loads(BODY)
    return took, wrong
