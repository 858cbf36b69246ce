"""Published versions move to a new worker: their examples are replayed on it before calls come."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, select, update

from tests.cli.author import Author
from tests.server import RunningServer, running_server, write_project
from troth.errors import Forbidden
from troth.registry.replays import worker_replays
from troth.registry.tables import versions
from troth.runtime.worker import WORKER_VERSION
from troth.sdk import Client

DOUBLE = "def apply(input):\n    return input * 2\n"


def published(running: RunningServer, folder: Path, name: str, examples: list[dict[str, Any]]) -> str:
    """owner/name of an algorithm with a public 0.1.0 that declares these examples."""
    files = {"examples.json": json.dumps(examples).encode()}
    project = folder / name
    write_project(project, "owner", name, DOUBLE, files=files, contract={"examples": "examples.json"})
    built = running.owner.compile(project)
    running.owner.publish(f"owner/{name}", built["hash"], bump="minor", visibility="public")
    return f"owner/{name}"


def replayed(client: Client, algorithm: str) -> list[tuple[int, str, list[str]]]:
    """What the page of the newest version says of its examples."""
    (version,) = client.versions(algorithm)["versions"]
    return [(one["worker"], one["outcome"], one["faults"]) for one in version["replayed"]]


def on_an_older_worker(connection: Connection) -> None:
    """The registry as an older worker left it."""
    connection.execute(delete(worker_replays).where(worker_replays.c.worker < WORKER_VERSION))
    connection.execute(update(worker_replays).values(worker=WORKER_VERSION - 1))


def promised_otherwise(connection: Connection) -> None:
    """The contract as it would read, had the older worker made five of it."""
    for identity, contract in connection.execute(select(versions.c.id, versions.c.contract)).all():
        document = json.loads(contract)
        if document.get("examples", [{}])[0:1] == [{"input": 3, "output": 6}]:
            document["examples"][0]["output"] = 5
            values = {"contract": json.dumps(document)}
            connection.execute(update(versions).where(versions.c.id == identity).values(values))


def test_a_new_worker_replays_what_older_ones_answered(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running_server(home) as first:
        same = published(first, tmp_path, "same", [{"input": 2, "output": 4}])
        other = published(first, tmp_path, "other", [{"input": 3, "output": 6}])
        silent = published(first, tmp_path, "silent", [])
        assert replayed(first.owner, same) == [(WORKER_VERSION, "reproduced", [])]
        assert first.owner.replays()["counts"] == {"reproduced": 2, "differs": 0, "not-run": 0, "waiting": 0}
        first.server.database.write_now(on_an_older_worker)
        first.server.database.write_now(promised_otherwise)
    with running_server(home) as second:
        assert replayed(second.owner, same) == [
            (WORKER_VERSION, "reproduced", []), (WORKER_VERSION - 1, "reproduced", [])
        ]  # fmt: skip
        (newest, oldest) = replayed(second.owner, other)
        assert newest[:2] == (WORKER_VERSION, "differs")
        assert newest[2] == ["examples[0]: an example that was declared is answered otherwise: was 5, is 6"]
        assert oldest[:2] == (WORKER_VERSION - 1, "reproduced")
        assert replayed(second.owner, silent) == []
        assert second.owner.call(f"{other}/0.1.0", 3).result == 6
        entries = [json.loads(link.entry) for link in second.owner.journal()]
        told = [entry["payload"] for entry in entries if entry["command"] == "record_replay"]
        assert {(one["algorithm"], one["outcome"]) for one in told} == {(same, "reproduced"), (other, "differs")}
        assert {entry["actor"] for entry in entries if entry["command"] == "record_replay"} == {"troth"}
        look(second, other, tmp_path)
        second.server.database.write_now(on_an_older_worker)
    with running_server(home, replay_at_start="behind") as third:
        limit = time.monotonic() + 120
        while third.owner.replays()["counts"] != {"reproduced": 1, "differs": 1, "not-run": 0, "waiting": 0}:
            assert time.monotonic() < limit
            time.sleep(0.05)


def test_what_a_major_breaks_is_no_fault_of_the_worker(tmp_path: Path) -> None:
    """What it answers otherwise was promised by the version before; its own examples wait for the next start."""
    home = tmp_path / "home"
    with running_server(home) as first:
        broken = published(first, tmp_path, "broken", [{"input": 2, "output": 4}])
        files = {"examples.json": json.dumps([{"input": 2, "output": 6}]).encode()}
        write_project(
            tmp_path / "major", "owner", "broken", DOUBLE.replace("* 2", "* 3"), files=files,
            contract={"examples": "examples.json"},
        )  # fmt: skip
        built = first.owner.compile(tmp_path / "major")
        verdict = first.owner.publish(broken, built["hash"], bump="least", visibility="public")["verdict"]
        assert verdict["behaviour"] == "differs"
        assert first.owner.replays()["counts"] == {"reproduced": 1, "differs": 0, "not-run": 0, "waiting": 1}
    with running_server(home) as second:
        assert second.owner.replays()["counts"] == {"reproduced": 2, "differs": 0, "not-run": 0, "waiting": 0}


def look(running: RunningServer, differing: str, folder: Path) -> None:
    """What differs is on the command line, for administrators; nobody else writes it down."""
    operator = Author(running, "owner", running.owner, folder)
    shown = operator.troth("worker")
    assert shown.returncode == 1
    assert f"worker {WORKER_VERSION}: 1 reproduced, 1 differs, 0 not-run, 0 waiting" in shown.stdout
    assert f"{differing}/0.1.0" in shown.stdout
    assert f"differs on worker {WORKER_VERSION}" in operator.troth("versions", differing).stdout
    _, stranger = running.account()
    with pytest.raises(Forbidden):
        stranger.replays()
    with pytest.raises(Forbidden):
        running.owner.command("record_replay", algorithm=differing, number="0.1.0", worker=1, outcome="reproduced")
