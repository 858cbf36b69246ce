"""The queue as rows, on each database."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest

from troth.registry import accounts, queue
from troth.registry.database import Database
from troth.registry.queue import Acceptance, Accepted, Ended, QueueState

NOW = "2026-01-01T00:00:00.000000Z"
LATER = "2026-01-01T00:00:01.000000Z"


def _one(number: int, **more: Any) -> Accepted:
    values: dict[str, Any] = {
        "actor_id": accounts.SYSTEM.id, "uuid": str(uuid.UUID(int=number)), "scope": "{}", "command": "ada/c", "version": 1,
        "serialisation": "application/json", "payload": b"{}", "digest": "d", "ordered_key": None, "priority": 0,
        "due_at": NOW, "accepted_at": NOW,
    }  # fmt: skip
    return Accepted(**{**values, **more})


@pytest.fixture
def registry(database: Database) -> Database:
    return database


def _accept(registry: Database, *items: Accepted) -> list[Acceptance]:
    return registry.write_now(lambda connection: queue.accept(connection, items))


def _leased(registry: Database, now: str = NOW, held: tuple[str, ...] = (), most: int = 10) -> list[int]:
    found = registry.write_now(lambda c: queue.lease(c, now=now, lease="run", most=most, held=held))
    return [uuid.UUID(one.uuid).int for one in found]


def _end(registry: Database, number: int, state: QueueState, *, lease: str = "run", due: str = NOW) -> None:
    def end(connection: Any) -> None:
        (row,) = queue.find(connection, str(uuid.UUID(int=number)))
        done = NOW if state is QueueState.DONE else None
        queue.end(connection, lease, [Ended(row.position, state, due, done, 0.5, '{"outcome": "x"}')])

    registry.write_now(end)


def _state(registry: Database, number: int) -> tuple[str, int]:
    with registry.read() as connection:
        (row,) = queue.find(connection, str(uuid.UUID(int=number)))
    return row.state.value, row.attempts


def test_a_uuid_is_one_command(registry: Database) -> None:
    said = _accept(registry, _one(1), _one(1), _one(1, digest="other"), _one(2))
    assert said == [Acceptance.ACCEPTED, Acceptance.REPEATED, Acceptance.REUSED, Acceptance.ACCEPTED]
    assert _accept(registry, _one(2), _one(2, version=2)) == [Acceptance.REPEATED, Acceptance.REUSED]


def test_the_urgent_and_the_first_are_leased_first_and_once(registry: Database) -> None:
    _accept(registry, _one(1), _one(2, priority=-5), _one(3), _one(4, due_at=LATER), _one(5, command="ada/held"))
    assert _leased(registry, held=("ada/held",), most=2) == [2, 1]
    assert _leased(registry, held=("ada/held",)) == [3]
    assert _leased(registry, LATER) == [4, 5]
    assert _leased(registry, LATER) == []


def test_of_one_key_the_first_is_out_until_it_has_ended(registry: Database) -> None:
    _accept(registry, _one(1, ordered_key="k"), _one(2, ordered_key="k", priority=-9), _one(3, ordered_key="other"))
    assert _leased(registry) == [1, 3]
    _end(registry, 1, QueueState.WAITING, due=LATER)
    assert _leased(registry) == []
    with registry.read() as connection:
        assert queue.next_due(connection, ()) == LATER
    assert _leased(registry, LATER) == [1]
    _end(registry, 1, QueueState.DONE)
    assert _leased(registry) == [2]


def test_what_a_crash_left_waits_again_and_its_attempt_counts(registry: Database) -> None:
    _accept(registry, _one(1), _one(2))
    assert _leased(registry) == [1, 2]
    registry.write_now(lambda c: queue.give_back(c))
    assert (_state(registry, 1), _state(registry, 2)) == (("waiting", 1), ("waiting", 1))
    _end(registry, 1, QueueState.DONE)  # by the run that lost it
    assert _state(registry, 1) == ("waiting", 1)
    assert _leased(registry) == [1, 2]
    _end(registry, 1, QueueState.DONE, lease="another")
    assert _state(registry, 1) == ("leased", 2)
    _end(registry, 1, QueueState.DONE)
    assert _state(registry, 1) == ("done", 2)


def test_depths_and_what_is_forgotten(registry: Database) -> None:
    _accept(registry, *(replace(_one(number), accepted_at=LATER if number else NOW) for number in range(4)))
    _leased(registry, most=2)
    _end(registry, 0, QueueState.DONE)
    _end(registry, 1, QueueState.FAILED)
    with registry.read() as connection:
        assert sorted(queue.depths(connection)) == [("ada/c", "failed", 1, LATER), ("ada/c", "waiting", 2, LATER)]
    assert registry.write_now(lambda c: queue.forget(c, LATER, 10)) == 1
    assert _accept(registry, _one(0)) == [Acceptance.ACCEPTED]
    assert _state(registry, 1)[0] == "failed"
