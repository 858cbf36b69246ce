"""The pages on the gateway and the middleware do what they say."""

from __future__ import annotations

import json

import pytest

from docs.generate import FOLDER
from tests.docs.pages import session, tables
from tests.docs.terminal import Terminal
from troth.versions.lifecycles.headers import headers_of, prefix_address
from troth.versions.lifecycles.states import State
from troth.versions.lifecycles.table import ApiVersion, Brownout, StateTable

GATEWAY, MIDDLEWARE = FOLDER / "gateway.md", FOLDER / "middleware.md"


@pytest.mark.parametrize("page", [GATEWAY, MIDDLEWARE], ids=lambda page: page.stem)
def test_the_sessions_run(page: object, terminal: Terminal) -> None:
    terminal.play(page)  # type: ignore[arg-type]


def test_the_table_of_headers_is_whole() -> None:
    version = ApiVersion(1, State.DEPRECATED, None, "8.0.0", "2999-01-31T00:00:00Z", 2, "/docs", "2026-01-01T00:00:00Z")
    brownout = Brownout(1, "2999-01-01T00:00:00Z", "2999-01-01T00:05:00Z")
    said = {name.decode() for name, _ in headers_of(version, prefix_address("/"), (brownout,))}
    assert {row[0].strip("`").lower() for row in tables(GATEWAY)[0]} == said


def test_the_table_that_is_shown_can_be_read() -> None:
    (command,) = [step.command for step in session(MIDDLEWARE) if step.command.startswith("cat > states.json")]
    assert len(StateTable.from_dict(json.loads("\n".join(command.splitlines()[1:-1]))).versions) == 4
