"""The reference pages are what the code says today, and leave nothing out."""

from __future__ import annotations

import pytest

from docs.generate import FOLDER, page, pages
from troth.commands.formats import shipped
from troth.doors.cli.main import app
from troth.errors import BY_CODE
from troth.settings import documentation
from troth.versions.clauses import policy


@pytest.mark.parametrize("name", sorted(pages()))
def test_page_is_up_to_date(name: str) -> None:
    assert (FOLDER / name).read_text() == page(name), "run: .venv/bin/python -m docs.generate"


def test_every_clause_has_a_section() -> None:
    assert _missing("clauses.md", [f"\n### {clause}\n" for clause in policy().clauses]) == []


def test_every_setting_has_a_row() -> None:
    assert all(doc for _, _, doc in documentation())
    assert _missing("settings.md", [f"| `{name}` | `TROTH_{name.upper()}` |" for name, _, _ in documentation()]) == []


def test_every_error_has_a_row_and_a_sentence_of_its_own() -> None:
    assert _missing("errors.md", [f"| `{code}` |" for code in BY_CODE]) == []
    sentences = [(kind.__doc__ or "").splitlines()[0] for kind in BY_CODE.values()]
    assert len(set(sentences)) == len(sentences)


def test_every_version_of_every_command_has_a_section() -> None:
    listed = [(name, version) for name, versions in shipped().schemas.items() for version in versions]
    assert _missing("commands.md", [f"\n## {name}, version {version}\n" for name, version in listed]) == []


def test_every_verb_has_a_section_and_a_sentence() -> None:
    verbs = [name for name in app if not name.startswith("-")]
    assert _missing("cli.md", [f"\n## troth {verb}\n" for verb in verbs]) == []
    assert all(app[verb].help for verb in verbs)


def _missing(page: str, wanted: list[str]) -> list[str]:
    text = (FOLDER / page).read_text()
    return [one for one in wanted if one not in text]
