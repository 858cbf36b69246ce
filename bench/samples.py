"""One server under one load: requests, latencies and processor time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.load import Generator, Load
from bench.processes import busy_time, generator_time, processor_time
from bench.servers import EchoServer
from bench.table import Table


@dataclass(frozen=True, slots=True)
class Sample:
    """One server under one load.

    Processor times are microseconds a request, of the server, its workers and the load generator; `others` is the number
    of processors that everything else on the machine kept busy.
    """

    server: str
    connections: int
    load: Load
    server_time: float
    worker_time: float
    generator_time: float
    others: float

    @property
    def cost(self) -> float:
        """Microseconds of processor time a request, of the server and its workers."""
        return self.server_time + self.worker_time


#: One figure of a sample.
Value = Callable[[Sample], float]


def sample(server: EchoServer, connections: int, seconds: float, generator: Generator) -> Sample:
    """Loads the server over so many connections for so many seconds. Raises LoadFailed."""
    before = _Clocks.read(server.process_id)
    load = generator(server.target, connections, seconds)
    spent = _Clocks.read(server.process_id).since(before)
    per_request = 1e6 / load.answers
    others = (spent.busy - spent.server - spent.workers - spent.generator) / spent.wall
    return Sample(
        server.name,
        connections,
        load,
        spent.server * per_request,
        spent.workers * per_request,
        spent.generator * per_request,
        max(0.0, others),
    )


def chosen(samples: Sequence[Sample], server: str, connections: int) -> list[Sample]:
    """Those of one server at one number of connections, in the order of the rounds."""
    return [one for one in samples if (one.server, one.connections) == (server, connections)]


def ratios(samples: Sequence[Sample], of: str, over: str, connections: int, value: Value) -> list[float]:
    """Round by round, how many times the value of `over` the value of `of` was."""
    pairs = zip(chosen(samples, of, connections), chosen(samples, over, connections), strict=True)
    return [value(mine) / value(other) for mine, other in pairs]


def rate(one: Sample) -> float:
    """Answers a second."""
    return one.load.rate


def cost(one: Sample) -> float:
    """Microseconds of processor time a request."""
    return one.cost


def median(samples: Sequence[Sample], value: Value) -> float:
    """The median of one value."""
    return statistics.median(value(one) for one in samples)


def wrong_answers(samples: Sequence[Sample]) -> int:
    """How many answers were not what they should have been."""
    return sum(one.load.wrong for one in samples)


def others(samples: Sequence[Sample]) -> str:
    """A sentence about what else ran."""
    busy = [one.others for one in samples]
    return f"Everything else on the machine kept {statistics.median(busy):.1f} cores busy (median; at most {max(busy):.1f})."


def table(title: str, samples: Sequence[Sample], generator: str, note: str) -> Table:
    """Each server's own figures, medians over the rounds."""
    kinds = sorted({(one.connections, one.server): None for one in samples}, key=lambda kind: kind[0])
    rows = [_row(chosen(samples, server, connections)) for connections, server in kinds]
    return Table(
        title,
        ["server, connections", "requests/s", "p50 ms", "p99 ms", "CPU µs/request", "server", "workers", "generator"],
        rows,
        f"{note} Medians over the rounds. CPU is that of the server's process and of all below it; the load generator "
        f"({generator}) took the last column beside it, on the same cores.",
    )


def _row(samples: Sequence[Sample]) -> list[str]:
    return [
        f"{samples[0].server}, {samples[0].connections}",
        f"{median(samples, rate):,.0f}",
        f"{median(samples, lambda one: one.load.p50) / 1e3:,.2f}",
        f"{median(samples, lambda one: one.load.p99) / 1e3:,.2f}",
        f"{median(samples, cost):,.0f}",
        f"{median(samples, lambda one: one.server_time):,.0f}",
        f"{median(samples, lambda one: one.worker_time):,.0f}",
        f"{median(samples, lambda one: one.generator_time):,.0f}",
    ]


@dataclass(frozen=True, slots=True)
class _Clocks:
    """Seconds: of the wall, of the server, its workers, the generator, and of all processors while not idle."""

    wall: float
    server: float
    workers: float
    generator: float
    busy: float

    @classmethod
    def read(cls, process_id: int) -> _Clocks:
        spent = processor_time(process_id)
        return cls(time.perf_counter(), spent.server, spent.below, generator_time(), busy_time())

    def since(self, before: _Clocks) -> _Clocks:
        """What has passed on each of them."""
        return _Clocks(
            self.wall - before.wall,
            self.server - before.server,
            self.workers - before.workers,
            self.generator - before.generator,
            self.busy - before.busy,
        )
