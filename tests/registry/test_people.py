"""Keys with scopes, their uses, people and their pages, on each database."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from troth.access.scopes import EVERYTHING, DataAccess, Scope
from troth.calls.loading import TableLoader
from troth.calls.routing import RoutingTable
from troth.registry import accounts, key_records, key_uses, people
from troth.registry.database import Database
from troth.registry.tables import keys as key_table
from troth.versions.history import DEFAULT_READINGS

NOW, LATER, LAST = (f"2026-11-2{day}T00:00:00.000000Z" for day in (2, 3, 4))
SCOPE = Scope(("algo://ada/*",), DataAccess.READ, manage=True, production=True, origin="a.example")


def test_a_key_is_loaded_with_what_it_is_for(database: Database) -> None:
    def work(connection: Connection) -> tuple[str, str, str]:
        ada = accounts.create_account(connection, "ada", "user", NOW)
        first, _ = key_records.mint_key(connection, ada.id, "a", NOW, SCOPE, expires_at=LATER)
        second, _ = key_records.mint_key(connection, ada.id, "b", LATER)
        # as keys were made before there were scopes
        connection.execute(
            key_table.insert().values(id="0" * 36, account_id=ada.id, digest="0" * 64, label="", valid_from=LAST)
        )
        return ada.id, first, second

    ada, first, second = database.write_now(work)
    table = RoutingTable.empty()
    with database.read() as connection:
        TableLoader(table, DEFAULT_READINGS).load(connection)
        rows = key_records.keys_of(connection, ada)
    callers = {caller.key_id: caller for caller in table.callers.values()}
    assert (callers[first].scope, callers[first].expires) == (SCOPE, key_records._seconds(LATER))
    assert (callers[second].scope, callers[second].expires, callers[second].limited) == (EVERYTHING, None, False)
    assert callers["0" * 36].scope == EVERYTHING
    assert [(row.id, row.label, row.scope) for row in rows] == [
        (first, "a", SCOPE), (second, "b", EVERYTHING), ("0" * 36, "", EVERYTHING),
    ]  # fmt: skip
    assert rows[2].as_dict()["masked"] == "sim..."


def test_a_key_ends_earlier_and_never_later(database: Database) -> None:
    def work(connection: Connection) -> list[str | None]:
        ada = accounts.create_account(connection, "ada", "user", NOW)
        ends: list[str | None] = []
        key_id, _ = key_records.mint_key(connection, ada.id, "", NOW, expires_at=LAST)
        for moment in (LATER, LAST):
            row = key_records.find_key(connection, key_id)
            assert row is not None
            key_records.expire_key(connection, row, moment)
            found = key_records.find_key(connection, key_id)
            ends.append(found.expires_at if found else None)
        old = "0" * 36
        connection.execute(
            key_table.insert().values(id=old, account_id=ada.id, digest="0" * 64, label="", valid_from=NOW)
        )
        row = key_records.find_key(connection, old)
        assert row is not None
        key_records.expire_key(connection, row, LATER)
        found = key_records.find_key(connection, old)
        return [*ends, found.expires_at if found else None]

    assert database.write_now(work) == [LATER, LATER, LATER]


def test_a_key_is_replaced_once(database: Database) -> None:
    def work(connection: Connection) -> tuple[str, str]:
        ada = accounts.create_account(connection, "ada", "user", NOW)
        key_id, _ = key_records.mint_key(connection, ada.id, "", NOW)
        key_records.mint_key(connection, ada.id, "", NOW, replaces=key_id)
        return ada.id, key_id

    ada, key_id = database.write_now(work)
    with database.read() as connection:
        assert key_records.was_replaced(connection, key_id)
    with pytest.raises(IntegrityError):
        database.write_now(lambda connection: key_records.mint_key(connection, ada, "", NOW, replaces=key_id))


def test_uses_are_the_latest_and_floating_calls_are_sums(database: Database) -> None:
    def work(connection: Connection) -> str:
        ada = accounts.create_account(connection, "ada", "user", NOW)
        key_id, _ = key_records.mint_key(connection, ada.id, "shop", NOW, SCOPE)
        for moment in (5_000_000_000, 5_000_000_001):
            key_uses.add_uses(connection, {key_id: moment})
        for _ in range(2):
            key_uses.add_floating(
                connection, {(10, "ada/a", key_id): 2, (11, "ada/a", key_id): 1, (11, "ada/b/0.1", key_id): 1}
            )
        key_uses.add_uses(connection, {})
        key_uses.add_floating(connection, {})
        return ada.id

    ada = database.write_now(work)
    with database.read() as connection:
        (row,) = key_records.keys_of(connection, ada)
        assert row.used_at == 5_000_000_001
        found = key_uses.floating_of(connection, [ada], 0, 10)
        assert [(one.reference, one.calls, one.last, one.account, one.label) for one in found] == [
            ("ada/a", 6, 11, "ada", "shop"), ("ada/b/0.1", 2, 11, "ada", "shop"),
        ]  # fmt: skip
        assert [one.calls for one in key_uses.floating_of(connection, None, 11, 10)] == [2, 2]
        assert key_uses.floating_of(connection, [], 0, 10) == []
    database.write_now(lambda connection: key_uses.forget_floating(connection, 11))
    with database.read() as connection:
        assert [one.calls for one in key_uses.floating_of(connection, None, 0, 10)] == [2, 2]


def test_people_come_in_pages_and_the_deleted_are_gone(database: Database) -> None:
    def work(connection: Connection) -> list[str]:
        made = [
            accounts.create_account(connection, f"user{number}", "user", (NOW, LATER)[number % 2])
            for number in range(5)
        ]
        people.describe(connection, made[0].id, {"email": "a@b", "fullname": "A"}, NOW)
        people.describe(connection, made[0].id, {"email": "", "external_id": "x|1"}, NOW)
        people.end(connection, made[1].id, LAST)
        return [account.id for account in made]

    made = database.write_now(work)
    with database.read() as connection:
        seen: list[people.Person] = []
        while rows := people.page(connection, "user", 2, (seen[-1].created_at, seen[-1].id) if seen else None):
            seen += rows
        assert sorted(person.name for person in seen) == ["user0", "user2", "user3", "user4"]
        assert [person.created_at for person in seen] == sorted(person.created_at for person in seen)
        (first,) = [person for person in seen if person.name == "user0"]
        assert first.details == {"fullname": "A", "external_id": "x|1"}
        assert people.external_users(connection, "x|1") == {made[0]}
        assert people.find_person(connection, "user1") is None
        assert accounts.find_account(connection, "user1") is None
        assert accounts.account_by_id(connection, made[1]) is None
        assert people.find_person(connection, made[2].upper()) is not None
        assert people.find_person(connection, "troth") is None


def test_members_come_in_pages(database: Database) -> None:
    def work(connection: Connection) -> str:
        house = accounts.create_account(connection, "acme", "organization", NOW)
        for number in range(5):
            user = accounts.create_account(connection, f"user{number}", "user", NOW)
            accounts.set_member(connection, house.id, user.id, "member", (LATER, NOW)[number % 2])
        return house.id

    house = database.write_now(work)
    with database.read() as connection:
        seen: list[people.Membership] = []
        while rows := people.memberships(connection, house, 2, (seen[-1].since, seen[-1].id) if seen else None):
            seen += rows
        assert sorted(row.name for row in seen) == [f"user{number}" for number in range(5)]
        assert seen == people.memberships(connection, house)
