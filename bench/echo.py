"""Echo of 100 bytes of JSON: troth with one isolated worker against the same function inside a FastAPI process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.load import Generator, Load
from bench.processes import busy_time, generator_time, processor_time
from bench.servers import EchoServer, fastapi_echo, troth_echo

CONNECTIONS = (1, 16, 64)
#: How many times as many requests a second troth shall answer, at these numbers of connections.
TARGET_RATIO = 1.5
TARGET_CONNECTIONS = (16, 64)
_WARM_UP = 1.0


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


Round = list[Sample]
#: One figure of a sample.
Value = Callable[[Sample], float]


def measure(rounds: int, seconds: float, generator: Generator, say: Callable[[str], None]) -> list[Round]:
    """The samples of so many rounds, each load lasting so many seconds. Raises LoadFailed.

    Both servers run all the time and one at a time is loaded. The order changes from round to round, so that a slow
    spell of the machine touches both.
    """
    with troth_echo() as troth, fastapi_echo() as fastapi:
        servers = [troth, fastapi]
        for server in servers:
            generator(server.target, 16, _WARM_UP)
        found = []
        for number in range(rounds):
            say(f"echo: round {number + 1} of {rounds}")
            found.append(list(_round(servers, seconds, generator)))
            servers.reverse()
        return found


def wrong_answers(rounds: Sequence[Round]) -> int:
    """How many answers were not the input."""
    return sum(sample.load.wrong for samples in rounds for sample in samples)


def ratios(rounds: Sequence[Round], connections: int) -> list[float]:
    """Round by round, how many times as many requests a second troth answered."""
    return [troth.load.rate / fastapi.load.rate for troth, fastapi in _pairs(rounds, connections)]


def cost_ratios(rounds: Sequence[Round], connections: int) -> list[float]:
    """Round by round, how many times as much processor time a request took in FastAPI as in troth and its worker."""
    return [fastapi.cost / troth.cost for troth, fastapi in _pairs(rounds, connections)]


def others(rounds: Sequence[Round]) -> list[float]:
    """How many processors everything else kept busy, sample by sample."""
    return [sample.others for samples in rounds for sample in samples]


def median(rounds: Sequence[Round], server: str, connections: int, value: Value) -> float:
    """The median over the rounds of one value of the samples."""
    return statistics.median(value(_found(samples, server, connections)) for samples in rounds)


def _round(servers: Sequence[EchoServer], seconds: float, generator: Generator) -> Iterator[Sample]:
    for connections in CONNECTIONS:
        for server in servers:
            yield _sample(server, connections, seconds, generator)


def _sample(server: EchoServer, connections: int, seconds: float, generator: Generator) -> Sample:
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


def _pairs(rounds: Sequence[Round], connections: int) -> list[tuple[Sample, Sample]]:
    return [(_found(samples, "troth", connections), _found(samples, "FastAPI", connections)) for samples in rounds]


def _found(samples: Round, server: str, connections: int) -> Sample:
    return next(sample for sample in samples if (sample.server, sample.connections) == (server, connections))
