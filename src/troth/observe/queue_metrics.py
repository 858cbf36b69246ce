"""Counts of the queue: what was accepted, what ended how and after how long, how much waits and since when."""

from __future__ import annotations

import bisect
import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from troth.observe.latency import BOUNDS, BUCKETS

_MOST_COMMANDS = 1000
_LE = [*(repr(bound) for bound in BOUNDS), "+Inf"]


@dataclass(frozen=True, slots=True)
class Depth:
    """How many commands of one name are in one state, and for how many seconds the oldest has been in the queue."""

    command: str
    state: str
    count: int
    age: float


@dataclass(slots=True)
class QueueTotals:
    """What was counted since the server started."""

    accepted: Counter[str] = field(default_factory=Counter)
    #: by (command, state)
    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    retried: Counter[str] = field(default_factory=Counter)
    #: seconds from acceptance to the end, of all commands together
    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * BUCKETS)

    def end(self, command: str, state: str, seconds: float) -> None:
        """One more command has ended."""
        self.ended[command, state] += 1
        self.seconds += seconds
        self.buckets[bisect.bisect_left(BOUNDS, seconds)] += 1

    def metrics(self, depths: Sequence[Depth]) -> Iterable[Metric]:
        """Everything as Prometheus' library wants it."""
        accepted = CounterMetricFamily("troth_commands_accepted", "Commands put into the queue.", labels=["command"])
        ended = CounterMetricFamily("troth_commands_ended", "Commands by their end.", labels=["command", "state"])
        retried = CounterMetricFamily("troth_commands_retried", "Attempts that will be repeated.", labels=["command"])
        for command, count in itertools.islice(self.accepted.items(), _MOST_COMMANDS):
            accepted.add_metric([command], count)
        for (command, state), count in itertools.islice(self.ended.items(), _MOST_COMMANDS):
            ended.add_metric([command, state], count)
        for command, count in itertools.islice(self.retried.items(), _MOST_COMMANDS):
            retried.add_metric([command], count)
        latency = HistogramMetricFamily("troth_command_seconds", "Seconds from acceptance to the end.")
        latency.add_metric([], list(zip(_LE, itertools.accumulate(self.buckets), strict=True)), self.seconds)
        labels = ["command", "state"]
        depth = GaugeMetricFamily("troth_queue_depth", "Commands that are not done.", labels=labels)
        age = GaugeMetricFamily("troth_queue_age_seconds", "Age of the oldest of them.", labels=labels)
        for one in depths[:_MOST_COMMANDS]:
            depth.add_metric([one.command, one.state], one.count)
            age.add_metric([one.command, one.state], one.age)
        return [accepted, ended, retried, latency, depth, age]
