"""Counts and receipts of calls as callers, owners and administrators see them."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.server import RunningServer, running_server
from troth.errors import Forbidden, Malformed, MalformedReference, NotFound
from troth.sdk import Client


def called(client: Client, **question: str) -> dict[tuple[str, str, str, str], int]:
    """Calls by (algorithm, version, caller, outcome) that the client sees."""
    found: dict[tuple[str, str, str, str], int] = {}
    for row in client.usage(**question)["rows"]:
        key = (row["algorithm"], row["version"], row["caller"], row["outcome"])
        found[key] = found.get(key, 0) + row["calls"]
    return found


def flush(server: RunningServer) -> None:
    """Writes what was counted, as the server does every second."""
    import asyncio

    asyncio.run_coroutine_threadsafe(server.server.observation.bookkeeping.flush(), server.loop).result(10)


def add(server: RunningServer, algorithm: str, caller: str, outcome: str = "ok", seconds: float = 0.003) -> None:
    server.loop.call_soon_threadsafe(
        lambda: server.server.observation.usage.add(algorithm, "0.1.0", caller, outcome, seconds)
    )


def test_who_sees_which_calls(server: RunningServer) -> None:
    (ada, ada_client), (ben, ben_client), (_, eve_client) = (
        server.account("ada"),
        server.account("ben"),
        server.account(),
    )
    house = server.organization(ada_client, "house")
    add(server, f"{house}/echo", ben)
    add(server, f"{ada}/tool", ben, "exception")
    add(server, f"{ben}/own", ada)
    flush(server)
    echo, tool, own = [
        (f"{house}/echo", "0.1.0", ben, "ok"), (f"{ada}/tool", "0.1.0", ben, "exception"), (f"{ben}/own", "0.1.0", ada, "ok"),
    ]  # fmt: skip
    assert called(ada_client) == {echo: 1, tool: 1, own: 1}
    assert called(ben_client) == {echo: 1, tool: 1, own: 1}
    assert called(eve_client) == {}
    assert called(eve_client, algorithm=f"{ada}/tool", caller=ben) == {}
    assert called(server.owner, caller=ben) == {echo: 1, tool: 1}
    assert called(ada_client, algorithm=f"{house}/echo") == {echo: 1}
    ada_client.command("add_member", organization=house, account=ben, role="admin")
    ada_client.command("remove_member", organization=house, account=ada)
    assert called(ada_client) == {tool: 1, own: 1}


def test_usage_has_latencies(server: RunningServer) -> None:
    name, client = server.account()
    for seconds in (0.0015, 0.0015, 0.0015, 0.15):
        add(server, f"{name}/slow", name, seconds=seconds)
    flush(server)
    answer = client.usage(by="minute")
    calls = sum(row["calls"] for row in answer["rows"])
    latency = [sum(counts) for counts in zip(*(row["latency"] for row in answer["rows"]), strict=True)]
    slower = len(answer["bounds"])
    assert (calls, sum(latency), len(latency)) == (4, 4, slower + 1)
    assert latency[answer["bounds"].index(0.002)] == 3
    if len(answer["rows"]) == 1:
        (row,) = answer["rows"]
        assert 0.001 <= row["p50"] <= 0.002
        assert 0.1 <= row["p99"] <= 0.2


def test_usage_is_paged_by_its_limit(server: RunningServer) -> None:
    name, client = server.account()
    for number in range(3):
        add(server, f"{name}/many{number}", name)
    flush(server)
    answer = client.usage(limit=2)
    assert (len(answer["rows"]), answer["more"]) == (2, True)
    assert client.usage(limit=3)["more"] is False


@pytest.mark.parametrize(
    ("question", "error"),
    [
        ({"from": "yesterday"}, Malformed),
        ({"to": "2026-13-01T00:00:00Z"}, Malformed),
        ({"by": "second"}, Malformed),
        ({"limit": "0"}, Malformed),
        ({"algorithm": "no slash"}, MalformedReference),
        ({"algorithm": "ada/echo/1.0.0"}, MalformedReference),
    ],
)
def test_malformed_questions(server: RunningServer, question: dict[str, str], error: type[Exception]) -> None:
    with pytest.raises(error):
        server.owner.usage(**question)


def test_usage_of_a_time(server: RunningServer) -> None:
    name, client = server.account()
    add(server, f"{name}/echo", name)
    flush(server)
    assert called(client, **{"from": "2020-01-01", "to": "2020-02-01T00:00:00Z"}) == {}
    assert len(called(client, **{"from": "2020-01-01T00:00:00+02:00"})) == 1


def test_receipts_and_counts_outlive_the_server(tmp_path: Path) -> None:
    with running_server(tmp_path / "home") as first:
        algorithm, commit = first.build(tmp_path, "owner", first.owner)
        first.owner.publish(algorithm, commit, bump="minor", visibility="public")
        request = first.owner.call(f"{algorithm}/latest", "hello").receipt["request"]
        name, _ = first.account()
        receipt = first.owner.receipt(request)
        assert receipt["version"] == "0.1.0"
        assert receipt["reference"] == f"{algorithm}/latest"
    with running_server(tmp_path / "home") as second:
        assert second.owner.receipt(request) == receipt
        with pytest.raises(NotFound):
            second.client(first.keys[name]).receipt(request)
        assert sum(called(second.owner, algorithm=algorithm).values()) == 1


def test_the_engine_is_for_administrators(server: RunningServer) -> None:
    name, client = server.account()
    with pytest.raises(Forbidden):
        client.engine()
    add(server, f"{name}/live", name)
    found = server.owner.engine()
    (row,) = [row for row in found["called"] if row["algorithm"] == f"{name}/live"]
    assert (row["outcomes"], sum(row["latency"]), len(row["latency"])) == ({"ok": 1}, 1, len(found["bounds"]) + 1)


def test_metrics_are_what_prometheus_reads(server: RunningServer) -> None:
    name, _ = server.account()
    for outcome in ("ok", "ok", "timeout"):
        add(server, f"{name}/measured", name, outcome, seconds=0.003)
    families = {family.name: family for family in text_string_to_metric_families(server.owner.metrics())}
    labels = {"algorithm": f"{name}/measured", "version": "0.1.0"}
    calls = {
        s.labels["outcome"]: s.value
        for s in families["troth_calls"].samples
        if s.labels["algorithm"] == f"{name}/measured"
    }
    assert calls == {"ok": 2, "timeout": 1}
    seconds = [s for s in families["troth_call_seconds"].samples if labels.items() <= s.labels.items()]
    buckets = {s.labels["le"]: s.value for s in seconds if s.name.endswith("_bucket")}
    assert (buckets["0.002"], buckets["0.005"], buckets["+Inf"]) == (0, 3, 3)
    (total,) = [s.value for s in seconds if s.name.endswith("_sum")]
    assert total == pytest.approx(0.009)
    assert {"troth_records_waiting", "troth_records_lost", "troth_workers", "troth_calls_waiting"} <= set(families)
