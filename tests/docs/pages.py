"""The pages that people read, and what tests look for in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from docs.generate import FOLDER

ROOT = FOLDER.parent
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^`([\w./-]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    """One command of a terminal session, and what it printed when the page was written."""

    command: str
    printed: list[str]


def every_page() -> list[Path]:
    """The pages of the documentation and those at the root."""
    return sorted([*FOLDER.rglob("*.md"), *ROOT.glob("*.md"), *ROOT.glob("changes/*.md")])


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language in a page."""
    return [text for kind, text in _FENCE.findall(page.read_text()) if kind == language]


def files(page: Path) -> dict[str, str]:
    """The fenced blocks below a line that is a path, each a file with that content."""
    found = _FILE.findall(page.read_text())
    assert len(dict(found)) == len(found), f"{page} has a file twice"
    return dict(found)


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", page.read_text())


def session(page: Path) -> list[Step]:
    """The commands of all `console` blocks of a page, in order."""
    return [step for block in blocks(page, "console") for step in _steps(block)]


def _steps(block: str) -> Iterator[Step]:
    command: list[str] = []
    printed: list[str] = []
    for line in block.splitlines():
        if (line.startswith("> ") or line == ">") and command and not printed:
            command.append(line[2:])
        elif line.startswith("$ "):
            if command:
                yield Step("\n".join(command), printed)
            command, printed = [line[2:]], []
        else:
            assert command, f"{line!r} stands before any command"
            printed.append(line)
    yield Step("\n".join(command), printed)


def tables(page: Path) -> list[list[list[str]]]:
    """The tables of a page: rows of cells, without their headings."""
    found: list[list[list[str]]] = []
    inside = False
    for line in page.read_text().splitlines():
        if not line.startswith("|"):
            inside = False
        elif line.startswith("|---"):
            found.append([])
            inside = True
        elif inside:
            found[-1].append([cell.strip() for cell in line.strip("|").split(" | ")])
    return found
