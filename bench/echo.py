"""Echo of 100 bytes of JSON: troth with one isolated worker against the same function elsewhere.

Against FastAPI with the function inside its process, as `async def` and as `def`; and against the same worker behind a
server that was written by hand for nothing else (`bench/handrolled.py`), which is the ceiling.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from contextlib import ExitStack

from bench import samples
from bench.samples import Sample
from bench.section import Findings, Options
from bench.servers import FASTAPI, FASTAPI_DEF, HANDROLLED, TROTH, fastapi_echo, handrolled_echo, troth_echo
from bench.table import Table, each, met, rounds_of

CONNECTIONS = (1, 16, 64)
_WARM_UP = 1.0
#: How many times as many requests a second troth shall answer, at so many connections.
TARGETS = {
    (FASTAPI, 16): 3.0,
    (FASTAPI, 64): 4.0,
    (FASTAPI_DEF, 16): 4.5,
    (FASTAPI_DEF, 64): 6.0,
    (HANDROLLED, 16): 0.6,
    (HANDROLLED, 64): 0.6,
}
#: troth's p50 at one connection shall be at most this many times FastAPI's.
TARGET_P50 = 1.0


def measure(options: Options) -> Findings:
    """Ratios, latencies at one connection, then each server's own figures. Raises LoadFailed.

    All servers run all the time and one at a time is loaded. The order changes from round to round, so that a slow spell of
    the machine touches all.
    """
    found: list[Sample] = []
    with ExitStack() as stack:
        servers = [
            stack.enter_context(troth_echo()),
            *stack.enter_context(fastapi_echo(FASTAPI, FASTAPI_DEF)),
            stack.enter_context(handrolled_echo()),
        ]
        for server in servers:
            options.generator(server.target, 16, min(_WARM_UP, options.seconds))
        for number in range(options.rounds):
            options.say(f"echo: round {number + 1} of {options.rounds}")
            for connections in CONNECTIONS:
                found += [samples.sample(one, connections, options.seconds, options.generator) for one in servers]
            servers.reverse()
    note = "troth and hand-rolled: one isolated worker; FastAPI: the function inside the server's process."
    own = samples.table("Echo of 100 bytes of JSON: each server", found, options.generator_name, note)
    return Findings(
        [_rates(found, options.rounds), _latencies(found, options.rounds), own], samples.wrong_answers(found)
    )


def _rates(found: Sequence[Sample], rounds: int) -> Table:
    rows = []
    for other in (FASTAPI, FASTAPI_DEF, HANDROLLED):
        for connections in CONNECTIONS:
            values = samples.ratios(found, TROTH, other, connections, samples.rate)
            by_cost = statistics.median(samples.ratios(found, other, TROTH, connections, samples.cost))
            target = TARGETS.get((other, connections))
            judged = [f"{target:g}", met(statistics.median(values) >= target)] if target else ["-", "-"]
            rows.append([f"{other}, {connections}", *each(values), *judged, f"{by_cost:.2f}"])
    return Table(
        "Echo of 100 bytes of JSON: requests a second of troth over those of others",
        ["over, connections", *rounds_of(rounds), "target", "", "by CPU"],
        rows,
        "By CPU: processor time a request of the other server over that of troth, workers included, median. "
        f"{samples.wrong_answers(found)} wrong answers. {samples.others(found)}",
    )


def _latencies(found: Sequence[Sample], rounds: int) -> Table:
    rows = []
    for other in (FASTAPI, FASTAPI_DEF, HANDROLLED):
        values = samples.ratios(found, TROTH, other, 1, lambda one: one.load.p50)
        judged = [f"{TARGET_P50:g}", met(statistics.median(values) <= TARGET_P50)] if other == FASTAPI else ["-", "-"]
        rows.append([other, *each(values), *judged])
    return Table(
        "Echo of 100 bytes of JSON, 1 connection: p50 of troth over that of others",
        ["over", *rounds_of(rounds), "target at most", ""],
        rows,
        "Below one, troth answers sooner.",
    )
