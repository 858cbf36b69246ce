"""The metrics are Prometheus' text, and stay small whatever is called."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from troth.observe.latency import BUCKETS
from troth.observe.metrics import OUTCOMES, RAN, Backlog, CallTotals, Faults, Metrics


def cell(calls: int, bucket: int = 0) -> list[float]:
    found: list[float] = [calls, calls * 0.5, *[0] * BUCKETS]
    found[2 + bucket] = calls
    return found


def state(version: str, **more: Any) -> dict[str, Any]:
    return {"id": version, "algorithm": "ada/echo", "version": version, "workers": {"busy": 1, "idle": 2}, "state": "hot",
            "waiting": 2, "memory_bytes": 100, "start": "fork", "last_crash": "", **more}  # fmt: skip


def scrape(totals: CallTotals, states: list[dict[str, Any]] | None = None) -> dict[str, Metric]:
    metrics = Metrics(totals, Faults(2, 3), lambda: states or [], lambda: Backlog(4, 5, 6))
    return {family.name: family for family in text_string_to_metric_families(metrics.render().decode())}


def values(family: Metric, name: str = "") -> dict[tuple[str, ...], float]:
    return {tuple(sample.labels.values()): sample.value for sample in family.samples if sample.name.endswith(name)}


def test_outcomes_are_told_apart() -> None:
    totals = CallTotals()
    for number, outcome in enumerate(OUTCOMES, 1):
        totals.add("ada/echo", "1.0.0", outcome, cell(number))
    found = {sample.labels["outcome"]: sample.value for sample in scrape(totals)["troth_calls"].samples}
    assert found == {outcome: number for number, outcome in enumerate(OUTCOMES, 1)}


def test_an_outcome_may_be_a_member_of_an_enumeration() -> None:
    class Word(StrEnum):
        OK = "ok"

    totals = CallTotals()
    totals.add("ada/echo", "1.0.0", Word.OK, cell(1))
    totals.add("ada/echo", "1.0.0", "ok", cell(1))
    assert [sample.value for sample in scrape(totals)["troth_calls"].samples] == [2]
    assert 'outcome="ok"' in Metrics(totals, Faults(), list, lambda: Backlog(0, 0, 0)).render().decode()


def test_latencies_are_a_histogram() -> None:
    totals = CallTotals()
    totals.add("ada/echo", "1.0.0", "ok", cell(3, 2))
    totals.add("ada/echo", "1.0.0", "exit", cell(4, BUCKETS - 1))
    for outcome in set(OUTCOMES) - RAN:  # a flood of refused calls makes nothing look fast
        totals.add("ada/echo", "1.0.0", outcome, cell(100))
    samples = scrape(totals)["troth_call_seconds"].samples
    buckets = {s.labels["le"]: s.value for s in samples if s.name.endswith("_bucket")}
    assert (buckets["2e-05"], buckets["5e-05"], buckets["5000.0"], buckets["+Inf"]) == (0, 3, 3, 7)
    assert {s.name: s.value for s in samples if "le" not in s.labels} == {
        "troth_call_seconds_count": 7,
        "troth_call_seconds_sum": 3.5,
    }


def test_the_engine_and_the_server_itself() -> None:
    found = scrape(
        CallTotals(), [state("1.0.0"), state("2.0.0", workers={"busy": 0, "idle": 0}, state="warm", memory_bytes=0)]
    )
    assert values(found["troth_workers"]) == {("busy",): 1, ("idle",): 2}
    assert values(found["troth_versions"]) == {("hot",): 1, ("warm",): 1}
    assert values(found["troth_calls_waiting"]) == {("ada/echo", "1.0.0"): 2, ("ada/echo", "2.0.0"): 2}
    assert values(found["troth_memory_bytes"]) == {("ada/echo", "1.0.0"): 100, ("ada/echo", "2.0.0"): 0}
    names = ("troth_environments_altered", "troth_flushes_failed", "troth_records_waiting", "troth_records_lost")
    assert [found[name].samples[0].value for name in names] == [2, 3, 4, 5]
    assert found["troth_usage_merged"].samples[0].value == 6


def test_a_scrape_stays_small() -> None:
    """However many builds, versions and outcomes there are; and no call is missing in the sum."""
    totals = CallTotals()
    for number in range(3000):
        totals.add("ada/echo", f"1.{number}.0", "ok", cell(1))
        totals.add("ada/echo", f"{number:040x}", "ok", cell(1))
        totals.add("ada/other", "1.0.0", f"word{number}", cell(1))
    found = scrape(totals, [state(f"1.{number}.0") for number in range(3000)])
    assert len({(s.labels["algorithm"], s.labels["version"]) for s in found["troth_calls"].samples}) <= 1001
    assert len({s.labels["outcome"] for s in found["troth_calls"].samples}) <= 33
    assert sum(s.value for s in found["troth_calls"].samples) == 9000
    assert len(found["troth_calls_waiting"].samples) <= 1001
    assert sum(s.value for s in found["troth_calls_waiting"].samples) == 6000
    assert values(found["troth_call_seconds"], "_count")["ada/echo", "build"] == 3000
