"""What life cycles cost: the gateway beside a plain proxy, the middleware inside an application, and states on troth's own calls."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.load import Target
from bench.processes import processor_time
from bench.section import Findings, Options
from bench.servers import BODY, ONE_WORKER, OWNER, ROOT, EchoServer, published, running, troth_server
from bench.table import Table, each, met, rounds_of
from troth.sdk import Client
from troth.sdk.lifecycles import ApiStates, asgi, wsgi
from troth.versions.lifecycles.states import State
from troth.versions.lifecycles.table import ApiVersion, StateTable

CONNECTIONS = 16
TARGET_RATIO, TARGET_MIDDLEWARE, TARGET_OWN = 1.3, 10.0, 5.0
API = f"{OWNER}/shop"
GATEWAY, PLAIN = "gateway", "plain proxy"
_JSON = {"Content-Type": "application/json"}
_TURNS = 20_000
#: parts of a round on troth's own calls
_SLICES = 5
#: how the answer of a retired version begins
_GONE = b'{"type":"urn:troth:error:gone"'


def measure(options: Options) -> Findings:
    """Processor time of each. Raises LoadFailed."""
    wrong: list[int] = []
    tables = [_gateway(options, wrong), _middleware(options), _own(options, wrong)]
    return Findings(tables, sum(wrong))


def _gateway(options: Options, wrong: list[int]) -> Table:
    """Processor time a request of the gateway over that of a plain proxy beside it, with counting and headers on."""
    found: dict[tuple[str, str], list[float]] = {}
    with (
        running([sys.executable, "-m", "bench.plain_proxy", "upstream"], ROOT, dict(os.environ), ending="\n") as one,
        running([sys.executable, "-m", "bench.plain_proxy", "proxy", one[1].strip()], ROOT, dict(os.environ), ending="\n") as plain,
        troth_server({"gateway_allow": "127.0.0.0/8"}) as server,
        server.client() as client,
    ):  # fmt: skip
        _serve(client, one[1].strip())
        headers = {**_JSON, "Troth-Key": server.key}
        targets = {
            ("GET", GATEWAY): (server.address, f"/gateway/{API}/v1/items/17?page=2", headers, server.process_id),
            ("GET", PLAIN): (plain[1], "/v1/items/17?page=2", _JSON, plain[0]),
        }
        for number in range(options.rounds):
            options.say(f"gateway: round {number + 1} of {options.rounds}")
            for (kind, name), (address, path, head, process) in targets.items():
                target = Target(urlsplit(address.strip()).port or 0, path, head, BODY, BODY)
                found.setdefault((kind, name), []).append(_cost(options, target, process, wrong))
    rows = []
    ratios = [mine / theirs for mine, theirs in zip(found["GET", GATEWAY], found["GET", PLAIN], strict=True)]
    for name in (GATEWAY, PLAIN):
        rows.append([name, *each(found["GET", name], 0), "-", "-"])
    rows.append(["ratio", *each(ratios), f"{TARGET_RATIO:g}", met(statistics.median(ratios) <= TARGET_RATIO)])
    return Table(
        "The gateway beside a plain proxy of Starlette and httpx2: µs of processor time a request",
        ["what", *rounds_of(options.rounds), "target at most", ""],
        rows,
        f"POST of 100 bytes, {CONNECTIONS} connections, one upstream behind both. The gateway looks at a key, counts by operation, "
        "parameter and caller, and adds the headers of a deprecated version.",
    )


def _serve(client: Client, upstream: str) -> None:
    client.command("create_api", api=API, public=True)
    for command, version, release in [
        ("create_api_version", "v1", "1.0.0"), ("graduate_api", "v1", "1.0.0"), ("create_api_version", "v2", "1.1.0"),
        ("graduate_api", "v2", "1.2.0"),
    ]:  # fmt: skip
        client.command(command, api=API, api_version=version, release=release)
    client.command("set_upstream", api=API, url=upstream)


def _cost(options: Options, target: Target, process: int, wrong: list[int]) -> float:
    """Microseconds of processor time of this process for one request."""
    before = processor_time(process)
    load = options.generator(target, CONNECTIONS, options.seconds)
    wrong.append(load.wrong)
    return (processor_time(process).server - before.server) / load.answers * 1e6


def _middleware(options: Options) -> Table:
    """What a request takes longer with the middleware around an application that does nothing."""
    since = "2026-01-01T00:00:00Z"
    table = StateTable.of(
        API, 1, ApiVersion(1, State.DEPRECATED, retires_in="2.0.0", successor=2, deprecated_at=since),
        ApiVersion(2, State.CURRENT),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "states.json")
        file.write_text(json.dumps(table.as_dict()))
        states = ApiStates(API, file)
        rows = []
        for kind, turn in (("ASGI", _asgi_turns), ("WSGI", _wsgi_turns)):
            for name, path in (("current", "/v2/items"), ("deprecated", "/v1/items")):
                values = [turn(states, path) - turn(None, path) for _ in range(options.rounds)]
                rows.append(
                    [
                        f"{kind}, {name}",
                        *each(values),
                        f"{TARGET_MIDDLEWARE:g}",
                        met(statistics.median(values) < TARGET_MIDDLEWARE),
                    ]
                )
        states.close()
    note = f"Over an application that answers with 7 headers; {_TURNS:,} requests each."
    return Table(
        "The middleware: µs of processor time that it adds to a request",
        ["what", *rounds_of(options.rounds), "target below", ""],
        rows,
        note,
    )


_HEADERS = [(f"x-{number}".encode(), b"value") for number in range(7)]


async def _plain(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": b""})


def _asgi_turns(states: ApiStates | None, path: str) -> float:
    app: Any = asgi.LifeCycle(_plain, states) if states is not None else _plain
    scope = {"type": "http", "method": "GET", "path": path}

    async def send(message: Any) -> None:
        """Takes it."""

    async def turns() -> float:
        begin = time.thread_time()
        for _ in range(_TURNS):
            await app(scope, None, send)
        return (time.thread_time() - begin) / _TURNS * 1e6

    return asyncio.run(turns())


def _wsgi_turns(states: ApiStates | None, path: str) -> float:
    headers = [(name.decode(), value.decode()) for name, value in _HEADERS]

    def plain(environ: Any, start: Callable[..., Any]) -> list[bytes]:
        start("200 OK", headers)
        return [b""]

    app: Any = wsgi.LifeCycle(plain, states) if states is not None else plain
    environ = {"PATH_INFO": path, "REQUEST_METHOD": "GET"}
    begin = time.thread_time()
    for _ in range(_TURNS):
        app(environ, lambda status, headers: None)
    return (time.thread_time() - begin) / _TURNS * 1e6


def _own(options: Options, wrong: list[int]) -> Table:
    """What a call takes longer when troth's own API is deprecated or retired, by processor time of the server."""
    with ExitStack() as opened:
        servers = {
            name: opened.enter_context(troth_server(ONE_WORKER)) for name in ("current", "deprecated", "retired")
        }
        echoes = {name: published(server, "echo") for name, server in servers.items()}
        for name in ("deprecated", "retired"):
            with servers[name].client() as client:
                _deprecate_own(client, retired=name == "retired")
        gone = echoes["retired"]
        echoes["retired"] = replace(gone, target=replace(gone.target, expected=_GONE, status=410))
        rows = paired(options, "own path", echoes, wrong)
    note = (
        "Echo of 100 bytes of JSON; three servers, on which `troth/algorithmia` v1 is current, deprecated (five more headers a reply) "
        "and retired (410 instead of an answer)."
    )
    return Table(
        "States on troth's own calls: µs of the server's processor time",
        ["what", *rounds_of(options.rounds), "target below", ""],
        rows,
        note,
    )


def paired(options: Options, label: str, servers: Mapping[str, EchoServer], wrong: list[int]) -> list[Sequence[str]]:
    """Rows with the processor time of each, call for call, and what the others take longer than the first."""
    slices: dict[str, list[float]] = {name: [] for name in servers}
    for number in range(options.rounds):
        options.say(f"{label}: round {number + 1} of {options.rounds}")
        for _ in range(_SLICES):  # short ones in turn, so that a slow spell of the machine touches all
            for name, server in servers.items():
                slices[name].append(_own_cost(options, server, wrong))
    found = {
        name: [statistics.median(values[at : at + _SLICES]) for at in range(0, len(values), _SLICES)]
        for name, values in slices.items()
    }
    rows: list[Sequence[str]] = [[name, *each(values), "-", "-"] for name, values in found.items()]
    first, *others = found
    for name in others:
        more = [mine - theirs for theirs, mine in zip(found[first], found[name], strict=True)]
        rows.append([f"{name}, more", *each(more), f"{TARGET_OWN:g}", met(statistics.median(more) < TARGET_OWN)])
    return rows


def _own_cost(options: Options, server: EchoServer, wrong: list[int]) -> float:
    short = replace(options, seconds=options.seconds / _SLICES)
    return _cost(short, server.target, server.process_id, wrong)


def _deprecate_own(client: Client, *, retired: bool) -> None:
    client.command("create_api", api="troth/algorithmia", public=True)
    for command, version, release in [
        ("create_api_version", "v1", "0.1.0"), ("graduate_api", "v1", "0.1.0"), ("create_api_version", "v2", "0.2.0"),
        ("graduate_api", "v2", "0.3.0"),
    ]:  # fmt: skip
        client.command(command, api="troth/algorithmia", api_version=version, release=release)
    if retired:
        client.command("retire_api", api="troth/algorithmia", api_version="v1", release="1.0.0")
