"""The page on the retirement of a line prints what it shows."""

from __future__ import annotations

from docs.generate import FOLDER
from tests.docs.pages import files
from tests.docs.terminal import Terminal


def test_the_session_prints_what_it_shows(terminal: Terminal) -> None:
    page = FOLDER / "how-to" / "retire-a-line.md"
    for path, text in files(page).items():
        terminal.write(path, text)
    terminal.start("troth up --owner ada")
    terminal.play(page)
