"""The unmodified Node client with data."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.node import module
from tests.data.conftest import User

STORY = Path(__file__).parent / "scripts" / "node_story.js"


@pytest.mark.digest("1.3 node", "10.5 marker", "10.2 missing")
def test_everything_that_the_node_client_does_with_data(make_user: Callable[..., User]) -> None:
    user = make_user()
    command = ["node", str(STORY), str(module()), user.server.address]
    surroundings = {"PATH": os.environ["PATH"], "NODE_NO_WARNINGS": "1", "ALGORITHMIA_API_KEY": user.key}
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["missing"], found["made"]) == (False, {"result": "data://.my/node_story"})
    assert "there is a directory" in found["twice"]
    assert found["put"] == {"result": "data://.my/node_story/bytes"}
    assert (found["bytes"], found["text"], found["value"]) == ([0, 255, 10], "snow \N{SNOWMAN}", {"a": [1, None]})
    assert "there is no data://.my/node_story/nothing" in found["nothing"]
    assert found["exists"] == [True, False]
    assert (found["files"], found["dirs"]) == (["bytes", "text", "value"], ["node_story"])
    assert (found["refused"]["deleted"], "not empty" in found["refused"]["message"]) == (0, True)
    assert (found["deleted"], found["forced"]) == ({"result": {"deleted": 1}}, {"result": {"deleted": 3}})
