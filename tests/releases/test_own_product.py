"""troth obeys itself: it is the product troth/troth, and its next release is judged as anybody's."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from docs.contracts import FOLDER, contracts
from tests.docs.pages import ROOT
from tests.releases.product import Repository, kinds

FORMAT = "src/troth/commands/formats/create_key/1.json"
FIRST = "src/troth/registry/migrations/versions/0001_first_registry.py"


@pytest.fixture
def clone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Repository:
    """The last commit only, without tags, as a runner of CI has it."""
    folder = tmp_path / "troth"
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", "--no-tags", ROOT.as_uri(), str(folder)], check=True)
    return Repository(folder, capsys)


def test_the_next_release_of_troth_is_legal(clone: Repository) -> None:
    """What is committed keeps what the last release promised, under the number that troth.toml says."""
    code, verdict = clone.check("--complete", "--prove-migrations")
    assert (code, verdict["product"], verdict["outcome"]) == (0, "troth/troth", "allowed"), verdict
    assert verdict["former"] == "0.1.0"
    assert [(path["from"], path["outcome"]) for path in verdict["paths"]] == [("0.1.0", "passed")]
    assert not {"contract-undecided", "unclaimed", "undescribed"} & set(kinds(verdict))


def test_a_promise_of_troth_is_not_broken_unseen(clone: Repository) -> None:
    first = (clone.folder / FIRST).read_text()
    declared = (clone.folder / "troth.toml").read_text()
    clone.commit(
        {
            FIRST: first.replace("length=63", "length=62"),
            FORMAT: None,
            "troth.toml": declared.replace('maturity = "stable"', 'maturity = "beta"'),
        }
    )
    code, verdict = clone.check()
    assert (code, verdict["outcome"]) == (3, "refused")
    found = {(one["kind"], one["where"]) for one in verdict["facts"]}
    assert {("migration-edited", FIRST), ("contract-removed", FORMAT)} <= found


def test_records_of_releases_stay_as_they_are() -> None:
    folder = ROOT / "releases"
    lines = (folder / "digests.txt").read_text().splitlines()
    listed = {name: known for known, name in (line.split("  ") for line in lines)}
    assert listed == {name: digest(folder / name) for name in listed}
    assert sorted(listed) == sorted(path.name for path in folder.iterdir() if path.is_dir())


def digest(folder: Path) -> str:
    """SHA-256 of the names and digests of all files in a folder, byte-code left out."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def test_the_documents_of_what_troth_promises_are_up_to_date() -> None:
    found = {path.name: path.read_text() for path in FOLDER.iterdir()}
    assert found == contracts(), "run: .venv/bin/python -m docs.generate"
