"""`troth check` on a project's folder: beside what git has of it without a server, and beside published versions."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.author import Author, author_of, plain_git
from tests.server import RunningServer, write_project
from troth.doors.cli.main import execute
from troth.errors import NotFound

TEXT: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
STRICTER = {**TEXT, "required": ["a"]}
WIDER = {**TEXT, "properties": {**TEXT["properties"], "b": {"type": "string"}}}
CONTRACT = {"input": "schemas/input.json", "output": "schemas/output.json"}
HINTED = "def apply(input: {}) -> str:\n    return str(input)\n"


def files(given: Any = TEXT) -> dict[str, bytes]:
    """The schemas of a project."""
    return {"schemas/input.json": json.dumps(given).encode(), "schemas/output.json": b'{"type": "string"}'}


def commit(folder: Path, message: str = "as it is") -> None:
    """Commits the folder to its repository."""
    plain_git(folder, "add", "--all")
    plain_git(
        folder, "-c", "user.name=ada", "-c", "user.email=ada@localhost", "commit", "--quiet", "--message", message
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with schemas in a folder of a repository with one commit, and no server anywhere."""
    monkeypatch.setenv("TROTH_SERVER", "http://127.0.0.1:9")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = write_project(tmp_path / "all" / "hello", "ada", "hello", files=files(), contract=CONTRACT)
    plain_git(tmp_path / "all", "init", "--quiet", "--initial-branch", "main")
    commit(folder)
    monkeypatch.chdir(folder)
    yield folder
    for place, _, _ in os.walk(tmp_path):
        os.chmod(place, 0o755)


Judged = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def judged(capsys: pytest.CaptureFixture[str]) -> Judged:
    """Exit code and verdict of a check."""

    def judged(*tokens: str) -> tuple[int, dict[str, Any]]:
        code = execute(["check", *tokens, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return judged


def test_the_lowest_bump_is_told_where_none_is_asked(folder: Path, judged: Judged) -> None:
    told = []
    for given in (TEXT, WIDER, STRICTER):
        (folder / "schemas/input.json").write_text(json.dumps(given))
        told.append(judged())
    assert [(code, verdict["number"]) for code, verdict in told] == [(0, "a revision"), (0, "a minor"), (0, "a major")]
    assert all(verdict["outcome"] == "allowed" for _, verdict in told)
    assert all(verdict["behaviour"] == "not checked" for _, verdict in told)


@pytest.mark.clause("ALG-05")
@pytest.mark.clause("ALG-07")
def test_a_bump_that_is_too_small_is_refused_with_the_right_one(folder: Path, judged: Judged) -> None:
    (folder / "schemas/input.json").write_text(json.dumps(STRICTER))
    for bump, expected in (("--revision", 3), ("--minor", 3), ("--major", 0)):
        code, verdict = judged(bump)
        assert (code, verdict["least"]) == (expected, "a major")
    _, verdict = judged("--minor", "--against", "main")
    (contradiction,) = verdict["contradicted"]
    assert contradiction["version"] == "main"
    assert contradiction["differences"][0]["rule"] == "input-property-required"
    assert "2000000" not in json.dumps(verdict)


@pytest.mark.clause("ALG-08")
def test_permissions_are_judged_with_the_contract(folder: Path, judged: Judged) -> None:
    write_project(folder, "ada", "hello", contract=CONTRACT, permissions={"network_access": "full"})
    code, verdict = judged("--minor")
    assert (code, verdict["clauses"]) == (3, ["ALG-08"])
    code, verdict = judged("--major")
    assert (code, verdict["clauses"]) == (3, ["ALG-06"])
    assert judged("--major", "--confirm-permissions")[0] == 0


def test_type_hints_are_extracted_in_the_sandbox_where_no_file_describes_a_side(folder: Path, judged: Judged) -> None:
    write_project(folder, "ada", "hello", HINTED.format("int | str"))
    commit(folder)
    write_project(folder, "ada", "hello", HINTED.format("int"))
    code, verdict = judged("--minor")
    assert (code, verdict["least"], verdict["interface"]) == (3, "a major", "described")
    assert verdict["contradicted"][0]["differences"][0]["witness"] == ""


def test_code_that_cannot_be_imported_is_no_verdict(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_project(folder, "ada", "hello", "import nowhere\n")
    assert execute(["check"]) == 1
    assert "No module named 'nowhere'" in capsys.readouterr().err


def test_the_repository_is_left_as_it_is(folder: Path, judged: Judged) -> None:
    (folder / "schemas/input.json").write_text(json.dumps(WIDER))
    plain_git(folder, "add", "schemas")
    before = plain_git(folder, "status", "--porcelain=v2", "--branch").stdout
    assert judged()[0] == 0
    assert plain_git(folder, "status", "--porcelain=v2", "--branch").stdout == before


DOUBLE, TRIPLE = (f"def apply(input):\n    return input * {n}\n" for n in (2, 3))
EXAMPLES = json.dumps([{"input": 2, "output": 4}]).encode()


def doubling(folder: Path, code: str, examples: bytes = EXAMPLES) -> None:
    """Writes the project with examples of what it answers."""
    write_project(
        folder, "ada", "hello", code, contract={"examples": "examples.json"}, files={"examples.json": examples}
    )


@pytest.mark.clause("ALG-05")
def test_examples_are_replayed_here(folder: Path, judged: Judged) -> None:
    doubling(folder, DOUBLE)
    commit(folder)
    code, verdict = judged("--revision")
    assert (code, verdict["behaviour"]) == (0, "checked")
    assert [(one["against"], one["followed"]["reproduced"]) for one in verdict["replays"]] == [("HEAD", True)]
    doubling(folder, TRIPLE, b"[]")
    code, verdict = judged("--minor")
    assert (code, verdict["behaviour"], verdict["least"]) == (3, "differs", "a major")
    assert verdict["contradicted"][0]["differences"][0]["rule"] == "example-differs"


def test_examples_that_cannot_be_run_are_not_checked(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "requirements.txt").write_text("no-such-package-of-troth==0.0.1 ; python_version < '3'\nsix @ nowhere\n")
    write_project(folder, "ada", "hello", contract={**CONTRACT, "examples": "examples.json"},
                  files={**files(), "examples.json": json.dumps([{"input": "a", "output": "a"}]).encode()})  # fmt: skip
    commit(folder)
    assert execute(["check", "--revision"]) == 0
    found = capsys.readouterr()
    assert "behaviour not checked" in found.out
    assert "examples were not replayed" in found.err


def test_a_project_that_git_does_not_have_yet_is_new(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = folder / "projects" / "other"
    write_project(new, "ada", "other", contract=CONTRACT, files=files())
    assert execute(["check", "--project", str(new)]) == 0
    found = capsys.readouterr()
    assert found.out.startswith("0.1.0 is allowed; interface described")
    assert "git has no project there at HEAD, so everything is new" in found.err
    assert execute(["check", "--project", str(new), "--major", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["number"] == "1.0.0"


def test_the_operator_s_readings_are_given(folder: Path, judged: Judged, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "schemas/input.json").write_text(json.dumps(STRICTER))
    assert judged("--minor")[0] == 3
    code, verdict = judged("--minor", "--compatibility", "warn")
    assert (code, [one["clause"] for one in verdict["warnings"]]) == (0, ["ALG-05", "ALG-07"])
    with (folder / "troth.toml").open("a") as file:
        file.write('[settings]\ncompatibility = "warn"\n')
    assert judged("--minor")[0] == 0
    assert judged("--minor", "--compatibility", "enforce")[0] == 3
    (folder / "schemas/input.json").write_text(json.dumps(TEXT))
    write_project(folder, "ada", "hello", contract=CONTRACT, permissions={"visibility": "public"})
    assert judged("--minor")[1]["clauses"] == ["ALG-08"]
    assert judged("--minor", "--visibility-fixed-per", "minor")[0] == 0


def test_a_page_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "schemas/input.json").write_text(json.dumps(STRICTER))
    assert execute(["check", "--minor", "--format", "html"]) == 3
    page = capsys.readouterr().out
    assert page.startswith("<!doctype html>")
    assert "a minor is refused" in page
    assert "<script" not in page


@pytest.mark.parametrize(
    ("tokens", "code", "part"),
    [
        (["--against", "nothing"], 2, "'nothing' is neither a commit"),
        (["--against", "--all"], 2, "--against"),
        (["--against", "ada/hello"], 5, "no server answers"),
        (["--minor", "--major"], 2, "several numbers"),
        (["--number", "1.0.0"], 2, "no numbered version"),
        (["--project", "gone"], 2, "there is no troth.toml in gone"),
    ],
)
def test_wrong_use_is_told(
    tokens: list[str], code: int, part: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["check", *tokens]) == code
    captured = capsys.readouterr()
    assert part in captured.err + captured.out


def test_a_workflow_and_a_pull_request_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "schemas/input.json").write_text(json.dumps(STRICTER))
    assert execute(["check", "--minor", "--format", "github"]) == 3
    assert capsys.readouterr().out.startswith(
        "::error file=troth.toml,title=ALG-05%3A a minor is refused::a minor breaks"
    )
    assert execute(["check", "--minor", "--format", "markdown"]) == 3
    assert capsys.readouterr().out.startswith("### a minor is refused\n")


# --- beside published versions


@pytest.fixture
def author(server: RunningServer, tmp_path: Path) -> Author:
    """A new account with a home."""
    return author_of(server, tmp_path / "home")


def test_the_verdict_is_that_of_publishing(author: Author) -> None:
    algorithm, folder = author.project(files=files(), contract=CONTRACT)
    author.answered("publish", "--minor", str(folder))
    (folder / "schemas/input.json").write_text(json.dumps(WIDER))
    author.answered("publish", "--minor", str(folder))
    (folder / "schemas/input.json").write_text(json.dumps(STRICTER))
    told = author.answered("check", "--project", str(folder), "--against", algorithm, "--minor", code=3)
    refused = author.answered("publish", "--minor", str(folder), code=3)
    assert told == refused["verdict"]
    assert [one["version"] for one in told["contradicted"]] == ["0.1.0", "0.2.0"]
    least = author.answered("check", "--project", str(folder), "--against", f"{algorithm}/0.1.0")
    assert (least["number"], least["outcome"]) == ("1.0.0", "allowed")
    author.answered("check", "--project", str(folder), "--against", algorithm, "--number", "0.2.1", code=3)


@pytest.mark.clause("ALG-25")
def test_a_contract_is_told_to_those_who_may_see_the_version(author: Author, server: RunningServer) -> None:
    algorithm, folder = author.project(files=files(), contract=CONTRACT)
    author.answered("publish", "--minor", str(folder))
    found = author.client.contract(f"{algorithm}/0.1.0")
    assert (found["algorithm"], found["version"]) == (algorithm, "0.1.0")
    assert found["contract"]["input"] == TEXT
    _, stranger = server.account()
    with pytest.raises(NotFound, match="not found"):
        stranger.contract(f"{algorithm}/0.1.0")
    author.answered("publish", "--major", "--public", "--confirm-permissions", str(folder))
    assert stranger.contract(algorithm)["version"] == "1.0.0"
    with pytest.raises(NotFound):
        stranger.contract(f"{algorithm}/0.1.0")
