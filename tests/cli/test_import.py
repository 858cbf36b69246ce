"""`troth import`: an existing algorithm's repository, with its tags as versions, judged and imported as they are."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.author import Author
from tests.server import RunningServer

_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


class Old:
    """A repository as it was kept elsewhere: each commit and tag a minute behind the one before."""

    def __init__(self, folder: Path, subject: str) -> None:
        self.folder, self.subject, self._minutes = folder, subject, 0
        folder.mkdir()
        self.git("init", "--quiet", "-b", "master")
        owner, name = subject.split("/")
        (folder / "algorithmia.conf").write_text(
            json.dumps({"username": owner, "algoname": name, "language": "python3"})
        )
        (folder / "src").mkdir()

    def git(self, *arguments: str) -> str:
        self._minutes += 1
        moment = f"2020-01-01T{self._minutes // 60:02}:{self._minutes % 60:02}:00Z"
        surroundings = {"GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment}
        identity = ["-c", "user.name=Old", "-c", "user.email=old@example.org"]
        return subprocess.run(
            ["git", *identity, *arguments], cwd=self.folder, env={**os.environ, **surroundings}, check=True, text=True,
            capture_output=True,
        ).stdout.strip()  # fmt: skip

    def commit(self, answer: str, *tags: str, code: str = "") -> str:
        """One more commit whose algorithm answers that, with these tags; its hash."""
        name = self.subject.split("/")[1]
        (self.folder / "src" / f"{name}.py").write_text(code or f"def apply(input):\n    return {answer!r}\n")
        self.git("add", "-A")
        self.git("commit", "--quiet", "--allow-empty", "-m", answer)
        for tag in tags:
            self.git("tag", "-a", "-m", tag, tag)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def old(server: RunningServer, tmp_path: Path) -> Old:
    return Old(tmp_path / "old", f"owner/{server.new_name('old')}")


def run(server: RunningServer, old: Old, *tokens: str, name: str = "owner") -> subprocess.CompletedProcess[str]:
    """The command as that account gives it."""
    home = old.folder.parent / "home"
    home.mkdir(exist_ok=True)
    return Author(server, name, server.owner, home).troth(*tokens)


def imported(server: RunningServer, old: Old, *options: str, code: int = 0) -> dict[str, Any]:
    done = run(server, old, "import", str(old.folder), *options, "--json")
    assert done.returncode == code, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def outcomes(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["version"], one["outcome"]) for one in found["versions"]]


def test_versions_keep_their_commits_and_numbers(server: RunningServer, old: Old) -> None:
    commits = [old.commit(number, tag) for number, tag in (("0.1.0", "0.1.0"), ("0.1.1", "v0.1.1"), ("1.0.0", "1.0.0"))]
    old.commit("not tagged")
    found = imported(server, old, "--public")
    assert outcomes(found) == [("0.1.0", "imported"), ("0.1.1", "imported"), ("1.0.0", "imported")]
    assert [one["hash"] for one in found["versions"]] == commits
    assert all(one["breaches"] == [] for one in found["versions"])
    for reference, answer in (("0.1.0", "0.1.0"), ("0.1", "0.1.1"), ("latest", "1.0.0"), (commits[0], "0.1.0")):
        assert server.owner.call(f"{old.subject}/{reference}", "x").result == answer
    rows = {row["version"]: row for row in server.owner.versions(old.subject)["versions"]}
    assert [rows[one["version"]]["hash"] for one in found["versions"]] == commits


def test_again_and_further_tags(server: RunningServer, old: Old) -> None:
    old.commit("a", "1.0.0")
    imported(server, old)
    assert outcomes(imported(server, old)) == [("1.0.0", "already there")]
    old.commit("b", "1.1.0")
    assert outcomes(imported(server, old)) == [("1.0.0", "already there"), ("1.1.0", "imported")]


def test_tags_that_are_no_versions(server: RunningServer, old: Old) -> None:
    commit = old.commit("a", "1.0.0", "release", "v1", "1.2", "1.2.3-rc1", "01.0.0", "1.0.0.0", "version-1.0.0")
    old.git("tag", "9.9.9", f"{commit}:src")  # a folder
    old.git("tag", "v1.0.0", commit)
    found = imported(server, old)
    assert outcomes(found) == [("1.0.0", "imported")]
    left = {one["tag"]: one["why"] for one in found["left_out"]}
    assert left.pop("9.9.9") == "it is on something that is no commit"
    assert left.pop("1.0.0") == "v1.0.0 is the same version"
    assert set(left) == {"release", "v1", "1.2", "1.2.3-rc1", "01.0.0", "1.0.0.0", "version-1.0.0"}
    assert set(left.values()) == {"its name is no complete version number"}


@pytest.mark.clause("ALG-02")
def test_a_moved_tag_changes_nothing(server: RunningServer, old: Old) -> None:
    first = old.commit("first", "1.0.0")
    imported(server, old, "--public")
    moved = old.commit("second")
    old.git("tag", "-f", "-a", "-m", "moved", "1.0.0", moved)
    found = imported(server, old, "--public", code=3)
    assert outcomes(found) == [("1.0.0", "moved")]
    assert "ALG-02" in found["versions"][0]["why"]
    assert first[:12] in found["versions"][0]["why"]
    assert server.owner.call(f"{old.subject}/1.0.0", "x").result == "first"
    # the command itself holds it, whatever a client looks at before
    built = server.owner.build(old.subject, first)
    with pytest.raises(Exception, match="published already"):
        server.owner.command("import_version", algorithm=old.subject, hash=built["hash"], number="1.0.0")


def test_breaches_are_listed_and_imported_as_they_are(server: RunningServer, old: Old) -> None:
    name = old.subject.split("/")[1]
    contract = '[contract]\ninput = "input.json"\n'
    project = f'[algorithm]\nowner = "owner"\nname = "{name}"\n'
    (old.folder / "troth.toml").write_text(project + contract)
    (old.folder / "input.json").write_text(json.dumps({**_SCHEMA, "required": []}))
    old.commit("a", "1.0.0")
    old.commit("b", "1.2.0")  # 1.1 is left out
    (old.folder / "input.json").write_text(json.dumps(_SCHEMA))
    old.commit("c", "1.2.1")  # an input that was taken is not any more
    old.commit("d", "1.1.5", "1.1.4")  # unordered: 1.1.4 lies below
    (old.folder / "troth.toml").write_text(project + contract + '[permissions]\nnetwork_access = "full"\n')
    old.commit("e", "1.3.0")
    found = imported(server, old, "--public")
    told = {one["version"]: {breach["clause"] for breach in one["breaches"]} for one in found["versions"]}
    assert set(outcomes(found)) == {(version, "imported") for version in told}
    assert [one["version"] for one in found["versions"]] == ["1.0.0", "1.2.0", "1.2.1", "1.1.5", "1.1.4", "1.3.0"]
    assert told["1.0.0"] == set()
    assert told["1.2.0"] == {"PDB-04"}
    assert "ALG-09" in told["1.2.1"]
    assert "ALG-15" in told["1.1.4"]
    assert "ALG-08" in told["1.3.0"]
    assert server.owner.resolve(f"{old.subject}/1.1")["version"] == "1.1.5"
    text = run(server, old, "import", str(old.folder), "--public").stdout
    assert "already there" in text


def test_sources_that_fail_to_build(server: RunningServer, old: Old) -> None:
    old.commit("a", "1.0.0")
    old.commit("b", "1.1.0", code="this is no Python\n")
    old.commit("c", "1.2.0")
    found = imported(server, old, code=1)
    assert outcomes(found) == [("1.0.0", "imported"), ("1.1.0", "not built"), ("1.2.0", "imported")]
    assert "SyntaxError" in found["versions"][1]["why"]
    assert {row["version"] for row in server.owner.versions(old.subject)["versions"]} == {"1.0.0", "1.2.0"}


def test_branches_that_were_never_merged(server: RunningServer, old: Old) -> None:
    old.commit("a", "1.0.0")
    old.git("switch", "--quiet", "-c", "maintenance")
    fix = old.commit("fix", "1.0.1")
    old.git("switch", "--quiet", "master")
    old.commit("b", "2.0.0")
    found = imported(server, old)
    assert outcomes(found) == [("1.0.0", "imported"), ("1.0.1", "imported"), ("2.0.0", "imported")]
    assert found["versions"][1]["hash"] == fix


def test_nothing_is_imported_where_something_was_published(server: RunningServer, old: Old) -> None:
    old.commit("a", "1.0.0")
    imported(server, old, "--public")
    commit = old.commit("b")
    server.owner.publish(old.subject, server.owner.build(old.subject, _head(server, old))["hash"], bump="minor")
    old.git("tag", "3.0.0", commit)
    found = imported(server, old, "--public", code=3)
    assert outcomes(found) == [("1.0.0", "already there"), ("3.0.0", "refused")]
    assert "ALG-02" in found["versions"][1]["why"]


def _head(server: RunningServer, old: Old) -> str:
    """The newest build's hash: that of the commit which the import laid over all."""
    identity = subprocess.run(
        ["git", "ls-remote", f"http://owner:{server.owner_key}@{server.address[7:]}/git/{old.subject}.git", "refs/heads/master"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return identity.stdout.split()[0]


def test_imports_are_an_operators(server: RunningServer, tmp_path: Path) -> None:
    name, _ = server.account("importer")
    old = Old(tmp_path / "theirs", f"{name}/algo")
    old.commit("a", "1.0.0")
    done = run(server, old, "import", str(old.folder), name=name)
    assert done.returncode == 3
    assert "may not import version" in done.stderr


@pytest.mark.parametrize("repository", ["/nowhere", "ext::sh -c true", "./-x"])
def test_what_is_no_repository(server: RunningServer, old: Old, repository: str) -> None:
    done = run(server, old, "import", repository, "owner/x")
    assert done.returncode == 1
    assert "cannot be cloned" in done.stderr


def test_a_repository_that_does_not_say_what_it_is(server: RunningServer, old: Old) -> None:
    (old.folder / "algorithmia.conf").unlink()
    old.commit("a", "1.0.0")
    done = run(server, old, "import", str(old.folder))
    assert done.returncode == 2
    assert "does not say which algorithm it is" in done.stderr
    assert outcomes(imported(server, old, old.subject)) == [("1.0.0", "imported")]
