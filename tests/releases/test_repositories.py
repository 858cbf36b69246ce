"""Repositories as they are found: without tags, with moved or odd tags, cut off, with uncommitted files, in folders of others."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.releases.product import CONTRACT, HEAD, MIGRATED, Repository, policy, with_parameter

DECLARED = HEAD + policy("polyaxon") + CONTRACT + MIGRATED


def told(repository: Repository, *tokens: str) -> tuple[int, str]:
    """Exit code and what went wrong."""
    code, _, err = repository.run(*tokens)
    return code, err


def test_without_tags_every_first_number_is_legal(empty: Repository) -> None:
    empty.commit({"troth.toml": HEAD})
    code, verdict = empty.check()
    assert (code, verdict["former"], verdict["least"]) == (0, None, "0.1.0")
    assert "there is no earlier release; nothing was compared" in verdict["warnings"]
    assert empty.check("--number", "3.1.4")[0] == 0


def test_what_is_not_committed_is_not_judged_and_said(shop: Repository) -> None:
    (shop.folder / "openapi.json").write_text(with_parameter("state", required=True))
    (shop.folder / "stray").write_text("x")
    code, verdict = shop.check("--patch")
    assert code == 0
    assert "2 files are not committed, and not judged" in verdict["warnings"]


def test_a_clone_that_is_cut_off_is_an_error_that_says_how_to_fetch(shop: Repository, tmp_path: Path) -> None:
    shop.commit({"a": "1"})
    shop.commit({"a": "2"})
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{shop.folder}", str(clone)], check=True)
    code, err = told(Repository(clone, shop.capture))
    assert code == 4
    assert "a part of the history" in err
    assert "fetch-depth: 0" in err


@pytest.mark.clause("PDB-06")
@pytest.mark.parametrize("tag", ["v1.0.0rc1", "v4.2.3.1", "v1.1", "v01.2.3"])
def test_a_tag_that_is_no_number_is_refused_unless_it_is_read_leniently(shop: Repository, tag: str) -> None:
    shop.git("tag", tag)
    code, err = told(shop)
    assert code == 3
    assert tag in err
    assert "PDB-06" in err
    code, verdict = shop.check("--lenient")
    assert code == 0
    assert verdict["former"] == "1.0.0"
    (listed,) = [one for one in verdict["warnings"] if tag in one]
    assert listed.endswith(": v1.0.0rc1 as 1.0.0-rc.1" if tag == "v1.0.0rc1" else f"left out: {tag}")


def test_lenient_tags_may_be_declared(shop: Repository) -> None:
    shop.git("tag", "v2.0.0b3")
    shop.commit({"troth.toml": HEAD + policy("polyaxon", lenient="true") + CONTRACT + MIGRATED})
    code, verdict = shop.check("--number", "2.0.0-beta.3")
    assert code == 3
    assert "released already" in verdict["objections"][0]["text"]


def test_tags_of_other_things_are_left_alone(shop: Repository) -> None:
    for name in ("nightly", "vendor-import", "deployed/2024"):
        shop.git("tag", name)
    assert shop.check()[1]["former"] == "1.0.0"


@pytest.mark.clause("PDB-05")
def test_a_tag_that_was_moved_behind_a_later_release_is_refused(shop: Repository) -> None:
    shop.commit({"a": "1"}, tag="v1.0.1")
    shop.commit({"a": "2"})
    shop.git("tag", "--force", "v1.0.0")
    code, err = told(shop)
    assert code == 3
    assert "v1.0.0 lies behind v1.0.1" in err
    assert "PDB-05" in err


@pytest.mark.clause("PDB-05")
def test_a_tag_on_a_commit_that_says_another_number_is_refused(empty: Repository) -> None:
    empty.commit({"troth.toml": HEAD + 'version = "1.0.0"\n'}, tag="v1.0.0")
    empty.commit({"troth.toml": HEAD + 'version = "1.1.0"\n'})
    empty.git("tag", "--force", "v1.0.0")
    code, err = told(empty)
    assert code == 3
    assert "says version 1.1.0" in err


@pytest.mark.clause("PDB-05")
def test_a_tag_that_bears_another_name_is_refused(shop: Repository) -> None:
    shop.git("tag", "--annotate", "v1.1.0", "--message", "a release")
    shop.git("update-ref", "refs/tags/v1.2.0", "v1.1.0")
    shop.git("update-ref", "-d", "refs/tags/v1.1.0")
    code, err = told(shop)
    assert code == 3
    assert "v1.2.0 was made as v1.1.0" in err


def test_the_last_release_is_the_highest_in_the_history(shop: Repository) -> None:
    """Not one of another branch, and no prerelease; but the numbers of all are used."""
    shop.git("switch", "--quiet", "--create", "next")
    shop.commit({"a": "1"}, tag="v1.1.0")
    shop.git("switch", "--quiet", "main")
    shop.commit({"b": "1"}, tag="v1.0.1-rc.1")
    shop.commit({"openapi.json": with_parameter("state")})
    _, verdict = shop.check()
    assert (verdict["former"], verdict["least"]) == ("1.0.0", "1.2.0")
    assert shop.check("--minor")[1]["objections"][0]["clause"] == "PDB-05"


def test_a_base_may_be_a_release_a_branch_or_a_commit(shop: Repository) -> None:
    shop.commit({"openapi.json": with_parameter("state")}, tag="v1.1.0")
    shop.git("branch", "before")
    shop.commit({"a": "1"})
    assert shop.check()[1]["least"] == "1.1.1"
    assert shop.check("--base", "v1.0.0")[1]["former"] == "1.0.0"
    assert shop.check("--base", "before")[1]["former"] == "1.1.0"
    assert shop.check("--base", shop.git("rev-parse", "HEAD"))[1]["step"] == "patch"
    for name in ("gone", "--help-me", "-x"):
        code, err = told(shop, f"--base={name}")
        assert code == 4, name
        assert "git knows no commit" in err


def test_a_product_may_lie_in_a_folder_and_a_work_tree(empty: Repository, tmp_path: Path) -> None:
    inside = {
        f"products/shop/{path}": text
        for path, text in (("troth.toml", DECLARED), ("openapi.json", with_parameter("a")))
    }
    empty.commit(inside | {"other": "1"}, tag="v1.0.0")
    empty.commit({"other": "2", "products/shop/openapi.json": with_parameter("b")})
    empty.git("worktree", "add", "--quiet", str(tmp_path / "beside"), "HEAD")
    for top in (empty.folder, tmp_path / "beside"):
        code, verdict = Repository(top / "products" / "shop", empty.capture).check()
        assert code == 0
        assert {one["where"].partition(":")[0] for one in verdict["facts"] if "contract" in one["kind"]} == {
            "openapi.json"
        }
        assert "not-regulated" not in verdict["outcome"]


@pytest.mark.parametrize("place", ["no repository", "no commit", "no declaration", "not committed"])
def test_where_there_is_no_product_the_error_says_so(tmp_path: Path, empty: Repository, place: str) -> None:
    if place == "no repository":
        empty = Repository(tmp_path / "alone", empty.capture)
        empty.folder.mkdir()
    elif place != "no commit":
        empty.commit({"a": "1"})
    if place == "not committed":
        (empty.folder / "troth.toml").write_text(HEAD)
    code, err = told(empty)
    assert code in (2, 4)
    assert "help:" in err


def test_a_number_that_jumps_is_not_regulated_until_it_is_decided(shop: Repository) -> None:
    shop.commit({"openapi.json": with_parameter("state")})
    code, verdict = shop.check("--number", "1.7.0")
    assert (code, verdict["outcome"]) == (3, "not-regulated")
    (gap,) = verdict["not_regulated"]
    decided = f'[[decisions]]\nabout = "{gap["about"]}"\nstep = "minor"\nreason = "1.1 to 1.6 were never published"\n'
    shop.commit({"troth.toml": DECLARED + decided})
    code, verdict = shop.check("--number", "1.7.0")
    assert (code, verdict["outcome"]) == (0, "allowed")
    assert ("PDB-04", "minor") in {(one["clause"], one["step"]) for one in verdict["asked"]}


def test_files_that_nobody_claims_and_undescribed_components_are_questions(empty: Repository) -> None:
    declared = HEAD + '[components.core]\ncore = true\npaths = ["src"]\n'
    empty.commit({"troth.toml": declared, "src/a.py": "a = 1\n"}, tag="v1.0.0")
    empty.commit({"src/a.py": "a = 2\n", "tools/b.py": "b = 1\n", "tools/c.py": "c = 1\n"})
    code, verdict = empty.check("--patch")
    assert (code, verdict["outcome"]) == (3, "not-regulated")
    assert sorted(one["about"] for one in verdict["not_regulated"]) == ["unclaimed tools", "undescribed core"]
    notes = '[notes]\nkind = "fragments"\npath = "changes"\n'
    empty.commit(
        {"troth.toml": declared.replace(HEAD, HEAD + 'aside = ["tools"]\n') + notes, "changes/1.fix.md": "Mended."}
    )
    code, verdict = empty.check("--patch")
    assert (code, verdict["not_regulated"]) == (0, [])


def test_a_change_of_the_policy_is_a_question(shop: Repository) -> None:
    shop.commit({"troth.toml": HEAD + policy("semver") + CONTRACT + MIGRATED})
    code, verdict = shop.check("--patch")
    assert code == 3
    assert [one["about"] for one in verdict["not_regulated"]] == ["policy-changed profiles = semver"]


def test_a_number_that_is_not_committed_is_said(empty: Repository) -> None:
    empty.commit({"troth.toml": HEAD + 'version = "1.0.0"\n'})
    (empty.folder / "troth.toml").write_text(HEAD + 'version = "1.1.0"\n')
    assert "troth.toml says 1.1.0, but that is not committed" in empty.check()[1]["warnings"]


def test_without_a_commit_it_says_to_commit_first(empty: Repository) -> None:
    (empty.folder / "troth.toml").write_text(HEAD)
    code, err = told(empty)
    assert code == 4
    assert "nothing is committed here yet" in err
    assert "commit first" in err


@pytest.mark.parametrize(
    ("declared", "missing", "words"),
    [
        (CONTRACT.replace("openapi.json", "nofile.json"), "nofile.json", "troth.toml declares it as a contract"),
        (MIGRATED.replace('"migrations"', '"nodir"'), "nodir", "troth.toml declares it as a folder of migrations"),
    ],
)
def test_a_first_release_has_what_it_declares(empty: Repository, declared: str, missing: str, words: str) -> None:
    empty.commit({"troth.toml": HEAD + declared})
    code, err = told(empty)
    assert code == 2
    assert f"there is no {missing}" in err
    assert words in err
    empty.commit({missing if "." in missing else f"{missing}/0001.sql": "CREATE TABLE a (b INTEGER);"})
    assert empty.check()[0] == 0
