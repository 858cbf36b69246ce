"""The hostile program at each level that this machine can give: every denial, row by row, and every bomb.

As root all levels are tried, and again as an ordinary user, to whom the interpreter and the source are shown at paths
that it may walk. Where the tests are not root, what an ordinary user gets is tried.
"""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest

from tests.escape import attempts, programs, table
from tests.escape.table import LEVELS, ROWS, USER_NONE, Row

WORKER_UIDS = "61101"
WAYS = [way for way in table.WAYS if way.split(" ")[0] in programs.USERS]
GROUPED = [way for way in WAYS if LEVELS[way] in ("strong", "partial")]


@functools.cache
def scene(way: str) -> dict[str, Any]:
    """What the hostile program could do in one way of confining it."""
    user, how = way.split(" ")
    found: dict[str, Any] = json.loads(programs.run(user, "tests.escape.scene", how, "BUBBLEWRAP", WORKER_UIDS))
    return found


def answers(way: str) -> dict[str, str]:
    tried = scene(way)["tried"]
    assert tried["status"] in (0, 128 + 9, -9), tried["said"]
    found: dict[str, str] = json.loads(tried["answer"])["attempts"]
    return found


@pytest.mark.parametrize("way", WAYS)
def test_the_level_is_what_is_claimed(way: str) -> None:
    isolation = scene(way)["isolation"]
    assert isolation["level"] == LEVELS[way], isolation
    assert bool(isolation["missing"]) == (LEVELS[way] != "strong")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.attempt)
def test_what_is_denied_is_denied(row: Row, way: str) -> None:
    found = answers(way)[row.attempt]
    assert (found == "done") == (way in row.open_at), found


def test_every_attempt_has_its_row() -> None:
    assert {row.attempt for row in ROWS} == set(attempts.ATTEMPTS)
    assert len(ROWS) == len(attempts.ATTEMPTS)


@pytest.mark.parametrize("way", WAYS[:1])
def test_without_a_sandbox_the_attempts_succeed(way: str) -> None:
    found = scene(way)["unconfined"]["attempts"]
    assert {name: found[name] for name in table.HARMLESS} == dict.fromkeys(table.HARMLESS, "done")


@pytest.mark.parametrize("way", [way for way in WAYS if way != USER_NONE])
def test_processes_are_bounded(way: str) -> None:
    found = scene(way)["forks"]
    assert 0 < int(found["answer"]) <= 24, found


@pytest.mark.parametrize("way", [way for way in WAYS if way != USER_NONE])
def test_nothing_outlives_its_sandbox(way: str) -> None:
    left = {name: scene(way)[name]["left"] for name in ("tried", "forks", "memory", "disk", "shared")}
    assert left == dict.fromkeys(left, 0)


def test_by_landlock_alone_what_leaves_its_group_of_processes_outlives_it() -> None:
    assert scene(USER_NONE)["tried"]["left"] == 0
    assert scene(USER_NONE)["forks"]["left"] > 0


@pytest.mark.parametrize("way", [way for way in WAYS if way not in GROUPED])
def test_without_a_group_memory_is_bounded_for_each_process(way: str) -> None:
    found = scene(way)["memory"]
    assert not found["out_of_memory"]
    assert "refused" not in found["answer"]  # 400 MiB are less than the limit of each: the whole is not held
    assert "rlimit" in found["layers"]["memory"]


@pytest.mark.parametrize("way", [way for way in WAYS if way != USER_NONE])
@pytest.mark.parametrize("place", ["disk", "shared"])
def test_temporary_files_are_bounded(way: str, place: str) -> None:
    assert 0 < int(scene(way)[place]["answer"]) <= 8 << 20


def test_by_landlock_alone_each_temporary_file_is_bounded_and_shared_memory_is_none() -> None:
    assert int(scene(USER_NONE)["disk"]["answer"]) <= 8 * (8 << 20)
    assert int(scene(USER_NONE)["shared"]["answer"]) == 0
