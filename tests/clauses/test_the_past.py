"""What the past was, and the way back to it: queries of a moment, rollback, and commands that come to be done later.

No clause speaks of these by name. That there is exactly one state at each moment is PDB-11's, the rights are ALG-25's and ALG-26's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Connection, delete, update

from tests.queue.conftest import until
from tests.server import RunningServer
from troth.errors import Forbidden, Malformed, Refused
from troth.registry import former_journal
from troth.registry.api_tables import api_versions
from troth.registry.former_rows import FORMER
from troth.sdk import Client

#: states of v1, by what moved it there
MOVES = (
    ("create_api_version", "1.0.0", "experimental"),
    ("graduate_api", "1.1.0", "current"),
    ("deprecate_api", "1.2.0", "deprecated"),
    ("retire_api", "2.0.0", "retired"),
)


def last(server: RunningServer) -> int:
    """The last position of the journal."""
    return int(server.owner.query("journal", "select max(position)")["rows"][0]["max_position"])


@dataclass
class Bank:
    """An API with one version, and the state that it had behind each position of the journal."""

    server: RunningServer
    client: Client
    name: str
    was: dict[int, str]

    def move(self, command: str, release: str, version: str = "v1") -> int:
        """The position behind the move."""
        self.client.command(command, api=self.name, api_version=version, release=release)
        return last(self.server)

    def states(self, position: int | None = None) -> list[str]:
        """The states of v1 that a query finds: of now, or of a moment."""
        query = f'select state where api = "{self.name}" and version = 1'
        return [row["state"] for row in self.client.query("apis", query, as_of=position)["rows"]]

    def return_to(self, position: int, release: str, version: str = "v1") -> dict[str, Any]:
        """A rollback of a version's state. Raises the refusal."""
        found = self.client.rollback("api-version", f"{self.name}/{version}", str(position), release)
        return self.client.command(
            "roll_back", version=2, kind="api-version", **found["names"], position=position, values=found["values"],
            release=release, reason="by mistake",
        )  # fmt: skip


def bank_on(server: RunningServer) -> Bank:
    name, client = server.account("ada")
    client.command("create_api", api=f"{name}/bank")
    return Bank(server, client, f"{name}/bank", {})


def moved_bank(server: RunningServer) -> Bank:
    bank = bank_on(server)
    bank.was = {bank.move(command, release): state for command, release, state in MOVES}
    return bank


@pytest.fixture
def bank(server: RunningServer) -> Bank:
    return bank_on(server)


# --- queries of a moment


@pytest.mark.clause("PDB-11")
def test_at_each_moment_a_version_has_the_state_of_then(server: RunningServer) -> None:
    bank = moved_bank(server)
    assert {position: bank.states(position) for position in bank.was} == {at: [one] for at, one in bank.was.items()}
    current = f'select count() where api = "{bank.name}" and state = "current"'
    found = [bank.client.query("apis", current, as_of=position)["rows"][0]["count"] for position in bank.was]
    assert found == [0, 1, 0, 0]


@pytest.mark.clause("PDB-11")
def test_what_states_were_before_an_upgrade_is_read_from_the_journal_or_not_told(own_server: RunningServer) -> None:
    bank, database = moved_bank(own_server), own_server.server.database

    def read_anew(connection: Connection) -> None:
        for former in FORMER.values():
            connection.execute(delete(former.table))
        former_journal.read_former_rows(connection)

    database.write_now(read_anew)
    assert {position: bank.states(position) for position in bank.was} == {at: [one] for at, one in bank.was.items()}
    # no command tells of this, so what the journal tells cannot be all
    database.write_now(lambda connection: connection.execute(update(api_versions).values(state="current")))
    database.write_now(read_anew)
    with pytest.raises(Malformed, match="is not known"):
        bank.states(min(bank.was))
    assert bank.states() == ["current"]


@pytest.mark.clause("ALG-25")
@pytest.mark.clause("ALG-26")
def test_who_sees_the_past_is_who_may_see_it_now(server: RunningServer) -> None:
    _, ada = server.account("ada")
    ben_name, ben = server.account("ben")
    _, sam = server.account("sam")
    organization = server.organization(ada)
    ada.command("add_member", organization=organization, account=ben_name, role="member")
    ada.command("create_api", api=f"{organization}/bank")
    ada.command("create_api_version", api=f"{organization}/bank", api_version="v1", release="1.0.0")
    then, query = last(server), f'select version where owner = "{organization}"'
    assert ben.query("apis", query, as_of=then)["rows"] == [{"version": 1}]
    told = sam.query("apis", query, as_of=then, include_total=True)
    assert (told["rows"], told["next"], told["total"]) == ([], None, 0)
    ada.command("remove_member", organization=organization, account=ben_name)
    assert ben.query("apis", query, as_of=then)["rows"] == []
    assert ada.query("apis", query, as_of=then)["rows"] == [{"version": 1}]
    # what is published now does not publish what was before
    ada.command("update_api", api=f"{organization}/bank", public=True)
    assert sam.query("apis", query)["rows"] == sam.query("apis", query, as_of=last(server))["rows"] == [{"version": 1}]
    assert sam.query("apis", query, as_of=then)["rows"] == []


# --- the way back


@pytest.mark.clause("PDB-04")
@pytest.mark.clause("PDB-11")
def test_a_version_comes_back_to_a_state_only_where_somebody_decided_so(bank: Bank) -> None:
    bank.move("create_api_version", "1.0.0")
    current = bank.move("graduate_api", "1.1.0")
    bank.move("deprecate_api", "1.2.0")
    with pytest.raises(Refused) as refused:
        bank.return_to(current, "1.3.0")
    assert (refused.value.clauses, bank.states()) == (("PDB-04",), ["deprecated"])
    bank.client.command(
        "decide_api", api=bank.name, about="v1 deprecated to current", allowed=True, reason="nobody was told of it"
    )
    bank.return_to(current, "1.3.0")
    assert bank.states() == ["current"]


@pytest.mark.clause("PDB-31")
def test_two_versions_do_not_come_to_be_current_by_going_back(bank: Bank) -> None:
    bank.move("create_api_version", "1.0.0")
    alone = bank.move("graduate_api", "1.1.0")
    bank.move("create_api_version", "1.2.0", "v2")
    bank.move("graduate_api", "1.3.0", "v2")
    bank.client.command(
        "decide_api", api=bank.name, about="v1 deprecated to current", allowed=True, reason="v2 loses orders"
    )
    with pytest.raises(Refused) as refused:
        bank.return_to(alone, "1.4.0")
    assert (refused.value.clauses, bank.states()) == (("PDB-31", "PDB-11"), ["deprecated"])


@pytest.mark.clause("PDB-40")
def test_a_version_of_a_command_does_not_come_back(server: RunningServer) -> None:
    name, ada = server.account("ada")
    command, form = f"{name}/sell", {"type": "object", "properties": {"product": {"type": "string"}}}
    ada.command("create_command", command=command)
    ada.submit("publish_command_version", 1, {
        "command": command, "version": 1, "format": {"version": 1, "schema": form}, "handler": "troth/create_product",
        "golden": [{"version": 1, "payload": {"product": f"{name}/golden"}}],
    })  # fmt: skip
    then = last(server)
    ada.submit("set_command_state", 1, {"command": command, "version": 1, "state": "deprecated", "release": "1.1.0"})
    found = ada.rollback("command-version", f"{command}/1", str(then), "1.2.0")
    assert found["difference"] == {"state": {"now": "deprecated", "then": "current"}}
    with pytest.raises(Refused) as refused:
        ada.command(
            "roll_back", version=2, kind="command-version", command=command, command_version=1, position=then,
            values=found["values"], release="1.2.0", reason="by mistake",
        )  # fmt: skip
    assert refused.value.clauses == ("PDB-40",)
    assert [one["state"] for one in ada.command_format(command)["versions"]] == ["deprecated"]


@pytest.mark.clause("ALG-26")
def test_who_left_rolls_nothing_back(server: RunningServer) -> None:
    _, ada = server.account("ada")
    ben_name, ben = server.account("ben")
    organization = server.organization(ada)
    ada.command("add_member", organization=organization, account=ben_name, role="member")
    algorithm = f"{organization}/echo"
    ben.command("create_algorithm", algorithm=algorithm, summary="one")
    then = last(server)
    ben.command("update_algorithm", algorithm=algorithm, summary="two")
    found = ben.rollback("algorithm", algorithm, str(then))
    assert found["difference"]["summary"] == {"now": "two", "then": "one"}
    asked = {"kind": "algorithm", "algorithm": algorithm, "position": then, "values": found["values"], "reason": "x"}
    ada.command("remove_member", organization=organization, account=ben_name)
    with pytest.raises(Forbidden):
        ben.rollback("algorithm", algorithm, str(then))
    with pytest.raises(Forbidden):
        ben.command("roll_back", version=2, **asked)
    ada.command("roll_back", version=2, **asked)
    assert ada.rollback("algorithm", algorithm, str(then))["difference"] == {}


# --- commands that come to be done later


@pytest.mark.clause("ALG-26")
def test_who_left_meanwhile_is_refused_at_the_first_attempt(server: RunningServer) -> None:
    _, ada = server.account("ada")
    ben_name, ben = server.account("ben")
    organization = server.organization(ada)
    ada.command("add_member", organization=organization, account=ben_name, role="member")
    command, form = f"{organization}/make", {"type": "object", "properties": {"algorithm": {"type": "string"}}}
    ada.command("create_command", command=command)
    ada.submit("publish_command_version", 1, {
        "command": command, "version": 1, "format": {"version": 1, "schema": form}, "handler": "troth/create_algorithm",
        "golden": [{"version": 1, "payload": {"algorithm": f"{organization}/golden"}}],
    })  # fmt: skip
    made = [f"{organization}/before", f"{organization}/behind"]
    assert ben.submit(command, 1, {"algorithm": made[0]}, secondsToWaitForCompletion=60)["state"] == "done"
    ada.command("pause_command", command=command)
    waiting = ben.submit(command, 1, {"algorithm": made[1]})["uuid"]
    ada.command("remove_member", organization=organization, account=ben_name)
    ada.command("resume_command", command=command)
    told = until(lambda: found if (found := ben.queued(waiting))["state"] in ("done", "failed") else None)
    assert (told["state"], told["attempts"]) == ("failed", 1)
    assert told["outcome"]["diagnosis"]["code"] == "forbidden"
    found = ada.query("algorithms", f'select algorithm where owner = "{organization}"')["rows"]
    assert found == [{"algorithm": made[0]}]
