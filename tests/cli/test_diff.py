"""`troth diff`: two versions side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.author import Author, author_of
from tests.server import RunningServer, write_project

CODE = "def apply(input):\n    return {}\n"
CONTRACT = {"input": "input.json", "output": "output.json", "examples": "examples.json"}


def files(given: Any, answer: Any) -> dict[str, bytes]:
    """What the contract names."""
    examples = [{"input": 3, "output": answer}]
    documents = {"input.json": {"type": given}, "output.json": {"type": "integer"}, "examples.json": examples}
    return {name: json.dumps(value).encode() for name, value in documents.items()}


@pytest.fixture
def author(server: RunningServer, tmp_path: Path) -> Author:
    """A new account with a home."""
    return author_of(server, tmp_path / "home")


def test_contract_permissions_dependencies_and_answers_are_told(author: Author) -> None:
    algorithm, folder = author.project(code=CODE.format("input * 2"), files=files("integer", 6), contract=CONTRACT)
    author.answered("publish", "--minor", str(folder))
    write_project(
        folder,
        author.name,
        folder.name,
        CODE.format("input * 2 + 1"),
        files=files(["integer", "null"], 7),
        contract=CONTRACT,
        permissions={"visibility": "public"},
        dependencies=["six"],
    )
    author.answered("publish", "--major", "--confirm-permissions", str(folder))
    told = author.answered("diff", f"{algorithm}/0.1.0", f"{algorithm}/1.0.0")
    assert [one["rule"] for one in told["contract"]] == ["input-type-widened"]
    assert told["permissions"] == {"visibility": {"old": "private", "new": "public"}}
    assert told["source"] == {"same": False}
    assert told["dependencies"]["same"] is False
    assert told["dependencies"]["changed"]["six"]["old"] is None
    (example,) = told["examples"]
    assert (example["old"]["answer"], example["new"]["answer"], example["same"]) == (6, 7, False)
    lines = author.troth("diff", f"{algorithm}/0.1.0", f"{algorithm}/1.0.0").stdout.splitlines()
    assert "permissions: visibility private -> public" in lines
    assert "example 3: another answer" in lines
    same = author.answered("diff", f"{algorithm}/0.1.0", f"{algorithm}/0.1.0", "--examples", "0")
    assert (same["contract"], same["permissions"], same["examples"]) == ([], {}, [])
    assert same["source"] == {"same": True}


def test_a_version_that_is_not_there_is_not_found(author: Author) -> None:
    author.answered("diff", "nobody/nothing/1.0.0", "nobody/nothing/1.0.1", code=4)
