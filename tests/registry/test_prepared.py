"""Prepared statements say on each database what SQLAlchemy itself says, and fail as it does."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, bindparam, select
from sqlalchemy.exc import IntegrityError

from troth.registry import journal
from troth.registry.accounts import create_account
from troth.registry.database import Database
from troth.registry.prepared import Prepared
from troth.registry.product_tables import products
from troth.registry.products import change_product, create_product, existing, find_product

NOW = "2026-11-25T12:00:00.000000Z"


def _made(connection: Connection) -> str:
    owner = create_account(connection, "ada", "user", NOW)
    return create_product(connection, owner.id, "shop", summary="", public=False, now=NOW)


def test_values_go_in_and_come_out_as_python_has_them(database: Database) -> None:
    identity = database.write_now(_made)
    database.write_now(
        lambda c: change_product(c, identity, "2026-11-23T00:00:00.000000Z", public=True, summary="it's \x7f ü")
    )
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
