"""APIs of accounts on the server, moved by the command line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.server import RunningServer
from troth.doors.cli.main import execute
from troth.sdk import Client


@dataclass
class Keeper:
    """Who keeps an API on the server."""

    server: RunningServer
    owner: str
    client: Client
    api: str
    folder: Path
    capture: pytest.CaptureFixture[str]

    def troth(self, *tokens: str) -> tuple[int, str, str]:
        """Exit code of a command against the server, and what it printed on both channels."""
        key = self.folder / "key"
        key.write_text(self.client.key)
        self.capture.readouterr()
        code = execute([*tokens, "--server", self.server.address, "--key-file", str(key)])
        said = self.capture.readouterr()
        return code, said.out, said.err

    def asked(self, verb: str, *tokens: str) -> tuple[int, dict[str, Any]]:
        """Exit code of `troth api VERB OWNER/API ...`, and its answer or its error."""
        code, out, err = self.troth("api", verb, self.api, *tokens, "--json")
        assert out, err
        found: dict[str, Any] = json.loads(out)
        return code, found

    def made(self, verb: str, *tokens: str) -> dict[str, Any]:
        """The answer to a move that is legal."""
        code, found = self.asked(verb, *tokens)
        assert code == 0, found
        return found

    def states(self) -> dict[str, str]:
        """The state of each version."""
        return {f"v{one['number']}": one["state"] for one in self.client.api_states(self.api)["versions"]}


@pytest.fixture
def keeper(server: RunningServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Keeper:
    """An API without a version; everybody may know of it."""
    owner, client = server.account("ada")
    found = Keeper(server, owner, client, f"{owner}/{server.new_name('nodes')}", tmp_path, capsys)
    found.made("create", "--public")
    return found
