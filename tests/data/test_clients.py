"""The unmodified Python client and its `algo` command with data."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.clients.python import interpreter
from tests.data.conftest import User

SCRIPTS = Path(__file__).parent / "scripts"


def told(user: User, folder: Path, other: str) -> dict[str, Any]:
    """What came of the script's steps, for this user."""
    surroundings = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "TMPDIR": str(folder),
        "ALGORITHMIA_API": user.server.address,
        "ALGORITHMIA_API_KEY": user.key,
        "no_proxy": "127.0.0.1",
    }
    command = [str(interpreter()), str(SCRIPTS / "python_story.py"), str(folder), other]
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_everything_that_the_python_client_does_with_data(make_user: Callable[..., User], tmp_path: Path) -> None:
    user, other = make_user(), make_user("other")
    for name, acl in (("shown", ["user://*"]), ("hidden", [])):
        other.ask("POST", ".my", json={"name": name, "acl": {"read": acl}})
        other.put(f".my/{name}/file", b"theirs")
    found = told(user, tmp_path, other.name)
    assert found["username"] == user.name
    assert found["missing"] == [False, False]
    assert "there is no data://.my/story/x" in found["put into nothing"]
    assert "409" in found["made twice"]  # its words do not survive the client
    assert found["acl"] == ["private", "public", "my_algos"]
    assert found["text"] == [True, "snow \N{SNOWMAN}"]
    assert (found["number"], found["value"], found["bytes"]) == (42, {"a": [1, None]}, True)
    assert (found["large"], found["empty"]) == (True, True)
    assert found["files"] == sorted(["text \N{SNOWMAN}.txt", "number", "value", "bytes", "large", "empty"])
    assert found["sizes"] == {"bytes": 256, "large": 3_000_000}
    assert found["dirs"] == ["story"]
    assert "is not empty" in found["not empty"]
    assert f"there is no data://{user.name}/story/bytes" in found["deleted twice"]
    read, hidden, *refused = found["others"]
    assert (read, hidden) == ("theirs", False)
    assert f"there is no data://{other.name}/hidden/file" in refused[0]
    assert all(f"you may not change data://{other.name}/shown" in words for words in refused[1:])
    assert found["frozen"]["required_files"][0]["md5_checksum"] == hashlib.md5(b"weights").hexdigest()
    assert (found["deleted"], found["gone"]) == (True, False)
    commands = found["commands"]
    assert (commands["copied"], commands["gone"]) == ("a note", True)
    assert "note.txt" in str(commands["listed"])
    assert "a note" in str(commands["read"])
