"""Migrations proved on PostgreSQL: databases are made for it, and none is left behind."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text

from tests.releases.product import CONTRACT, HEAD, MIGRATED, Repository, policy

ORDERS = (
    "CREATE TABLE orders (id SERIAL PRIMARY KEY, customer VARCHAR(20) NOT NULL, note TEXT, at TIMESTAMPTZ DEFAULT now(),"
    " state TEXT NOT NULL CHECK (state IN ('new', 'sent')), amount NUMERIC(8, 2), extra JSONB, mark UUID);\n"
)


@pytest.fixture
def address(postgres: str) -> str:
    """The address of a PostgreSQL, as people write it."""
    return postgres.replace("postgresql+psycopg://", "postgresql://")


def databases(address: str) -> list[str]:
    """The scratch databases that are there."""
    engine = create_engine(address.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        found = list(
            connection.execute(text("SELECT datname FROM pg_database WHERE datname LIKE 'troth_proof%'")).scalars()
        )
    engine.dispose()
    return found


@pytest.fixture
def shop(empty: Repository) -> Repository:
    """A product with migrations for PostgreSQL, released as 1.0.0."""
    declared = HEAD + policy("polyaxon") + CONTRACT + MIGRATED
    empty.commit({"troth.toml": declared, "openapi.json": '{"openapi": "3.1.0", "paths": {}}', "migrations/0001_a.sql": ORDERS},
                 tag="v1.0.0")  # fmt: skip
    return empty


def test_a_path_on_postgresql_holds(shop: Repository, address: str) -> None:
    shop.commit(
        {"migrations/0002_b.sql": "ALTER TABLE orders ADD COLUMN size TEXT;\nCREATE INDEX ON orders (customer);\n"}
    )
    code, verdict = shop.check("--minor", "--prove-migrations", "--database", address)
    assert "paths" in verdict, verdict
    (path,) = verdict["paths"]
    assert (code, path["outcome"], path["database"]) == (0, "passed", "PostgreSQL"), path
    assert path["words"] == "1 migration, 24 rows kept"
    assert path["confined"] is False
    assert address not in str(verdict)
    assert databases(address) == []


def test_a_path_on_postgresql_that_fails_on_rows_is_refused(shop: Repository, address: str) -> None:
    shop.commit({"migrations/0002_b.sql": "ALTER TABLE orders ALTER COLUMN note SET NOT NULL;"})
    code, verdict = shop.check("--minor", "--prove-migrations", "--database", address)
    assert "paths" in verdict, verdict
    (path,) = verdict["paths"]
    assert (code, verdict["least"]) == (3, None)
    assert "runs on empty tables and fails on rows" in path["words"]
    assert "contains null values" in path["words"]
    assert databases(address) == []


@pytest.mark.parametrize("given", ["mysql://a/b", "nonsense", "sqlite:///a"])
def test_an_address_that_is_none_of_a_postgresql_is_refused(shop: Repository, given: str) -> None:
    shop.commit({"migrations/0002_b.sql": "SELECT 1;"})
    assert shop.run("--minor", "--prove-migrations", "--database", given)[0] == 2


def test_a_postgresql_that_does_not_answer_is_an_error(shop: Repository) -> None:
    shop.commit({"migrations/0002_b.sql": "SELECT 1;"})
    code, _, err = shop.run("--minor", "--prove-migrations", "--database", "postgresql://127.0.0.1:9/postgres")
    assert code == 5
    assert "--database" in err
