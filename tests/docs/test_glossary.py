"""One word for a thing: the words of the glossary are used, and those it bans are not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.generate import FOLDER, cli_page
from tests.docs.pages import ROOT, every_page, tables

PAGE = FOLDER / "glossary.md"
#: The clauses keep the words of the documents that they restate.
# the rules of comparison speak of what OpenAPI calls a token
EXCEPT = {PAGE, FOLDER / "clauses.md", FOLDER / "rules.md"}
#: systemd calls what it runs a service, and so does the command that writes a file for it.
_OF_SYSTEMD = re.compile(r"\btroth[ .]service\b|^│ service\b", re.MULTILINE)
#: A method of HTTP has the name of a word that is banned.
_OF_HTTP = re.compile(r"\bPATCH\b")
#: Histories are written by people who have other words; the table of those is not ours to choose.
_OF_HISTORIES = re.compile(r"(?<=\| )`endpoint`(?= \|$)", re.MULTILINE)


def _words() -> list[str]:
    return [row[0] for row in tables(PAGE)[0]]


def _banned() -> list[str]:
    return [word for row in tables(PAGE)[1] for word in row[0].split(", ")]


def _used(words: list[str], text: str) -> list[str]:
    """Those of the words that are in the text, whatever the case of their letters, also with a simple ending."""
    text = _OF_SYSTEMD.sub("", _OF_HISTORIES.sub("", _OF_HTTP.sub("", text)).casefold())
    return [word for word in words if re.search(rf"\b{re.escape(word.casefold())}(?:e?s|ed)?\b", text)]


def test_every_word_is_used() -> None:
    pages = [page for page in every_page() if page not in EXCEPT]
    files = [*pages, *(ROOT / "src" / "troth").rglob("*.py")]
    text = "\n".join(file.read_text() for file in files)
    assert sorted(set(_words()) - set(_used(_words(), text))) == []


def test_words_are_listed_once() -> None:
    assert len(set(_words() + _banned())) == len(_words() + _banned())


def test_version_hash_and_algorithm_version_hash_are_one_thing() -> None:
    (meaning,) = [row[1] for row in tables(PAGE)[0] if row[0] == "version hash"]
    assert "the same thing as the algorithm version hash (ALG-23)" in meaning


@pytest.mark.parametrize("page", [page for page in every_page() if page not in EXCEPT], ids=lambda page: page.stem)
def test_page_uses_no_banned_word(page: Path) -> None:
    assert _used(_banned(), page.read_text()) == []


def test_help_uses_no_banned_word() -> None:
    assert _used(_banned(), cli_page()) == []
