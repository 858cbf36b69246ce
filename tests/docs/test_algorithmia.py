"""The page for users of Algorithmia's clients: its example with the client of PyPI, and its table of endpoints."""

from __future__ import annotations

import json
import re

from docs.generate import FOLDER
from tests.clients.node import PACKAGE
from tests.clients.python import REQUIREMENTS, interpreter
from tests.docs.pages import blocks, files, tables
from tests.docs.terminal import Terminal
from tests.server import RunningServer
from troth.doors.server.application import v1_rows

PAGE = FOLDER / "api" / "algorithmia.md"
_STATES = re.compile(r"works|troth's own|refused, \d{4}")
#: What does not come from rows.
_OTHERS = {
    "`POST /v1/algo/OWNER/NAME`",
    "`GET, HEAD, POST, PUT, PATCH, DELETE /v1/data/PATH`",
    "`GET /v1/hostedData`",
    "`/git/OWNER/NAME.git`",
}


def test_example(terminal: Terminal) -> None:
    terminal.write("greeter.py", files(PAGE)["greeter.py"])
    terminal.start("troth up --owner ada")
    surroundings = "ALGORITHMIA_API=http://127.0.0.1:8710 ALGORITHMIA_API_KEY=$(cat .local/share/troth/owner.key)"
    printed = terminal.ask(f"{surroundings} {interpreter()} greeter.py")
    assert printed + "\n" == blocks(PAGE, "text")[0]


def test_versions_of_the_clients() -> None:
    assert "algorithmia==2.0.5" in REQUIREMENTS.read_text()
    assert "`algorithmia` 2.0.5" in PAGE.read_text()
    assert json.loads((PACKAGE / "package.json").read_text())["dependencies"] == {"algorithmia": "0.3.10"}
    assert "`algorithmia` 0.3.10" in PAGE.read_text()


def test_every_endpoint_is_listed_with_its_state(server: RunningServer) -> None:
    served = {f"`{row.method} {_named(row.path)}`" for row in v1_rows(server.server)}
    table = tables(PAGE)[0]
    assert sorted(row[0] for row in table) == sorted(served | _OTHERS)
    for row in table:
        assert _STATES.fullmatch(row[1]), row


def _named(path: str) -> str:
    path = path.replace("{algorithm:algorithm}", "OWNER/NAME")
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: found[1].upper(), path)
