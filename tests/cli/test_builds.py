"""Builds as their authors see them, and what operators clear away."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.author import Author, author_of
from tests.server import RunningServer, running_server
from troth.errors import NotFound
from troth.sdk import Client

#: builds for so long that a command can be started meanwhile on a machine that is busy
SLOW = "import time\nfor step in range(3):\n    print('step', step, flush=True)\n    time.sleep(3)\n\ndef apply(input):\n    return input\n"


@pytest.fixture
def author(server: RunningServer, tmp_path: Path) -> Author:
    """A new account with a home."""
    return author_of(server, tmp_path / "home")


def compiled(author: Author, folder: Path) -> dict[str, Any]:
    """The build of a folder, which must succeed."""
    built: dict[str, Any] = author.answered("compile", str(folder))
    return built


def test_builds_are_listed_newest_first(author: Author) -> None:
    algorithm, folder = author.project(dependencies=["six"])
    first = compiled(author, folder)["hash"]
    (folder / "more").write_text("more")
    (folder / "src" / f"{folder.name}.py").write_text("raise ValueError\n")
    second = author.answered("compile", str(folder), code=1)["asked"]
    rows = author.answered("build", "list", algorithm)["builds"]
    assert [(row["hash"], row["status"]) for row in rows] == [(second, "failed"), (first, "succeeded")]
    heading, columns, failed, succeeded = author.troth("build", "list", algorithm).stdout.splitlines()
    assert (heading.strip(), columns.split()) == (algorithm, ["hash", "status", "started", "took", "packages"])
    assert failed.split()[:2] == [second[:12], "failed"]
    assert succeeded.split()[:2] + succeeded.split()[-2:] == [first[:12], "succeeded", "s", "1"]


def test_a_log_is_found_by_name_hash_beginning_and_version(author: Author) -> None:
    algorithm, folder = author.project(permissions={"visibility": "public"})
    commit = author.answered("publish", "--minor", str(folder))["hash"]
    log = author.client.build_log(algorithm, commit)["log"]
    assert "the build succeeded" in log
    for reference in ("", f"/{commit}", f"/{commit.upper()}", f"/{commit[:12]}", "/0.1.0", "/0.1", "/latest"):
        done = author.troth("build", "log", algorithm + reference)
        assert (done.returncode, done.stdout) == (0, log), reference
    assert f"build {commit[:12]} of {algorithm}: succeeded" in done.stderr
    found = author.answered("build", "log", f"algo://{algorithm}")
    assert found == {"algorithm": algorithm, "hash": commit, "status": "succeeded", "log": log}


@pytest.mark.parametrize(
    ("rest", "code", "said"),
    [
        ("/" + "0" * 40, 4, "there is no build"),
        ("/0000000", 4, "no build of"),
        ("/9.9.9", 4, "9.9.9"),
        ("/nonsense", 2, "nonsense"),
    ],
)
def test_a_build_that_is_not_there_is_not_found(author: Author, rest: str, code: int, said: str) -> None:
    algorithm, folder = author.project()
    compiled(author, folder)
    done = author.troth("build", "log", algorithm + rest)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr


def test_an_algorithm_that_was_never_built_has_no_log(author: Author) -> None:
    author.client.command("create_algorithm", algorithm=f"{author.name}/empty")
    done = author.troth("build", "log", f"{author.name}/empty")
    assert (done.returncode, "was never built" in done.stderr) == (4, True)
    assert author.troth("build", "log", f"{author.name}/nothing").returncode == 4
    assert author.troth("build", "log", author.name).returncode == 2


def test_a_failed_build_is_exit_code_one(author: Author) -> None:
    algorithm, folder = author.project(code="raise ValueError('broken')\n")
    author.answered("compile", str(folder), code=1)
    done = author.troth("build", "log", algorithm)
    assert (done.returncode, "ValueError: broken" in done.stdout) == (1, True)
    assert author.answered("build", "log", algorithm, code=1)["status"] == "failed"


def test_a_log_is_followed_until_the_build_ends(author: Author) -> None:
    algorithm, folder = author.project(code=SLOW)
    building = author.start("compile", str(folder))
    deadline = time.monotonic() + 30
    while not _begun(author.client, algorithm):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    early = author.answered("build", "log", algorithm)
    assert early["status"] == "in-progress"
    following = author.start("build", "log", "-f", algorithm)
    assert following.stdout is not None
    lines = []
    for line in following.stdout:
        lines.append(line.rstrip("\n"))
        if lines[-1] == "building" or len(lines) == 2:
            assert building.poll() is None  # the log is there before its end
    following.communicate()
    assert following.returncode == 0
    assert {"step 0", "step 2"} <= set(lines)
    assert lines[-1].startswith("the build succeeded")
    assert building.wait(60) == 0
    building.communicate()
    assert "\n".join(lines) + "\n" == author.troth("build", "log", algorithm).stdout


def _begun(client: Client, algorithm: str) -> bool:
    try:
        return bool(client.builds(algorithm)["builds"])
    except NotFound:
        return False


def test_what_a_build_is_made_of_is_a_cyclonedx_document(author: Author) -> None:
    algorithm, folder = author.project(dependencies=["six"])
    built = compiled(author, folder)
    printed = author.troth("build", "sbom", algorithm)
    assert printed.returncode == 0, printed.stderr
    bill = json.loads(printed.stdout)
    assert bill["bomFormat"] == "CycloneDX"
    assert [component["name"] for component in bill["components"] if component["name"] == "six"] == ["six"]
    done = author.troth("build", "sbom", f"{algorithm}/{built['hash'][:10]}", "-o", "bill.json")
    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads((author.home / "bill.json").read_text())["components"] == bill["components"]
    assert author.answered("build", "sbom", algorithm, "-o", "bill.json")["path"] == "bill.json"
    refused = author.troth("build", "sbom", algorithm, "-o", "no/where.json")
    assert (refused.returncode, "cannot be written" in refused.stderr) == (2, True)


def test_a_rebuild_compares(author: Author) -> None:
    algorithm, folder = author.project(dependencies=["six"])
    built = compiled(author, folder)
    done = author.troth("rebuild", "--verify", algorithm)
    assert done.returncode == 0, done.stderr
    assert f"{algorithm}/{built['hash']}: the same comes out" in done.stdout
    assert done.stdout.count("  same") == 2
    found = author.answered("rebuild", "--verify", f"{algorithm}/{built['hash']}")
    assert (found["same"], found["source"]["rebuilt"]) == (True, built["source"])


def test_a_rebuild_that_differs_is_exit_code_one(author: Author, monkeypatch: pytest.MonkeyPatch) -> None:
    algorithm, folder = author.project()
    compiled(author, folder)
    monkeypatch.setattr(author.server.server.environments, "rebuild", lambda digest: "0" * 64)
    done = author.troth("rebuild", "--verify", algorithm)
    assert done.returncode == 1
    assert "something else comes out" in done.stdout
    assert f"{'0' * 64}  rebuilt" in done.stdout
    assert author.answered("rebuild", "--verify", algorithm, code=1)["same"] is False


def test_nothing_is_rebuilt_in_its_place(author: Author) -> None:
    done = author.troth("rebuild", "ada/hello")
    assert done.returncode == 2
    assert "troth rebuild --verify ada/hello" in done.stderr


def test_what_no_build_needs_is_listed_and_then_removed(tmp_path: Path) -> None:
    with running_server(tmp_path / "server") as server:
        author = author_of(server, tmp_path / "home")
        assert author.troth("collect", TROTH_KEY=server.owner_key).stdout == "0 not needed, 0 bytes\n"
        _, needed = author.project()
        kept = compiled(author, needed)["source"]
        unneeded = _uploaded_and_forgotten(author, server)
        done = author.troth("collect", TROTH_KEY=server.owner_key)
        assert "source" in done.stdout
        assert unneeded in done.stdout
        assert kept not in done.stdout
        assert "1 not needed, " in done.stdout
        assert "nothing was removed; troth collect --yes removes it" in done.stderr
        assert server.server.trees.has(unneeded)
        found = author.answered("collect", TROTH_KEY=server.owner_key)
        assert [thing["id"] for thing in found["things"]] == [unneeded]
        assert found["removed"] == []
        removed = author.troth("collect", "--yes", TROTH_KEY=server.owner_key)
        assert unneeded in removed.stdout
        assert "1 removed, " in removed.stdout
        assert (server.server.trees.has(unneeded), server.server.trees.has(kept)) == (False, True)
        again = author.answered("collect", "--yes", TROTH_KEY=server.owner_key)
        assert again == {"things": [], "removed": [], "bytes": 0}


def _uploaded_and_forgotten(author: Author, server: RunningServer) -> str:
    """The digest of a source that was uploaded long ago and never built."""
    from troth.sdk.folder import read_source

    _, folder = author.project()
    manifest, archive = read_source(folder)
    author.client._json("PUT", f"/api/v1/sources/{manifest.digest}", content=archive)
    path = server.server.trees.path(manifest.digest)
    os.utime(path, (time.time() - 90_000,) * 2)
    return manifest.digest


def test_only_administrators_clear_away(author: Author) -> None:
    done = author.troth("collect")
    assert (done.returncode, "may not" in done.stderr) == (3, True)
