"""APIs on a server: commanded by the command line, judged, recorded, and told by HTTP."""

from __future__ import annotations

import asyncio
import json
import uuid
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection

from tests.lifecycles.conftest import Keeper
from tests.server import RunningServer
from troth.commands.bus import Envelope
from troth.doors.cli.main import execute
from troth.errors import NotFound, Refused
from troth.queries import apis as queries
from troth.registry import accounts
from troth.versions.lifecycles.table import StateTable


def document(**properties: Any) -> dict[str, Any]:
    """An OpenAPI document of one endpoint whose answer has these fields."""
    schema = {"type": "object", "properties": properties, "required": sorted(properties)}
    answer = {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "nodes", "version": "1"},
        "paths": {"/nodes": {"get": {"responses": answer}}},
    }


def written(folder: Path, value: dict[str, Any]) -> str:
    path = folder / "openapi.json"
    path.write_text(json.dumps(value))
    return str(path)


@pytest.mark.clause("PDB-20")
@pytest.mark.clause("PDB-31")
@pytest.mark.clause("PDB-35")
@pytest.mark.clause("PDB-37")
def test_an_api_lives_from_experimental_to_retired(keeper: Keeper) -> None:
    keeper.made("add", "v1", "--release", "5.1.0")
    assert keeper.states() == {"v1": "experimental"}
    keeper.made("graduate", "v1", "--release", "5.2.0")
    keeper.made("add", "v2", "--release", "6.0.0")
    found = keeper.made("graduate", "v2", "--release", "6.1.0", "--sunset", "2999-01-31")
    assert keeper.states() == {"v1": "deprecated", "v2": "current"}
    first = found["states"]["versions"][0]
    assert (first["retires_in"], first["sunset"], first["successor"]) == ("7.0.0", "2999-01-31T00:00:00Z", 2)
    assert first["since"] == "6.1.0"
    code, problem = keeper.asked("retire", "v1", "--release", "6.2.0")
    assert (code, problem["clauses"]) == (3, ["PDB-37"])
    keeper.made("extend", "v1", "--release", "6.3.0", "--until", "8.0.0", "--reason", "the bank moves in spring")
    assert keeper.client.api_states(keeper.api)["versions"][0]["retires_in"] == "8.0.0"
    keeper.made("retire", "v1", "--release", "8.0.0")
    assert keeper.states() == {"v1": "retired", "v2": "current"}
    told = keeper.client.api(keeper.api)
    assert [one["move"] for one in told["moves"]] == ["create", "graduate", "create", "graduate", "extend", "retire"]
    assert all(one["verdict"]["policy_revision"] == one["policy_revision"] for one in told["moves"])


def test_the_command_line_tells_the_states_and_what_led_there(keeper: Keeper) -> None:
    keeper.made("add", "v1", "--release", "1.0.0")
    keeper.made("graduate", "v1", "--release", "1.0.0", "--reason", "it proved itself")
    code, out, _ = keeper.troth("api", "show", keeper.api)
    assert code == 0
    assert "v1: current, since 1.0.0" in out
    assert "because it proved itself" in out
    code, out, _ = keeper.troth("api", "list")
    assert (code, keeper.api in out) == (0, True)
    code, out, _ = keeper.troth("api", "add", keeper.api, "v2", "--release", "1.1.0")
    assert (code, "v2 is experimental" in out) == (0, True)
    code, _, err = keeper.troth("api", "graduate", keeper.api, "v2", "--release", "1.1.1")
    assert (code, "PDB-19" in err, "graduate it in a Y or X release" in err) == (3, True, True)
    assert keeper.troth("api", "graduate", keeper.api, "v2")[0] == 2


def test_everybody_reads_the_states_of_a_public_api_and_nobody_else_of_a_private_one(keeper: Keeper) -> None:
    keeper.made("add", "v1", "--release", "1.0.0")
    address = f"{keeper.server.address}/api/v1/apis/{keeper.api}/states"
    table = httpx2.get(address).json()
    assert StateTable.from_dict(table).versions[1].state == "experimental"
    hidden = f"{keeper.owner}/{keeper.server.new_name('hidden')}"
    keeper.client.command("create_api", api=hidden)
    strangers = keeper.server.account("eve")[1]
    for reply in (
        httpx2.get(f"{keeper.server.address}/api/v1/apis/{hidden}/states"),
        httpx2.get(f"{keeper.server.address}/api/v1/apis/{hidden}"),
    ):
        assert reply.status_code == 404
    with pytest.raises(NotFound):
        strangers.api_states(hidden)
    assert keeper.client.api_states(hidden)["versions"] == []
    listed = [row["api"] for row in httpx2.get(f"{keeper.server.address}/api/v1/apis").json()["apis"]]
    assert keeper.api in listed
    assert hidden not in listed
    bad = httpx2.get(address, headers={"authorization": "Bearer nonsense"})
    assert bad.status_code == 401


@pytest.mark.clause("PDB-21")
@pytest.mark.clause("PDB-14")
@pytest.mark.clause("PDB-24")
def test_contracts_are_compared_when_a_version_changes(keeper: Keeper, tmp_path: Path) -> None:
    text = {"type": "string"}
    keeper.made("add", "v1", "--release", "1.0.0", "--contract", written(tmp_path, document(name=text)))
    keeper.made("graduate", "v1", "--release", "1.0.0")
    wider = written(tmp_path, document(name=text, mail=text))
    code, problem = keeper.asked("change", "v1", "--release", "1.0.1", "--contract", wider)
    assert (code, problem["clauses"][0]) == (3, "PDB-19")
    found = keeper.made("change", "v1", "--release", "1.1.0", "--contract", wider)
    assert "PDB-14" in found["verdict"]["clauses"]
    assert "query operators are not regulated" in found["verdict"]["warnings"][0]
    narrower = written(tmp_path, document(mail=text))
    code, problem = keeper.asked("change", "v1", "--release", "2.0.0", "--contract", narrower)
    assert (code, problem["clauses"]) == (3, ["PDB-21", "PDB-24"])
    keeper.made("add", "v2", "--release", "2.0.0", "--contract", narrower)
    strange = document(**{"age": text, "a\0b": text})
    keeper.made("change", "v2", "--release", "2.1.0", "--contract", written(tmp_path, strange))
    found = keeper.made("change", "v2", "--release", "2.1.0", "--contract", written(tmp_path, document(age=text)))
    assert "PDB-28" in found["verdict"]["warnings"][-1]
    told = keeper.client.api(keeper.api)["moves"][-1]
    assert "ab" in told["note"], "a change note is made of what was found (PDB-28)"
    assert keeper.client.api_contract(keeper.api, "v2") == document(age=text)


@pytest.mark.clause("PDB-30")
@pytest.mark.clause("PDB-33")
def test_a_deprecated_version_takes_security_fixes_with_a_reference(keeper: Keeper) -> None:
    for verb, version, release in (("add", "v1", "1.0.0"), ("graduate", "v1", "1.0.0"), ("add", "v2", "1.1.0"),
                                   ("graduate", "v2", "1.2.0")):  # fmt: skip
        keeper.made(verb, version, "--release", release)
    code, problem = keeper.asked("change", "v1", "--release", "1.2.1", "--fix", "the order is right")
    assert (code, problem["clauses"]) == (3, ["PDB-30", "PDB-32"])
    fix = ("change", "v1", "--release", "1.2.1", "--fix", "a token is checked")
    assert keeper.asked(*fix, "--security-fix", "")[1]["clauses"] == ["PDB-33", "PDB-30"]
    keeper.made(*fix, "--security-fix", "CVE-2026-1")
    assert keeper.client.api(keeper.api)["moves"][-1]["reference"] == "CVE-2026-1"


@pytest.mark.clause("PDB-41")
def test_an_endpoint_alone_is_refused(keeper: Keeper, tmp_path: Path) -> None:
    keeper.made("add", "v1", "--release", "1.0.0")
    code, problem = keeper.asked("graduate", "v1", "--release", "1.1.0", "--operation", "GET /v1/nodes")
    assert (code, problem["clauses"][0]) == (3, "PDB-41")
    value = document(name={"type": "string"})
    value["paths"]["/nodes"]["get"]["x-api-version"] = 3
    value["paths"]["/v3/facts"] = value["paths"]["/nodes"]
    code, problem = keeper.asked("add", "v2", "--release", "1.1.0", "--contract", written(tmp_path, value))
    assert (code, problem["clauses"][0]) == (3, "PDB-41")
    assert "/v3/facts lies below v3" in problem["detail"]
    code, problem = keeper.asked("change", "v1", "--release", "1.1.0", "--contract", written(tmp_path, value))
    assert (code, problem["clauses"][0]) == (3, "PDB-41")
    assert "/v3/facts lies below v3" in problem["detail"]
    for asked in (("change", "v1"), ("extend", "v1", "--until", "3.0.0", "--reason", "more time")):
        tokens = ("--release", "1.1.0", "--operation", "GET /v1/nodes")
        code, _, said = keeper.troth("api", asked[0], keeper.api, *asked[1:], *tokens)
        assert (code, "--operation" in said) == (2, True), said


@pytest.mark.clause("PDB-04")
@pytest.mark.clause("PDB-01")
def test_a_gap_waits_for_a_person_whose_decision_stands_beside_the_policy(keeper: Keeper) -> None:
    keeper.made("add", "v1", "--release", "1.0.0")
    code, problem = keeper.asked("add", "v2", "--release", "1.1.0")
    assert (code, problem["clauses"]) == (3, ["PDB-04"])
    gap = problem["found"]["not_regulated"][0]
    assert gap == {"about": "v2 beside v1", "question": "May v2 be experimental beside v1?"}
    assert f'troth api decide {keeper.api} "v2 beside v1" --allow --reason' in problem["repair"]
    code, found = keeper.asked("decide", "v2 beside v1", "--allow", "--reason", "two teams try out two ideas")
    assert (code, found["allowed"], found["decided_by"]) == (0, True, keeper.owner)
    added = keeper.made("add", "v2", "--release", "1.1.0")
    assert added["verdict"]["decided"] == ["v2 beside v1: allowed, because two teams try out two ideas"]
    policy = httpx2.get(f"{keeper.server.address}/api/v1/policy").json()
    decided = [one for one in policy["decisions"] if one["api"] == keeper.api]
    assert [(one["about"], one["reason"]) for one in decided] == [("v2 beside v1", "two teams try out two ideas")]
    named = {one["id"] for one in policy["clauses"]}
    assert {rule["clause"] for rules in policy["rules"].values() for rule in rules} <= named
    assert keeper.troth("api", "show", keeper.api)[1].count("decided by") == 1
    assert f"decided for {keeper.api} by {keeper.owner}: v2 beside v1 is allowed" in keeper.troth("policy")[1]
    page = httpx2.get(f"{keeper.server.address}/api/v1/policy", headers={"accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    assert "two teams try out two ideas" in page.text


def test_the_policy_is_told_without_a_server_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["policy", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (len(told["clauses"]), told["decisions"]) == (95, [])
    assert execute(["policy"]) == 0
    assert "policy revision" in capsys.readouterr().out


@pytest.mark.clause("PDB-03")
def test_versions_before_the_starting_point_are_recorded_and_not_judged(keeper: Keeper) -> None:
    api = f"{keeper.owner}/{keeper.server.new_name('old')}"
    keeper.client.command("create_api", api=api, starting_point="v4", public=True)
    made = keeper.client.command("create_api_version", api=api, api_version="v3", release="2.0.0", state="current")
    assert not made["verdict"]["judged"]
    keeper.client.command("create_api_version", api=api, api_version="v4", release="2.1.0")
    with pytest.raises(Refused) as caught:
        keeper.client.command("graduate_api", api=api, api_version="v4", release="3.0.0", former="current")
    assert caught.value.clauses[0] == "PDB-31"
    moved = keeper.client.command("graduate_api", api=api, api_version="v4", release="3.0.0")
    assert moved["verdict"]["effects"] == {"v4": "current", "v3": "deprecated"}


@pytest.mark.parametrize(
    ("value", "code", "told"),
    [
        ({"openapi": "3.1.0", "paths": []}, 2, "not an OpenAPI document"),
        ({"openapi": "2.0"}, 2, "not an OpenAPI document"),
        ({"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": {"200": {"$ref": "#/components/nothing"}}}}}}, 2, "not an OpenAPI"),
        ({**document(), "x": "long" * 300_000}, 2, "larger than"),
    ],
    ids=["no paths", "another version", "a reference to nowhere", "huge"],
)  # fmt: skip
def test_documents_that_are_none_are_refused_with_the_reason(
    keeper: Keeper, tmp_path: Path, value: dict[str, Any], code: int, told: str
) -> None:
    found = keeper.asked("add", "v1", "--release", "1.0.0", "--contract", written(tmp_path, value))
    assert (found[0], told in found[1]["detail"]) == (code, True), found[1]
    assert keeper.states() == {}


@pytest.mark.clause("PDB-21")
def test_what_cannot_be_told_is_not_compatible(keeper: Keeper, tmp_path: Path) -> None:
    remote = document(name={"$ref": "https://example.org/name.json"})
    keeper.made("add", "v1", "--release", "1.0.0", "--contract", written(tmp_path, remote))
    keeper.made("graduate", "v1", "--release", "1.0.0")
    other = document(name={"$ref": "https://example.org/name.json"}, mail={"type": "string"})
    code, problem = keeper.asked("change", "v1", "--release", "1.1.0", "--contract", written(tmp_path, other))
    assert (code, problem["clauses"][0]) == (3, "PDB-21")
    assert "not proved compatible" in problem["detail"]


def test_of_two_who_move_a_version_at_once_one_wins(keeper: Keeper) -> None:
    keeper.made("add", "v1", "--release", "1.0.0")
    server = keeper.server.server
    payload = json.dumps({"api": keeper.api, "api_version": "v1", "release": "1.1.0"}).encode()
    with server.database.read() as connection:
        actor = accounts.get_account(connection, keeper.owner)

    async def both() -> list[Any]:
        envelopes = [Envelope("graduate_api", 1, payload, actor, str(uuid.uuid4())) for _ in range(2)]
        return await asyncio.gather(*map(server.bus.submit, envelopes), return_exceptions=True)

    found = asyncio.run_coroutine_threadsafe(both(), keeper.server.loop).result(60)
    refusals = [one for one in found if isinstance(one, Refused)]
    assert len(refusals) == 1
    assert refusals[0].clauses == ("PDB-11",)
    assert keeper.states() == {"v1": "current"}


def test_a_sunset_that_has_passed_is_refused(keeper: Keeper) -> None:
    keeper.made("add", "v1", "--release", "1.0.0")
    keeper.made("graduate", "v1", "--release", "1.0.0")
    code, problem = keeper.asked("deprecate", "v1", "--release", "1.1.0", "--sunset", "2020-01-31")
    assert (code, problem["detail"]) == (3, "2020-01-31 has passed")
    assert keeper.asked("deprecate", "v1", "--release", "1.1.0", "--sunset", "2999-02-31")[0] == 2
    assert keeper.states() == {"v1": "current"}


@pytest.mark.clause("PDB-10")
@pytest.mark.parametrize("name", ["4", "v04", "V4"])
def test_the_right_form_of_a_version_is_told(keeper: Keeper, name: str) -> None:
    code, problem = keeper.asked("add", name, "--release", "1.0.0")
    assert (code, problem["clauses"], problem["repair"]) == (3, ["PDB-10"], "write v4")


def test_others_may_neither_move_nor_decide(keeper: Keeper) -> None:
    eve = keeper.server.account("eve")[1]
    for command, more in (
        ("create_api_version", {"api_version": "v1", "release": "1.0.0"}),
        ("decide_api", {"about": "x", "allowed": True, "reason": "so"}),
    ):
        with pytest.raises(Refused) as caught:
            eve.command(command, api=keeper.api, **more)
        assert caught.value.status == 403


def test_what_keeps_the_states_in_memory_hears_of_every_move(keeper: Keeper) -> None:
    heard: list[tuple[set[str], str]] = []
    with keeper.server.server.database.read() as connection:
        keeper_actor = accounts.get_account(connection, keeper.owner)

    class Listening:
        def refresh_apis(self, connection: Connection, apis: set[str]) -> None:
            (version,) = queries.states(connection, keeper_actor, keeper.api)["versions"]
            heard.append((apis, version["state"]))

    keeper.server.server.bus.tell_of_apis(Listening())
    keeper.made("add", "v1", "--release", "1.0.0")
    keeper.made("graduate", "v1", "--release", "1.1.0")
    assert heard == [({keeper.api}, "experimental"), ({keeper.api}, "current")]


def test_an_api_follows_the_releases_of_its_product(keeper: Keeper, server: RunningServer) -> None:
    product = f"{keeper.owner}/{server.new_name('shop')}"
    keeper.client.command("create_product", product=product)
    api = f"{keeper.owner}/{server.new_name('orders')}"
    assert keeper.client.command("create_api", api=api, product=product)["product"] == product
    assert keeper.client.api(api)["product"] == product
    with pytest.raises(NotFound):
        keeper.client.command("create_api", api=f"{api}2", product=f"{keeper.owner}/nothing")


@pytest.mark.clause("PDB-04")
@pytest.mark.parametrize(
    ("move", "asked"),
    [
        ("change", ("change", "v1", "--addition", "a parameter")),
        ("security-fix", ("change", "v1", "--fix", "a header", "--security-fix", "CVE-2026-1")),
        ("extend", ("extend", "v1", "--until", "9.0.0", "--reason", "the bank moves in spring")),
    ],
)
def test_nothing_is_changed_or_put_off_in_a_release_before_the_newest(
    keeper: Keeper, move: str, asked: tuple[str, ...]
) -> None:
    keeper.made("add", "v1", "--release", "5.1.0")
    keeper.made("graduate", "v1", "--release", "5.2.0")
    if move == "extend":
        keeper.made("deprecate", "v1", "--release", "5.2.0")
    code, problem = keeper.asked(*asked, "--release", "5.1.0")
    assert (code, problem["clauses"]) == (3, ["PDB-04"])
    words = "the states are those of 5.2.0, and no clause speaks of moving them in an earlier release"
    assert words in problem["detail"]
    assert f'"{move} v1 in 5.1.0"' in problem["repair"]
    keeper.made(*asked, "--release", "5.2.0")


@pytest.mark.clause("PDB-04")
def test_two_gaps_are_both_to_be_decided_and_nothing_else_is(keeper: Keeper) -> None:
    keeper.made("add", "v1", "--release", "1.0.0")
    code, problem = keeper.asked("add", "v3", "--release", "1.1.0")
    assert code == 3
    assert '"v3 beside v1" --allow --reason "...", and troth api decide' in problem["repair"]
    why = ("--allow", "--reason", "two teams")
    code, problem = keeper.asked("decide", "bananas", *why)
    assert (code, "vN beside vM" in problem["why"]) == (2, True)
    assert keeper.asked("decide", "v6 beside v5", *why)[0] == 4
    for about in ("v3 beside v1", "number v3"):
        keeper.made("decide", about, *why)
    keeper.made("add", "v3", "--release", "1.1.0")


def test_an_upstream_that_the_gateway_would_not_reach_is_taken_and_told(keeper: Keeper) -> None:
    code, _, err = keeper.troth("api", "served", keeper.api)
    assert (code, "runs nowhere" in err) == (0, True)
    for url, words in (("http://127.0.0.1:9", "gateway_allow"), ("http://nothing.invalid", "has no address now")):
        code, out, err = keeper.troth("api", "upstream", keeper.api, url)
        assert (code, "runs at" in out) == (0, True)
        assert "note: it would not be reached now" in err
        assert words in err.replace("\n", " ")
    code, _, err = keeper.troth("api", "upstream", keeper.api, "http://1.1.1.1")
    assert (code, "note:" in err) == (0, False)
    code, out, err = keeper.troth("api", "alerts", "list")
    assert (code, out, "nothing to tell" in err) == (0, "", True)
    code, out, _ = keeper.troth("api", "alerts", "hook", "https://hooks.example.org/a")
    assert (code, "secret, shown once: " in out) == (0, True)
