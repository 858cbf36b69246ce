"""The pages on commands say what the product does."""

from __future__ import annotations

import json

from docs.generate import FOLDER
from tests.docs.pages import blocks, files, tables
from tests.docs.terminal import Terminal
from troth.contracts.commands.operations import _KINDS, applied, parse_operations
from troth.registry.queue import QueueState

PAGE = FOLDER / "commands-and-queue.md"


def test_the_session_prints_what_it_shows(terminal: Terminal) -> None:
    page = FOLDER / "how-to" / "send-commands.md"
    for path, text in files(page).items():
        terminal.write(path, text)
    terminal.start("troth up --owner ada")
    terminal.play(page)


def test_the_operations_of_the_page_are_those_that_there_are() -> None:
    (text,) = [block for block in blocks(PAGE, "json") if block.startswith("[")]
    shown = json.loads(text)
    assert {next(iter(one)) for one in shown} == _KINDS.keys()
    assert applied(parse_operations(shown[:2]), {"name": "a"}) == {"certname": "a", "producer": None}


def test_the_states_of_the_page_are_those_that_there_are() -> None:
    rows = [row[0].strip("`") for table in tables(PAGE) for row in table]
    assert {state.value for state in QueueState} <= set(rows)
