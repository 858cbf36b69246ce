"""Examples of algorithms that call others: replayed for who publishes, and on a new worker for the owner."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.doors.test_moving import on_an_older_worker, replayed
from tests.server import RunningServer, running_server, write_project
from tests.within.author import publish, wait_for
from troth.errors import Refused
from troth.runtime.worker import WORKER_VERSION

DOUBLE = "def apply(input):\n    return 2 * input\n"
CALLS = """
import Algorithmia

def apply(input):
    return Algorithmia.client().algo("DOUBLE").pipe(input).result + MORE
"""
READS = """
import Algorithmia

def apply(input):
    found = []
    for what in (lambda: Algorithmia.client().file(input).getString(), lambda: Algorithmia.client().file(input).put("spoilt")):
        try:
            found.append(what())
        except Algorithmia.ApiError as error:
            found.append("refused")
    return found[:2]
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("replays")) as running:
        yield running


def built(server: RunningServer, folder: Path, name: str, code: str, *examples: tuple[Any, Any]) -> str:
    """The hash of a build with these examples, which may call others."""
    found = [{"input": given, "output": output} for given, output in examples]
    write_project(
        folder, "owner", name, code, permissions={"pipeline_enabled": True}, contract={"examples": "examples.json"},
        files={"examples.json": json.dumps(found).encode()},
    )  # fmt: skip
    build = server.owner.compile(folder)
    assert build["status"] == "succeeded", build["log"]
    return str(build["hash"])


def reproduced(found: dict[str, Any]) -> list[bool]:
    """Of each example, whether the candidate answered it as declared."""
    return [replay["candidate"]["reproduced"] for replay in found["verdict"]["replays"]]


def test_they_call_for_who_publishes(server: RunningServer, tmp_path: Path) -> None:
    """What is called may be private; a version whose answers change is refused by them like any other."""
    double, name = publish(server, tmp_path, DOUBLE, visibility="private"), server.new_name("calls")
    code = CALLS.replace("DOUBLE", double)
    first = built(server, tmp_path / "first", name, code.replace("MORE", "0"), (2, 4), (3, 6))
    done = server.owner.publish(f"owner/{name}", first, bump="minor")
    assert reproduced(done) == [True, True]
    same = built(server, tmp_path / "same", name, code.replace("MORE", "0 + 0"), (2, 4))
    again = server.owner.publish(f"owner/{name}", same, bump="revision")
    assert (again["verdict"]["behaviour"], reproduced(again)) == ("checked", [True, True])
    other = built(server, tmp_path / "other", name, code.replace("MORE", "1"), (2, 5))
    with pytest.raises(Refused) as refused:
        server.owner.publish(f"owner/{name}", other, bump="revision")
    assert "ALG-05" in refused.value.clauses


def test_they_change_nothing(server: RunningServer, tmp_path: Path) -> None:
    """A key that may publish and read no data reads none by an example; nothing is written by one in any case."""
    directory = server.new_name("dir")
    with httpx2.Client(base_url=server.address, headers={"Authorization": server.owner_key}, trust_env=False) as http:
        for method, path, content in (
            ("POST", "owner", {"json": {"name": directory}}),
            ("PUT", f"owner/{directory}/file", {"content": b"kept"}),
        ):
            assert http.request(method, f"/v1/data/{path}", **content).status_code == 200
    address, name = f"data://owner/{directory}/file", server.new_name("reads")
    commit = built(server, tmp_path / "reads", name, READS, (address, ["kept", "refused"]))
    scope = {"algorithms": ["algo://*"], "manage": True}
    narrow = server.client(
        server.owner.command("create_key", version=2, account="owner", label="publish", scope=scope)["key"]
    )
    assert reproduced(narrow.check(f"owner/{name}", commit, bump="minor")) == [False]
    assert reproduced(server.owner.publish(f"owner/{name}", commit, bump="minor")) == [True]


def test_on_a_new_worker_they_wait_for_the_server(tmp_path: Path) -> None:
    """What they call can be called only then; they are replayed for the owner, by a key that calls and nothing else."""
    with running_server(tmp_path / "home") as server:
        double = publish(server, tmp_path, DOUBLE, visibility="private")
        code = CALLS.replace("DOUBLE", double).replace("MORE", "0")
        commit = built(server, tmp_path / "calls", "calls", code, (2, 4))
        server.owner.publish("owner/calls", commit, bump="minor")
        server.server.database.write_now(on_an_older_worker)
    with running_server(tmp_path / "home") as server:
        wait_for(lambda: replayed(server.owner, "owner/calls")[0][0] == WORKER_VERSION)
        assert replayed(server.owner, "owner/calls")[0] == (WORKER_VERSION, "reproduced", [])
