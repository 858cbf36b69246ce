"""Secrets: what workers find in their environment, and nobody else anywhere."""

from __future__ import annotations

import json
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.server import RunningServer, running_server
from tests.within.author import error_of, publish
from troth.doors.cli.main import execute
from troth.errors import CallFailed, Forbidden, Malformed, NotFound, Refused

VALUE = 'p4ss"word\\with ümlauts/and-more'
TELLER = """
import os
import sys

def apply(input):
    value = os.environ.get("TOKEN")
    if input == "give":
        return value
    if input == "print":
        print("using", value)
        print("and", value, file=sys.stderr)
        os.write(1, value.encode())
    if input == "print much":
        print("." * (64 * 1024 - 10) + value)
    if input == "raise":
        raise ValueError("no luck with " + value)
    if input == "exit":
        print("last words:", value)
        os.abort()
    return value is not None
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("secrets")) as running:
        yield running


@pytest.fixture(scope="module")
def teller(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    name = publish(server, tmp_path_factory.mktemp("teller"), TELLER)
    server.owner.command("set_secret", of=name, name="TOKEN", value=VALUE)
    return name


def everything_stored(server: RunningServer) -> bytes:
    """What lies on the disk of a server, but for the key of secrets."""
    files = [path for path in server.home.rglob("*") if path.is_file() and path.name != "secrets.key"]
    return b"".join(path.read_bytes() for path in files)


def test_a_worker_finds_it_in_its_environment(server: RunningServer, teller: str) -> None:
    assert server.owner.call(teller, "give").result == VALUE


def test_a_change_is_in_force_at_once(server: RunningServer, tmp_path: Path) -> None:
    name = publish(server, tmp_path, TELLER)
    assert server.owner.call(name, "give").result is None
    for value in ("first", "second"):
        server.owner.command("set_secret", of=name, name="TOKEN", value=value)
        assert server.owner.call(name, "give").result == value
    server.owner.command("delete_secret", of=name, name="TOKEN")
    assert server.owner.call(name, "give").result is None


def test_those_of_an_account_are_for_all_its_algorithms(server: RunningServer, tmp_path: Path) -> None:
    owner, client = server.account()
    name = publish(server, tmp_path, TELLER, owner=owner)
    client.command("set_secret", of=owner, name="TOKEN", value="of the account")
    assert client.call(name, "give").result == "of the account"
    client.command("set_secret", of=name, name="TOKEN", value="its own")
    assert client.call(name, "give").result == "its own"
    assert [row["name"] for row in client.secrets(owner)["secrets"]] == ["TOKEN"]


def test_it_is_stored_sealed_and_in_no_journal(server: RunningServer, teller: str) -> None:
    stored = everything_stored(server)
    for form in (VALUE, json.dumps(VALUE)[1:-1], json.dumps(VALUE, ensure_ascii=False)[1:-1]):
        assert form.encode() not in stored
    key = server.home / "secrets.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_text().strip().encode() not in stored
    entries = [link.entry for link in server.owner.journal()]
    assert any(b"set_secret" in entry for entry in entries)
    assert not any(form in entry for entry in entries for form in (VALUE.encode(), json.dumps(VALUE)[1:-1].encode()))


def test_a_command_is_repeated_without_the_value(server: RunningServer, teller: str) -> None:
    query = {"command": "set_secret", "version": "1", "uuid": "11111111-2222-4333-8444-555555555555"}
    found = [
        httpx2.post(
            f"{server.address}/api/v1/cmd", params=query, trust_env=False, timeout=60,
            headers={"Authorization": server.owner_key}, json={"of": teller, "name": "OTHER", **value},
        ).json()
        for value in ({"value": "a value"}, {})
    ]  # fmt: skip
    assert found[0]["outcome"] == "done"
    assert found[0] == found[1]
    assert "a value" not in json.dumps(found)


def test_it_is_left_out_of_output(server: RunningServer, teller: str) -> None:
    said = server.owner.call(teller, "print", stdout=True).stdout
    assert said is not None
    assert said.count("[secret]") == 3
    assert "word" not in said
    cut = server.owner.call(teller, "print much", stdout=True).stdout
    assert cut is not None
    assert VALUE[:4] not in cut


def test_it_is_left_out_of_errors(server: RunningServer, teller: str) -> None:
    error = error_of(server, teller, "raise")
    assert error["message"] == "no luck with [secret]"
    assert VALUE not in json.dumps(error, ensure_ascii=False)
    with pytest.raises(CallFailed) as failed:
        server.owner.call(teller, "exit", stdout=True)
    assert VALUE not in str(failed.value)


def test_it_is_left_out_of_the_log_of_a_build(server: RunningServer, tmp_path: Path, teller: str) -> None:
    folder = tmp_path / "project"
    name = teller.split("/")[1]
    code = 'import os\nprint("it is", os.environ["TOKEN"])\nraise ValueError(os.environ["TOKEN"])\n'
    from tests.server import write_project

    built = server.owner.compile(write_project(folder, "owner", name, code, permissions={"pipeline_enabled": True}))
    assert built["status"] == "failed"
    assert "[secret]" in built["log"]
    assert VALUE not in built["log"]


@pytest.mark.parametrize(
    "name",
    ["PATH", "LD_PRELOAD", "PYTHONPATH", "http_proxy", "ALGORITHMIA_API_KEY", "1A", "A-B", "A=B", "", "Ä", "A\n"],
)
def test_names_that_it_cannot_have(server: RunningServer, teller: str, name: str) -> None:
    with pytest.raises(Malformed) as refused:
        server.owner.command("set_secret", of=teller, name=name, value="sesame-open")
    assert "sesame-open" not in json.dumps(refused.value.as_problem())


@pytest.mark.parametrize(
    "value", ["", "a\0b", "x" * (32 * 1024 + 1), "\ud800", None], ids=["none", "null", "large", "half", "absent"]
)
def test_values_that_it_cannot_have(server: RunningServer, teller: str, value: str | None) -> None:
    given: dict[str, Any] = {} if value is None else {"value": value}
    with pytest.raises(Malformed):
        server.owner.command("set_secret", of=teller, name="BAD", **given)


def test_there_are_only_so_many(server: RunningServer, tmp_path: Path) -> None:
    name = publish(server, tmp_path, TELLER)
    for number in range(100):
        server.owner.command("set_secret", of=name, name=f"V{number}", value="value")
    with pytest.raises(Refused, match="100 secrets"):
        server.owner.command("set_secret", of=name, name="V100", value="value")
    server.owner.command("set_secret", of=name, name="V99", value="other")


def test_who_may(server: RunningServer, teller: str, tmp_path: Path) -> None:
    _, client = server.account()
    for of in (teller, "owner", "owner/there_is_none", "nobody_at_all"):
        with pytest.raises(Forbidden):
            client.command("set_secret", of=of, name="A", value="value")
        with pytest.raises(Forbidden):
            client.command("delete_secret", of=of, name="TOKEN")
        with pytest.raises((Forbidden, NotFound)):
            client.secrets(of)
    organization = server.organization(client)
    client.command("set_secret", of=organization, name="TOKEN", value="shared")
    member, other = server.account()
    with pytest.raises(NotFound):
        other.secrets(organization)
    client.command("add_member", organization=organization, account=member, role="member")
    assert [row["name"] for row in other.secrets(organization)["secrets"]] == ["TOKEN"]
    with pytest.raises(NotFound):
        other.command("delete_secret", of=organization, name="NONE")
    other.command("delete_secret", of=organization, name="TOKEN")


@pytest.mark.digest("12.3 provider", "12.3 secrets")
def test_as_clients_of_algorithmia_ask(server: RunningServer, teller: str) -> None:
    head = {"Authorization": server.owner_key}
    with httpx2.Client(base_url=server.address, headers=head, trust_env=False, timeout=60) as http:
        provider = http.get("/v1/secret-provider").json()[0]["id"]
        algorithm = http.get(f"/v1/algorithms/{teller}").json()["id"]
        body: dict[str, Any] = {
            "owner_type": "algorithm", "owner_id": algorithm, "short_name": "short", "provider_id": provider,
            "secret_key": "SHOWN", "secret_value": "never shown again", "description": " ",
        }  # fmt: skip
        made = http.post(f"/v1/algorithms/{algorithm}/secrets", json=body)
        assert "never shown again" not in made.text
        assert (made.status_code, made.json()["secret_key"], made.json()["owner_id"]) == (200, "SHOWN", algorithm)
        listed = http.get(f"/v1/algorithms/{algorithm}/secrets")
        assert "never shown again" not in listed.text
        assert [one["secret_key"] for one in listed.json()["secrets"]].count("SHOWN") == 1
        nonsense = http.post(f"/v1/algorithms/{algorithm}/secrets", json={**body, "secret_value": 7})
        assert nonsense.status_code == 400


def test_the_command_line(server: RunningServer, teller: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                          capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    monkeypatch.setenv("TROTH_SERVER", server.address)
    monkeypatch.setenv("TROTH_KEY", server.owner_key)
    file = tmp_path / "value"
    file.write_text("from a file")
    assert execute(["secret", "set", teller, "FILED", "--file", str(file), "--label", "filed"]) == 0
    assert execute(["secret", "list", teller]) == 0
    said = capsys.readouterr().out
    assert "FILED" in said
    assert "from a file" not in said
    assert execute(["secret", "delete", teller, "FILED"]) == 0
    assert execute(["secret", "delete", teller, "FILED"]) == 4
    assert execute(["secret", "set", teller, "PATH", "--file", str(file)]) == 2


def test_a_key_of_another_server(server: RunningServer, tmp_path: Path) -> None:
    """A row that was copied, altered or sealed with another key is not opened."""
    name = publish(server, tmp_path, TELLER)
    server.owner.command("set_secret", of=name, name="ONE", value="first value")
    server.owner.command("set_secret", of=name, name="TOKEN", value="second value")
    with sqlite3.connect(server.home / "registry.sqlite") as registry:
        registry.execute(
            "update secrets set sealed = (select sealed from secrets where name = 'ONE' and owner_id = s.owner_id)"
            " from secrets s where secrets.id = s.id and s.name = 'TOKEN' and s.owner_id in"
            " (select owner_id from secrets where name = 'ONE')"
        )
    registry.close()
    error = error_of(server, name, "give")
    assert "cannot be opened" in error["message"]
    assert "first value" not in json.dumps(error)
