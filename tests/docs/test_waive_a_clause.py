"""The pages on waivers print what they show."""

from __future__ import annotations

from docs.generate import FOLDER
from tests.docs.pages import files, tables
from tests.docs.terminal import Terminal
from troth.versions.waivers import WAIVABLE


def test_the_session_prints_what_it_shows(terminal: Terminal) -> None:
    page = FOLDER / "how-to" / "waive-a-clause.md"
    for path, text in files(page).items():
        terminal.write(path, text)
    terminal.start("troth up --owner ada")
    terminal.play(page)


def test_a_release_passes_as_its_page_shows(terminal: Terminal) -> None:
    terminal.start("troth up --owner ada")
    terminal.play(FOLDER / "how-to" / "waive-in-a-release.md")


def test_the_table_says_what_can_be_waived() -> None:
    rows = tables(FOLDER / "how-to" / "waive-in-a-release.md")[0]
    can = [clause for clauses, _, answer in rows if answer.startswith("yes") for clause in clauses.split(", ")]
    assert sorted(can) == sorted(WAIVABLE["product"])


def test_the_table_says_what_of_an_api_can_be_waived() -> None:
    rows = next(rows for rows in tables(FOLDER / "life-cycle.md") if rows[0][0] == "PDB-19")
    can = [clause for clauses, _, answer in rows if answer.startswith("yes") for clause in clauses.split(", ")]
    assert sorted(can) == sorted(WAIVABLE["api"])
