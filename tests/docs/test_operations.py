"""What the page for operators says is done, and what it lists is all there is."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import httpx2

from docs.generate import FOLDER
from tests.docs.pages import blocks
from tests.server import RunningServer, running_server
from troth.observe.metrics import OUTCOMES, Backlog, CallTotals, Faults, Metrics

PAGE = FOLDER / "operations.md"


def test_a_backup_of_a_running_server_is_a_server(tmp_path: Path) -> None:
    (script,) = [block for block in blocks(PAGE, "sh") if "$BACKUP" in block]
    backup = tmp_path / "backup"
    with running_server(tmp_path / "home") as first:
        algorithm, commit = first.build(tmp_path, "owner", first.owner)
        first.owner.publish(algorithm, commit, bump="minor", visibility="public")
        _at(first, "POST", "/v1/data/.my", json={"name": "kept"})
        _at(first, "PUT", "/v1/data/.my/kept/note.txt", content=b"in the backup too")
        entries = list(first.owner.journal())
        surroundings = {**os.environ, "TROTH_HOME": str(first.home), "BACKUP": str(backup)}
        subprocess.run(["sh", "-e", "-c", script], env=surroundings, check=True)
        key = first.owner_key
    with running_server(backup) as second:
        assert second.owner_key == key
        assert second.owner.call(f"{algorithm}/0.1.0", "hello").result == "hello"
        assert _at(second, "GET", "/v1/data/.my/kept/note.txt").content == b"in the backup too"
        assert list(second.owner.journal())[: len(entries)] == entries


def _at(server: RunningServer, method: str, path: str, **given: Any) -> httpx2.Response:
    """What the data API answers the owner."""
    headers = {"Authorization": server.owner_key}
    return httpx2.request(method, server.address + path, headers=headers, timeout=60, **given).raise_for_status()


def test_every_metric_and_outcome_is_listed() -> None:
    text = PAGE.read_text()
    metrics = Metrics(CallTotals(), Faults(), list, lambda: Backlog(0, 0, 0))
    names = {line.split()[2] for line in metrics.render().decode().splitlines() if line.startswith("# TYPE")}
    assert [name for name in (*names, *OUTCOMES) if f"`{name}`" not in text] == []
