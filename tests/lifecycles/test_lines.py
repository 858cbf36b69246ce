"""The major lines of algorithms over a real server: deprecated by a new major, told on calls, retired when nobody needs them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection, select, update

from tests.server import ECHO, RunningServer, write_project
from troth.clock import stamp
from troth.registry.lines import line_states
from troth.registry.tables import algorithms, usage
from troth.sdk import Client

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

    def publish(self, bump: str, **how: Any) -> dict[str, Any]:
        """A version of a build of its own."""
        code = f"{ECHO}# {self.server.new_name('mark')}\n"
        write_project(self.folder / self.name, self.owner, self.name, code, permissions=PUBLIC)
        built = self.client.compile(self.folder / self.name)
        return self.client.publish(self.algorithm, built["hash"], bump=bump, **how)

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
