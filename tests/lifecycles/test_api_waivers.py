"""A change of an API that comparing clauses refuse passes by a waiver, from the question to the page of the version."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from tests.lifecycles.conftest import Keeper
from tests.lifecycles.test_recorded import document, written
from tests.server import RunningServer
from troth.clock import now, stamp
from troth.errors import Forbidden, Malformed, NotFound, Refused
from troth.registry import waivers as registry
from troth.sdk import Client
from troth.versions.waivers import Waiver

TEXT = {"type": "string"}
OLD, WITHOUT_SHADE, OTHER = document(name=TEXT, shade=TEXT), document(name=TEXT), document(name=TEXT, mail=TEXT)
WIDER = document(name=TEXT, shade=TEXT, mail=TEXT)


def in_days(days: int) -> str:
    return stamp(now() + timedelta(days=days))


def current(client: Client, api: str) -> None:
    """The API gets a current v1."""
    client.command("create_api", api=api, public=True)
    client.command("create_api_version", api=api, api_version="v1", release="1.0.0", contract=OLD)
    client.command("graduate_api", api=api, api_version="v1", release="1.0.0")


def request(client: Client, api: str, /, **how: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {"api": api, "api_version": "v1", "release": "1.1.0", "contract": WITHOUT_SHADE}
    asked |= {"clauses": ["PDB-21"], "reason": "nobody reads [shade]", "expires_at": in_days(30), **how}
    return client.command("request_api_waiver", **{key: value for key, value in asked.items() if value is not None})


def change(client: Client, api: str, /, **how: Any) -> dict[str, Any]:
    told = {"api": api, "api_version": "v1", "release": "1.1.0", "contract": WITHOUT_SHADE, **how}
    return client.command("change_api", **told)


@pytest.fixture
def subject(keeper: Keeper) -> Keeper:
    """An API with a current v1, whose answer has a shade."""
    keeper.api = f"{keeper.owner}/{keeper.server.new_name('shades')}"
    current(keeper.client, keeper.api)
    return keeper


@pytest.mark.clause("PDB-21")
def test_a_change_passes_by_a_waiver_and_says_so_for_good(server: RunningServer) -> None:
    (ada, client), (bob, second) = server.account("ada"), server.account("bob")
    organization = server.organization(client)
    client.command("add_member", organization=organization, account=bob, role="admin")
    api = f"{organization}/shades"
    current(client, api)
    with pytest.raises(Refused) as refused:
        change(client, api)
    assert refused.value.clauses == ("PDB-21", "PDB-24")
    assert f"troth api request-waiver {api} v1 --release 1.1.0 --clause PDB-21" in refused.value.repair
    asked = request(client, api)
    assert (asked["state"], asked["requested_by"], asked["number"]) == ("requested", ada, "v1/1.1.0")
    assert asked["verdict"]["objections"][0]["clause"] == "PDB-21"
    with pytest.raises(Refused):
        change(client, api)
    with pytest.raises(Refused, match="who asked for a waiver does not approve it"):
        client.command("approve_waiver", waiver=asked["id"])
    approved = second.command("approve_waiver", waiver=asked["id"])
    assert (approved["state"], approved["approved_by"], approved["self_approved"]) == ("approved", bob, False)
    done = change(client, api)
    assert (done["verdict"]["outcome"], done["verdict"]["clauses"]) == ("allowed", [])
    assert [one["clause"] for one in done["verdict"]["waived"]] == ["PDB-21"]
    assert client.api_contract(api, "v1") == WITHOUT_SHADE
    _seen_by_strangers(server, api, asked["id"])
    with pytest.raises(Refused, match="it is used"):
        second.command("revoke_waiver", waiver=asked["id"], reason="too late")
    entries = [json.loads(link.entry) for link in server.owner.journal()]
    assert {"request_api_waiver", "approve_waiver", "change_api"} <= {one["command"] for one in entries}


def _seen_by_strangers(server: RunningServer, api: str, identity: str) -> None:
    _, stranger = server.account("stranger")
    page = stranger.api(api)
    (version,) = page["versions"]
    assert [(one["id"], one["reason"], one["holds"]) for one in version["waivers"]] == [
        (identity, "nobody reads [shade]", True)
    ]
    (waiver,) = page["moves"][-1]["verdict"]["waivers"]
    assert (waiver["form"], waiver["kind"], waiver["signature"]) == (
        "troth-waiver-2",
        "api",
        version["waivers"][0]["signature"],
    )
    assert stranger.waiver(identity)["state"] == "used"
    assert [one["id"] for one in stranger.api_waivers(api)["waivers"]] == [identity]


def test_the_command_line_asks_approves_and_shows(subject: Keeper, tmp_path: Path) -> None:
    contract = written(tmp_path, WITHOUT_SHADE)
    same = (subject.api, "v1", "--release", "1.1.0", "--contract", contract)
    code, out, err = subject.troth("api", "request-waiver", *same, "--clause", "PDB-21", "-m", "nobody reads [shade]")
    assert code == 0, err
    assert f"for {subject.api}/v1/1.1.0, change " in out
    assert f"troth waiver approve {subject.api}/v1/1.1.0" in err
    code, out, err = subject.troth("waiver", "approve", f"{subject.api}/v1/1.1.0")
    assert (code, "is alone" in out, f"troth api change {subject.api} v1 --release 1.1.0" in err) == (0, True, True)
    code, out, _ = subject.troth("waiver", "show", f"{subject.api}/v1/1.1.0")
    assert (code, "PDB-21: v1 is current" in out) == (0, True)
    code, out, err = subject.troth("api", "change", *same)
    assert code == 0, err
    assert "is allowed by a waiver" in out
    assert "by a waiver of PDB-21" in out
    code, out, _ = subject.troth("api", "show", subject.api)
    assert "    changed by a waiver of PDB-21" in out
    assert "v1/1.1.0 was changed by it" in subject.troth("waiver", "show", f"{subject.api}/v1/1.1.0")[1]
    assert "used" in subject.troth("waiver", "list", subject.api)[1]
    signed = tmp_path / "waiver.json"
    signed.write_text(subject.troth("waiver", "show", f"{subject.api}/v1/1.1.0", "--json")[1])
    assert "the waiver holds" in subject.troth("waiver", "verify", str(signed))[1]


@pytest.mark.parametrize("fault", ["expired", "revoked", "altered"])
def test_a_waiver_that_does_not_hold_lets_nothing_pass(subject: Keeper, fault: str) -> None:
    identity = request(subject.client, subject.api)["id"]
    before = Waiver.from_dict(subject.client.command("approve_waiver", waiver=identity)["waiver"])
    if fault == "revoked":
        subject.client.command("revoke_waiver", waiver=identity)
    else:
        _write(subject, identity, before, "2026-01-01" if fault == "expired" else "2099-01-01", fault)
    with pytest.raises(Refused) as refused:
        change(subject.client, subject.api)
    assert refused.value.clauses == ("PDB-21", "PDB-24")
    assert f"the waiver {identity} does not help: it" in refused.value.why
    assert [one["waivers"] for one in subject.client.api(subject.api)["versions"]] == [[]]


def _write(keeper: Keeper, identity: str, waiver: Waiver, day: str, fault: str) -> None:
    """Writes an expiry into the registry, past every command; signed anew unless it is to be a forgery."""
    after = replace(waiver, expires_at=f"{day}T00:00:00.000000Z")
    if fault == "expired":
        after = replace(after, signature=keeper.server.server.signing_key.sign(after.statement()))
    rows = registry.waivers
    written_row = update(rows).where(rows.c.id == identity).values(signed=json.dumps(after.as_dict()))
    keeper.server.server.database.write_now(lambda connection: connection.execute(written_row))


def test_it_holds_for_one_change_in_one_release(subject: Keeper) -> None:
    client, api = subject.client, subject.api
    identity = request(client, api)["id"]
    client.command("approve_waiver", waiver=identity)
    for how, why in (
        ({"contract": OTHER}, "it is for the change"),
        ({"release": "1.2.0"}, "it is for v1/1.1.0, and not for v1/1.2.0"),
        ({"changes": [{"weight": "break", "words": "and more"}]}, "it is for the change"),
    ):
        with pytest.raises(Refused) as refused:
            change(client, api, **how)
        assert f"the waiver {identity} does not help: {why}" in refused.value.why
    # the same document beside another one is another change
    client.command("change_api", api=api, api_version="v1", release="1.1.0", contract=WIDER)
    with pytest.raises(Refused, match="is refused"):
        change(client, api)
    assert client.waiver(identity)["state"] == "approved"


def test_what_breaks_and_adds_takes_a_waiver_of_both(subject: Keeper) -> None:
    both = {"contract": OTHER, "release": "1.0.1"}
    with pytest.raises(Refused, match="would not help: PDB-19 objects to v1/1.0.1 too") as refused:
        request(subject.client, subject.api, **both)
    assert "ask for PDB-19 as well" in refused.value.repair
    asked = request(subject.client, subject.api, **both, clauses=["PDB-21", "PDB-19"])
    subject.client.command("approve_waiver", waiver=asked["id"])
    done = change(subject.client, subject.api, **both)
    assert [one["clause"] for one in done["verdict"]["waived"]] == ["PDB-21", "PDB-19"]


def test_what_cannot_be_asked_for(subject: Keeper) -> None:
    client, api = subject.client, subject.api
    cases: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"clauses": ["PDB-30"]}, Refused, "PDB-30 cannot be waived"),
        ({"clauses": ["PDB-20"]}, Refused, "PDB-20 cannot be waived"),
        ({"clauses": ["PLX-07"]}, Refused, "PLX-07 cannot be waived"),
        ({"clauses": ["PDB-29"]}, Refused, "PDB-29 does not object"),
        ({"contract": OLD}, Refused, "there is nothing to waive"),
        ({"expires_at": "soon"}, Malformed, "cannot expire"),
        ({"api": "nobody/nothing"}, Forbidden, "may not request api waiver"),
    ]
    for how, error, words in cases:
        with pytest.raises(error, match=words):
            request(client, api, **how)
    assert client.api_waivers(api)["waivers"] == []
    request(client, api)
    with pytest.raises(Refused, match="already"):
        request(client, api)


@pytest.mark.clause("PDB-30")
def test_what_is_deprecated_stays_as_it_is(subject: Keeper) -> None:
    client, api = subject.client, subject.api
    client.command("deprecate_api", api=api, api_version="v1", release="1.1.0")
    with pytest.raises(Refused, match="PDB-21 does not object") as refused:
        request(client, api, release="1.2.0")
    assert "PDB-30" in refused.value.why


def test_strangers_learn_of_no_waiver_that_was_not_used(subject: Keeper) -> None:
    identity = request(subject.client, subject.api)["id"]
    _, stranger = subject.server.account("stranger")
    assert stranger.api_waivers(subject.api)["waivers"] == []
    with pytest.raises(NotFound, match="there is no waiver"):
        stranger.waiver(identity)
    for command in ("approve_waiver", "revoke_waiver"):
        with pytest.raises(Forbidden):
            stranger.command(command, waiver=identity)
