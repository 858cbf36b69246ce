"""The session in the README is what really happens."""

from __future__ import annotations

from docs.generate import FOLDER
from tests.docs.terminal import Terminal


def test_session_of_readme_prints_what_it_says(terminal: Terminal) -> None:
    terminal.play(FOLDER.parent / "README.md")
