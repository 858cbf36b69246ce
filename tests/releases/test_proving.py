"""Migrations run for a proof: what fails, hangs, loses rows or ends elsewhere is told, with the command that repeats it."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from tests.releases.product import CONTRACT, HEAD, MIGRATED, ORDERS, Repository, kinds, policy
from troth.releases.proving.databases import Server
from troth.releases.proving.rows import ROWS, fill

DECLARED = HEAD + policy("polyaxon") + CONTRACT
ALEMBIC = '[[migrations]]\nkind = "alembic"\npath = "migrations/versions"\n'
ENV = """\
from alembic import context
from sqlalchemy import create_engine
with create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
    context.configure(connection=connection, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
"""
INI = "[alembic]\nscript_location = migrations\nsqlalchemy.url = sqlite:///elsewhere.sqlite\npath_separator = os\n"


def revision(name: str, follows: str | None, code: str) -> dict[str, str | None]:
    """A module of Alembic."""
    head = f"import sqlalchemy as sa\nfrom alembic import op\nrevision = {name!r}\ndown_revision = {follows!r}\n"
    return {f"migrations/versions/{name}.py": f"{head}def upgrade():\n{textwrap.indent(code, '    ')}\n"}


@pytest.fixture
def alembic(empty: Repository) -> Repository:
    """A product with Alembic on SQLite, released as 1.0.0."""
    orders = 'op.create_table("orders", sa.Column("id", sa.Integer, primary_key=True), sa.Column("note", sa.Text))'
    files = {"alembic.ini": INI, "migrations/env.py": ENV, "troth.toml": HEAD + policy("polyaxon") + ALEMBIC}
    empty.commit({**files, **revision("a", None, orders)}, tag="v1.0.0")
    return empty


def proved(repository: Repository, *tokens: str) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """Exit code, verdict, and the only path."""
    code, verdict = repository.check("--minor", "--prove-migrations", *tokens)
    (path,) = verdict["paths"]
    return code, verdict, path


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("ALTER TABLE orders DROP COLUMN price;", 'no such column: "price"'),
        ("DELETE FROM orders WHERE note IS NULL;", "orders had 24 rows and has"),
        ("CREATE UNIQUE INDEX once ON orders (note);", "runs on empty tables and fails on rows"),
    ],
)
def test_what_goes_wrong_on_the_path_is_told(shop: Repository, sql: str, words: str) -> None:
    shop.commit({"migrations/0002_a.sql": sql})
    code, verdict = shop.check("--minor", "--prove-migrations")
    assert (code, verdict["clauses"]) == (3, ["PLX-09"])
    said = [fact["words"] for fact in verdict["facts"] if fact["kind"] in ("path-broken", "migration-gap")]
    assert any(words in one for one in said), said


def test_an_upgraded_database_has_the_shape_of_a_new_one(alembic: Repository) -> None:
    depends = (
        'if op.get_bind().execute(sa.text("SELECT count(*) FROM orders")).scalar():\n'
        '    op.add_column("orders", sa.Column("size", sa.Text))'
    )
    alembic.commit(revision("b", "a", depends))
    code, verdict, path = proved(alembic)
    assert (code, verdict["clauses"]) == (3, ["PLX-09"])
    assert path["words"] == "beside a new database, the column size of orders is left over"


RUNNER = """\
import glob, os, sqlite3
connection = sqlite3.connect(os.environ["DATABASE_URL"].removeprefix("sqlite:///"))
connection.execute("CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT)")
known = {row[0] for row in connection.execute("SELECT name FROM schema_migrations")}
for name in sorted(set(glob.glob("migrations/*.sql")) - known):
    connection.executescript(open(name).read())
    connection.execute("INSERT INTO schema_migrations VALUES (?)", (name,))
connection.commit()
"""


@pytest.fixture
def scripted(shop: Repository) -> Repository:
    """A product that runs its numbered SQL by a script of its own, released as 1.0.1."""
    declared = DECLARED + MIGRATED + 'run = ["python3", "run.py"]\n'
    shop.commit({"troth.toml": declared, "run.py": RUNNER}, tag="v1.0.1")
    shop.commit({"migrations/0002_a.sql": "CREATE TABLE a (b TEXT);"})
    return shop


def test_a_path_that_holds_says_how_long_it_took_and_how_to_repeat_it(alembic: Repository) -> None:
    alembic.commit(revision("b", "a", 'op.add_column("orders", sa.Column("size", sa.Text))'))
    code, _, path = proved(alembic)
    assert code == 0
    assert (path["outcome"], path["from"], path["database"]) == ("passed", "1.0.0", "SQLite")
    assert path["words"] == "1 migration, 24 rows kept"
    assert path["seconds"] > 0
    assert path["locked"] >= 0
    assert [one["id"] for one in path["times"]] == ["b"]
    assert 0 <= path["times"][0]["seconds"] <= path["seconds"]
    again = path["again"].removeprefix("troth release check ").split()
    assert alembic.check("--minor", *again)[1]["paths"][0]["words"] == path["words"]


def test_a_configuration_behind_a_link_is_not_written_to(alembic: Repository) -> None:
    outside = alembic.folder.parent / "outside.ini"
    outside.write_text(INI)
    (alembic.folder / "alembic.ini").unlink()
    (alembic.folder / "alembic.ini").symlink_to(outside)
    alembic.commit(revision("b", "a", "pass"))
    code, _, err = alembic.run("--minor", "--prove-migrations")
    assert code == 2
    assert "is a link" in err
    assert outside.read_text() == INI


def test_two_heads_are_told_before_anything_is_run(alembic: Repository) -> None:
    more = {**revision("b", "a", "pass"), **revision("c", "a", "pass")}
    alembic.commit(more)
    code, verdict = alembic.check("--minor")
    assert (code, verdict["least"]) == (3, None)
    assert "there are 2 heads: b, c" in [fact["words"] for fact in verdict["facts"]]
    code, verdict = alembic.check("--minor", "--prove-migrations")
    assert code == 3
    assert any("do not run on an empty database" in fact["words"] for fact in verdict["facts"])


def test_migrations_that_hang_are_ended(scripted: Repository) -> None:
    hang = 'if connection.execute("SELECT count(*) FROM orders").fetchone()[0]:\n    __import__("time").sleep(3600)\n'
    scripted.commit({"run.py": RUNNER + hang})
    code, verdict, path = proved(scripted, "--seconds", "20")
    assert code == 3
    assert path["words"] == "it came to no end within 20 seconds"
    assert verdict["least"] is None


def test_migrations_are_confined_where_the_machine_can(scripted: Repository) -> None:
    secret = scripted.folder.parent / "secret"
    secret.write_text("x")
    look = f"import os\nprint('it sees the machine') or exit(1) if os.path.exists({str(secret)!r}) else None\n"
    scripted.commit({"run.py": RUNNER + look})
    code, verdict = scripted.check("--minor", "--prove-migrations")
    confined = [path["confined"] for path in verdict.get("paths", [])] == [True]
    assert (code == 0) == confined


def test_the_answers_of_declared_queries_stay(shop: Repository) -> None:
    query = '[[migrations.queries]]\nname = "customers"\nsql = "SELECT customer FROM orders ORDER BY id"\n'
    shop.commit(
        {"troth.toml": DECLARED + MIGRATED + query, "migrations/0002_a.sql": "UPDATE orders SET customer = 'x';"}
    )
    code, _, path = proved(shop)
    assert code == 3
    assert path["words"] == "the query customers has another answer"
    shop.commit({"migrations/0002_a.sql": "ALTER TABLE orders RENAME COLUMN customer TO buyer;"})
    assert "cannot be asked any more" in proved(shop)[2]["words"]


def test_fixtures_fill_what_they_name_and_rows_are_made_for_the_rest(shop: Repository) -> None:
    declared = DECLARED + MIGRATED + 'fixtures = "fixtures/{version}.sql"\n'
    fixture = "INSERT INTO orders VALUES (7, 'ada', 'a note');"
    notes = "CREATE TABLE notes (note TEXT NOT NULL);\nINSERT INTO notes SELECT note FROM orders;\n"
    shop.commit({"troth.toml": declared, "fixtures/1.0.0.sql": fixture, "migrations/0002_notes.sql": notes})
    code, _, path = proved(shop)
    assert (code, path["words"]) == (0, "1 migration, 1 rows kept")
    assert [one["id"] for one in path["times"]] == ["0002_notes"]
    shop.commit({"fixtures/1.0.0.sql": "INSERT INTO gone VALUES (1);"})
    assert shop.run("--minor", "--prove-migrations")[0] == 2


def test_a_table_that_cannot_be_filled_leaves_a_doubt(empty: Repository) -> None:
    odd = "CREATE TABLE odd (a TEXT NOT NULL CHECK (length(a) = 777));\n"
    empty.commit({"troth.toml": HEAD + policy("polyaxon") + MIGRATED, "migrations/1_a.sql": odd}, tag="v1.0.0")
    empty.commit({"migrations/2_b.sql": "ALTER TABLE odd ADD COLUMN b TEXT;"})
    code, verdict, path = proved(empty)
    assert (code, path["outcome"]) == (0, "not proved")
    assert "odd was left empty" in path["words"]
    assert "PLX-09" in [one["clause"] for one in verdict["missing"]]
    assert empty.check("--minor", "--prove-migrations", "--complete")[0] == 3


def test_releases_with_the_same_migrations_are_one_path(shop: Repository) -> None:
    shop.commit({"a": "1"}, tag="v1.0.1")
    shop.commit({"migrations/0002_a.sql": "CREATE TABLE a (b TEXT);"}, tag="v1.1.0")
    shop.commit({"migrations/0003_a.sql": "CREATE TABLE c (d TEXT);"})
    _, verdict = shop.check("--minor", "--prove-migrations")
    assert [(path["from"], path["also"]) for path in verdict["paths"]] == [("1.0.1", ["1.0.0"]), ("1.1.0", [])]
    _, verdict = shop.check("--minor", "--prove-from", "1.0.0")
    assert [(path["from"], path["also"]) for path in verdict["paths"]] == [("1.0.0", [])]
    code, _, err = shop.run("--prove-from", "7.0.0")
    assert (code, "there is no release 7.0.0" in err) == (2, True)


def test_what_is_supported_may_be_declared(shop: Repository) -> None:
    shop.commit({"migrations/0002_a.sql": "CREATE TABLE a (b TEXT);"}, tag="v1.1.0")
    supported = HEAD + policy("polyaxon", supported='["1.1.*"]') + CONTRACT + MIGRATED
    shop.commit({"troth.toml": supported, "migrations/0003_a.sql": "CREATE TABLE c (d TEXT);"})
    _, verdict = shop.check("--minor", "--prove-migrations")
    assert [path["from"] for path in verdict["paths"]] == ["1.1.0"]


def test_a_project_s_own_commands_list_and_run(empty: Repository) -> None:
    script = (
        "import os, sqlite3, sys\n"
        "names = [name for name in open('names').read().split()]\n"
        "if sys.argv[1] == 'list':\n    print('\\n'.join(names))\n    sys.exit()\n"
        "connection = sqlite3.connect(os.environ['SHOP_DATABASE'].removeprefix('sqlite:///'))\n"
        "for name in names:\n    connection.execute(f'CREATE TABLE IF NOT EXISTS {name} (a TEXT)')\n"
        "    print('troth-migration', name, '1.5')\n"
        "connection.commit()\n"
    )
    own = '[[migrations]]\nkind = "command"\nlist = ["python3", "m.py", "list"]\nrun = ["python3", "m.py", "run"]\n'
    declared = HEAD + policy("polyaxon") + own + 'variable = "SHOP_DATABASE"\n'
    empty.commit({"troth.toml": declared, "m.py": script, "names": "one"}, tag="v1.0.0")
    empty.commit({"names": "one two"})
    code, verdict = empty.check("--patch")
    assert (code, verdict["clauses"]) == (3, ["PLX-08"])
    path = proved(empty)[2]
    assert (path["outcome"], path["times"]) == ("passed", [{"id": "two", "seconds": 1.5}])
    empty.commit({"m.py": "raise SystemExit('broken')"})
    code, _, err = empty.run()
    assert code == 2
    assert "broken" in err


def test_patches_without_migrations_have_nothing_to_prove(shop: Repository) -> None:
    shop.commit({"a": "1"})
    code, verdict = shop.check("--patch", "--prove-migrations")
    assert code == 0
    assert "paths" not in verdict
    assert "migration-added" not in kinds(verdict)


SCHEMA = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, mail VARCHAR(40) NOT NULL UNIQUE, born DATE, score NUMERIC(6, 2));
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers (id),
    state TEXT NOT NULL CHECK (state IN ('new', 'it''s sent')), amount INTEGER CHECK (amount >= 0), at TIMESTAMP, paid BOOLEAN
);
CREATE TABLE lines (order_id INTEGER REFERENCES orders (id), place INTEGER, name VARCHAR(3), PRIMARY KEY (order_id, place));
"""


def test_rows_are_made_that_constraints_take(tmp_path: Any) -> None:
    with Server(tmp_path, None).database() as database:
        database.execute_script(SCHEMA)
        filled = fill(database)
        assert filled.empty == {}
        assert database.counts() == dict.fromkeys(("customers", "lines", "orders"), ROWS)
        states = database.answer("SELECT DISTINCT state FROM orders ORDER BY state")
        assert states == [("it's sent",), ("new",)]
        nulls = database.answer("SELECT count(*) FROM orders WHERE at IS NULL")
        assert isinstance(nulls, list)
        assert nulls[0][0] > 0
        assert database.answer("SELECT count(*) FROM orders o JOIN customers c ON c.id = o.customer_id") == [(ROWS,)]
        assert fill(database).rows == {}


@pytest.mark.parametrize("kind", ["FLOAT", "REAL", "DOUBLE", "FLOAT(53)", "NUMERIC(10, 2)", "DECIMAL"])
def test_fractions_are_numbers(tmp_path: Any, kind: str) -> None:
    with Server(tmp_path, None).database() as database:
        database.execute_script(f"CREATE TABLE calls (id INTEGER PRIMARY KEY, seconds {kind} NOT NULL)")
        assert fill(database).empty == {}
        found = database.answer("SELECT DISTINCT typeof(seconds) FROM calls")
        assert isinstance(found, list)
        assert {row[0] for row in found} <= {"integer", "real"}


def test_numbered_sql_keeps_triggers_whole(shop: Repository) -> None:
    """A statement may hold others."""
    trigger = (
        "BEGIN;\nCREATE TABLE seen (id INTEGER);\n"
        "CREATE TRIGGER watch AFTER UPDATE ON orders BEGIN INSERT INTO seen VALUES (1); INSERT INTO seen VALUES (2); END;\n"
        "-- the end\nCOMMIT;\n"
    )
    shop.commit({"migrations/0002_a.sql": trigger})
    assert proved(shop)[2]["outcome"] == "passed"
    assert ORDERS in (shop.folder / "migrations/0001_orders.sql").read_text()
