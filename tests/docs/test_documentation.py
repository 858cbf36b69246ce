"""The page on documentation of releases says what the server does."""

from __future__ import annotations

import tomllib

from docs.generate import FOLDER
from tests.docs.pages import blocks
from tests.docs.terminal import Terminal
from troth.contracts.product import parse_product
from troth.doors.sites.door import POLICY
from troth.sites import entries, making, store

PAGE = FOLDER / "documentation.md"


def test_the_session_runs(terminal: Terminal) -> None:
    terminal.play(PAGE)


def test_the_bounds_are_those_of_the_code() -> None:
    text = " ".join(PAGE.read_text().split())
    said = f"more than {entries.MOST_FILES:,} files, {entries.MOST_BYTES >> 30} GiB, or {entries._MOST_GROWTH} times"
    assert said in text
    assert f"a page of more than {making._LARGEST_PAGE >> 20} MiB" in text
    assert f"{making.MEMORY >> 20} MiB of memory or {store._SECONDS / 60:.0f} minutes" in text


def test_the_declaration_that_is_shown_can_be_read() -> None:
    (shown,) = blocks(PAGE, "toml")
    assert tomllib.loads(shown)
    product = parse_product(f'[product]\nowner = "ada"\nname = "shop"\n{shown}'.encode())
    assert product.documentation_retired == ("api/v1",)


def test_what_pages_may_not_do_is_not_allowed() -> None:
    assert {"allow-same-origin", "allow-top-navigation"}.isdisjoint(POLICY.split())


def test_the_page_is_on_the_site() -> None:
    assert '"documentation.md"' in (FOLDER.parent / "zensical.toml").read_text()
