"""The sessions in the pages are what really happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.generate import FOLDER
from tests.docs.terminal import Terminal

#: Pages whose session needs the files that they show; tests of their own write them first, such as test_waive_a_clause.py.
_WITH_FILES = {"retire-a-line", "send-commands", "waive-a-clause", "waive-in-a-release"}
_PAGES = sorted(page for page in (FOLDER / "how-to").glob("*.md") if page.stem not in _WITH_FILES)


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.stem)
def test_session_of_page_prints_what_it_says(terminal: Terminal, page: Path) -> None:
    terminal.play(page)


@pytest.mark.parametrize("name", ["builds", "git"])
def test_session_of_page_that_begins_with_a_server(terminal: Terminal, name: str) -> None:
    terminal.start("troth up --owner ada")
    terminal.play(FOLDER / f"{name}.md")
