"""The server killed at any moment: what was acknowledged is there, nothing is half-done, and the next server goes on."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.faults.wire import PATIENCE, wait_for
from tests.own_process import TROTH, Up, up
from tests.server import ECHO, write_project
from troth.errors import Failed, NotFound, Refused, ServerUnreachable, Unauthenticated
from troth.sdk import Client
from troth.versions.chain import BEGINNING, verify

_INTERRUPTED = "The server was stopped during this build. Compile again."


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def _processes() -> dict[int, list[str]]:
    """What the kernel says of every process that still runs: its state, its parent and so on."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            facts = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if facts[0] not in "ZX":
            found[int(path.parent.name)] = facts
    return found


def _descendants(process: int) -> set[int]:
    """The processes that a server started, and those that they started."""
    running = _processes()
    found: set[int] = set()
    waiting = {process}
    while waiting:
        waiting = {pid for pid, facts in running.items() if int(facts[1]) in waiting}
        found |= waiting
    return found


def _ticks(processes: set[int]) -> int:
    """How long these processes computed."""
    return sum(int(facts[11]) for pid, facts in _processes().items() if pid in processes)


# --- in mid-publish


class _Publisher:
    """Compiles and publishes one version after the other, and remembers what it was told."""

    subject = "owner/steady"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        #: what the source of each commit returns
        self.returns: dict[str, int] = {}
        #: uuid to payload of every publication that was asked for, and uuid to result of those acknowledged
        self.asked: dict[str, dict[str, Any]] = {}
        self.told: dict[str, dict[str, Any]] = {}

    def run(self, client: Client, begun: threading.Event) -> None:
        """Goes on until the server is gone."""
        try:
            for number in self._numbers:
                begun.set()
                self._publish(client, number)
        except ServerUnreachable:
            return

    def _publish(self, client: Client, number: int) -> None:
        write_project(self._folder, "owner", "steady", f"def apply(input):\n    return {number}\n")
        built = client.compile(self._folder)
        assert built["status"] == "succeeded", built["log"]
        self.returns[built["hash"]] = number
        identity, payload = str(uuid.uuid4()), {"algorithm": self.subject, "hash": built["hash"], "bump": "revision"}
        self.asked[identity] = payload
        self.told[identity] = client.command("publish_version", identity=identity, **payload)


class _Checker:
    """Holds a restarted server to what was told before."""

    def __init__(self, publisher: _Publisher) -> None:
        self._publisher = publisher
        self._proved = (0, BEGINNING)
        self._called: set[str] = set()
        self._repeated: set[str] = set()

    def check(self, client: Client) -> None:
        self._proved = verify(client.journal(self._proved[0]), *self._proved)
        builds = self._builds(client)
        listed = {row["version"]: row for row in self._versions(client)}
        for identity, result in self._publisher.told.items():
            assert listed[result["version"]]["hash"] == result["hash"] == self._publisher.asked[identity]["hash"]
        for version, row in listed.items():
            assert row["verdict"]["outcome"] == "allowed"
            assert row["verdict"]["number"] == version
            assert builds[row["hash"]]["status"] == "succeeded"
            if version not in self._called:
                answer = client.call(f"{self._publisher.subject}/{version}", None)
                assert answer.result == self._publisher.returns[row["hash"]]
                self._called.add(version)
        self._repeat(client)

    def _builds(self, client: Client) -> dict[str, Any]:
        """All builds, none of which is under way any more."""
        try:
            rows = client.builds(self._publisher.subject)["builds"]
        except NotFound:  # killed before the algorithm was made
            assert not self._publisher.told
            return {}
        for row in rows:
            assert row["status"] in ("succeeded", "failed")
            assert row["finished_at"]
            if row["status"] == "failed":
                assert row["log"] == _INTERRUPTED
                with pytest.raises(NotFound):
                    client.call(f"{self._publisher.subject}/{row['hash']}", None)
        return {row["hash"]: row for row in rows}

    def _versions(self, client: Client) -> list[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = client.versions(self._publisher.subject)["versions"]
        except NotFound:
            return []
        return found

    def _repeat(self, client: Client) -> None:
        """Every publication sent again under its uuid: the same outcome, or now its first; one version each."""
        for identity, payload in self._publisher.asked.items():
            if identity in self._repeated:
                continue
            result = client.command("publish_version", identity=identity, **payload)
            assert result == self._publisher.told.setdefault(identity, result)
            self._repeated.add(identity)
        hashes = [row["hash"] for row in self._versions(client)]
        for identity, payload in self._publisher.asked.items():
            assert hashes.count(payload["hash"]) == 1, (
                f"{identity} was carried out {hashes.count(payload['hash'])} times"
            )
        assert len(hashes) == len(self._publisher.asked)


@pytest.mark.clause("ALG-02")
def test_killed_in_mid_publish_again_and_again(home: Path, tmp_path: Path) -> None:
    publisher = _Publisher(tmp_path / "steady")
    checker = _Checker(publisher)
    moments = random.Random(20)
    for turn in itertools.count():
        if turn >= 8 and len(publisher.told) >= 3:
            break
        assert turn < 60
        with up(home) as server:
            checker.check(server.client)
            begun = threading.Event()
            thread = threading.Thread(target=publisher.run, args=(server.client, begun))
            thread.start()
            assert begun.wait(PATIENCE)
            # the point of this test: any moment at all; a slow machine gets later ones, until it has told something
            time.sleep(moments.uniform(0.0, 0.4 + turn / 20))
            os.killpg(server.process.pid, signal.SIGKILL)
            thread.join(PATIENCE)
            assert not thread.is_alive()
    with up(home) as server:
        checker.check(server.client)
        before = len(publisher.told)
        publisher._publish(server.client, 1000)
        assert len(publisher.told) == before + 1
        checker.check(server.client)


def test_killed_while_it_starts_for_the_first_time(home: Path) -> None:
    """Whatever was made by then, the next start finishes it."""
    moments = random.Random(4)
    for number in range(2):
        place = home.with_name(f"home{number}")
        first = Up(place)
        time.sleep(moments.uniform(0.2, 0.7))
        first.kill()
        with up(place) as server:
            assert server.client.keys()["account"] == "owner"
            assert [row["name"] for row in server.client.accounts()["accounts"]] == ["owner"]
            assert (place / "owner.key").stat().st_mode & 0o777 == 0o600
            verify(server.client.journal())
            built = server.client.compile(write_project(place.with_name(f"project{number}"), "owner", "echo"))
            assert built["status"] == "succeeded"


# --- in the middle of everything else


@dataclass
class _Scene:
    """A server over the home of one that was killed while it built, ran and wrote, and what that one said."""

    server: Up
    folder: Path
    #: uuid, command, payload and result of commands that were acknowledged just before
    acknowledged: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    revoked: str = ""
    #: hash of the build that was under way
    under_way: str = ""

    def command(self, verb: str, /, **payload: Any) -> dict[str, Any]:
        """The result of a command, which is remembered without what is secret."""
        identity = str(uuid.uuid4())
        result = self.server.client.command(verb, identity=identity, **payload)
        told = {key: value for key, value in result.items() if key != "key"}
        self.acknowledged.append((identity, verb, payload, told))
        return result

    def compiled(self, name: str) -> None:
        """Compiles and calls another source of an algorithm."""
        project = write_project(self.folder / name, "owner", name, "def apply(input):\n    return 'changed'\n")
        try:
            built = self.server.client.compile(project)
        except Failed as error:
            pytest.fail(f"{name} cannot be compiled any more: {error}")
        assert built["status"] == "succeeded"
        assert self.server.client.call(f"owner/{name}/{built['hash']}", 1).result == "changed"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Scene]:
    folder = tmp_path_factory.mktemp("scene")
    home = folder / "home"
    with up(home) as server:
        found = _Scene(server, folder)
        _build(found)
        _acknowledge(found)
        _kill_in_the_middle(found)
    _leave_behind(home)
    with up(home) as found.server:
        yield found


def _build(scene: _Scene) -> None:
    code = "def apply(input):\n    while input == 'compute':\n        pass\n    return input\n"
    for name in ("first", "second"):
        built = scene.server.client.compile(write_project(scene.folder / name, "owner", name, code))
        assert built["status"] == "succeeded"
        scene.command("publish_version", algorithm=f"owner/{name}", hash=built["hash"], number="1.0.0")


def _acknowledge(scene: _Scene) -> None:
    """Gives a command of every other kind."""
    scene.command("create_account", name="ada")
    made = scene.command("create_key", account="ada")
    scene.revoked = made["key"]
    scene.command("create_organization", name="acme")
    scene.command("add_member", organization="acme", account="ada", role="member")
    with Client(scene.server.client.address, scene.revoked, seconds=PATIENCE) as ada:
        assert ada.keys()["account"] == "ada"
    scene.command("remove_member", organization="acme", account="ada")
    scene.command("revoke_key", key_id=made["key_id"])


def _kill_in_the_middle(scene: _Scene) -> None:
    """Kills the server with calls and a build under way; their callers hear it, and its workers end with it."""
    client, process = scene.server.client, scene.server.process.pid
    project = write_project(scene.folder / "slow", "owner", "slow", f"import time\ntime.sleep(0.5)\n{ECHO}")
    assert client.call("owner/first/1.0.0", "warm").result == "warm"
    workers = _descendants(process)
    before = _ticks(workers)
    with ThreadPoolExecutor(4) as threads:
        waiting: list[Future[Any]] = [threads.submit(client.call, "owner/first/1.0.0", "compute") for _ in range(3)]
        wait_for(lambda: _ticks(workers) > before + 5, "a call under way")
        waiting.append(threads.submit(client.compile, project))
        scene.under_way = wait_for(lambda: _under_way(client), "a build under way")
        with pytest.raises(NotFound, match="ALG-22"):
            client.call(f"owner/slow/{scene.under_way}", 1)
        workers |= _descendants(process)
        scene.server.kill()
        for asked in waiting:
            with pytest.raises(ServerUnreachable) as refusal:
                asked.result()
            assert refusal.value.what.startswith("no server answers at http://127.0.0.1:")
            assert refusal.value.why
            assert "troth up" in refusal.value.repair
    wait_for(lambda: not workers & _processes().keys(), "the end of the workers")


def _under_way(client: Client) -> str | None:
    try:
        rows = client.builds("owner/slow")["builds"]
    except NotFound:
        return None
    return next((row["hash"] for row in rows if row["status"] == "in-progress"), None)


#: the id of an algorithm that was to be: its repository comes first
_UNBORN = "00000000-0000-4000-8000-000000000000"


def _leave_behind(home: Path) -> None:
    """What else is left when all is killed: while the key is written, a source unpacked, and git at work."""
    (home / "owner.key").unlink()
    (home / "owner.new").write_text("simhalf")
    for name in (".new-abcdefgh/src", ".new-12345678"):
        (home / "trees" / name).mkdir(parents=True)
        (home / "trees" / name / "half.py").write_text("half")
    for repository in (home / "repositories").iterdir():
        for lock in ("refs/heads/master.lock", "HEAD.lock", "packed-refs.lock", "config.lock"):
            (repository / lock).write_text("")
        (repository / "objects" / "tmp_objdir-incoming-AbCdEf" / "pack").mkdir(parents=True)
        (repository / "objects" / "pack" / "tmp_pack_AbCdEf").write_text("half")
    half = home / "repositories" / f"{_UNBORN}.git"
    (half / "refs").mkdir(parents=True)
    os.utime(half, (0, 0))


def test_acknowledged_commands_of_every_kind_survive(scene: _Scene) -> None:
    """And sent again under their uuids they have the same outcomes."""
    client = scene.server.client
    for identity, verb, payload, result in scene.acknowledged:
        assert client.command(verb, identity=identity, **payload) == result
    with Client(client.address, scene.revoked, seconds=PATIENCE) as ada, pytest.raises(Unauthenticated):
        ada.keys()
    members = {row["name"]: row["members"] for row in client.accounts()["accounts"]}
    assert members["acme"] == {"owner": "admin"}
    for name in ("first", "second"):
        assert client.call(f"owner/{name}/1.0.0", "in").result == "in"
    entries = [json.loads(link.entry)["uuid"] for link in client.journal()]
    assert len(entries) == len(set(entries))
    verify(client.journal())


@pytest.mark.clause("ALG-22")
def test_a_build_that_was_under_way(scene: _Scene) -> None:
    """It is ended as failed and its hash is no version; the same source is built again."""
    client, commit = scene.server.client, scene.under_way
    (row,) = client.builds("owner/slow")["builds"]
    assert (row["hash"], row["status"], row["log"]) == (commit, "failed", _INTERRUPTED)
    assert row["finished_at"]
    with pytest.raises(NotFound, match="the build of that hash is failed"):
        client.call(f"owner/slow/{commit}", 1)
    with pytest.raises(Refused, match="its build is failed"):
        client.publish("owner/slow", commit, bump="minor")
    built = client.compile(scene.folder / "slow")
    assert (built["hash"], built["status"]) == (commit, "succeeded")
    assert client.publish("owner/slow", commit, bump="minor")["version"] == "0.1.0"
    assert client.call("owner/slow/0.1.0", "in").result == "in"


def test_a_key_file_that_was_lost_or_half_written(scene: _Scene) -> None:
    assert scene.server.client.keys()["account"] == "owner"
    assert scene.server.client.accounts()["accounts"][0]["name"] == "acme"


def test_what_an_upload_left_half_done_is_cleared_away(scene: _Scene) -> None:
    """Nothing else would ever take it away."""
    home = scene.server.home
    assert [path.name for path in (home / "trees").iterdir() if path.name.startswith(".new-")] == []
    assert list((home / "uploads").iterdir()) == []


@pytest.mark.parametrize("name", ["first", "second"])
def test_locks_that_git_left_behind(scene: _Scene, name: str) -> None:
    """Nobody holds them any more."""
    scene.compiled(name)


def test_objects_of_half_a_push(scene: _Scene) -> None:
    assert list((scene.server.home / "repositories").rglob("tmp_*")) == []


def test_a_repository_that_was_half_made(scene: _Scene) -> None:
    """It belongs to no algorithm, so it is listed as not needed, and can be taken away."""
    things = [thing for thing in scene.server.client.garbage() if thing["kind"] == "repository"]
    assert [thing["id"] for thing in things] == [_UNBORN]
    assert scene.server.client.collect(things)["removed"] == things
    assert not (scene.server.home / "repositories" / f"{_UNBORN}.git").exists()


def test_a_second_server_over_the_same_home(scene: _Scene) -> None:
    """It would end the first one's builds and cross its writes, so it does not start; the first serves on."""
    command = [str(TROTH), "up", "--home", str(scene.server.home), "--port", "0"]
    second = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=scene.folder)
    assert second.returncode in (2, 3, 5)
    assert "is ready" not in second.stdout
    assert f"another server runs on {scene.server.home}" in second.stderr
    assert "why: " in second.stderr
    assert "help: " in second.stderr
    scene.compiled("second")


# --- what was counted of calls


def test_calls_that_were_written_survive_a_kill(home: Path, tmp_path: Path) -> None:
    """At most what was not written yet is lost, and that is written every second."""
    folder = write_project(tmp_path / "echo", "owner", "echo", ECHO)
    with up(home) as first:
        commit = first.client.compile(folder)["hash"]
        requests = [first.client.call(f"owner/echo/{commit}", number).receipt["request"] for number in range(5)]
        receipts = [first.client.receipt(request) for request in requests]
        wait_for(lambda: "troth_records_waiting 0.0" in first.client.metrics(), "records that are written")
        first.client.call(f"owner/echo/{commit}", "the last")
    with up(home) as second:
        assert [second.client.receipt(request) for request in requests] == receipts
        rows = second.client.usage(algorithm="owner/echo")["rows"]
        assert sum(row["calls"] for row in rows) in (5, 6)
