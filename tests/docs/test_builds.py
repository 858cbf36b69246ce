"""The page on builds says what an environment is made of and what is passed to uv."""

from __future__ import annotations

import json

from docs.generate import FOLDER
from tests.docs.pages import blocks
from troth.builds import uv
from troth.builds.environment_document import EnvironmentDocument, Pin
from troth.builds.logs import LARGEST_LOG

PAGE = FOLDER / "builds.md"


def test_document_of_an_environment() -> None:
    (shown,) = blocks(PAGE, "json")
    found = EnvironmentDocument.from_bytes(shown.encode())
    assert json.loads(found.to_bytes()) == json.loads(shown)
    assert [str(pin) for pin in found.requirements] == ["six==1.17.0"]
    assert set(json.loads(EnvironmentDocument.here([Pin("a", "1", ())]).to_bytes())) == set(json.loads(shown))


def test_every_variable_of_an_index_is_named() -> None:
    assert sorted(name for name in uv._INDEXES if f"`{name}`" not in PAGE.read_text()) == []


def test_largest_log() -> None:
    assert f"{LARGEST_LOG // 1024} Ki characters" in PAGE.read_text()
