"""Counts of calls by version and outcome, and of what went wrong on disk, which a scrape turns into Prometheus' text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric


class CallCounts:
    """How many calls there were and how long they took, by (algorithm, version, outcome)."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str, str], list[float]] = {}
        #: how often an environment on disk was found altered
        self.altered_environments = 0

    def add(self, algorithm: str, version: str, outcome: str, seconds: float) -> None:
        """Counts one call."""
        entry = self.counts.get((algorithm, version, outcome))
        if entry is None:
            entry = self.counts[algorithm, version, outcome] = [0.0, 0.0]
        entry[0] += 1.0
        entry[1] += seconds


class Metrics:
    """Renders everything that is counted."""

    def __init__(self, counts: CallCounts, engine_states: Callable[[], list[dict[str, Any]]]) -> None:
        self._counts = counts
        self._states = engine_states
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """What Prometheus' library asks a collector for."""
        labels = ["algorithm", "version", "outcome"]
        calls = CounterMetricFamily("troth_calls", "Calls of algorithms.", labels=labels)
        seconds = CounterMetricFamily("troth_call_seconds", "Seconds that algorithms ran.", labels=labels)
        for key, (count, spent) in list(self._counts.counts.items()):
            calls.add_metric(key, count)
            seconds.add_metric(key, spent)
        altered = CounterMetricFamily(
            "troth_environments_altered", "Environments that were found altered on disk, and built again."
        )
        altered.add_metric([], self._counts.altered_environments)
        workers = GaugeMetricFamily("troth_workers", "Workers that are up.")
        waiting = GaugeMetricFamily("troth_calls_waiting", "Calls that wait for a worker.")
        states = self._states()
        workers.add_metric([], sum(state["workers"] for state in states))
        waiting.add_metric([], sum(state["waiting"] for state in states))
        return [calls, seconds, altered, workers, waiting]

    def render(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return generate_latest(self._registry)
