"""Figures that algorithms report of the calls that run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.server import RunningServer, running_server
from tests.within.author import publish
from troth.calls.insights import Insights
from troth.doors.cli.main import execute
from troth.errors import Forbidden, NotFound

REPORTER = """
import Algorithmia
from Algorithmia import transport

def apply(input):
    client = Algorithmia.client()
    if isinstance(input, str):
        reply = transport.ask("POST", "/v1/insights", kind="application/json", body=input.encode())
        found = reply.document()
        return [reply.status, found.get("error", {}).get("message", "")]
    try:
        for one in input:
            client.report_insights(one)
    except Algorithmia.ApiError as error:
        return str(error)
    return "taken"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("insights")) as running:
        yield running


@pytest.fixture
def reporter(server: RunningServer, tmp_path: Path) -> str:
    return publish(server, tmp_path, REPORTER)


def reported(server: RunningServer, algorithm: str, **wanted: Any) -> list[dict[str, Any]]:
    asyncio.run_coroutine_threadsafe(server.server.observation.bookkeeping.flush(), server.loop).result(30)
    found: list[dict[str, Any]] = server.owner.insights(algorithm, **wanted)["insights"]
    return found


@pytest.mark.digest("12.4 insights")
def test_they_are_recorded_with_the_call(server: RunningServer, reporter: str) -> None:
    _, client = server.account()
    answer = client.call(reporter, [{"cats": 2, "confidence": 0.9}, {"note": {"a": [None, "ü"]}}])
    assert answer.result == "taken"
    request = answer.receipt["request"]
    found = reported(server, reporter)
    assert [(one["key"], one["value"], one["version"], one["request"]) for one in found] == [
        ("note", {"a": [None, "ü"]}, "0.1.0", request),
        ("confidence", 0.9, "0.1.0", request),
        ("cats", 2, "0.1.0", request),
    ]
    assert [one["value"] for one in reported(server, reporter, key="cats")] == [2]
    assert len(reported(server, reporter, request=request, limit=1)) == 1
    assert reported(server, reporter, to="2020-01-01") == []


def test_a_call_reports_only_so_many(server: RunningServer, reporter: str) -> None:
    assert "at most 25 insights" in server.owner.call(reporter, [{f"k{n}": n} for n in range(26)]).result
    assert len(reported(server, reporter)) == 25
    assert "at most 25600 bytes" in server.owner.call(reporter, [{"k": "x" * 20_000}, {"l": "x" * 20_000}]).result
    assert len(reported(server, reporter)) == 26


@pytest.mark.parametrize(
    "body",
    ["", "7", "{}", "[7]", '[{"insight_key": "a"}]', '[{"insight_key": 7, "insight_value": 1}]',
     '[{"insight_key": "", "insight_value": 1}]', '[{"insight_key": "a\\u0000", "insight_value": 1}]',
     '[{"insight_key": "request_id", "insight_value": 1}]', "[" * 100_000],
)  # fmt: skip
def test_what_is_no_insight(server: RunningServer, reporter: str, body: str) -> None:
    status, message = server.owner.call(reporter, body).result
    assert status == 400
    assert message
    assert reported(server, reporter) == []


def test_they_come_from_calls_only(server: RunningServer, reporter: str) -> None:
    for head in ({}, {"Authorization": server.owner_key}):
        reply = httpx2.post(
            f"{server.address}/v1/insights",
            json=[{"insight_key": "a", "insight_value": 1}],
            headers=head,
            trust_env=False,
        )
        assert reply.status_code == 401


def test_who_may_read_them(server: RunningServer, reporter: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
                           monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    server.owner.call(reporter, [{"cats": 2}])
    _, client = server.account()
    with pytest.raises(Forbidden):
        client.insights(reporter)
    with pytest.raises(NotFound):
        client.insights("owner/there_is_none")
    reported(server, reporter)
    monkeypatch.setenv("TROTH_SERVER", server.address)
    monkeypatch.setenv("TROTH_KEY", server.owner_key)
    assert execute(["insights", reporter]) == 0
    assert "cats" in capsys.readouterr().out


def test_a_flood_is_given_up_and_not_kept_in_memory() -> None:
    """The registry is away: what waits is bounded, and the rest is counted."""
    from tests.within.figures import within

    insights = Insights(most_waiting=40)
    for call in range(100):
        insights.report(within(f"req-{call}"), [{"insight_key": "a", "insight_value": call}] * 25, 0)
    assert insights.lost == 2500 - 40
    assert len(insights.take()) == 40
    insights.give_back()
    assert len(insights.take()) == 40
    insights.done()
    assert not insights.take()
