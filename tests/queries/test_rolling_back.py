"""Rollback of each kind: the difference first, then by the ordinary command and its rules, with the reason in the journal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.queries.test_commands import Shell
from tests.server import RunningServer
from troth.errors import Forbidden, LastAdmin, Malformed, MalformedPayload, NotFound, Refused
from troth.sdk import Client


def last(server: RunningServer) -> int:
    """The last position of the journal."""
    return int(server.owner.query("journal", "select max(position)")["rows"][0]["max_position"])


def rolled_back(client: Client, kind: str, subject: str, to: int, release: str = "") -> dict[str, Any]:
    """The result of a rollback that does what its look showed, for a reason."""
    found = client.rollback(kind, subject, str(to), release)
    also = {"release": release} if release else {}
    names: dict[str, Any] = {
        name: int(value) if name == "command_version" else value for name, value in found["names"].items()
    }
    return client.command(
        "roll_back", version=2, kind=kind, **names, **also, position=found["position"], values=found["values"],
        reason="it was better",
    )  # fmt: skip


class Known:
    """An account of the server, with an API of two versions that was moved."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.name, self.client = server.account("ada")
        self.api = f"{self.name}/bank"
        self.client.command("create_api", api=self.api, summary="of the bank")

    def move(self, command: str, version: str, release: str, **more: Any) -> int:
        """The position behind a move."""
        self.client.command(command, api=self.api, api_version=version, release=release, **more)
        return last(self.server)

    def states(self) -> dict[str, str]:
        """The state of each version."""
        return {f"v{one['number']}": one["state"] for one in self.client.api_states(self.api)["versions"]}

    def version(self, number: int) -> dict[str, Any]:
        """A version as doors tell of it."""
        rows = self.client.api_states(self.api)["versions"]
        found: dict[str, Any] = next(row for row in rows if row["number"] == number)
        return found

    def look(self, version: str, to: int, release: str) -> dict[str, Any]:
        """What a rollback would come to."""
        return self.client.rollback("api-version", f"{self.api}/{version}", str(to), release)

    def decide(self, about: str) -> None:
        self.client.command("decide_api", api=self.api, about=about, allowed=True, reason="it loses orders")


@pytest.fixture
def known(server: RunningServer) -> Known:
    return Known(server)


@pytest.fixture
def shell(server: RunningServer, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Shell:
    return Shell(server, capsys, tmp_path)


@pytest.mark.clause("PDB-04")
@pytest.mark.clause("PDB-11")
def test_a_deprecated_version_is_current_again_only_where_somebody_decided_so(known: Known, shell: Shell) -> None:
    known.move("create_api_version", "v1", "1.0.0")
    current = known.move("graduate_api", "v1", "1.1.0")
    known.move("deprecate_api", "v1", "1.2.0", sunset="2999-01-31")
    before = last(known.server)
    found = known.look("v1", current, "1.3.0")
    assert found["difference"] == {"state": {"now": "deprecated", "then": "current"}}
    refusal = found["refusal"]
    assert refusal["clauses"] == ["PDB-04"]
    assert f'troth api decide {known.api} "v1 deprecated to current" --allow' in refusal["repair"]
    assert "retire it in the next X release" in refusal["repair"]
    assert "troth api extend" in refusal["repair"]
    assert last(known.server) == before  # who looks writes nothing
    with pytest.raises(Refused) as refused:
        rolled_back(known.client, "api-version", f"{known.api}/v1", current, "1.3.0")
    assert (refused.value.clauses, known.states()) == (("PDB-04",), {"v1": "deprecated"})
    entry = json.loads(shell.run("journal", "--about", known.api, "--limit", "1", "--json"))[0]
    assert entry["outcome"]["refusal"]["clauses"] == ["PDB-04"]
    assert entry["payload"]["reason"] == "it was better"
    known.decide("v1 deprecated to current")
    key = known.server.keys[known.name]
    words = (
        "rollback",
        "api-version",
        f"{known.api}/v1",
        "--to",
        str(current),
        "--release",
        "1.3.0",
        "-m",
        "too early",
    )
    assert "nobody is there" in shell.run(*words, key=key, expect=3)
    assert known.states() == {"v1": "deprecated"}
    assert "deprecated" in shell.run(*words, "--yes", key=key)
    shown = known.version(1)
    assert shown["state"] == "current"
    assert not {"sunset", "deprecated_at", "retires_in"} & set(shown)
    entry = json.loads(shell.run("journal", "--about", known.api, "--limit", "1", "--json"))[0]
    assert (entry["command"], entry["payload"]["reason"], entry["payload"]["release"]) == (
        "roll_back", "too early", "1.3.0",
    )  # fmt: skip
    move = known.client.api(known.api)["moves"][-1]
    assert (move["move"], move["reason"], move["release"]) == ("return", "too early", "1.3.0")
    assert known.look("v1", last(known.server), "1.3.0")["difference"] == {}


@pytest.mark.clause("PDB-31")
def test_two_versions_are_not_current_at_once(known: Known) -> None:
    known.move("create_api_version", "v1", "1.0.0")
    known.move("graduate_api", "v1", "1.1.0")
    alone = known.move("create_api_version", "v2", "1.2.0")
    both = known.move("graduate_api", "v2", "1.3.0")
    for about in ("v1 deprecated to current", "v2 current to experimental"):
        known.decide(about)
    refusal = known.look("v1", alone, "1.4.0")["refusal"]
    assert refusal["clauses"] == ["PDB-31", "PDB-11"]
    assert "move v2 first" in refusal["repair"]
    rolled_back(known.client, "api-version", f"{known.api}/v2", alone, "1.4.0")
    rolled_back(known.client, "api-version", f"{known.api}/v1", alone, "1.4.0")
    assert known.states() == {"v1": "current", "v2": "experimental"}
    # forward again, where the ordinary move does all of it, and tells what it did to the other
    found = known.look("v2", both, "1.5.0")
    assert found["result"]["did"]["verdict"]["effects"] == {"v2": "current", "v1": "deprecated"}
    rolled_back(known.client, "api-version", f"{known.api}/v2", both, "1.5.0")
    assert known.states() == {"v1": "deprecated", "v2": "current"}
    assert known.look("v1", last(known.server), "1.5.0")["difference"] == {}


@pytest.mark.clause("PDB-04")
@pytest.mark.clause("PDB-20")
@pytest.mark.clause("PDB-36")
def test_what_is_retired_or_dropped_stays_gone(known: Known) -> None:
    experimental = known.move("create_api_version", "v1", "1.0.0")
    known.move("graduate_api", "v1", "1.1.0")
    deprecated = known.move("deprecate_api", "v1", "1.2.0")
    dropped_one = known.move("create_api_version", "v2", "1.2.0")
    known.move("drop_api", "v2", "1.3.0")
    known.move("retire_api", "v1", "2.0.0")
    for to in (experimental, deprecated):
        refusal = known.look("v1", to, "2.1.0")["refusal"]
        assert refusal["clauses"] == ["PDB-04"]
        assert "make the next version: troth api add" in refusal["repair"]
    refusal = known.look("v2", dropped_one, "2.1.0")["refusal"]
    assert (refusal["clauses"], "was dropped" in refusal["detail"]) == (["PDB-20"], True)
    with pytest.raises(NotFound):
        known.look("v2", deprecated, "2.1.0")
    with pytest.raises(Malformed, match="moves in a release"):
        known.look("v1", deprecated, "")


def test_who_may_know_of_an_api_goes_back(known: Known) -> None:
    private = last(known.server)
    known.client.command("update_api", api=known.api, public=True, documentation="https://ada.example/")
    public = last(known.server)
    found = known.client.rollback("api", known.api, str(private))
    assert sorted(found["difference"]) == ["documentation", "public"]
    assert rolled_back(known.client, "api", known.api, private)["did"]["command"] == "update_api"
    told = known.client.api(known.api)
    assert (told["public"], told["documentation"], told["summary"]) == (False, None, "of the bank")
    rolled_back(known.client, "api", known.api, public)
    assert known.client.api(known.api)["public"] is True


def test_the_notice_of_lines_goes_back_as_far_as_calls_are_counted(known: Known) -> None:
    algorithm = f"{known.name}/hello"
    known.client.command("create_algorithm", algorithm=algorithm)
    usual = last(known.server)
    known.client.command("set_line_notice", algorithm=algorithm, days=30, quiet_days=20)
    known.client.command("set_line_notice", algorithm=algorithm, days=0)
    found = known.client.rollback("line-notice", algorithm, str(usual + 1))
    assert found["difference"] == {"days": {"now": 0, "then": 30}}
    assert found["result"]["did"]["days"] == 30
    assert known.client.rollback("line-notice", algorithm, str(usual))["values"] == {"days": None, "quiet_days": 30}
    done = rolled_back(known.client, "line-notice", algorithm, usual + 1)
    assert (done["did"]["days"], done["did"]["quiet_days"]) == (30, 20)
    assert known.client.rollback("line-notice", algorithm, str(last(known.server)))["difference"] == {}
    # the settings of the same algorithm are another kind, and stay as they were
    assert known.client.rollback("algorithm", algorithm, str(usual))["difference"] == {}
    with pytest.raises(Forbidden):
        known.server.account("eve")[1].rollback("line-notice", algorithm, str(usual))


def test_the_flow_of_a_command_goes_back(known: Known, shell: Shell) -> None:
    command, key = f"{known.name}/replace_facts", known.server.keys[known.name]
    known.client.command("create_command", command=command)
    running = last(known.server)
    known.client.command("pause_command", command=command, drain=True)
    known.client.command("pause_command", command=command)
    words = ("rollback", "command", command, "-m", "by mistake")
    for to, flow in ((running, "running"), (running + 1, "draining"), (running + 2, "paused")):
        assert "nobody is there" in shell.run(*words, "--to", str(to), key=key, expect=3)
        shell.run(*words, "--to", str(to), "--yes", key=key)
        assert known.client.command_format(command)["flow"] == flow
    entry = json.loads(shell.run("journal", "--about", command, "--limit", "1", "--json"))[0]
    assert entry["payload"]["reason"] == "by mistake"


def test_the_role_of_a_member_goes_back_and_the_last_admin_stays(known: Known) -> None:
    organization = known.server.organization(known.client)
    guest, guests = known.server.account("guest")
    alone = last(known.server)
    for role in ("member", "admin"):
        known.client.command("add_member", organization=organization, account=guest, role=role)
    subject = f"{organization}/{guest}"
    assert known.client.rollback("member", subject, str(alone + 1))["values"] == {"role": "member"}
    rolled_back(known.client, "member", subject, alone + 1)
    found = known.client.rollback("member", subject, str(alone))
    assert found["difference"] == {"role": {"now": "member", "then": None}}
    with pytest.raises(Forbidden):
        guests.rollback("member", subject, str(alone))
    assert rolled_back(known.client, "member", subject, alone)["did"]["command"] == "remove_member"
    assert known.client.rollback("member", subject, str(last(known.server)))["difference"] == {}
    # the account that made the organisation was its admin from then on
    rolled_back(known.client, "member", subject, alone + 2)
    guests.command("add_member", organization=organization, account=known.name, role="member")
    assert guests.rollback("member", f"{organization}/{known.name}", str(alone))["values"] == {"role": "admin"}
    assert guests.rollback("member", subject, str(alone))["refusal"]["code"] == "last-admin"
    with pytest.raises(LastAdmin):
        rolled_back(guests, "member", subject, alone)


def test_each_kind_has_its_names(known: Known, shell: Shell) -> None:
    told = shell.run("rollback", "api", known.name, "--to", "1", "-m", "x", "--yes", expect=2)
    assert "api-version OWNER/API/vN" in told
    base: dict[str, Any] = {"position": 1, "reason": "x", "values": {}}
    for names in (
        {"kind": "api-version", "api": known.api, "api_version": "v1"},
        {"kind": "member", "organization": known.name},
        {"kind": "api", "api": known.api, "algorithm": known.api},
        {"kind": "account", "account": known.name},
    ):
        with pytest.raises(MalformedPayload):
            known.client.command("roll_back", version=2, **names, **base)
