"""Counts of calls and records of calls, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from troth.observe.latency import BOUNDS, BUCKETS, quantile
from troth.registry import call_records
from troth.registry.call_records import CallRecord
from troth.registry.database import Database
from troth.registry.usage import Series, UsageRow, Wanted, add_usage, forget_usage, usage_of

ADA = Series(100, "ada", "echo", "1.0.0", "ben", "ok")
SHARED: dict[str, Any] = {"algorithm": "ada/echo", "version": "1.0.0", "isolation": {"level": "contained"}}


def counts(calls: int, seconds: float, bucket: int) -> list[float]:
    """What is counted of so many calls that all fell into one bucket."""
    found: list[float] = [calls, seconds, *[0] * BUCKETS]
    found[2 + bucket] = calls
    return found


def asked(database: Database, wanted: Wanted, own: str = "", owners: list[str] | None = None) -> list[UsageRow]:
    with database.read() as connection:
        return usage_of(connection, wanted, own=own, owners=owners, most=1000)


def record(number: int, at: int = 1000, circumstances: int = 1) -> CallRecord:
    return CallRecord(at, f"req-{number}", "ben", "ada/échø/latest", "ok", 0.25, circumstances)


def test_counts_add_up_however_often_they_come(database: Database) -> None:
    for _ in range(3):
        database.write_now(lambda connection: add_usage(connection, {ADA: counts(2, 0.5, 7)}))
    (row,) = asked(database, Wanted(0, 1000, 1))
    assert row.series == ADA
    assert (row.calls, row.seconds) == (6, 1.5)
    assert row.buckets == tuple(6 if index == 7 else 0 for index in range(BUCKETS))


def test_minutes_add_up_to_hours_and_days(database: Database) -> None:
    minutes = [0, 59, 60, 61, 1439, 1440]
    rows = {ADA._replace(minute=minute): counts(1, 1.0, minute % BUCKETS) for minute in minutes}
    database.write_now(lambda connection: add_usage(connection, rows))
    for length in (1, 60, 1440):
        found = {row.series.minute: row.calls for row in asked(database, Wanted(0, 2000, length))}
        assert found == Counter(minute // length * length for minute in minutes)
        assert sum(sum(row.buckets) for row in asked(database, Wanted(0, 2000, length))) == len(minutes)


def test_usage_is_asked_for_by_name_and_time(database: Database) -> None:
    rows = [
        ADA,
        ADA._replace(minute=101),
        ADA._replace(name="other"),
        ADA._replace(version="2.0.0"),
        ADA._replace(caller="eve"),
    ]
    database.write_now(lambda connection: add_usage(connection, {row: counts(1, 0, 0) for row in rows}))
    assert [row.series for row in asked(database, Wanted(101, 200, 1))] == [rows[1]]
    assert [row.series for row in asked(database, Wanted(0, 200, 1, name="other"))] == [rows[2]]
    assert [row.series for row in asked(database, Wanted(0, 200, 1, version="2.0.0"))] == [rows[3]]
    assert [row.series for row in asked(database, Wanted(0, 200, 1, owner="ada", caller="eve"))] == [rows[4]]


def test_usage_is_seen_by_callers_and_owners(database: Database) -> None:
    mine, theirs = ADA, Series(100, "eve", "tool", "1.0.0", "sam", "ok")
    database.write_now(lambda connection: add_usage(connection, {mine: counts(1, 0, 0), theirs: counts(1, 0, 0)}))
    everything = Wanted(0, 1000, 1)
    assert [row.series for row in asked(database, everything, "ben", [])] == [mine]
    assert [row.series for row in asked(database, everything, "eve", ["eve"])] == [theirs]
    assert asked(database, everything, "zoe", ["zoe"]) == []
    assert len(asked(database, everything, "zoe", None)) == 2


def test_old_minutes_are_forgotten_in_small_steps(database: Database) -> None:
    rows = {ADA._replace(minute=minute): counts(1, 0, 0) for minute in range(25)}
    database.write_now(lambda connection: add_usage(connection, rows))
    steps = 1
    while database.write_now(lambda connection: forget_usage(connection, 24)):
        steps += 1
    assert steps == 3
    assert [row.series.minute for row in asked(database, Wanted(0, 1000, 1))] == [24]


def test_a_record_gives_the_receipt_again(database: Database) -> None:
    def work(connection: Any) -> None:
        number = call_records.circumstances_id(connection, SHARED, 1000)
        assert call_records.circumstances_id(connection, SHARED, 2000) == number
        call_records.add_records(connection, [record(1, circumstances=number), record(2, circumstances=number)])
        call_records.add_records(connection, [record(1, at=5, circumstances=number)])

    database.write_now(work)
    with database.read() as connection:
        assert call_records.find_record(connection, "req-1") == {
            **SHARED,
            "request": "req-1",
            "caller": "ben",
            "reference": "ada/échø/latest",
            "outcome": "ok",
            "seconds": 0.25,
            "at": 1000,
        }
        assert call_records.find_record(connection, "req-3") is None


def test_records_are_forgotten_by_age_and_by_number(database: Database) -> None:
    def kept() -> list[int]:
        with database.read() as connection:
            return [n for n in range(10) if call_records.find_record(connection, f"req-{n}")]

    def work(connection: Any) -> None:
        number = call_records.circumstances_id(connection, SHARED, 1009)
        records = [record(n, 1000 + n, number) for n in range(10)]
        call_records.add_records(connection, records)

    database.write_now(work)
    database.write_now(lambda connection: call_records.forget_records(connection, before=1003, most=100))
    assert kept() == list(range(3, 10))
    database.write_now(lambda connection: call_records.forget_records(connection, before=0, most=2))
    assert kept() == [8, 9]


def test_circumstances_go_a_day_after_their_last_call(database: Database) -> None:
    def documents() -> int:
        with database.read() as connection:
            return int(connection.exec_driver_sql("SELECT count(*) FROM call_circumstances").scalar_one())

    first = database.write_now(lambda connection: call_records.circumstances_id(connection, SHARED, 1000))
    database.write_now(lambda connection: call_records.circumstances_id(connection, {"other": 1}, 1000))
    database.write_now(lambda connection: call_records.mark_used(connection, [first], 5000))
    database.write_now(lambda connection: call_records.forget_records(connection, before=1001 + 86400, most=10))
    assert documents() == 1
    database.write_now(lambda connection: call_records.forget_records(connection, before=5001 + 86400, most=10))
    assert documents() == 0


@given(st.lists(st.floats(0, 10_000), min_size=1), st.floats(0.01, 1))
def test_quantiles_are_within_a_bucket_of_the_truth(latencies: list[float], share: float) -> None:
    found = [0] * BUCKETS
    for seconds in latencies:
        found[sum(bound < seconds for bound in BOUNDS)] += 1
    exact = sorted(latencies)[max(0, -int(-share * len(latencies) // 1) - 1)]
    index = sum(bound < exact for bound in BOUNDS)
    said = quantile(found, share)
    assert said is not None
    low = BOUNDS[index - 1] if index else 0.0
    assert low <= said <= (BOUNDS[index] if index < len(BOUNDS) else low)


def test_no_call_has_no_quantile() -> None:
    assert quantile([0] * BUCKETS, 0.5) is None
