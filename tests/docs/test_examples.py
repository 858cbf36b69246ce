"""The sessions in the pages are what really happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.generate import FOLDER
from tests.docs.terminal import Terminal


@pytest.mark.parametrize("page", sorted((FOLDER / "how-to").glob("*.md")), ids=lambda page: page.stem)
def test_session_of_page_prints_what_it_says(terminal: Terminal, page: Path) -> None:
    terminal.play(page)


@pytest.mark.parametrize("name", ["builds", "git"])
def test_session_of_page_that_begins_with_a_server(terminal: Terminal, name: str) -> None:
    terminal.start("troth up --owner ada")
    terminal.play(FOLDER / f"{name}.md")
