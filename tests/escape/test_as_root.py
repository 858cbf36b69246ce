"""What only root can give: a user for each version, and groups that hold and count memory."""

from __future__ import annotations

import json

import pytest

from tests.escape.test_escapes import GROUPED, WAYS, WORKER_UIDS, scene


@pytest.mark.parametrize("way", [way for way in WAYS if way.startswith("root")])
def test_as_root_a_worker_is_a_user_of_its_own(way: str) -> None:
    uid = json.loads(scene(way)["tried"]["answer"])["uid"]
    assert int(WORKER_UIDS) < uid <= int(WORKER_UIDS) + 40


@pytest.mark.parametrize("way", GROUPED)
def test_memory_is_bounded_for_the_whole_sandbox_and_its_end_is_told(way: str) -> None:
    found = scene(way)["memory"]
    assert found["out_of_memory"]
    assert int(found["answer"].split()[-1]) < 96 << 20
    assert found["status"] in (-9, 128 + 9)


@pytest.mark.parametrize("way", GROUPED)
def test_what_a_sandbox_uses_is_known(way: str) -> None:
    assert 1 << 20 < scene(way)["forks"]["memory"] < 96 << 20
