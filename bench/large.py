"""Echo of 1 MB of JSON over 4 connections: troth with json, troth with orjson in the version's environment, and FastAPI."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence

from bench import samples
from bench.load import own
from bench.samples import Sample
from bench.section import Findings, Options
from bench.servers import FASTAPI, FASTAPI_UNANNOTATED, ONE_WORKER, EchoServer, fastapi_echo, published, troth_server
from bench.table import Table, each, met, rounds_of

CONNECTIONS = 4
BYTES = 1_000_000
JSON, ORJSON = "troth, json", "troth, orjson"
#: How many times as many requests a second troth shall answer as FastAPI.
TARGETS = {JSON: 5.0, ORJSON: 10.0}
#: FastAPI answers a few such requests a second, so that each load lasts longer than those of small ones.
_LONGER = 2


def measure(options: Options) -> Findings:
    """Ratios, then each server's own figures. Raises LoadFailed."""
    body = _body()
    found: list[Sample] = []
    with troth_server(ONE_WORKER) as server, fastapi_echo(FASTAPI, FASTAPI_UNANNOTATED, body=body) as fastapi:
        servers = [
            _named(JSON, published(server, "plain", body=body)),
            _named(ORJSON, published(server, "fast", requirements="orjson\n", body=body)),
            *fastapi,
        ]
        for one in servers:
            own(one.target, CONNECTIONS, 0.1, patience=60.0)
        for number in range(options.rounds):
            options.say(f"large: round {number + 1} of {options.rounds}")
            seconds = options.seconds * _LONGER
            found += [samples.sample(one, CONNECTIONS, seconds, own) for one in servers]
            servers.reverse()
    note = (
        "A function without a type for what it returns is how FastAPI's own first steps are written; FastAPI then walks the "
        "value once more before it is written."
    )
    each_server = samples.table("Echo of 1 MB of JSON: each server", found, "own", note)
    return Findings([_ratios(found, options.rounds), each_server], samples.wrong_answers(found))


def _ratios(found: Sequence[Sample], rounds: int) -> Table:
    rows = []
    for name, target in TARGETS.items():
        for other in (FASTAPI_UNANNOTATED, FASTAPI):
            values = samples.ratios(found, name, other, CONNECTIONS, samples.rate)
            by_cost = statistics.median(samples.ratios(found, other, name, CONNECTIONS, samples.cost))
            judged = met(statistics.median(values) >= target)
            rows.append([f"{name}, over {other}", *each(values), f"{target:g}", judged, f"{by_cost:.2f}"])
    return Table(
        f"Echo of 1 MB of JSON, {CONNECTIONS} connections: requests a second of troth over those of FastAPI",
        ["", *rounds_of(rounds), "target", "", "by CPU"],
        rows,
        f"{samples.wrong_answers(found)} wrong answers. {samples.others(found)}",
    )


def _named(name: str, server: EchoServer) -> EchoServer:
    return EchoServer(name, server.target, server.process_id)


def _body() -> bytes:
    """Records of words, whole numbers, fractions and lists, as compact JSON."""
    records: list[dict[str, object]] = []
    size = 0
    while size < BYTES:
        number = len(records)
        tags = [f"tag{number % 7}", f"tag{number % 11}"]
        record = {"id": number, "name": f"record {number}", "score": number / 7, "tags": tags, "ok": number % 2 == 0}
        records.append(record)
        size += len(json.dumps(record, separators=(",", ":"))) + 1
    return json.dumps(records, separators=(",", ":")).encode()
