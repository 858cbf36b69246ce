"""Each item that clients need of Algorithmia's protocol is covered by a test that names its section (digest.toml)."""

from __future__ import annotations

import ast
import tomllib
from collections import defaultdict
from pathlib import Path

FOLDER = Path(__file__).parents[1]
ITEMS: dict[str, str] = tomllib.loads((Path(__file__).parent / "digest.toml").read_text())


def _marked() -> dict[str, list[str]]:
    """The tests of each section: those with a mark of it."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(FOLDER.rglob("test_*.py")):
        text = path.read_text()
        if "mark.digest(" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for section in _sections(node):
                    found[section].append(f"{path.name}::{node.name}")
    return found


def _sections(test: ast.FunctionDef) -> list[str]:
    """The sections that the marks of a test name."""
    found = []
    for mark in test.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.digest":
            found += [argument.value for argument in mark.args if isinstance(argument, ast.Constant)]
    return [str(section) for section in found]


def test_every_item_has_its_tests() -> None:
    marked = _marked()
    assert [section for section in ITEMS if not marked[section]] == []
    assert sorted(set(marked) - set(ITEMS)) == []


def test_a_section_is_named_by_tests_of_its_own() -> None:
    """A test that names many sections at once would cover none of them well."""
    counts: dict[str, int] = defaultdict(int)
    for tests in _marked().values():
        for test in tests:
            counts[test] += 1
    assert {test: count for test, count in counts.items() if count > 7} == {}
