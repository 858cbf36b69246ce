"""Three times as many calls as a version can answer: how many it still answers, what the others are told, and the memory.

The function computes for about a millisecond, so that the load generator beside it leaves most of the machine to the server.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.load import own
from bench.open_load import Outcomes, offer
from bench.processes import below, proportional_bytes
from bench.section import Findings, Options
from bench.servers import EchoServer, published, troth_server
from bench.table import Table, met

FACTOR = 3
#: Right answers a second over those at the peak.
TARGET_RATIO = 0.9
#: How many times what it was at first the memory may be at the end, for it to be called flat.
TARGET_GROWTH = 1.1
_SOURCE = "def apply(input):\n    return sum(range(input))\n"
_BODY = b"50000"
_RESULT = b"1249975000"
_CONNECTIONS = 64
#: How many times as long as other loads the overload lasts, and at most how many seconds.
_LONGER, _LONGEST = 10, 20.0
_MIB = 1 << 20


def measure(options: Options) -> Findings:
    """One overload between two measurements of the peak. Raises LoadFailed."""
    seconds = min(options.seconds * _LONGER, _LONGEST)
    with troth_server() as server:
        version = published(server, "sum", _SOURCE, body=_BODY, result=_RESULT)
        own(version.target, _CONNECTIONS, seconds / 4)
        options.say("overload: the peak")
        before = own(version.target, _CONNECTIONS, seconds / 4)
        options.say(f"overload: {FACTOR} times the peak for {seconds:g} s")
        with _watched(version) as memory:
            outcomes = offer(version.target, FACTOR * before.rate, seconds)
        after = own(version.target, _CONNECTIONS, seconds / 4)
    tables = [_table([before.rate, after.rate], outcomes, memory)]
    failures = [] if not outcomes.other else [f"overload: answers by status, 0 for none: {dict(outcomes.other)}"]
    return Findings(tables, before.wrong + after.wrong + outcomes.wrong, failures)


def _table(peaks: Sequence[float], outcomes: Outcomes, memory: Sequence[int]) -> Table:
    peak = max(peaks)
    ratio = outcomes.goodput / peak
    third = max(1, len(memory) // 3)
    # the queue fills in the first moments; from then on nothing may grow
    early, late = max(memory[:third]), max(memory[-third:])
    spent = sorted(outcomes.latencies)
    rows = [
        ["peak before and after, answers/s", f"{peaks[0]:,.0f}, {peaks[1]:,.0f}", "-", "-"],
        ["offered, requests/s", f"{outcomes.sent / outcomes.seconds:,.0f}", "-", "-"],
        ["right answers/s", f"{outcomes.goodput:,.0f}", "-", "-"],
        ["over the higher peak", f"{ratio:.2f}", f"{TARGET_RATIO:g}", met(ratio >= TARGET_RATIO)],
        ["p50, p99 of right answers, ms", _milliseconds(spent), "-", "-"],
        ["503 or 429 with Retry-After", f"{outcomes.refused:,}", "-", "-"],
        ["503 or 429 without", f"{outcomes.bare:,}", "0", met(outcomes.bare == 0)],
        ["other answers, none at all", f"{sum(outcomes.other.values()):,}", "0", met(not outcomes.other)],
        ["MiB (PSS), most in the first and the last third", f"{early / _MIB:.1f}, {late / _MIB:.1f}", "flat",
         met(late <= early * TARGET_GROWTH)],
    ]  # fmt: skip
    return Table(
        f"Overload: {FACTOR} times the peak",
        ["", "measured", "target", ""],
        rows,
        f"A function of about a millisecond; requests leave at their times, over up to as many connections as are needed, for "
        f"{outcomes.seconds:.0f} s; {outcomes.late:,} could not be sent in time. Peak: closed loop, {_CONNECTIONS} "
        f"connections. {outcomes.wrong} wrong answers.",
    )


def _milliseconds(spent: Sequence[float]) -> str:
    if not spent:
        return "-"
    return ", ".join(f"{spent[int(len(spent) * part)] * 1e3:,.0f}" for part in (0.50, 0.99))


@contextmanager
def _watched(version: EchoServer) -> Iterator[list[int]]:
    """Bytes that the server and everything below it held, twice a second; whole when the block has ended."""
    found: list[int] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            found.append(proportional_bytes([version.process_id, *below(version.process_id)]))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
        found.append(proportional_bytes([version.process_id, *below(version.process_id)]))
