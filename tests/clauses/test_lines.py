"""The major lines of algorithms over a real server: deprecated by a new major, told on calls, retired when nobody needs them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection, select, update

from tests.cli.author import Author
from tests.server import ECHO, RunningServer, write_project
from troth.clock import now, stamp
from troth.doors.cli.main import execute
from troth.errors import Forbidden, MalformedPayload, NotFound, Refused
from troth.registry.lines import line_states
from troth.registry.tables import algorithms, usage
from troth.sdk import Client
from troth.sdk.lock import written

PUBLIC = {"visibility": "public"}


@dataclass
class Lines:
    """An algorithm, its owner, and somebody else who calls it."""

    server: RunningServer
    folder: Path
    owner: str
    client: Client
    name: str
    caller: str
    other: Client

    @property
    def algorithm(self) -> str:
        return f"{self.owner}/{self.name}"

    def publish(self, bump: str = "", **how: Any) -> dict[str, Any]:
        """A version of a build of its own."""
        how |= {"bump": bump} if bump else {}
        code = f"{ECHO}# {self.server.new_name('mark')}\n"
        write_project(self.folder / self.name, self.owner, self.name, code, permissions=PUBLIC)
        built = self.client.compile(self.folder / self.name)
        return self.client.publish(self.algorithm, built["hash"], **how)

    def notice(self, **how: Any) -> dict[str, Any]:
        return self.client.command("set_line_notice", algorithm=self.algorithm, **how)

    def retire(self, line: int = 1, **how: Any) -> dict[str, Any]:
        return self.client.command("retire_line", algorithm=self.algorithm, line=line, **how)

    def called(self, version: str, key: str = "") -> httpx2.Response:
        """The raw reply to a call by somebody else."""
        head = {"Authorization": f"Simple {key or self.server.keys[self.caller]}"}
        address = f"{self.server.address}/v1/algo/{self.algorithm}/{version}"
        return httpx2.post(address, json="x", headers=head, timeout=60)

    def lines(self) -> dict[str, dict[str, Any]]:
        """What is told of the lines, by their numbers."""
        return {row["line"]: row for row in self.other.lines(self.algorithm)["lines"]}

    def let_time_pass(self, days: int) -> None:
        """What was announced and counted was so many days earlier."""
        self.client.usage()  # which writes down what was counted

        def change(connection: Connection) -> None:
            of_these = (algorithms.c.id == line_states.c.algorithm_id) & (algorithms.c.name == self.name)
            for row in connection.execute(select(line_states).where(of_these)).all():
                earlier = {
                    name: stamp(datetime.fromisoformat(getattr(row, name)) - timedelta(days=days))
                    for name in ("deprecated_at", "retires_after")
                }
                same = (line_states.c.algorithm_id == row.algorithm_id) & (line_states.c.major == row.major)
                connection.execute(update(line_states).where(same).values(**earlier))
            counted = update(usage).where(usage.c.name == self.name)
            connection.execute(counted.values(minute=usage.c.minute - days * 24 * 60))

        self.server.server.database.write_now(change)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lines")


@pytest.fixture
def echo(server: RunningServer, home: Path) -> Lines:
    """An algorithm with nothing published."""
    (owner, client), (caller, other) = server.account("ada"), server.account("sam")
    name = server.new_name("lined")
    return Lines(server, home, owner, client, name, caller, other)


@pytest.fixture
def deprecated(echo: Lines) -> Lines:
    """One whose line 1 is deprecated, with a notice of 30 days."""
    echo.publish("major")
    echo.notice(days=30)
    echo.publish("major")
    return echo


def test_calls_of_a_line_that_a_new_major_superseded_say_so(echo: Lines) -> None:
    echo.publish("major")
    assert echo.notice(days=90) == {"algorithm": echo.algorithm, "days": 90, "quiet_days": 30, "deprecated": []}
    assert "deprecation" not in echo.called("1.0.0").headers
    assert echo.publish("major")["deprecated"] == ["1"]
    pinned, floating = echo.called("1.0.0"), echo.called("1.0")
    assert (pinned.json()["result"], floating.json()["result"]) == ("x", "x")
    since = datetime.fromisoformat(echo.lines()["1"]["deprecated_at"])
    for reply in (pinned, floating):
        assert reply.headers["deprecation"] == f"@{int(since.timestamp())}"
        assert reply.headers["link"] == f'</v1/algo/{echo.algorithm}/2.0.0>; rel="successor-version"'
        assert reply.headers["troth-line-state"] == "deprecated"
        assert reply.headers["troth-retires-after"] == f"{since + timedelta(days=90):%Y-%m-%dT%H:%M:%SZ}"
    assert floating.headers["sunset"] == f"{since + timedelta(days=90):%a, %d %b %Y %H:%M:%S GMT}"
    assert "sunset" not in pinned.headers, "a complete number is never gone"
    for version in ("2.0.0", "2.0", "latest"):
        assert not {"deprecation", "sunset", "link", "troth-line-state"} & set(echo.called(version).headers)


def test_without_a_notice_a_new_major_deprecates_nothing_until_one_is_set(echo: Lines) -> None:
    echo.publish("minor")
    assert echo.lines()["0"]["state"] == "experimental"
    echo.publish("major")
    assert echo.publish("major")["deprecated"] == []
    assert [row["state"] for row in echo.lines().values()] == ["experimental", "current", "current"]
    assert "deprecation" not in echo.called("1.0.0").headers
    assert echo.notice(days=1)["deprecated"] == ["0", "1"]
    assert {line: row["state"] for line, row in echo.lines().items()} == {
        "0": "deprecated",
        "1": "deprecated",
        "2": "current",
    }
    assert echo.called("0.1").headers["deprecation"]


def test_what_was_announced_is_not_changed_by_another_notice(deprecated: Lines) -> None:
    before = deprecated.lines()["1"]
    assert deprecated.notice(days=0) == {
        "algorithm": deprecated.algorithm,
        "days": 0,
        "quiet_days": 30,
        "deprecated": [],
    }
    assert deprecated.lines()["1"] == before
    assert deprecated.notice(days=None, quiet_days=7)["quiet_days"] == 7
    assert deprecated.lines()["1"]["retires_after"] == before["retires_after"]


def test_a_private_major_deprecates_nothing(echo: Lines) -> None:
    echo.publish("major")
    echo.notice(days=0)
    assert echo.publish("major", visibility="private", confirm_permissions=True)["deprecated"] == []
    assert list(echo.lines()) == ["1"]


def test_a_line_is_retired_after_its_notice_when_nobody_else_calls_it(deprecated: Lines) -> None:
    with pytest.raises(Refused, match="callers have notice until"):
        deprecated.retire()
    deprecated.let_time_pass(31)
    done = deprecated.retire()
    assert (done["line"], done["verdict"]["outcome"]) == ("1", "allowed")
    assert deprecated.lines()["1"]["state"] == "retired"
    with pytest.raises(Refused, match=r"1\.x is retired, and what is retired gets no further versions") as refused:
        deprecated.publish(number="1.0.1")
    assert refused.value.clauses == ("PDB-32",)
    assert deprecated.publish("revision")["version"] == "2.0.1"
    with pytest.raises(Refused, match="it is retired already"):
        deprecated.retire()


@pytest.mark.clause("ALG-11")
@pytest.mark.clause("ALG-13")
def test_a_retired_line_goes_on_answering_whoever_used_it(deprecated: Lines) -> None:
    deprecated.let_time_pass(31)
    deprecated.retire()
    for version in ("1.0.0", "1.0", "1.*"):
        reply = deprecated.called(version)
        assert (reply.json()["result"], reply.headers["troth-version"]) == ("x", "1.0.0")
        assert reply.headers["troth-line-state"] == "retired"
        assert not {"sunset", "troth-retires-after"} & set(reply.headers)


@pytest.mark.clause("ALG-11")
def test_a_line_that_others_called_is_not_retired(deprecated: Lines) -> None:
    deprecated.let_time_pass(31)
    for key in (deprecated.caller, deprecated.caller, deprecated.owner):
        assert deprecated.called("1.0.0", deprecated.server.keys[key]).json()["result"] == "x"
    deprecated.called("2.0.0", deprecated.server.keys["owner"])
    with pytest.raises(Refused) as refused:
        deprecated.retire()
    assert refused.value.clauses == ("ALG-11",)
    assert "one other account called it 2 times in the last 30 days" in refused.value.what
    assert refused.value.found == {deprecated.caller: 2}, "names are for the owner"
    assert deprecated.lines()["1"] | {"callers": 1, "calls": 2} == deprecated.lines()["1"]
    assert "called_by" not in deprecated.lines()["1"], "and not for others"
    mine = {row["line"]: row for row in deprecated.client.lines(deprecated.algorithm)["lines"]}
    assert mine["1"]["called_by"] == {deprecated.caller: 2}
    deprecated.notice(quiet_days=7)
    deprecated.let_time_pass(8)
    deprecated.retire()


@pytest.mark.clause("ALG-11")
def test_floating_references_stop_by_a_waiver_only(deprecated: Lines) -> None:
    deprecated.let_time_pass(31)
    deprecated.called("1.0")
    with pytest.raises(Refused, match="would lead nowhere") as refused:
        deprecated.retire(stop_floating=True)
    assert refused.value.clauses == ("ALG-11",)
    asked: dict[str, Any] = {"algorithm": deprecated.algorithm, "line": 1, "stop_floating": True, "clauses": ["ALG-11"]}
    asked |= {"reason": "all agreed", "expires_at": stamp(now() + timedelta(days=3))}
    waiver = deprecated.client.command("request_line_waiver", **asked)
    assert deprecated.caller not in str(waiver)
    with pytest.raises(Refused):
        deprecated.retire(stop_floating=True)
    deprecated.client.command("approve_waiver", waiver=waiver["id"])
    with pytest.raises(Refused, match="called it"):
        deprecated.retire()  # which is not what it is for
    done = deprecated.retire(stop_floating=True)
    assert [one["clause"] for one in done["verdict"]["waived"]] == ["ALG-11", "ALG-11"]
    assert deprecated.other.waiver(waiver["id"])["state"] == "used"
    assert [one["id"] for one in deprecated.other.waivers(deprecated.algorithm)["waivers"]] == [waiver["id"]]
    for key in (deprecated.caller, deprecated.owner):
        for version in ("1.0", "1.0.*", "1.*"):
            reply = deprecated.called(version, deprecated.server.keys[key])
            assert reply.status_code == 200
            assert reply.json()["error"]["message"] == (
                f"algorithm algo://{deprecated.algorithm}/{version} not found any more: the line 1 is retired, and its complete"
                f" numbers run on (ALG-13); call {deprecated.algorithm}/2.0.0 instead"
            )
    assert deprecated.called("1.0.0").json()["result"] == "x", "a complete number runs for ever"
    told = deprecated.other.resolve(f"{deprecated.algorithm}/1.0")
    assert not told["resolved"]
    assert "the line 1 is retired" in told["reasons"][0]["text"]
    assert deprecated.called("latest").headers["troth-version"] == "2.0.0"


def test_a_waiver_is_for_what_objects(deprecated: Lines) -> None:
    asked: dict[str, Any] = {"algorithm": deprecated.algorithm, "line": 1, "clauses": ["ALG-11"]}
    asked |= {"reason": "all agreed", "expires_at": stamp(now() + timedelta(days=3))}
    with pytest.raises(Refused, match="nothing to waive"):
        deprecated.client.command("request_line_waiver", **asked)
    deprecated.called("1.0")
    with pytest.raises(Refused, match="would not help: the notice objects"):
        deprecated.client.command("request_line_waiver", **asked)
    with pytest.raises(Refused, match="PDB-36 cannot be waived"):
        deprecated.client.command("request_line_waiver", **{**asked, "clauses": ["PDB-36"]})


def test_only_the_owner_sets_a_notice_and_retires(deprecated: Lines) -> None:
    commands: list[tuple[str, dict[str, Any]]] = [("set_line_notice", {"days": 1}), ("retire_line", {"line": 1})]
    for command, more in commands:
        with pytest.raises(Forbidden):
            deprecated.other.command(command, algorithm=deprecated.algorithm, **more)


def test_what_cannot_be_meant_is_refused(echo: Lines) -> None:
    echo.publish("major")
    with pytest.raises(Refused, match="only a deprecated line is retired") as refused:
        echo.retire()
    assert refused.value.clauses == ("PDB-36",)
    with pytest.raises(NotFound, match="has no public line 2"):
        echo.retire(2)
    with pytest.raises(Refused, match="who called a line in the last 91 days"):
        echo.notice(quiet_days=91)
    for wrong in ({"days": -1}, {"days": 4000}, {"quiet_days": 0}, {"days": "x"}):
        with pytest.raises(MalformedPayload):
            echo.notice(**wrong)


def test_strangers_learn_nothing_of_private_algorithms(echo: Lines) -> None:
    echo.publish("major", visibility="private")
    with pytest.raises(NotFound):
        echo.lines()
    assert echo.client.lines(echo.algorithm)["lines"] == []


def test_a_line_lives_and_ends_on_the_command_line(deprecated: Lines, tmp_path: Path) -> None:
    author = Author(deprecated.server, deprecated.owner, deprecated.client, tmp_path)
    algorithm = deprecated.algorithm
    shown = author.answered("line", "list", algorithm)
    assert [(row["line"], row["state"]) for row in shown["lines"]] == [("1", "deprecated"), ("2", "current")]
    states = [row["state"] for row in author.answered("versions", algorithm)["versions"]]
    assert states == ["current", "deprecated"]
    assert "public, deprecated" in author.troth("versions", algorithm).stdout
    assert author.answered("line", "notice", algorithm, "--quiet-days", "20")["quiet_days"] == 20
    assert "30 days of notice, 20 quiet days" in author.troth("line", "list", algorithm).stdout
    early = author.troth("line", "retire", algorithm, "1")
    assert early.returncode == 3, early.stderr
    assert "callers have notice until" in early.stderr
    deprecated.let_time_pass(31)
    asked = author.troth("line", "request-waiver", algorithm, "1", "--stop-floating", "-m", "nobody pins it")
    assert f"next: another owner or admin does: troth waiver approve {algorithm}/1" in asked.stderr
    approved = author.troth("waiver", "approve", f"{algorithm}/1")
    assert f"next: troth line retire {algorithm} 1 --stop-floating" in approved.stderr
    done = author.troth("line", "retire", algorithm, "1", "--stop-floating")
    assert f"{algorithm} 1 is retired; its complete numbers run on" in done.stdout
    assert "ALG-11 notwithstanding" in done.stdout
    assert "retired, without" in author.troth("line", "list", algorithm).stdout
    assert f"{algorithm}/1 was retired by it" in author.troth("waiver", "show", f"{algorithm}/1").stdout
    assert "a new major deprecates nothing" in author.troth("line", "notice", algorithm, "--none").stdout


class Linted:
    """An application of Sam's, and what troth lint says of it."""

    def __init__(self, lines: Lines, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capture = capture
        key = folder / "key"
        key.write_text(lines.server.keys[lines.caller])
        self.remote = ("--lines", "--server", lines.server.address, "--key-file", str(key))

    def said(self, *tokens: str) -> str:
        self.capture.readouterr()
        assert execute(["lint", str(self.folder), *tokens, *self.remote]) == 1
        return self.capture.readouterr().out


def test_references_that_float_on_a_line_that_leaves_are_told_with_where_to_go(
    deprecated: Lines, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = deprecated.algorithm
    app = tmp_path / "app.py"
    app.write_text("".join(f'algo("{name}/{version}")\n' for version in ("1.0.*", "1.*", "1.0.0", "2.0", "latest")))
    (tmp_path / "other.py").write_text('algo("nobody/nothing/1.0")\n')
    (tmp_path / "troth.lock").write_text(
        written({f"{name}/1.0": {"version": "1.0.0"}, f"{name}/2.*": {"version": "2.0.0"}})
    )
    linted = Linted(deprecated, tmp_path, capsys)
    line = deprecated.lines()["1"]
    words = f"line 1 is deprecated since {line['deprecated_at'][:10]}, and may be retired from "
    words += f"{line['retires_after'][:10]} on; go to 2.0.0"
    told = linted.said().splitlines()
    assert [words in one for one in told] == [True, True, False, False, False, True]
    assert told[0].startswith(f"{app}:1:7: {name}/1.0.* floats")
    assert told[-1].startswith(f"{tmp_path / 'troth.lock'}:4:6: {name}/1.0 floats")
    rows = json.loads(linted.said("--json"))
    assert [one.get("leaving", {}).get("successor") for one in rows] == ["2.0.0", "2.0.0", None, None, None, "2.0.0"]
    assert {"calls", "callers"} & rows[0]["leaving"].keys() == set(), "who calls is not what it is about"
    (first, *_) = linted.said("--format", "github").splitlines()
    assert first.startswith("::warning file=")
    assert "go to 2.0.0" in first
    deprecated.let_time_pass(31)
    deprecated.retire()
    assert "retired since" in linted.said()
    assert "gets no more fixes" in linted.said()


def test_without_a_server_lines_cannot_be_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "app.py").write_text('algo("ada/shades/1.0")\n')
    assert execute(["lint", str(tmp_path)]) == 1
    assert execute(["lint", str(tmp_path), "--lines", "--server", "http://127.0.0.1:9"]) == 5
    assert "no server answers" in capsys.readouterr().err
    (tmp_path / "app.py").write_text("nothing\n")
    assert execute(["lint", str(tmp_path), "--lines", "--server", "http://127.0.0.1:9"]) == 0, "nobody has to be asked"
