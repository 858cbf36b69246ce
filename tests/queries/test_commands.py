"""troth query, journal and rollback on the command line."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.server import RunningServer
from troth.doors.cli.main import execute
from troth.errors import Forbidden, NotFound, Refused


class Shell:
    """Runs commands as an account, and gives what they print."""

    def __init__(self, server: RunningServer, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        self._server = server
        self._capsys = capsys
        self._key = folder / "key"

    def run(self, *words: str, key: str = "", expect: int = 0) -> str:
        self._key.write_text(key or self._server.owner_key)
        self._capsys.readouterr()
        code = execute([*words, "--server", self._server.address, "--key-file", str(self._key)])
        printed = self._capsys.readouterr()
        assert code == expect, printed
        return printed.out if code == 0 else printed.out + printed.err


@pytest.fixture
def shell(server: RunningServer, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Shell:
    return Shell(server, capsys, tmp_path)


def test_rows_are_a_table_json_or_csv(shell: Shell) -> None:
    query = 'select id, kind where kind = "RULE" and id ~ "^ALG-0[1-9]$"'
    found = json.loads(shell.run("query", "clauses", query, "--json", "--total"))
    ids = [row["id"] for row in found["rows"]]
    assert found["total"] == len(ids) > 2
    table = shell.run("query", "clauses", query)
    assert table.split()[:2] == ["id", "kind"]
    assert [word for word in table.split() if word.startswith("ALG")] == ids
    rows = list(csv.DictReader(io.StringIO(shell.run("query", "clauses", query, "--csv", "--order-by", "id desc"))))
    assert [row["id"] for row in rows] == ids[::-1]
    assert len(json.loads(shell.run("query", "clauses", "--limit", "0", "--json"))["rows"]) == 95
    assert len(json.loads(shell.run("query", "clauses", "--limit", "3", "--offset", "1", "--json"))["rows"]) == 3


def test_a_pipe_gets_every_word_whole(server: RunningServer, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    asked = "select digest, previous, at, uuid where position < 4"
    wanted = server.owner.query("journal", asked)["rows"]
    words = shell.run("query", "journal", asked).splitlines()
    assert len(words) == len(wanted) + 1
    for line, row in zip(words[1:], wanted, strict=True):
        assert {row["digest"], row["at"], row["uuid"]} <= set(line.split())


def test_more_rows_than_a_page_are_fetched_page_by_page(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.sdk.client._ROWS_AT_ONCE", 7)
    ids = [row["id"] for row in server.owner.query_all("clauses", order_by=["id"])]
    assert len(ids) == 95
    assert ids == sorted(set(ids))
    assert [row["id"] for row in server.owner.query_all("clauses", order_by=["id"], most=20)] == ids[:20]


def test_what_is_wrong_says_what_was_meant(shell: Shell) -> None:
    assert "did you mean owner?" in shell.run("query", "versions", 'ownr = "a"', expect=2)
    told = shell.run("query", "version", expect=2)
    assert "did you mean versions?" in told
    assert "command-results" in told
    assert "name one of them" in shell.run("query", "zzz", expect=2)
    shell.run("query", "versions", "--limit", "-1", expect=2)


def _product(server: RunningServer) -> tuple[str, Any, int]:
    """A product that was private and is public since, its owner's client, and the position before that."""
    name, client = server.account("shopkeeper")
    subject = f"{name}/shop"
    client.command("create_product", product=subject, summary="sells")
    position = server.owner.query("journal", "select max(position)")["rows"][0]["max_position"]
    client.command("update_product", product=subject, public=True, summary="sells all")
    return subject, client, position


def test_the_journal_is_filtered(server: RunningServer, shell: Shell) -> None:
    subject, _, position = _product(server)
    owner = subject.split("/")[0]

    def commands(*words: str) -> list[str]:
        return [entry["command"] for entry in json.loads(shell.run("journal", "--json", *words))]

    assert commands("--about", subject) == ["create_product", "update_product"]
    assert commands("--about", subject, "--as-of", str(position)) == ["create_product"]
    assert commands("--actor", owner, "--command", "update_product") == ["update_product"]
    assert commands("--about", subject, "--limit", "1") == ["update_product"]
    assert commands("--about", subject, "--after", str(position)) == ["update_product"]
    assert commands("--about", subject, "--outcome", "refused") == []
    assert commands("--about", subject, "--since", "2999-01-01T00:00:00Z") == []
    assert "update_product" in shell.run("journal", "--about", subject)
    shell.run("journal", "--as-of", "99999999", expect=2)
    shell.run("journal", key=server.keys[owner], expect=3)


def test_an_exported_journal_is_verified_without_a_server(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "journal.ndjson"
    told = json.loads(shell.run("journal", "--export", str(file), "--json"))
    verified = json.loads(shell.run("journal", "--verify", "--file", str(file), "--json"))
    assert verified == {"entries": told["entries"], "digest": told["digest"], "verified": True}
    assert len(json.loads(shell.run("journal", "--file", str(file), "--json"))) == told["entries"]
    assert "cannot be written" in shell.run("journal", "--export", str(file), expect=2)
    lines = file.read_text().splitlines()
    entry = json.loads(lines[2])
    for altered in (
        lines[:2] + lines[3:],
        [*lines[:2], json.dumps({**entry, "digest": "0" * 64}), *lines[3:]],
        [*lines[:2], json.dumps({**entry, "entry": "e30="}), *lines[3:]],
    ):
        file.write_text("\n".join(altered))
        assert "broken" in shell.run("journal", "--verify", "--file", str(file), expect=1)
    for text in ("[]", '{"position": 1}', "x", '{"position": "1", "entry": "", "previous": "", "digest": ""}'):
        file.write_text(text)
        assert "no journal entry" in shell.run("journal", "--verify", "--file", str(file), expect=2)
        assert "no journal entry" in shell.run("journal", "--file", str(file), expect=2)
    file.write_bytes(b"\xff")
    shell.run("journal", "--verify", "--file", str(file), expect=2)
    shell.run("journal", "--verify", "--file", str(tmp_path / "none"), expect=4)


def test_settings_go_back_after_the_difference_was_shown(server: RunningServer, shell: Shell) -> None:
    subject, client, position = _product(server)
    key = server.keys[subject.split("/")[0]]
    words = ("rollback", "product", subject, "--to", str(position), "-m", "not yet")
    assert "nobody is there" in shell.run(*words, key=key, expect=3)
    assert server.owner.query("products", f'product = "{subject}"')["rows"][0]["public"] is True
    printed = shell.run(*words, "--yes", key=key)
    assert printed.split()[:6] == ["setting", "now", "at", "position", str(position), "public"]
    row = client.query("products", f'product = "{subject}"')["rows"][0]
    assert (row["public"], row["summary"]) == (False, "sells")
    entry = json.loads(shell.run("journal", "--about", subject, "--limit", "1", "--json"))[0]
    assert (entry["command"], entry["payload"]["reason"]) == ("roll_back", "not yet")
    assert "nothing differs" in shell.run(*words, "--yes", key=key)
    forward = shell.run(
        "rollback", "product", subject, "--to", str(position + 1), "-m", "now", "--yes", "--json", key=key
    )
    assert json.loads(forward)["changed"]["public"] == {"now": False, "then": True}
    assert "algorithm" in shell.run("rollback", "account", subject, "--to", "1", "-m", "x", "--yes", key=key, expect=2)


def test_settings_of_an_algorithm_go_back_also_to_where_it_was_rolled_back(server: RunningServer) -> None:
    name, client = server.account("author")
    subject = f"{name}/echo"
    client.command(
        "create_algorithm", version=2, algorithm=subject, summary="first", settings={"source_visibility": "closed"}
    )
    first = _last(server)
    client.command(
        "update_algorithm", algorithm=subject, settings={"source_visibility": "open"}, details={"label": "Echo"}
    )
    second = _last(server)
    for position, visibility in ((first, "closed"), (second, "open")):
        found = client.rollback("algorithm", subject, str(position))
        assert found["values"]["settings.source_visibility"] == visibility
        client.command("roll_back", algorithm=subject, position=position, reason="tried", values=found["values"])
        row = client.query("algorithms", f'algorithm = "{subject}"')["rows"][0]
        assert row["settings"]["source_visibility"] == visibility
        assert row["details"] == ({"label": "Echo"} if position == second else {})
    assert client.rollback("algorithm", subject, str(_last(server)))["difference"] == {}


def _last(server: RunningServer) -> int:
    return int(server.owner.query("journal", "select max(position)")["rows"][0]["max_position"])


def test_a_rollback_sets_what_the_journal_says_and_for_whom_may(server: RunningServer) -> None:
    subject, client, position = _product(server)
    _, stranger = server.account("stranger")
    with pytest.raises(Refused, match="were not the settings"):
        client.command(
            "roll_back", product=subject, position=position, reason="x", values={"public": False, "summary": "mine"}
        )
    with pytest.raises(NotFound):
        client.command("roll_back", product=subject, position=1, reason="x", values={})
    for to in ("1", "99999999", "2001-01-01T00:00:00Z"):
        with pytest.raises(NotFound):
            client.rollback("product", subject, to)
    with pytest.raises(Forbidden):
        stranger.rollback("product", subject, str(position))
    values = client.rollback("product", subject, str(position))["values"]
    with pytest.raises(Forbidden):
        stranger.command("roll_back", product=subject, position=position, reason="x", values=values)
    assert client.query("products", f'product = "{subject}"')["rows"][0]["public"] is True
