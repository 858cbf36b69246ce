"""How tables look on terminals and in pipes."""

from __future__ import annotations

import re
import sys

import pytest

from troth.doors.cli.output import show_table

COLUMNS = ["version", "published", "notes"]
ROWS = [["1.0.10", "2026-11-26 07:27:06", "[first] of all"], ["1.0.9", "2026-11-25 07:27:06", ""]]


def test_a_pipe_gets_whole_lines_that_end_where_their_words_end(capsys: pytest.CaptureFixture[str]) -> None:
    show_table("ada/hello", COLUMNS, ROWS)
    assert capsys.readouterr().out == (
        "ada/hello\n"
        "version  published            notes\n"
        "1.0.10   2026-11-26 07:27:06  [first] of all\n"
        "1.0.9    2026-11-25 07:27:06\n"
    )


@pytest.mark.parametrize(("width", "in_blocks"), [(60, False), (28, False), (24, True)])
def test_no_word_is_broken_on_a_narrow_terminal(
    width: int, in_blocks: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))
    show_table("ada/hello", COLUMNS, ROWS)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert {word for row in ROWS for cell in row for word in cell.split()} <= set(shown.split())
    assert ("\nversion    1.0.10\npublished  2026-11-26 07:27:06\nnotes      [first] of all\n" in shown) is in_blocks
