"""Every page can be reached, and every link leads somewhere."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from docs.generate import FOLDER
from tests.docs.pages import ROOT, every_page, prose


@pytest.mark.parametrize("page", every_page(), ids=lambda page: page.stem)
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", prose(page))
    outside = [link for link in links if not link.startswith("https://") and not (page.parent / link).is_file()]
    assert outside == []


def test_site_lists_every_page_once() -> None:
    nav = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]["nav"]
    listed = list(_files(nav))
    pages = sorted(page.relative_to(FOLDER).as_posix() for page in FOLDER.rglob("*.md"))
    assert [page for page in pages if listed.count(page) != 1] == []


def test_every_decision_is_in_the_index() -> None:
    folder = FOLDER / "decisions"
    index = (folder / "index.md").read_text()
    for page in sorted(folder.glob("0*.md")):
        title = page.read_text().splitlines()[0].removeprefix("# ")
        assert f"- [{title}]({page.name})" in index
        assert re.findall(r"^## (.*)$", page.read_text(), re.MULTILINE) == ["Context", "Choice", "Cost"]


def test_change_notes_are_named_by_issue_and_kind() -> None:
    names = [page.name for page in (ROOT / "changes").glob("*") if page.name != "README.md"]
    assert [name for name in names if not re.fullmatch(r"\d+\.(feature|fix|doc|security)\.md", name)] == []


def _files(nav: Any) -> Iterator[str]:
    for entry in nav if isinstance(nav, list) else nav.values():
        if isinstance(entry, str):
            yield entry
        else:
            yield from _files(entry)
