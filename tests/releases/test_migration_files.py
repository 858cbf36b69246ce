"""Migrations as they lie in files: numbered SQL, Alembic, Django."""

from __future__ import annotations

import pytest

from troth.contracts.migrations.chain import changes
from troth.contracts.migrations.files import chain_of, is_migration
from troth.versions.releases.evidence import Kind


def alembic(**parents: str) -> dict[str, bytes]:
    """Modules of revisions, each with what it follows as Python writes it."""
    return {
        f"versions/{name}.py": f"revision = {name!r}\ndown_revision: str | None = {parent}\n\ndef upgrade():\n    pass\n".encode()
        for name, parent in parents.items()
    }


def django(**dependencies: str) -> dict[str, bytes]:
    """Modules of one app's migrations, by names and what they depend on."""
    return {
        f"shop/migrations/{name}.py": (
            f"from django.db import migrations\n\nclass Migration(migrations.Migration):\n"
            f"    dependencies = {given}\n    operations = []\n"
        ).encode()
        for name, given in dependencies.items()
    }


def found(kind: str, old: dict[str, bytes], new: dict[str, bytes]) -> list[Kind]:
    """The kinds of what became of migrations."""
    return [one.kind for one in changes(chain_of(kind, old, "m"), chain_of(kind, new, "m"), "m", "core")]


CASES = {
    "alembic": (
        alembic(a="None", b="'a'"),
        {"added": alembic(a="None", b="'a'", c="'b'"), "two heads": alembic(a="None", b="'a'", c="'a'"),
         "merged": alembic(a="None", b="'a'", c="'a'", d="('b', 'c')"), "gap": alembic(a="None", b="'a'", c="'x'"),
         "removed": alembic(a="None"), "moved": alembic(a="'b'", b="None")},
    ),
    "django": (
        django(**{"0001_initial": "[]", "0002_more": "[('shop', '0001_initial')]"}),
        {"added": django(**{"0001_initial": "[]", "0002_more": "[('shop', '0001_initial')]",
                            "0003_next": "[('shop', '0002_more'), ('auth', '__first__')]"}),
         "two heads": django(**{"0001_initial": "[]", "0002_more": "[('shop', '0001_initial')]",
                                "0002_other": "[('shop', '0001_initial')]"}),
         "merged": django(**{"0001_initial": "[]", "0002_more": "[('shop', '0001_initial')]",
                             "0002_other": "[('shop', '0001_initial')]",
                             "0003_merge": "[('shop', '0002_more'), ('shop', '0002_other')]"}),
         "gap": django(**{"0001_initial": "[]", "0002_more": "[('shop', '0001_initial')]",
                          "0004_next": "[('shop', '0003_gone')]"}),
         "removed": django(**{"0001_initial": "[]"}),
         "moved": django(**{"0001_initial": "[('shop', '0002_more')]", "0002_more": "[]"})},
    ),
}  # fmt: skip
EXPECTED = {
    "added": {Kind.MIGRATION_ADDED},
    "two heads": {Kind.MIGRATION_ADDED, Kind.MIGRATION_HEADS},
    "merged": {Kind.MIGRATION_ADDED},
    "gap": {Kind.MIGRATION_ADDED, Kind.MIGRATION_GAP, Kind.MIGRATION_HEADS},
    "removed": {Kind.MIGRATION_REMOVED},
    "moved": {Kind.MIGRATION_EDITED},
}


@pytest.mark.parametrize("case", sorted(EXPECTED))
@pytest.mark.parametrize("kind", sorted(CASES))
def test_a_chain_of_modules(kind: str, case: str) -> None:
    old, cases = CASES[kind]
    assert set(found(kind, old, cases[case])) == EXPECTED[case]


def test_comments_and_formatting_are_no_edit() -> None:
    old = alembic(a="None")
    (text,) = old.values()
    new = {
        "versions/a.py": b'"""Now it says why."""\n# formatted\n' + text.replace(b"    pass", b"      pass  # nothing")
    }
    assert found("alembic", old, new) == []
    assert found("alembic", old, {"versions/a.py": text.replace(b"pass", b"print(1)")}) == [Kind.MIGRATION_EDITED]
    assert found("sql", {"m/1_a.sql": b"SELECT 1;  \r\n"}, {"m/1_a.sql": b"SELECT 1;\n\n"}) == []


def test_times_as_numbers_have_no_gaps() -> None:
    files = {"m/20240101120000_a.sql": b"", "m/20250101120000_b.sql": b""}
    assert chain_of("sql", files, "m").faults == ()


def test_a_number_below_released_ones_comes_too_late() -> None:
    old = {"m/0001_a.sql": b"", "m/0003_b.sql": b""}
    assert found("sql", old, old | {"m/0002_c.sql": b""}) == [Kind.MIGRATION_ADDED, Kind.MIGRATION_ORDER]


def test_faults_that_were_released_are_not_told_again() -> None:
    old = {"m/0001_a.sql": b"", "m/0003_b.sql": b""}
    assert found("sql", old, old | {"m/0004_c.sql": b""}) == [Kind.MIGRATION_ADDED]


def test_a_module_that_cannot_be_read_is_a_gap() -> None:
    (fault,) = chain_of("alembic", {"versions/a.py": b"revision = "}, "m").faults
    assert fault.kind is Kind.MIGRATION_GAP
    assert "versions/a.py" in fault.words


@pytest.mark.parametrize(
    ("kind", "path", "expected"),
    [
        ("sql", "m/0001_a.sql", True),
        ("sql", "m/V2__b.sql", True),
        ("sql", "m/0001_a.down.sql", False),
        ("sql", "m/seed.sql", False),
        ("alembic", "m/versions/a.py", True),
        ("alembic", "m/env.py", False),
        ("django", "shop/migrations/0001_initial.py", True),
        ("django", "shop/migrations/__init__.py", False),
        ("django", "shop/models.py", False),
    ],
)
def test_which_files_are_migrations(kind: str, path: str, expected: bool) -> None:
    assert is_migration(kind, path) is expected
