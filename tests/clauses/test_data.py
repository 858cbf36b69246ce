"""The data that versions read: it may change under them, and they say so (ALG-04a)."""

from __future__ import annotations

import json
from pathlib import Path

import httpx2
import pytest

from tests.server import RunningServer, write_project
from tests.within.author import publish

READS = """
import Algorithmia

def apply(input):
    return Algorithmia.file(input).getString()
"""


@pytest.mark.clause("ALG-04a")
def test_data_may_change_between_two_calls_of_a_version_which_says_so(server: RunningServer, tmp_path: Path) -> None:
    name, client = server.account("author")
    headers = {"Authorization": server.keys[name]}
    httpx2.post(f"{server.address}/v1/data/{name}", json={"name": "words"}, headers=headers).raise_for_status()
    reference, path = publish(server, tmp_path, READS, owner=name), f"{name}/words/greeting"
    answers = []
    for word in ("hello", "good morning"):
        put = httpx2.put(f"{server.address}/v1/data/{path}", content=word.encode(), headers=headers)
        assert put.json() == {"result": f"data://{path}"}
        answer = client.call(f"{reference}/0.1.0", f"data://{path}")
        answers.append((answer.result, answer.receipt["version"]))
    assert answers == [("hello", "0.1.0"), ("good morning", "0.1.0")]
    (version,) = client.versions(reference)["versions"]
    assert (version["immutable"], version["data"]) == ("source", "not guaranteed")


@pytest.mark.clause("ALG-04a")
def test_a_build_says_which_data_is_pinned(server: RunningServer, tmp_path: Path) -> None:
    name, client = server.account("author")
    files = [{"name": one, "source_uri": f"data://{name}/x/{one}"} for one in ("weights", "words")]
    files[0]["md5_checksum"] = "5d41402abc4b2a76b9719d911017c592"
    manifest = json.dumps({"required_files": files, "optional_files": []}).encode()
    logs = []
    for file in ("model_manifest.json", "model_manifest.json.freeze"):
        project = write_project(tmp_path / file, name, server.new_name("algo"), files={file: manifest})
        logs.append(client.compile(project)["log"])
    assert logs[0].count("is not pinned, so it may change under this version (ALG-04a)") == 2
    assert "data: weights is pinned to MD5 5d41402abc4b2a76b9719d911017c592" in logs[1]
    assert "data: words is not pinned" in logs[1]
