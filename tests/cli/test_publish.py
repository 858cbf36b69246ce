"""`troth publish`: the number that is proposed, what a refusal shows, and what has to be confirmed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.author import Author, author_of
from tests.server import RunningServer

TYPED = "from typing import Literal\n\ndef apply(input: Literal{values}) -> str:\n    return 'x'\n"


@pytest.fixture
def author(server: RunningServer, tmp_path: Path) -> Author:
    """A new account with a home."""
    return author_of(server, tmp_path / "home")


def write(folder: Path, values: list[str]) -> None:
    """Makes the algorithm take just these values."""
    (folder / "src" / f"{folder.name}.py").write_text(TYPED.format(values=values))


def test_a_terminal_is_asked_and_the_answer_holds(author: Author) -> None:
    algorithm, folder = author.project()
    write(folder, ["a"])
    assert author.answered("publish", "--least", str(folder))["version"] == "0.1.0"
    write(folder, ["a", "b"])
    code, printed, shown = author.on_terminal("publish", str(folder), typed="n\n")
    assert (code, printed) == (2, "")
    assert "0.2.0 is allowed; interface described" in shown
    assert "beside 0.1.0: input" in shown
    assert "input-values-widened, minor" in shown
    assert author.client.versions(algorithm)["versions"][0]["version"] == "0.1.0"
    code, printed, shown = author.on_terminal("publish", str(folder), typed="y\n")
    assert code == 0, shown
    assert printed.startswith(f"{algorithm}/0.2.0 published")


def test_a_refusal_shows_what_broke(author: Author) -> None:
    _, folder = author.project()
    write(folder, ["a", "b"])
    author.answered("publish", "--minor", str(folder))
    write(folder, ["a"])
    done = author.troth("publish", "--revision", str(folder))
    assert done.returncode == 3
    for part in (
        "is refused",
        "input-values-narrowed; 0.1.0",
        'was  {"enum": ["a", "b"]}',
        'e.g. "b"',
        "ALG-09",
        "publish as 1.0.0",
    ):
        assert part in done.stderr
    problem = author.answered("publish", "--minor", str(folder), code=3)
    assert problem["verdict"]["contradicted"][0]["differences"][0]["witness"] == "b"


def test_a_change_of_permissions_is_confirmed(author: Author) -> None:
    _, folder = author.project()
    author.answered("publish", "--minor", "--public", str(folder))
    done = author.troth("publish", "--major", str(folder))
    assert done.returncode == 3
    assert "visibility public -> private" in done.stderr
    assert "--confirm-permissions" in done.stderr
    assert author.answered("publish", "--major", "--confirm-permissions", str(folder))["version"] == "1.0.0"


def test_who_cannot_be_asked_is_told(author: Author) -> None:
    _, folder = author.project()
    done = author.troth("publish", str(folder), given="")
    assert done.returncode == 2
    assert "--least" in done.stderr
