"""What was done twice was something else in between."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Connection, select

from tests.queries.test_the_past import answers
from tests.registry.test_registry import FACTS
from troth.access.roles import Actor
from troth.registry import build_records, catalog, former_rows, queue
from troth.registry.accounts import create_account
from troth.registry.database import Database
from troth.registry.former_rows import FORMER
from troth.registry.queue import Accepted, Ended, QueueState
from troth.versions.history import BuildStatus


@pytest.mark.parametrize("few", [former_rows.FEW, 0])
def test_what_ended_twice_ended_then(database_url: str, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    """A queued command that is tried again, and a build that is begun again, were something else before."""
    monkeypatch.setattr(former_rows, "FEW", few)

    def at(minute: int) -> str:
        return f"2026-11-22T00:{minute:02}:00.000000Z"

    def accepted(connection: Connection) -> Actor:
        ada = create_account(connection, "ada", "user", at(0), administrator=True)
        one = Accepted(
            ada.id, "u", "{}", "create_product", 1, "application/json", b"{}", "0" * 64, None, 1, at(1), at(1)
        )
        queue.accept(connection, [one])
        return ada

    def ended(minute: int, state: QueueState) -> Ended:
        return Ended(1, state, at(minute), at(minute), float(minute), "{}")

    database = Database(database_url)
    database.migrate()
    caller = database.write_now(accepted)
    (leased,) = database.write_now(lambda c: queue.lease(c, now=at(1), lease="l", most=1, held=()))
    database.write_now(lambda c: queue.end(c, "l", [replace(ended(2, QueueState.FAILED), position=leased.position)]))
    database.write_now(lambda c: queue.change(c, leased.position, QueueState.WAITING, at(4), None))
    database.write_now(lambda c: queue.lease(c, now=at(5), lease="l", most=1, held=()))
    database.write_now(lambda c: queue.end(c, "l", [replace(ended(6, QueueState.DONE), position=leased.position)]))
    told = [answers(database, caller, "command-results", at(minute)) for minute in (0, 1, 2, 3, 4, 5, 6)]
    states = [[(row["state"], row["finished_at"], row["seconds"]) for row in rows] for rows in told]
    failed, none, done = ("failed", at(2), 2.0), (None, None, None), ("done", at(6), 6.0)
    assert states == [[], [none], [failed], [failed], [none], [none], [done]]
    for state, minutes in (("failed", (2, 3)), ("done", (6,)), ("waiting", ())):
        asked = [answers(database, caller, "command-results", at(one), ["=", "state", state]) for one in range(7)]
        assert [minute for minute, rows in enumerate(asked) if rows] == list(minutes)

    def built(connection: Connection) -> None:
        ended = [
            replace(FACTS, status=status, environment=None, source=None)
            for status in (BuildStatus.FAILED, BuildStatus.SUCCEEDED)
        ]
        sam = create_account(connection, "sam", "user", at(0))
        catalog.create_algorithm(
            connection, caller.id, "echo", algorithm_id="a", summary="", details={}, settings={}, now=at(1)
        )
        for minute, facts, by in ((2, ended[0], sam), (6, ended[1], caller)):
            build_records.start_build(connection, "a", by.id, "c" * 40, at(minute))
            build_records.finish_build(connection, "a", "c" * 40, facts, at(minute + 2))

    database.write_now(built)
    told = [answers(database, caller, "builds", at(minute)) for minute in (1, 2, 3, 4, 5, 6, 7, 8)]
    first = [("building", at(2), None, "sam")] * 2 + [("failed", at(2), at(4), "sam")] * 2
    second = [("building", at(6), None, "ada")] * 2 + [("succeeded", at(6), at(8), "ada")]
    found = [
        [(row["status"], row["started_at"], row["finished_at"], row["started_by"]) for row in rows] for rows in told
    ]
    assert found == [[], *([one] for one in (*first, *second))]
    assert database.write_now(lambda c: queue.forget(c, at(9), 10)) == 1
    with database.read() as connection:
        assert connection.execute(select(FORMER["queued_commands"].table)).all() == []
    database.close()
