"""Counts of calls by version and outcome, and of what went wrong on disk, which a scrape turns into Prometheus' text."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from troth.observe.latency import BOUNDS, BUCKETS

#: What may come of a call.
OUTCOMES = (
    "ok", "exception", "load_failure", "timeout", "exit", "signal", "out_of_memory", "queue_full", "queue_deadline",
    "rate_limited", "cancelled", "refused", "internal",
)  # fmt: skip
#: Those of calls that a worker had. The others took no time that says anything of the version.
RAN = frozenset({"ok", "exception", "timeout", "exit", "signal", "out_of_memory"})
#: Versions and outcomes that are told apart; the rest is counted under `OTHER`, so that a scrape stays small.
_MOST_VERSIONS, _MOST_OUTCOMES = 1000, 32
OTHER = "other"
#: Stands for the hash of a build that was called without being published; each would be a label of its own.
BUILD = "build"
_HASH_LENGTH = 40
_LE = [*(repr(bound) for bound in BOUNDS), "+Inf"]


@dataclass(slots=True)
class VersionTotals:
    """What was counted of one version since the server started."""

    outcomes: Counter[str] = field(default_factory=Counter)
    #: of the calls that ran
    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * BUCKETS)


class CallTotals:
    """How many calls there were since the server started, and how long they took, by (owner/name, version)."""

    def __init__(self) -> None:
        self.versions: dict[tuple[str, str], VersionTotals] = {}
        self._outcomes = set(OUTCOMES)

    def add(self, algorithm: str, version: str, outcome: str, cell: Sequence[float]) -> None:
        """Adds calls: their number, their seconds, and their number in each bucket of `troth.observe.latency`."""
        label = (algorithm, BUILD if len(version) == _HASH_LENGTH else version)
        if label not in self.versions and len(self.versions) >= _MOST_VERSIONS:
            label = (OTHER, OTHER)
        found = self.versions.setdefault(label, VersionTotals())
        found.outcomes[self._word(f"{outcome}")] += int(cell[0])
        if outcome not in RAN:
            return
        found.seconds += cell[1]
        for index, count in enumerate(itertools.islice(cell, 2, None)):
            found.buckets[index] += int(count)

    def _word(self, outcome: str) -> str:
        if outcome not in self._outcomes:
            if len(self._outcomes) >= _MOST_OUTCOMES:
                return OTHER
            self._outcomes.add(outcome)
        return outcome


@dataclass(slots=True)
class Faults:
    """What went wrong inside the server, by name; each is a counter of its own in the metrics."""

    #: how often an environment on disk was found altered
    altered_environments: int = 0
    #: how often counts and records of calls could not be written
    failed_flushes: int = 0


@dataclass(frozen=True, slots=True)
class Backlog:
    """What of calls waits for the registry, and what it cost that the registry did not keep up."""

    records: int
    records_lost: int
    usage_merged: int


class Metrics:
    """Renders everything that is counted. `backlog` settles the last counts before it tells."""

    def __init__(
        self,
        totals: CallTotals,
        faults: Faults,
        engine_states: Callable[[], list[dict[str, Any]]],
        backlog: Callable[[], Backlog],
        floating: Mapping[str, int] | None = None,
    ) -> None:
        self._totals = totals
        self._faults = faults
        self._states = engine_states
        self._backlog = backlog
        self._floating = {} if floating is None else floating
        #: what other parts of the server count
        self.more: list[Callable[[], Iterable[Metric]]] = []
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """What Prometheus' library asks a collector for."""
        backlog = self._backlog()
        floating = _floating(self._floating)
        more = itertools.chain.from_iterable(tell() for tell in self.more)
        return [*_calls(self._totals), floating, *_engine(self._states()), *_inside(self._faults, backlog), *more]

    def render(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return generate_latest(self._registry)


def _calls(totals: CallTotals) -> Iterable[Metric]:
    calls = CounterMetricFamily("troth_calls", "Calls of algorithms.", labels=["algorithm", "version", "outcome"])
    seconds = HistogramMetricFamily(
        "troth_call_seconds", "Seconds that calls took in workers.", labels=["algorithm", "version"]
    )
    for label, found in list(totals.versions.items()):
        for outcome, count in found.outcomes.items():
            calls.add_metric([*label, outcome], count)
        cumulated = itertools.accumulate(found.buckets)
        seconds.add_metric(label, list(zip(_LE, cumulated, strict=True)), found.seconds)
    return [calls, seconds]


def _floating(references: Mapping[str, int]) -> Metric:
    """From calls by reference; they are told apart by algorithm, as far as that keeps a scrape small."""
    described = "Calls with production keys by references that float (ALG-14, ALG-20)."
    calls = CounterMetricFamily("troth_floating_production_calls", described, labels=["algorithm"])
    found: Counter[str] = Counter()
    for reference, count in list(references.items()):
        algorithm = "/".join(reference.split("/", 2)[:2])
        found[algorithm if algorithm in found or len(found) < _MOST_VERSIONS else OTHER] += count
    for algorithm, count in found.items():
        calls.add_metric([algorithm], count)
    return calls


def _engine(states: Sequence[dict[str, Any]]) -> Iterable[Metric]:
    """From states as the engine tells them: id, algorithm, version, workers (busy and idle), state, waiting, memory_bytes."""
    workers = GaugeMetricFamily("troth_workers", "Workers by whether they run a call.", labels=["state"])
    for word in ("busy", "idle"):
        workers.add_metric([word], sum(state["workers"][word] for state in states))
    versions = GaugeMetricFamily("troth_versions", "Versions by how far they are from running.", labels=["state"])
    for word, count in sorted(Counter(state["state"] for state in states).items()):
        versions.add_metric([word], count)
    waiting = GaugeMetricFamily("troth_calls_waiting", "Calls that wait for a worker.", labels=["algorithm", "version"])
    memory = GaugeMetricFamily("troth_memory_bytes", "Memory of workers.", labels=["algorithm", "version"])
    for (algorithm, version), (calls, size) in _by_version(states).items():
        waiting.add_metric([algorithm, version], calls)
        memory.add_metric([algorithm, version], size)
    return [workers, versions, waiting, memory]


def _by_version(states: Sequence[dict[str, Any]]) -> dict[tuple[str, str], tuple[int, int]]:
    """(waiting, memory) of each version; several builds of one algorithm are one line."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for state in states:
        version = BUILD if len(state["version"]) == _HASH_LENGTH else state["version"]
        label = (state["algorithm"], version)
        if label not in found and len(found) >= _MOST_VERSIONS:
            label = (OTHER, OTHER)
        calls, size = found.get(label, (0, 0))
        found[label] = (calls + state["waiting"], size + state["memory_bytes"])
    return found


def _inside(faults: Faults, backlog: Backlog) -> Iterable[Metric]:
    altered = "Environments that were found altered on disk, and built again."
    lost = "Calls without a record, because the registry did not keep up."
    merged = "Times that counts of calls were merged, because the registry did not keep up."
    failed = "Times that counts and records of calls could not be written."
    return [
        CounterMetricFamily("troth_environments_altered", altered, value=faults.altered_environments),
        CounterMetricFamily("troth_records_lost", lost, value=backlog.records_lost),
        CounterMetricFamily("troth_usage_merged", merged, value=backlog.usage_merged),
        CounterMetricFamily("troth_flushes_failed", failed, value=faults.failed_flushes),
        GaugeMetricFamily("troth_records_waiting", "Records of calls to be written.", value=backlog.records),
    ]
