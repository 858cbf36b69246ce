"""Releases that are recorded in the repository itself: a clone without tags knows what was promised."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.releases.product import CONTRACT, HEAD, MIGRATED, OPENAPI, ORDERS, Repository, kinds, policy, with_parameter
from troth.doors.cli.main import execute

RECORDED = '[recorded]\npath = "releases"\nwith = ["notes.txt"]\n'
WIRE = json.dumps({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False})


@pytest.fixture
def shop(empty: Repository) -> Repository:
    """A product without tags, whose 1.0.0 is recorded."""
    declared = HEAD + 'version = "1.0.0"\n' + policy("polyaxon") + RECORDED + CONTRACT + MIGRATED
    declared += '[[contracts]]\nkind = "wire"\npath = "formats"\n[notes]\nkind = "fragments"\npath = "changes"\n'
    files = {"troth.toml": declared, "openapi.json": json.dumps(OPENAPI), "migrations/0001_orders.sql": ORDERS}
    empty.commit({**files, "formats/order/1.json": WIRE, "notes.txt": "kept", "src/shop.py": "x = 1\n"})
    assert execute(["release", "record", "--project", str(empty.folder)]) == 0
    empty.commit({"troth.toml": declared.replace('version = "1.0.0"\n', "")})
    return empty


def below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_record_holds_what_others_rely_on(shop: Repository) -> None:
    expected = ["formats/order/1.json", "migrations/0001_orders.sql", "notes.txt", "openapi.json", "troth.toml"]
    assert below(shop.folder / "releases" / "1.0.0") == expected


def test_a_release_is_recorded_once(shop: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["release", "record", "1.0.0", "--project", str(shop.folder)]) == 2
    assert "is there already" in capsys.readouterr().err


def test_what_changed_is_found_without_a_tag(shop: Repository) -> None:
    code, verdict = shop.check()
    assert (code, verdict["former"], verdict["least"], verdict["base_tag"]) == (0, "1.0.0", "1.0.1", "releases/1.0.0")
    assert any("recorded in part" in one for one in verdict["warnings"])
    shop.commit({"openapi.json": with_parameter("customer"), "changes/1.fix.md": "mended"})
    code, verdict = shop.check("--patch")
    assert (code, verdict["least"]) == (3, "1.1.0")
    assert {"contract-widened", "noted-fix"} <= set(kinds(verdict))


def test_the_commits_since_are_those_behind_the_record(shop: Repository) -> None:
    declared = (
        (shop.folder / "troth.toml").read_text().replace('kind = "fragments"\npath = "changes"', 'kind = "commits"')
    )
    shop.commit({"troth.toml": declared, "src/shop.py": "x = 2\n"}, "feat: more")
    _, verdict = shop.check()
    assert [one["words"] for one in verdict["facts"] if one["kind"] == "noted-feature"] == ["more"]


def test_each_document_of_a_folder_is_a_contract(shop: Repository) -> None:
    shop.commit({"formats/order/2.json": WIRE})
    _, verdict = shop.check()
    assert [one["where"] for one in verdict["facts"] if one["kind"] == "contract-added"] == ["formats/order/2.json"]
    shop.commit({"formats/order/1.json": None})
    code, verdict = shop.check("--minor")
    gone = [(one["where"], one["words"]) for one in verdict["facts"] if one["kind"] == "contract-removed"]
    assert (code, gone) == (3, [("formats/order/1.json", "the contract is gone")])


@pytest.mark.clause("PLX-09")
def test_migrations_are_proved_from_a_record(shop: Repository) -> None:
    shop.commit({"migrations/0002_size.sql": "ALTER TABLE orders ADD COLUMN size TEXT;"})
    code, verdict = shop.check("--minor", "--prove-migrations")
    (path,) = verdict["paths"]
    assert (code, path["from"], path["outcome"]) == (0, "1.0.0", "passed"), path
    shop.commit({"migrations/0001_orders.sql": ORDERS.replace("note TEXT", "note TEXT NOT NULL")})
    code, verdict = shop.check("--minor")
    assert (code, "migration-edited" in kinds(verdict)) == (3, True)


def test_a_tag_goes_before_the_record_of_its_release(shop: Repository) -> None:
    shop.git("tag", "v1.0.0", "HEAD~1")
    _, verdict = shop.check()
    assert (verdict["base_tag"], verdict["base"]) == ("v1.0.0", shop.git("rev-parse", "HEAD~1"))


def test_a_record_can_be_named_as_base(shop: Repository) -> None:
    shop.commit({"openapi.json": with_parameter("customer")})
    shop.git("tag", "v1.1.0")
    _, verdict = shop.check("--base", "1.0.0")
    assert (verdict["former"], "contract-widened" in kinds(verdict)) == ("1.0.0", True)


def test_a_folder_that_is_no_number_is_an_error(shop: Repository) -> None:
    shop.commit({"releases/1.0/openapi.json": "{}"})
    code, _, err = shop.run()
    assert code == 3
    assert "releases/1.0 is no record of a release" in err
