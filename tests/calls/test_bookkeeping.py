"""What is counted and recorded of calls reaches the registry once, also when the registry is slow, away, or stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.databases import migrated_file
from troth.calls.bookkeeping import Bookkeeping, Retention
from troth.calls.failures import Failures
from troth.calls.records import Facts, Records
from troth.calls.usage import MERGED, Usage
from troth.observe.metrics import CallTotals, Faults
from troth.registry.call_records import find_record
from troth.registry.database import Database
from troth.registry.usage import Series, UsageRow, Wanted, usage_of

NOW = 1_800_000_000


class Route:
    """What calls share."""

    def __init__(self, version: str) -> None:
        self.version = version


def described(facts: Facts) -> dict[str, Any]:
    request, caller, reference, route, outcome, seconds = facts
    own = {"request": request, "caller": caller, "reference": reference, "outcome": outcome, "seconds": seconds}
    return {**own, "version": route.version, "isolation": {"level": "contained"}}


ROUTE = Route("1.0.0")


class Books:
    """The parts over a registry in a file, with a clock that a test sets."""

    def __init__(self, database: Database, *, most: int = 1000, days: int = 30, records: int = 10**6) -> None:
        self.database = database
        self.usage = Usage(CallTotals(), most)
        self.records = Records(described, most)
        self.faults = Faults()
        self.now = float(NOW)
        retention = Retention(days, days, records)
        self.keeping = Bookkeeping(
            database, self.usage, self.records, Failures(), self.faults, retention, lambda: self.now
        )

    def call(self, number: int, route: Route, version: str = "1.0.0", caller: str = "ben") -> None:
        self.usage.add("ada/echo", version, caller, "ok", 0.004)
        self.records.keep(f"req-{number}", caller, "ada/echo", route, "ok", 0.004)

    def found(self, number: int) -> dict[str, Any] | None:
        with self.database.read() as connection:
            return find_record(connection, f"req-{number}")

    def counted(self) -> list[UsageRow]:
        with self.database.read() as connection:
            return usage_of(connection, Wanted(0, NOW, 1), own="", owners=None, most=100_000)

    def break_registry(self, broken: bool) -> None:
        """Takes the tables away, or gives them back, behind the server's back."""
        names = [("usage", "usage_away"), ("call_records", "call_records_away")]
        for name, away in names:
            old, new = (name, away) if broken else (away, name)
            self.database.write_now(
                lambda connection, old=old, new=new: connection.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")  # type: ignore[misc]
            )


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = Database(migrated_file(tmp_path / "registry.sqlite"))
    yield found
    found.close()


def test_what_is_stopped_loses_nothing(database: Database) -> None:
    async def work() -> None:
        books = Books(database, most=20_000)
        books.keeping.start()
        for number in range(12_000):  # more than one transaction takes
            books.call(number, ROUTE)
        await books.keeping.close()
        assert all(books.found(number) for number in (0, 4_999, 5_000, 11_999))
        assert [row.calls for row in books.counted()] == [12_000]
        assert (books.records.waiting, books.records.lost) == (0, 0)

    asyncio.run(work())


def test_it_is_written_every_second(database: Database) -> None:
    async def work() -> None:
        books = Books(database)
        books.keeping.start()
        books.call(1, ROUTE)
        for _ in range(1200):
            await asyncio.sleep(0.05)
            if books.found(1):
                break
        assert books.found(1)
        await books.keeping.close()
        assert [row.calls for row in books.counted()] == [1]

    asyncio.run(work())


def test_a_receipt_is_found_from_the_reply_on(database: Database) -> None:
    async def work() -> None:
        books = Books(database)
        books.call(1, ROUTE)
        receipt = books.records.find("req-1", NOW)
        assert receipt is not None
        assert (receipt["at"], receipt["version"]) == (NOW, "1.0.0")
        writing = asyncio.ensure_future(books.keeping.flush())
        while not writing.done():
            assert books.records.find("req-1", NOW) or books.found(1)
            await asyncio.sleep(0)
        assert books.records.find("req-1", NOW) is None
        assert books.found(1) == receipt

    asyncio.run(work())


def test_what_the_registry_did_not_take_waits_for_the_next_time(database: Database) -> None:
    async def work() -> None:
        books = Books(database)
        books.call(1, ROUTE)
        books.break_registry(True)
        assert not await books.keeping.flush()
        books.call(2, ROUTE)
        assert not await books.keeping.flush()
        assert books.faults.failed_flushes == 2
        books.break_registry(False)
        assert await books.keeping.flush()
        assert books.found(1)
        assert books.found(2)
        assert [row.calls for row in books.counted()] == [2]
        assert books.found(1)["version"] == "1.0.0"  # type: ignore[index]

    asyncio.run(work())


def test_memory_is_bounded_while_the_registry_is_away(database: Database) -> None:
    async def work() -> None:
        books = Books(database, most=100)
        books.break_registry(True)
        for number in range(1000):
            books.call(number, ROUTE, caller=f"caller{number}")
            if not number % 50:
                books.now += 60
                assert not await books.keeping.flush()
                assert books.records.waiting <= 150
                assert books.usage.waiting <= 100
        books.break_registry(False)
        assert await books.keeping.flush()
        assert sum(row.calls for row in books.counted()) == 1000, "counts are merged, never lost"
        assert MERGED in {row.series.caller for row in books.counted()}
        assert books.usage.merged > 0
        assert books.records.lost == 900
        assert books.found(899) is None
        assert books.found(900)

    asyncio.run(work())


def test_what_is_too_old_or_too_much_is_forgotten(database: Database) -> None:
    async def work() -> None:
        books = Books(database, days=2, records=3)
        for day in range(4):
            books.now = NOW + day * 86400
            books.call(day, ROUTE)
            await books.keeping.flush()
        await books.keeping.forget()
        assert [day for day in range(4) if books.found(day)] == [1, 2, 3]
        assert [row.series.minute for row in books.counted()] == [(NOW + day * 86400) // 60 for day in (1, 2, 3)]
        for number in range(10, 20):
            books.call(number, ROUTE)
        await books.keeping.flush()
        await books.keeping.forget()
        assert [number for number in range(20) if books.found(number)] == [17, 18, 19]

    asyncio.run(work())


def test_circumstances_that_were_deleted_are_written_again(database: Database) -> None:
    async def work() -> None:
        books = Books(database, days=1)
        books.call(1, ROUTE)
        await books.keeping.flush()
        books.now += 10 * 86400
        await books.keeping.forget()
        books.call(2, ROUTE)
        await books.keeping.flush()
        assert books.found(2)["version"] == "1.0.0"  # type: ignore[index]

    asyncio.run(work())


_CALL = st.tuples(
    st.sampled_from(["1.0.0", "2.0.0", "a" * 40]), st.sampled_from(["ada", "ben"]), st.sampled_from(["ok", "exit"])
)


@given(st.lists(st.one_of(_CALL, st.integers(0, 5), st.just("take"))), st.integers(1, 5))
def test_no_count_is_lost_or_made_up(steps: list[Any], most: int) -> None:
    """Whatever is called, settled, taken and given back in whatever order, within whatever memory."""
    usage, minute, calls = Usage(CallTotals(), most), 100, 0
    taken: dict[Series, list[float]] = {}
    for step in steps:
        if step == "take":
            if taken:
                usage.give_back(taken, minute)
            taken = usage.take()
        elif isinstance(step, int):
            minute += step
            usage.settle(minute)
            assert usage.waiting <= max(most, 2)  # two outcomes stay apart
        else:
            version, caller, outcome = step
            usage.add("ada/echo", version, caller, outcome, 0.5)
            calls += 1
    usage.settle(minute)
    usage.give_back(taken, minute)
    found = list(usage.take().values())
    assert sum(cell[0] for cell in found) == sum(sum(cell[2:]) for cell in found) == calls
    assert sum(sum(version.outcomes.values()) for version in usage.totals.versions.values()) == calls
