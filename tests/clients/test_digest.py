"""Each item that clients need of Algorithmia's protocol is covered by a test that names it (digest.toml)."""

from __future__ import annotations

import ast
import tomllib
from collections import defaultdict
from pathlib import Path

FOLDER = Path(__file__).parents[1]
ITEMS = [
    f"{section} {name}"
    for section, items in tomllib.loads((Path(__file__).parent / "digest.toml").read_text()).items()
    for name in items
]
#: items that one test names at most: one that names many covers none of them well
_MOST = 12


def _marked() -> dict[str, list[str]]:
    """The tests of each item: those with a mark of it."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(FOLDER.rglob("test_*.py")):
        text = path.read_text()
        if "mark.digest(" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for item in _items(node):
                    found[item].append(f"{path.relative_to(FOLDER)}::{node.name}")
    return found


def _items(test: ast.FunctionDef) -> list[str]:
    """The items that the marks of a test name."""
    found = []
    for mark in test.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.digest":
            found += [ast.literal_eval(argument) for argument in mark.args]
    return found


def test_every_item_has_its_tests() -> None:
    marked = _marked()
    assert [item for item in ITEMS if not marked[item]] == []
    assert {item: marked[item] for item in set(marked) - set(ITEMS)} == {}


def test_the_page_says_how_many_there_are() -> None:
    page = (FOLDER.parent / "docs" / "api" / "algorithmia.md").read_text()
    assert f"lists the {len(ITEMS)} things" in page


def test_no_test_names_more_than_it_covers() -> None:
    counts: dict[str, int] = defaultdict(int)
    for tests in _marked().values():
        for test in tests:
            counts[test] += 1
    assert {test: count for test, count in counts.items() if count > _MOST} == {}
