"""The registry on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import DatabaseError, IntegrityError

from tests.clauses.conftest import answered
from tests.server import running_server
from troth.contracts.document import contract_document
from troth.errors import JournalBroken, MalformedSetting, NameTaken
from troth.registry import accounts, build_records, catalog, journal, key_records
from troth.registry.database import Database
from troth.registry.tables import journal as journal_table
from troth.registry.tables import metadata
from troth.versions import chain
from troth.versions.history import BuildStatus
from troth.versions.manifest import Entry, Manifest
from troth.versions.numbers import Number
from troth.versions.permissions import Permissions
from troth.versions.verdict import Outcome, Verdict

NOW = "2026-11-22T00:00:00.000000Z"
MANIFEST = Manifest.of([Entry("src/echo.py", False, "0" * 64, 10)])
FACTS = build_records.BuildFacts(
    BuildStatus.SUCCEEDED,
    "log",
    source=MANIFEST.digest,
    entry="src/echo.py",
    environment=build_records.EnvironmentFacts("e" * 64, "c" * 64, ("six==1.17.0",)),
    contract=contract_document(Permissions()),
)


def an_algorithm(connection: Connection) -> str:
    """The id of an algorithm of a new user, with a successful build."""
    owner = accounts.create_account(connection, "ada", "user", NOW)
    algorithm = str(uuid.uuid4())
    catalog.create_algorithm(
        connection, owner.id, "echo", algorithm_id=algorithm, summary="", details={}, settings={}, now=NOW
    )
    build_records.record_source(connection, MANIFEST.digest, MANIFEST, NOW)
    build_records.start_build(connection, algorithm, owner.id, "a" * 40, NOW)
    build_records.finish_build(connection, algorithm, "a" * 40, FACTS, NOW)
    return algorithm


def publish(connection: Connection, algorithm: str, number: str) -> None:
    build = build_records.find_build(connection, algorithm, "a" * 40)
    assert build is not None
    verdict = Verdict(Outcome.ALLOWED, Number.parse(number), (), None, 1)
    catalog.add_version(
        connection, build, Permissions("public"), verdict, notes="", details={}, actor_id=accounts.SYSTEM.id, now=NOW
    )


def test_the_migrations_give_the_tables(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []


def test_migrating_again_changes_nothing(database: Database) -> None:
    database.write_now(lambda connection: accounts.create_account(connection, "ada", "user", NOW))
    database.migrate()
    with database.read() as connection:
        assert accounts.find_account(connection, "ada") is not None


def test_names_are_unique_whatever_their_case(database: Database) -> None:
    database.write_now(lambda connection: accounts.create_account(connection, "Ada", "user", NOW))
    with pytest.raises(NameTaken, match="taken"):
        database.write_now(lambda connection: accounts.create_account(connection, "aDA", "user", NOW))


@pytest.mark.clause("ALG-02")
def test_the_database_itself_refuses_a_second_version_of_a_number(database: Database) -> None:
    algorithm = database.write_now(an_algorithm)
    database.write_now(lambda connection: publish(connection, algorithm, "1.0.0"))
    with pytest.raises(IntegrityError):
        database.write_now(lambda connection: publish(connection, algorithm, "1.0.0"))
    with database.read() as connection:
        assert [row.number for row in catalog.all_versions(connection, algorithm)] == [Number(1, 0, 0)]


def test_versions_come_in_the_order_of_their_numbers(database: Database) -> None:
    algorithm = database.write_now(an_algorithm)
    for number in ("1.2.0", "1.10.0", "0.9.9", "10.0.0", "9.0.0"):
        database.write_now(lambda connection, number=number: publish(connection, algorithm, number))  # type: ignore[misc]
    with database.read() as connection:
        rows = catalog.all_versions(connection, algorithm)
        assert [str(row.number) for row in rows] == ["10.0.0", "9.0.0", "1.10.0", "1.2.0", "0.9.9"]
        assert [v.number for v in catalog.history_of(connection, algorithm).versions] == sorted(r.number for r in rows)


def test_a_build_that_ended_stays_as_it_is(database: Database) -> None:
    algorithm = database.write_now(an_algorithm)
    database.write_now(
        lambda connection: build_records.finish_build(
            connection, algorithm, "a" * 40, build_records.BuildFacts(BuildStatus.FAILED, "other"), NOW
        )
    )
    with database.read() as connection:
        build = build_records.find_build(connection, algorithm, "a" * 40)
        assert build is not None
        assert (build.status, build.log) == (BuildStatus.SUCCEEDED, "log")


def test_membership_has_an_end(database: Database) -> None:
    def work(connection: Connection) -> tuple[str, str]:
        house = accounts.create_account(connection, "acme", "organization", NOW)
        ben = accounts.create_account(connection, "ben", "user", NOW)
        accounts.set_member(connection, house.id, ben.id, "member", NOW)
        accounts.set_member(connection, house.id, ben.id, "admin", NOW)
        return house.id, ben.id

    house, ben = database.write_now(work)
    with database.read() as connection:
        assert accounts.members_of(connection, house) == [(ben, "admin")]
    database.write_now(lambda connection: accounts.set_member(connection, house, ben, None, NOW))
    with database.read() as connection:
        assert accounts.role_of(connection, house, ben) is None


def test_only_the_digest_of_a_key_is_stored(database: Database) -> None:
    _, key = database.write_now(lambda connection: key_records.mint_key(connection, accounts.SYSTEM.id, "x", NOW))
    assert len(key) == 28
    assert key.startswith("sim")
    with database.read() as connection:
        assert [held.digest for held in key_records.callable_keys(connection, {accounts.SYSTEM.id})] == [
            key_records.key_digest(key)
        ]
        stored = connection.execute(text("SELECT * FROM keys")).all()
    assert key not in repr(stored)


def test_what_is_asked_together_fails_alone(database: Database) -> None:
    async def ask() -> list[object]:
        asked = [
            database.write(lambda connection, n=n: accounts.create_account(connection, f"user{n % 40}", "user", NOW))  # type: ignore[misc]
            for n in range(80)
        ]
        return await asyncio.gather(*asked, return_exceptions=True)

    outcomes = asyncio.run(ask())
    assert sum(isinstance(outcome, NameTaken) for outcome in outcomes) == 40
    with database.read() as connection:
        assert len([name for name in (f"user{n}" for n in range(40)) if accounts.find_account(connection, name)]) == 40


def test_a_write_that_nobody_waits_for_any_more_stops_no_other(database: Database) -> None:
    async def ask() -> None:
        given_up = asyncio.ensure_future(
            database.write(lambda connection: accounts.create_account(connection, "one", "user", NOW))
        )
        await asyncio.sleep(0)
        given_up.cancel()
        await database.write(lambda connection: accounts.create_account(connection, "two", "user", NOW))

    asyncio.run(asyncio.wait_for(ask(), 20))
    with database.read() as connection:
        assert accounts.find_account(connection, "two") is not None


def test_the_journal_is_chained(database: Database) -> None:
    for number in range(5):
        database.write_now(lambda connection, number=number: journal.append(connection, {"number": number}))  # type: ignore[misc]
    with database.read() as connection:
        rows = journal.read(connection, 0, 100)
    assert chain.verify(rows) == (5, rows[-1].digest)
    assert [json.loads(row.entry)["number"] for row in rows] == list(range(5))


@pytest.mark.parametrize("fault", ["altered", "removed", "last removed", "inserted", "swapped", "rehashed"])
def test_a_journal_that_was_touched_does_not_hold(database: Database, fault: str) -> None:
    for number in range(5):
        database.write_now(lambda connection, number=number: journal.append(connection, {"number": number}))  # type: ignore[misc]
    with database.read() as connection:
        rows = journal.read(connection, 0, 100)
    head = chain.verify(rows)
    broken = {
        "altered": [*rows[:2], replace(rows[2], entry=rows[2].entry.replace(b"2", b"9")), *rows[3:]],
        "removed": [*rows[:2], *rows[3:]],
        "last removed": rows[:4],
        "inserted": [*rows[:2], rows[1], *rows[2:]],
        "swapped": [rows[0], rows[2], rows[1], *rows[3:]],
        "rehashed": [*rows[:2], replace(rows[2], entry=b"x", digest=chain.chained(rows[2].previous, b"x")), *rows[3:]],
    }[fault]
    if fault == "last removed":
        assert chain.verify(broken) != head  # a shortened chain is seen by who knows its head
        return
    with pytest.raises(JournalBroken):
        chain.verify(broken)


def test_a_stored_entry_that_is_altered_is_found(database: Database) -> None:
    for number in range(3):
        database.write_now(lambda connection, number=number: journal.append(connection, {"number": number}))  # type: ignore[misc]
    database.write_now(
        lambda connection: connection.execute(
            update(journal_table).where(journal_table.c.position == 2).values(entry=b'{"number":7}')
        )
    )
    with database.read() as connection, pytest.raises(JournalBroken, match="entry 2"):
        chain.verify(journal.read(connection, 0, 10))


def test_a_server_on_each_database(database_url: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running_server(home, database=database_url) as server:
        algorithm, commit = server.build(tmp_path, "owner", server.owner)
        server.owner.publish(algorithm, commit, bump="minor", visibility="public")
        assert answered(server.owner, f"{algorithm}/0.1") == "0.1.0"
    assert (home / "registry.elsewhere").exists() is not database_url.startswith("sqlite")
    with running_server(home, database=database_url) as server:
        assert answered(server.owner, f"{algorithm}/0.1") == "0.1.0"
        assert chain.verify(server.owner.journal())[0] > 5


def test_reading_back_a_version_gives_what_was_published(database: Database) -> None:
    algorithm = database.write_now(an_algorithm)
    database.write_now(lambda connection: publish(connection, algorithm, "1.0.0"))
    with database.read() as connection:
        (row,) = catalog.all_versions(connection, algorithm)
        stored = connection.execute(select(text("contract")).select_from(text("versions"))).scalar_one()
    assert row.permissions == Permissions("public")
    assert (row.build.hash, row.build.source, row.published_by) == ("a" * 40, MANIFEST.digest, "troth")
    assert json.loads(stored)["format"] == 1


def test_no_error_of_the_database_tells_what_was_to_be_written(database: Database) -> None:
    secret = "of-nobodys-business"

    def wrong(connection: Connection) -> None:
        connection.execute(text("INSERT INTO nowhere VALUES (:secret)"), {"secret": secret})

    with pytest.raises(DatabaseError) as failed:
        database.write_now(wrong)
    assert "nowhere" in str(failed.value)
    assert secret not in str(failed.value)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("nonsense", "it is no address of a database"),
        ("mysql://ada:secret@127.0.0.1/troth", "SQLite or PostgreSQL, and not in mysql"),
        ("postgresql+nosuch://ada:secret@127.0.0.1/troth", "it is no address of a database"),
    ],
)
def test_an_address_of_no_database_that_troth_knows_is_refused_without_its_password(address: str, why: str) -> None:
    with pytest.raises(MalformedSetting) as refusal:
        Database(address)
    assert why in refusal.value.why
    assert "secret" not in str(refusal.value.as_problem())


def test_a_missing_driver_is_named_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MalformedSetting, match="driver psycopg is not installed") as refusal:
        Database("postgresql+psycopg://ada:secret@127.0.0.1/troth")
    assert "pip install" in refusal.value.repair
    assert "secret" not in str(refusal.value.as_problem())
