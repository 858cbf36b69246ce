"""The page for users of Algorithmia's clients: its example with the client of PyPI, and its table of operations."""

from __future__ import annotations

from typing import Any, cast

from docs.generate import FOLDER
from tests.clients.python import REQUIREMENTS, interpreter
from tests.docs.pages import blocks, files, tables
from tests.docs.terminal import Terminal
from troth.doors.algorithmia.management import ManagementApi

PAGE = FOLDER / "algorithmia.md"
_WORDS = {"{algorithm:algorithm}": "OWNER/NAME"} | {f"{{{name}}}": name.upper() for name in
          ("owner", "version", "build", "language")}  # fmt: skip


def test_example(terminal: Terminal) -> None:
    terminal.write("greeter.py", files(PAGE)["greeter.py"])
    terminal.start("troth up --owner ada")
    surroundings = "ALGORITHMIA_API=http://127.0.0.1:8710 ALGORITHMIA_API_KEY=$(cat .local/share/troth/owner.key)"
    printed = terminal.ask(f"{surroundings} {interpreter()} greeter.py")
    assert printed + "\n" == blocks(PAGE, "text")[0]


def test_version_of_the_client() -> None:
    assert "algorithmia==2.0.5" in REQUIREMENTS.read_text()
    assert "`algorithmia` 2.0.5" in PAGE.read_text()


def test_every_operation_is_listed() -> None:
    rows = ManagementApi(cast(Any, None), cast(Any, None)).rows()
    served = [f"`{row.method} {_named(row.path)}`" for row in rows]
    listed = [row[0] for row in tables(PAGE)[0]]
    assert sorted(listed) == sorted([*served, "`POST /v1/algo/OWNER/NAME`", "`/git/OWNER/NAME.git`"])


def _named(path: str) -> str:
    for name, word in _WORDS.items():
        path = path.replace(name, word)
    return path
