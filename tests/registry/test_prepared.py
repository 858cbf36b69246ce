"""Prepared statements say on each database what SQLAlchemy itself says, and fail as it does."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Integer, String, bindparam, func, select, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError

from troth.clock import now, stamp
from troth.registry import journal, queue
from troth.registry.accounts import SYSTEM, create_account
from troth.registry.bulk import bulk_rows, bulk_text
from troth.registry.database import Database
from troth.registry.former_rows import FORMER
from troth.registry.prepared import Prepared
from troth.registry.product_tables import products
from troth.registry.products import change_product, create_product, existing, find_product
from troth.registry.queue import Accepted, QueueState
from troth.registry.tables import accounts, commands

NOW = "2026-11-25T12:00:00.000000Z"


def _made(connection: Connection) -> str:
    owner = create_account(connection, "ada", "user", NOW)
    return create_product(connection, owner.id, "shop", summary="", public=False, now=NOW)


def test_values_go_in_and_come_out_as_python_has_them(database: Database) -> None:
    identity = database.write_now(_made)
    moment = "2026-11-23T00:00:00.000000Z"
    database.write_now(lambda c: change_product(c, existing(c, "ada/shop"), moment, public=True, summary="it's \x7f ü"))
    with database.read() as connection:
        found = existing(connection, "ada/shop")
        assert find_product(connection, "ada/other") is None
        whole = select(products.c.public, products.c.summary).where(products.c.id == bindparam("of"))
        assert Prepared(whole).first(connection, {"of": identity}) == (True, "it's \x7f ü")
    assert (found.id, found.public, found.summary) == (identity, True, "it's \x7f ü")
    assert found.public is True


def test_a_fault_is_one_of_sqlalchemy_and_tells_no_value(database: Database) -> None:
    database.write_now(_made)
    add, hidden = Prepared(products.insert()), "not to be told"

    def again(connection: Connection) -> None:
        row = connection.execute(select(products)).one()._asdict()
        add.run(connection, {**row, "summary": hidden})

    with pytest.raises(IntegrityError) as raised:
        database.write_now(again)
    assert hidden not in str(raised.value)
    with pytest.raises(KeyError):
        database.write_now(lambda c: add.run(c, {"id": "x"}))


def test_entries_of_a_transaction_that_failed_leave_no_trace(database: Database) -> None:
    """What is kept of the last entry is of one transaction only."""

    def fail(connection: Connection) -> None:
        journal.append(connection, {"at": NOW, "number": "lost"})
        raise ValueError

    def add(connection: Connection) -> list[int]:
        return [journal.append(connection, {"at": NOW, "number": number}) for number in range(2)]

    assert database.write_now(add) == [1, 2]
    with pytest.raises(ValueError):
        database.write_now(fail)
    assert database.write_now(add) == [3, 4]
    with database.read() as connection:
        links = journal.read(connection, 0, 10)
    assert [link.previous for link in links[1:]] == [link.digest for link in links[:-1]]


# --- what the writer's transactions hold back


def _row(actor_id: str, number: int, position: int, **more: Any) -> dict[str, Any]:
    values = {"actor_id": actor_id, "uuid": str(uuid.UUID(int=number)), "name": "c", "version": 1,
              "payload": b"\x00\xff", "outcome": '{"result": "\\u0000 \u00fc not told"}', "position": position}  # fmt: skip
    return {**values, **more}


_RECORD = Prepared(commands.insert(), waits=True)


def _recorded(connection: Connection, number: int) -> str:
    """Journals something, and records a command of SYSTEM's under this number."""
    position = journal.append(connection, {"at": NOW, "number": number})
    _RECORD.run(connection, _row(SYSTEM.id, number, position))
    return str(uuid.UUID(int=number))


def test_rows_that_wait_are_seen_by_whatever_reads_them(database: Database) -> None:
    def ask(connection: Connection) -> None:
        identity = _recorded(connection, 1)
        found = journal.recorded_outcome(connection, SYSTEM.id, identity)
        assert found == ("c", 1, b"\x00\xff", {"result": "\x00 ü not told"})
        _recorded(connection, 2)
        assert connection.execute(select(func.count()).select_from(commands)).scalar_one() == 2
        _recorded(connection, 3)
        with connection.begin_nested():
            _recorded(connection, 4)
        savepoint = connection.begin_nested()
        assert journal.recorded_outcome(connection, SYSTEM.id, _recorded(connection, 5))
        savepoint.rollback()
        assert journal.recorded_outcome(connection, SYSTEM.id, str(uuid.UUID(int=5))) is None

    database.write_now(ask)
    with database.read() as connection:
        numbers = connection.execute(select(commands.c.uuid).order_by(commands.c.uuid)).scalars()
        assert [uuid.UUID(one).int for one in numbers] == [1, 2, 3, 4]


def test_what_was_found_is_asked_again_once_it_may_have_changed(database: Database) -> None:
    database.write_now(_made)

    def change(connection: Connection) -> None:
        product = existing(connection, "ada/shop")
        assert product.summary == ""
        change_product(connection, product, stamp(now()), summary="new")
        assert existing(connection, "ada/shop").summary == "new"
        connection.execute(update(products).values(summary="newer"))
        assert existing(connection, "ada/shop").summary == "newer"
        connection.exec_driver_sql("UPDATE products SET summary = 'newest'")
        assert existing(connection, "ada/shop").summary == "newest"

    database.write_now(change)


def _moment(second: int) -> str:
    return f"2026-11-25T12:00:{second:02}.000000Z"


def _changed(connection: Connection, name: str, second: int, **values: Any) -> None:
    """As a command does it: found, changed, and found as it is now."""
    product = existing(connection, f"ada/{name}")
    change_product(connection, product, _moment(second), **values)
    assert existing(connection, f"ada/{name}") == replace(product, **values)


def test_changes_that_wait_leave_what_they_would_one_by_one(database: Database) -> None:
    """Of two products, one changed often, with a change that is taken back and a reader in between."""
    identity = database.write_now(_made)

    def change(connection: Connection) -> str:
        owner = existing(connection, "ada/shop").owner_id
        other = create_product(connection, owner, "other", summary="o", public=True, now=NOW)
        _changed(connection, "shop", 1, summary="first")
        _changed(connection, "other", 2, summary="p")
        _changed(connection, "shop", 3, public=True)
        undone = connection.begin_nested()
        _changed(connection, "shop", 4, summary="undone", public=False)
        undone.rollback()
        assert existing(connection, "ada/shop").summary == "first"
        _changed(connection, "shop", 5, summary="second")
        seen = connection.execute(select(products.c.summary).where(products.c.id == identity)).scalar_one()
        assert seen == "second"
        _changed(connection, "shop", 6, summary="third")
        create_account(connection, "grace", "user", NOW)
        _changed(connection, "other", 7, public=False)
        return other

    other = database.write_now(change)
    with database.read() as connection:
        shop, second = existing(connection, "ada/shop"), existing(connection, "ada/other")
        former = FORMER[products.name].table
        asked = select(former.c.id, former.c.valid_to, former.c.summary, former.c.public).order_by(former.c.valid_to)
        kept = [tuple(row) for row in connection.execute(asked)]
    assert (shop.summary, shop.public, second.summary, second.public) == ("third", True, "p", False)
    assert kept == [
        (identity, _moment(1), "", False),
        (other, _moment(2), "o", True),
        (identity, _moment(3), "first", False),
        (identity, _moment(5), "first", True),
        (identity, _moment(6), "second", True),
        (other, _moment(7), "p", True),
    ]


def test_a_change_that_waits_comes_before_a_write_that_makes_others_look_again(database: Database) -> None:
    """What it told would be forgotten with what was found in a table that `found_by` reads too, and the old row be found."""
    database.write_now(_made)
    renamed = Prepared(update(accounts).where(accounts.c.name == bindparam("before")).values(name=bindparam("after")))

    def change(connection: Connection) -> None:
        _changed(connection, "shop", 1, summary="new")
        renamed.run(connection, {"before": "ada", "after": "augusta"})
        assert existing(connection, "augusta/shop").summary == "new"
        assert find_product(connection, "ada/shop") is None

    database.write_now(change)


def test_a_change_that_waits_is_seen_by_every_other_statement(database: Database) -> None:
    identity = database.write_now(_made)
    summary = Prepared(select(products.c.summary).where(products.c.id == bindparam("of")))

    def change(connection: Connection) -> None:
        for second, text in enumerate(("", "new", "newer")):
            if text:
                _changed(connection, "shop", second, summary=text)
            assert summary.first(connection, {"of": identity}) == (text,)

    database.write_now(change)


def test_a_product_that_changes_often_is_found_once_and_written_once(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'registry.sqlite'}")
    database.migrate()
    database.write_now(_made)
    asked: list[str] = []

    def change(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        driver.set_trace_callback(asked.append)
        for second in range(10):
            _changed(connection, "shop", second, summary=str(second))

    database.write_now(change)
    database.close()
    of_products = [one.split()[0] for one in asked if "products" in one and "former" not in one]
    assert of_products == ["SELECT", "UPDATE"]
    assert sum("former_products" in one for one in asked) == 10  # SQLite's driver takes rows one by one


def _together(database: Database, jobs: Sequence[Callable[[Connection], Any]]) -> list[BaseException | None]:
    """The faults of these jobs, which the writer does in one transaction as far as they have none."""
    began, go_on = threading.Event(), threading.Event()

    def hold(connection: Connection) -> None:
        began.set()
        assert go_on.wait(60)

    with ThreadPoolExecutor() as pool:
        held = pool.submit(database.write_now, hold)
        assert began.wait(60)
        sent = []
        for job in jobs:
            waiting = database._jobs.qsize()
            sent.append(pool.submit(database.write_now, job))
            while database._jobs.qsize() == waiting:
                time.sleep(0.001)
        go_on.set()
        held.result(60)
        return [one.exception(60) for one in sent]


def test_a_fault_of_a_row_that_waited_is_of_the_one_who_wrote_it(database: Database) -> None:
    """Four are written together; two of them record the same command, and a third one what is too much for its column."""

    def nothing(connection: Connection) -> None:
        _RECORD.run(connection, _row(SYSTEM.id, 9, 10_000, outcome=None))

    faults = _together(database, [*(partial(_recorded, number=number) for number in (1, 2, 1)), nothing])
    assert [type(fault) for fault in faults] == [type(None), type(None), IntegrityError, IntegrityError]
    assert "not told" not in str(faults[2])
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(commands)).scalar_one() == 2
        assert [link.position for link in journal.read(connection, 0, 10)] == [1, 2]


def test_a_fault_of_a_row_that_waited_is_not_caught_by_another(database: Database) -> None:
    """Who accepts commands goes on where a row is there already, but not where the row is one that somebody else wrote."""
    sent = Accepted(SYSTEM.id, str(uuid.UUID(int=7)), "{}", "c", 1, "json", b"{}", "0" * 64, None, 0, NOW, NOW)
    database.write_now(partial(_recorded, number=1))
    faults = _together(database, [partial(_recorded, number=1), lambda c: queue.accept(c, [sent])])
    assert [type(fault) for fault in faults] == [IntegrityError, type(None)]
    with database.read() as connection:
        assert [link.position for link in journal.read(connection, 0, 10)] == [1]
        assert [row.state for row in queue.find(connection, sent.uuid)] == [QueueState.WAITING]


def test_many_large_rows_are_written_by_several_statements(database: Database) -> None:
    """As one value, those of a full batch would take more memory than there is."""
    payload = b"\xff" * (2 << 20)
    rows = [_row(SYSTEM.id, number, number, payload=payload, version=number) for number in range(1, 7)]

    def write(connection: Connection) -> None:
        for _ in rows:
            journal.append(connection, {"at": NOW})
        for row in rows:
            _RECORD.run(connection, row)

    database.write_now(write)
    with database.read() as connection:
        stored = connection.execute(select(commands.c.version, commands.c.payload).order_by(commands.c.version)).all()
    assert [(row.version, row.payload == payload) for row in stored] == [(number, True) for number in range(1, 7)]
    parts = list(bulk_rows(rows, list(rows[0])))
    assert len(parts) > 1
    assert max(map(len, parts)) < 10 << 20
    assert [row["version"] for part in parts for row in json.loads(part)] == [1, 2, 3, 4, 5, 6]


def test_a_value_that_is_too_long_is_not_cut_off() -> None:
    dialects = {name: make_url(f"{name}://").get_dialect()() for name in ("postgresql+psycopg", "sqlite")}
    wanted, types = "UPDATE t SET a = %(a)s::VARCHAR WHERE t.id = %(at)s", {"a": String(3), "at": Integer()}
    text = bulk_text(wanted, types, dialects["postgresql+psycopg"])
    assert text is not None
    assert 'AS given("a" TEXT, "at" INTEGER) WHERE t.id = given."at" AND t.id = ANY' in text
    assert bulk_text(wanted, types, dialects["sqlite"]) is None
