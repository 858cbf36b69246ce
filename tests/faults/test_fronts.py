"""Several processes that take calls: what one is told holds in all, and each can die."""

from __future__ import annotations

import os
import signal
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.wire import wait_for
from tests.own_process import Up
from tests.server import write_project
from troth.errors import CallFailed, NotFound, ServerUnreachable, Unauthenticated
from troth.sdk import Client

_WHO = "import os\ndef apply(input):\n    return input\n"


class _Fronts(Up):
    """`troth up` with three processes that take calls."""

    options = ("--fronts", "3")

    def let_go(self) -> None:
        """Closes what this side holds of a server that has ended."""
        self.client.close()
        self._said.close()

    def fronts(self) -> list[int]:
        """The processes beside the server that take calls by now."""
        return [front["process"] for front in self.client.engine()["fronts"] if front["serves"]]

    def both(self, but: int = 0) -> list[int]:
        """The two of them, when none is the one that is named."""

        def found() -> list[int]:
            fronts = self.fronts()
            return fronts if len(fronts) == 2 and but not in fronts else []

        ready: list[int] = wait_for(found, "both fronts", 60)
        return ready


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Fronts]:
    folder = tmp_path_factory.mktemp("fronts")
    server = _Fronts(folder / "home")
    try:
        server.ready()
        yield server
    finally:
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(60)
        server.let_go()


def again(up: _Fronts, times: int = 12) -> Iterator[Client]:
    """Clients whose connections are each their own, so that different processes answer them."""
    for _ in range(times):
        with Client(up.client.address, (up.home / "owner.key").read_text().strip(), seconds=60) as client:
            yield client


def published(up: _Fronts, folder: Path, code: str = _WHO) -> str:
    """The reference of a new published version."""
    name = f"algo{uuid.uuid4().hex[:8]}"
    write_project(folder / name, "owner", name, code)
    built = up.client.compile(folder / name)
    assert built["status"] == "succeeded", built["log"]
    version = up.client.publish(f"owner/{name}", built["hash"], bump="minor")["version"]
    return f"owner/{name}/{version}"


def test_a_publication_is_in_force_everywhere_at_once(up: _Fronts, tmp_path: Path) -> None:
    for number in range(3):
        reference = published(up, tmp_path / str(number))
        assert [client.call(reference, number).result for client in again(up)] == [number] * 12


def test_calls_run_in_several_processes(up: _Fronts, tmp_path: Path) -> None:
    """Each has workers of its own, and all of them are counted and shown by the server."""
    reference = published(up, tmp_path, "import uuid\nmark = str(uuid.uuid4())\ndef apply(input):\n    return mark\n")
    marks: set[str] = set()

    def several() -> bool:
        marks.update(client.call(reference, None).result for client in again(up, 8))
        return len(marks) > 1

    wait_for(several, "another process", 30)
    shown = wait_for(
        lambda: [
            s for s in up.client.engine()["versions"] if reference.startswith(s["algorithm"]) and s["workers"]["idle"]
        ],
        "the states of all",
    )
    assert shown
    answer = up.client.call(reference, None)
    wait_for(lambda: _receipt(up, answer.receipt["request"]), "the receipt of a call that some process took")


def _receipt(up: _Fronts, request: str) -> bool:
    try:
        return bool(up.client.receipt(request)["outcome"] == "ok")
    except NotFound:
        return False


def test_a_key_that_is_revoked_is_revoked_everywhere(up: _Fronts, tmp_path: Path) -> None:
    reference = published(up, tmp_path)
    made = up.client.command("create_key", account="owner", label="short")
    key, identity = made["key"], made["key_id"]
    for _ in range(6):
        with Client(up.client.address, key, seconds=60) as client:
            assert client.call(reference, 1).result == 1
    up.client.command("revoke_key", key_id=identity)
    for _ in range(12):
        with Client(up.client.address, key, seconds=60) as client, pytest.raises((Unauthenticated, CallFailed)):
            client.call(reference, 1)


def test_a_front_that_dies_is_started_anew(up: _Fronts, tmp_path: Path) -> None:
    reference = published(up, tmp_path)
    before = up.both()
    os.kill(before[0], signal.SIGKILL)
    up.both(but=before[0])
    assert [client.call(reference, 1).result for client in again(up)] == [1] * 12


def test_a_front_that_does_not_follow_is_ended(up: _Fronts, tmp_path: Path) -> None:
    """It must not answer with what does not hold any more."""
    before = up.both()
    os.kill(before[0], signal.SIGSTOP)
    reference = published(up, tmp_path)
    assert before[0] not in up.fronts()
    up.both(but=before[0])
    assert [client.call(reference, 2).result for client in again(up)] == [2] * 12


def test_stopping_loses_no_call(tmp_path: Path) -> None:
    server = _Fronts(tmp_path / "home")
    try:
        server.ready()
        reference = published(
            server, tmp_path, "import time\ndef apply(input):\n    time.sleep(4.0)\n    return input\n"
        )
        server.client.call(reference, 0)
        answers: list[object] = []

        def ask(number: int) -> None:
            with Client(server.client.address, (server.home / "owner.key").read_text().strip(), seconds=60) as client:
                try:
                    answers.append(client.call(reference, number).result)
                except ServerUnreachable as error:
                    answers.append(error)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        wait_for(lambda: _under_way(server) == 6, "all of them to be under way")
        server.process.send_signal(signal.SIGTERM)
        for thread in threads:
            thread.join(60)
        assert sorted(map(str, answers)) == [str(number) for number in range(6)]
        assert server.process.wait(60) == 0
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()
        server.let_go()


def _under_way(up: _Fronts) -> int:
    """Calls in all processes; the others say once a second how many they have."""
    found: int = sum(state["workers"]["busy"] + state["waiting"] for state in up.client.engine()["versions"])
    return found
