"""Brownouts: announced in replies, felt while they last, and by production keys only where somebody asked for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.conftest import Served
from troth.doors.cli.main import execute
from troth.errors import Forbidden, Malformed, Refused
from troth.queries import api_callers as queries
from troth.registry import accounts
from troth.sdk.lifecycles import ApiStates


def written(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


NOW = datetime.now(UTC)
BEGINS, ENDS = NOW + timedelta(days=8), NOW + timedelta(days=8, minutes=5)


@pytest.fixture
def planned(served: Served) -> Iterator[dict[str, Any]]:
    """A brownout of v4 in eight days; the gateway's clock is set back to now behind it."""
    times: dict[str, Any] = {"begins": written(BEGINS), "ends": written(ENDS)}
    found = served.client.command("plan_brownout", api=served.api, api_version="v4", **times)
    yield found
    _at(served, None)
    if not found.get("cancelled"):
        served.client.command("cancel_brownout", brownout=found["brownout"])


def _at(served: Served, when: datetime | None) -> None:
    live = served.server.server.gateway.apis.served[served.api].live
    live._clock = lambda: (when or datetime.now(UTC)).timestamp()


def test_a_brownout_is_announced_and_spares_production_keys(served: Served, planned: dict[str, Any]) -> None:
    interval = f"{planned['begins']}/{planned['ends']}"
    scope = {"algorithms": ["algo://*"], "production": True}
    production = served.client.command("create_key", version=2, account=served.owner, scope=scope)["key"]
    assert served.ask("GET", "/v4/items").headers["troth-brownout"] == interval
    assert "troth-brownout" not in served.ask("GET", "/v5/items").headers
    assert served.client.api_states(served.api)["brownouts"] == [
        {"version": 4, "begins": planned["begins"], "ends": planned["ends"]}
    ]
    _at(served, BEGINS + timedelta(minutes=1))
    reply = served.ask("GET", "/v4/items")
    assert (reply.status_code, reply.json()["code"]) == (503, "browned-out")
    assert "retry-after" in reply.headers
    assert reply.headers["troth-api-state"] == "deprecated"
    assert served.ask("GET", "/v4/items", key=production).status_code == 200
    assert served.ask("GET", "/v5/items").status_code == 200
    _at(served, ENDS + timedelta(seconds=1))
    reply = served.ask("GET", "/v4/items")
    assert (reply.status_code, reply.headers.get("troth-brownout")) == (200, None)


def test_what_has_passed_is_not_shown_as_if_it_would_come(served: Served, planned: dict[str, Any]) -> None:
    with served.server.server.database.read() as connection:
        ada = accounts.get_account(connection, served.owner)
        for when, wanted in ((NOW, [planned["brownout"]]), (BEGINS, [planned["brownout"]]), (ENDS, [])):
            found = queries.served(connection, ada, served.api, lambda _: None, when)["brownouts"]
            assert [one["brownout"] for one in found] == wanted


def test_the_middleware_knows_of_it_too(served: Served, planned: dict[str, Any]) -> None:
    states = ApiStates(served.api, served.server.address)
    assert states.refresh()
    marking = states.marking("/v4/items")
    assert marking is not None
    assert dict(marking.headers)[b"troth-brownout"] == f"{planned['begins']}/{planned['ends']}".encode()
    states.close()


def test_a_brownout_that_is_cancelled_does_not_come(served: Served, planned: dict[str, Any]) -> None:
    served.client.command("cancel_brownout", brownout=planned["brownout"])
    planned["cancelled"] = True
    _at(served, BEGINS + timedelta(minutes=1))
    reply = served.ask("GET", "/v4/items")
    assert (reply.status_code, reply.headers.get("troth-brownout")) == (200, None)
    with pytest.raises(Refused):
        served.client.command("cancel_brownout", brownout=planned["brownout"])


@pytest.mark.parametrize(
    ("version", "begins", "ends", "error"),
    [
        ("v5", BEGINS, ENDS, Refused),
        ("v3", BEGINS, ENDS, Refused),
        ("v9", BEGINS, ENDS, Refused),
        ("v4", NOW - timedelta(days=1), ENDS, Refused),
        ("v4", BEGINS, BEGINS + timedelta(days=2), Refused),
        ("v4", ENDS, BEGINS, Malformed),
    ],
)
def test_what_is_no_brownout_is_refused(
    served: Served, version: str, begins: datetime, ends: datetime, error: type[Exception]
) -> None:
    times: dict[str, Any] = {"begins": written(begins), "ends": written(ends)}
    with pytest.raises(error):
        served.client.command("plan_brownout", api=served.api, api_version=version, **times)


@pytest.mark.clause("PDB-34")
def test_a_brownout_is_announced_a_week_before(served: Served) -> None:
    for begins, words in (
        (NOW + timedelta(minutes=30), "minutes after its announcement"),
        (NOW + timedelta(days=6), "5 days after its announcement"),
        (NOW - timedelta(days=1), "that is past"),
    ):
        times: dict[str, Any] = {"begins": written(begins), "ends": written(begins + timedelta(minutes=5))}
        with pytest.raises(Refused) as refused:
            served.client.command("plan_brownout", api=served.api, api_version="v4", **times)
        assert words in f"{refused.value.what} {refused.value.why}"
        assert refused.value.clauses == ("PDB-34",)
        least = datetime.fromisoformat(refused.value.repair.split()[4])
        assert timedelta(days=7) <= least - NOW < timedelta(days=7, hours=1)
    assert served.client.api_upstreams(served.api)["brownouts"] == []
    times = {"begins": written(least), "ends": written(least + timedelta(minutes=5))}
    found = served.client.command("plan_brownout", api=served.api, api_version="v4", **times)
    served.client.command("cancel_brownout", brownout=found["brownout"])


def test_only_the_owner_plans_and_cancels(served: Served, planned: dict[str, Any]) -> None:
    _, stranger = served.server.account("eve")
    times: dict[str, Any] = {"begins": written(BEGINS), "ends": written(ENDS)}
    with pytest.raises(Forbidden):
        stranger.command("plan_brownout", api=served.api, api_version="v4", **times)
    for identity in (planned["brownout"], "0" * 36):
        with pytest.raises(Forbidden):
            stranger.command("cancel_brownout", brownout=identity)


def test_the_command_line_does_all_of_it(served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = tmp_path / "key"
    key.write_text(served.client.key)

    def troth(*tokens: str) -> str:
        capsys.readouterr()
        assert execute([*tokens, "--server", served.server.address, "--key-file", str(key)]) == 0, capsys.readouterr()
        return capsys.readouterr().out

    def told(*tokens: str) -> Any:
        return json.loads(troth(*tokens, "--json"))

    served.ask("GET", "/v4/items?limit=1", key=served.client.key)
    assert f"{served.api} v6 runs at" in troth(
        "api", "upstream", served.api, served.upstream.address, "--version", "v6"
    )
    plan = told("api", "brownout", "plan", served.api, "v4", written(BEGINS), written(ENDS), "--production")
    assert plan["production"] is True
    assert plan["brownout"] in troth("api", "served", served.api)
    assert "cancelled" in troth("api", "brownout", "cancel", plan["brownout"])
    assert "no upstream" in troth("api", "upstream", served.api, "--version", "v6", "--remove")
    assert served.owner in troth("api", "callers", served.api, "--version", "v4")
    rows = told("api", "callers", served.api, "--parameters")["rows"]
    assert any(row["parameter"] == "limit" for row in rows)
    hook = told("api", "alerts", "hook", "http://127.0.0.1:1")
    assert hook["hook"] in troth("api", "alerts", "list")
    troth("api", "alerts", "replay", hook["hook"])
    assert "nothing any more" in troth("api", "alerts", "unhook", hook["hook"])


def test_what_is_no_time_is_told_by_what_it_was_given_for(served: Served) -> None:
    for begins, ends, words in (
        ("soon", "later", "the beginning of the brownout is no time: 'soon'"),
        (written(BEGINS), "2027-02-30T10:00:00Z", "the end of the brownout is no time: '2027-02-30T10:00:00Z'"),
        (written(ENDS), written(BEGINS), "before it begins"),
    ):
        with pytest.raises(Malformed, match=words):
            served.client.command("plan_brownout", api=served.api, api_version="v4", begins=begins, ends=ends)
    with pytest.raises(Malformed, match="the sunset is no time: '2027-02-30T00:00:00Z'") as caught:
        served.move("deprecate_api", "v5", "7.3.0", sunset="2027-02-30")
    assert caught.value.repair == "write --sunset 2027-01-31"
