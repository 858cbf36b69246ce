"""`troth top`: what went on between two looks, as a document, a table, and on a terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.server import RunningServer
from troth.doors.cli.top import Row, between
from troth.observe.latency import BUCKETS

_HASH = "a" * 40


def latency(**buckets: int) -> list[int]:
    found = [0] * BUCKETS
    for name, count in buckets.items():
        found[int(name[1:])] = count
    return found


def called(version: str, outcomes: dict[str, int], counts: list[int]) -> dict[str, Any]:
    return {"algorithm": "ada/echo", "version": version, "outcomes": outcomes, "latency": counts, "seconds": 0.0}


def state(version: str, busy: int, idle: int, **more: Any) -> dict[str, Any]:
    return {"id": version, "algorithm": "ada/echo", "version": version, "workers": {"busy": busy, "idle": idle},
            "state": "hot", "waiting": 0, "memory_bytes": 1 << 20, "start": "", "last_crash": "", **more}  # fmt: skip


def look(at: float, versions: list[dict[str, Any]], totals: list[dict[str, Any]]) -> dict[str, Any]:
    return {"at": at, "versions": versions, "called": totals}


def test_rates_are_what_came_between() -> None:
    before = look(10.0, [], [called("1.0.0", {"ok": 5}, latency(b3=5))])
    after = look(12.0, [], [called("1.0.0", {"ok": 15, "timeout": 2}, latency(b3=5, b6=12))])
    (row,) = between(before, after)
    assert (row.rate, row.failed_rate) == (6.0, 1.0)
    assert row.p50 is not None
    assert 0.0005 <= row.p50 <= 0.001  # the bucket of what came, not of what was there
    assert (row.p99 or 0) <= 0.001


def test_what_is_idle_and_has_no_worker_is_left_out() -> None:
    totals = [called("1.0.0", {"ok": 5}, latency(b3=5))]
    assert between(look(1.0, [], totals), look(2.0, [], totals)) == []
    (row,) = between(look(1.0, [], totals), look(2.0, [state("1.0.0", 0, 1)], totals))
    assert (row.workers, row.rate, row.p50) == (1, 0.0, None)


def test_builds_are_one_row_and_the_busiest_comes_first() -> None:
    states = [state(_HASH, 0, 1, start="fork"), state("b" * 40, 2, 0, waiting=3, last_crash="signal 9")]
    rows = between(look(0.0, [], []), look(1.0, states, [called("2.0.0", {"ok": 1}, latency(b0=1))]))
    assert [(row.version, row.workers) for row in rows] == [("2.0.0", 0), ("build", 3)]
    assert rows[1] == Row(
        "ada/echo", "build", workers=3, busy=2, waiting=3, memory_bytes=2 << 20, state="hot", start="fork",
        last_crash="signal 9",
    )  # fmt: skip


def test_a_server_that_was_started_anew_counts_from_zero() -> None:
    before = look(10.0, [], [called("1.0.0", {"ok": 50, "exit": 1}, latency(b3=51))])
    for outcomes in ({"ok": 4}, {"ok": 3, "exit": 1}):
        (row,) = between(before, look(11.0, [], [called("1.0.0", outcomes, latency(b3=4))]))
        assert row.rate == 4.0


@contextmanager
def calling(server: RunningServer, algorithm: str) -> Iterator[None]:
    """Calls that go on until the block ends."""
    done = threading.Event()

    def call() -> None:
        while not done.wait(0.01):
            server.loop.call_soon_threadsafe(
                server.server.observation.usage.add, algorithm, "1.0.0", "ben", "ok", 0.003
            )

    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def surroundings(server: RunningServer, key: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TROTH_")}
    return {**kept, "TROTH_SERVER": server.address, "TROTH_KEY": key, "TERM": "xterm"}


@pytest.mark.parametrize("tokens", [["--json"], ["--once"], []])
def test_without_a_terminal_one_look_is_printed(server: RunningServer, tokens: list[str]) -> None:
    algorithm = f"ada/{server.new_name('printed')}"
    with calling(server, algorithm):
        done = subprocess.run(
            [sys.executable, "-m", "troth", "top", "--every", "0.3", *tokens],
            env=surroundings(server, server.owner_key), capture_output=True, text=True, check=True, timeout=300,
        )  # fmt: skip
    assert algorithm in done.stdout
    assert "\x1b" not in done.stdout
    if tokens == ["--json"]:
        (row,) = [row for row in json.loads(done.stdout)["versions"] if row["algorithm"] == algorithm]
        assert row["rate"] > 0
        assert 0.002 <= row["p50"] <= 0.005


def test_it_is_for_administrators(server: RunningServer) -> None:
    name, _ = server.account()
    done = subprocess.run(
        [sys.executable, "-m", "troth", "top", "--once"],
        env=surroundings(server, server.keys[name]), capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert (done.returncode, "administrator" in done.stderr) == (3, True)


def test_on_a_terminal_it_goes_on_until_it_is_interrupted(server: RunningServer) -> None:
    algorithm = f"ada/{server.new_name('live')}"
    ours, theirs = pty.openpty()
    with calling(server, algorithm):
        process = subprocess.Popen(
            # a run of the tests behind a shell's `&` ignores interrupts, and would hand that down
            ["env", "--default-signal=INT", sys.executable, "-m", "troth", "top", "--every", "0.2"],
            env=surroundings(server, server.owner_key), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        try:
            shown = _read_until(ours, algorithm.encode(), times=2)
            process.send_signal(signal.SIGINT)
            shown += _rest(ours)
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.wait()
            os.close(ours)
    assert b"\x1b[?1049h" in shown, "the terminal's own content is kept"
    assert b"\x1b[?1049l" in shown, "and shown again"


def _read_until(terminal: int, wanted: bytes, *, times: int) -> bytes:
    found, end = b"", time.monotonic() + 60
    while found.count(wanted) < times:
        assert time.monotonic() < end, found[-2000:]
        if select.select([terminal], [], [], 1)[0]:
            found += os.read(terminal, 65536)
    return found


def _rest(terminal: int) -> bytes:
    """What is still to be read until the other side is closed."""
    found = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            return found
        if not part:
            return found
        found += part
