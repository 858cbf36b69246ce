"""The page on the architecture names what there is."""

from __future__ import annotations

import re
import tomllib
from importlib import import_module

from docs.generate import FOLDER
from tests.docs.pages import ROOT, blocks

PAGE = FOLDER / "architecture.md"


def test_floors_are_those_of_the_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    assert "\n".join(layers) + "\n" in blocks(PAGE, "text")


def test_every_name_exists() -> None:
    named = set(re.findall(r"`(troth(?:\.\w+)+)`", PAGE.read_text())) - {"troth.toml"}
    assert len(named) > 30
    assert sorted(name for name in named if not _exists(name)) == []


def _exists(name: str) -> bool:
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        return _has(found, parts[length:])
    return False


def _has(found: object, parts: list[str]) -> bool:
    for part in parts:
        if not hasattr(found, part):
            return False
        found = getattr(found, part)
    return True
