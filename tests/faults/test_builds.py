"""Builds whose dependencies, disk, index or server fail: each ends with a word of why, and the server goes on."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.builds.conftest import KEPT
from tests.builds.index import PackageIndex
from tests.doors.test_git import Author
from tests.own_process import up
from tests.server import ECHO, RunningServer, running_server, write_project
from tests.working_copy import cloned
from troth.registry import build_records, catalog

_USES = "import library\n\n\ndef apply(input):\n    return [input, library.WORD]\n"


@pytest.fixture
def place() -> Iterator[Path]:
    KEPT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="faults-", dir=KEPT) as folder:
        yield Path(folder)
        subprocess.run(["chmod", "-R", "u+w", folder], check=False)


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[PackageIndex]:
    """An index of our own, from which the servers of a test install."""
    with PackageIndex() as running:
        running.add("library", "1.0", {"library.py": b"WORD = 'one'\n"})
        running.add("library", "2.0", {"library.py": b"WORD = 'two'\n"})
        monkeypatch.setenv("UV_DEFAULT_INDEX", running.address)
        monkeypatch.setenv("UV_HTTP_RETRIES", "0")
        yield running


@pytest.fixture
def house(index: PackageIndex, place: Path) -> Iterator[RunningServer]:
    with running_server(place / "home") as running:
        yield running


def _pushed(
    server: RunningServer, folder: Path, requirements: str, code: str = _USES, **files: str
) -> tuple[Author, str]:
    """An author and the commit that was pushed."""
    author = Author(server, folder / server.new_name("work"))
    copy = author.clone()
    copy.write(author.entry, code)
    if requirements:
        copy.write("requirements.txt", requirements)
    for path, content in files.items():
        copy.write(path.replace("_toml", ".toml"), content)
    commit = copy.commit()
    copy.push()
    return author, commit


@pytest.mark.clause("ALG-22")
@pytest.mark.parametrize(
    ("requirements", "said"),
    [
        ("no-such-distribution\n", "no-such-distribution"),
        ("library==9.9\n", "library==9.9"),
        ("library==1.0\nlibrary==2.0\n", "library"),
        (f"library==1.0 --hash=sha256:{'0' * 64}\n", "hash changed"),
        ("library @ file:///etc/passwd\n", "address"),
        ("-r other.txt\n", "-r other.txt"),
        ("-e .\n", "-e ."),
        ("--index-url http://127.0.0.1:1/simple\nlibrary\n", "--index-url"),
        ("git+https://127.0.0.1/x.git\n", "git+https"),
        ("\x00\xff\n", ""),
        ("library ==\n", "library =="),
    ],
)
def test_dependencies_that_cannot_be_had(house: RunningServer, tmp_path: Path, requirements: str, said: str) -> None:
    author, commit = _pushed(house, tmp_path, requirements)
    build = author.ended(commit)
    assert build["status"] == "failed", build["log"]
    assert said in build["log"]
    assert "Traceback" not in build["log"]
    good, at = _pushed(house, tmp_path, "library==1.0\n")
    assert good.ended(at)["packages"] == ["library==1.0"]


def test_versions_of_one_algorithm_keep_their_own_libraries(house: RunningServer, tmp_path: Path) -> None:
    author = Author(house, tmp_path)
    copy = author.clone()
    copy.write(author.entry, _USES)
    commits = []
    for version in ("1.0", "2.0"):
        copy.write("requirements.txt", f"library=={version}\n")
        commits.append(copy.commit())
        copy.push()
        assert author.ended(commits[-1])["status"] == "succeeded"
    for _ in range(2):
        assert author.client.call(f"{author.subject}/{commits[0]}", 1).result == [1, "one"]
        assert author.client.call(f"{author.subject}/{commits[1]}", 1).result == [1, "two"]


def test_the_index_goes_away(index: PackageIndex, place: Path, tmp_path: Path) -> None:
    """What was downloaded before is enough; what was not is refused with that reason; and versions still run."""
    with running_server(place / "home") as server:
        author, commit = _pushed(server, tmp_path, "library==1.0\n")
        assert author.ended(commit)["status"] == "succeeded"
    subprocess.run(["chmod", "-R", "u+w", place / "home" / "environments"], check=True)
    subprocess.run(["rm", "-rf", place / "home" / "environments"], check=True)
    index.__exit__(None, None, None)  # nobody listens there any more
    with running_server(place / "home") as server:
        client = server.client((place / "home" / "owner.key").read_text().strip())
        assert client.keys()["account"] == "owner"
        again, at = _pushed(server, tmp_path, "library==1.0\n")
        build = again.ended(at)
        assert build["status"] == "succeeded", build["log"]
        assert "cannot be reached" in build["log"]
        assert again.client.call(f"{again.subject}/{at}", 1).result == [1, "one"]
        unknown, missing = _pushed(server, tmp_path, "another==1.0\n")
        build = unknown.ended(missing)
        assert build["status"] == "failed"
        assert "cannot be reached" in build["log"]


def _libraries(home: Path) -> list[Path]:
    return list((home / "environments").glob("*/site/library.py"))


@pytest.mark.clause("ALG-04")
@pytest.mark.parametrize(
    "alter",
    [
        lambda path: path.write_bytes(path.read_bytes().replace(b"one", b"won")),
        lambda path: path.unlink(),
        lambda path: (path.parent / "added.py").write_text("x = 1\n"),
        lambda path: os.replace(_copy(path, b"WORD = 'new'\n"), path),
    ],
    ids=["in place", "removed", "added", "replaced"],
)
def test_an_environment_that_was_altered_on_disk(
    house: RunningServer, tmp_path: Path, alter: Callable[[Path], object]
) -> None:
    """It is noticed before the next worker starts, built again, and reported."""
    author, commit = _pushed(house, tmp_path, "library==1.0\n")
    author.ended(commit)
    (library,) = _libraries(house.home)
    before = library.stat()
    library.parent.chmod(0o755)
    library.chmod(0o644)
    alter(library)
    if library.exists():
        os.utime(library, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert author.client.call(f"{author.subject}/{commit}", 1).result == [1, "one"]
    assert "troth_environments_altered_total 1.0" in house.owner.metrics()
    (library,) = _libraries(house.home)
    assert library.read_bytes() == b"WORD = 'one'\n"
    assert not (library.parent / "added.py").exists()


def _copy(path: Path, content: bytes) -> Path:
    made = path.with_name("made")
    made.write_bytes(content)
    return made


def test_an_import_that_writes_into_its_environment(house: RunningServer, tmp_path: Path) -> None:
    code = (
        "import library, os\ntry:\n    open(library.__file__, 'a').write('x = 1')\nexcept OSError as error:\n    print(error)\n"
        + _USES
    )
    author, commit = _pushed(house, tmp_path, "library==1.0\n", code)
    build = author.ended(commit)
    assert build["status"] == "succeeded"
    assert "Read-only file system" in build["log"] or "Permission denied" in build["log"]
    (library,) = _libraries(house.home)
    assert library.read_bytes() == b"WORD = 'one'\n"


@contextmanager
def _small_disk(size: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_in_the_middle_of_a_build(index: PackageIndex, tmp_path: Path) -> None:
    """The build fails and says so, nothing half-made is left, and what fits is built after it."""
    index.add("large", "1.0", {f"large/{number}.bin": os.urandom(1 << 20) for number in range(70)})
    with _small_disk("48m") as disk, running_server(disk / "home") as server:
        author, commit = _pushed(server, tmp_path, "large==1.0\n", ECHO)
        build = author.ended(commit)
        assert build["status"] == "failed"
        assert "disk" in build["log"] or "space" in build["log"]
        good, at = _pushed(server, tmp_path, "library==2.0\n")
        assert good.ended(at)["status"] == "succeeded"
        assert good.client.call(f"{good.subject}/{at}", 1).result == [1, "two"]


@pytest.mark.clause("ALG-22")
def test_a_server_that_is_killed_in_the_middle_of_a_build(tmp_path: Path) -> None:
    """After the restart the build is failed, never in progress for ever, and the same commit can be built."""
    home = tmp_path / "home"
    with up(home) as server:
        key = (home / "owner.key").read_text().strip()
        server.client.command("create_algorithm", algorithm="owner/slow")
        copy = cloned(tmp_path / "slow", server.client.address, "owner/slow", "owner", key)
        copy.write("src/slow.py", f"import os, time\ntime.sleep(30 if os.path.exists('slow') else 0)\n{ECHO}")
        commit = copy.commit("slow", slow="x")
        copy.push()
        deadline = time.monotonic() + 30
        while not (rows := server.client.builds("owner/slow")["builds"]) or rows[0]["status"] != "in-progress":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        server.kill()
    with up(home) as server:
        (row,) = server.client.builds("owner/slow")["builds"]
        assert (row["hash"], row["status"]) == (commit, "failed")
        assert "stopped during this build" in row["log"]
        assert row["finished_at"]
        copy.git("remote", "set-url", "origin", f"{server.client.address}/git/owner/slow.git")
        (copy.folder / "slow").unlink()
        quick = copy.commit("quick")
        copy.push()
        built = server.client.command("compile_algorithm", algorithm="owner/slow", commit=quick)
        assert built["status"] == "succeeded"


def test_equal_dependencies_share_one_environment(house: RunningServer, tmp_path: Path) -> None:
    for _ in range(3):
        author, commit = _pushed(house, tmp_path, "library==1.0\n")
        assert author.ended(commit)["status"] == "succeeded"
    assert len(_libraries(house.home)) == 1


def test_a_project_without_anything_but_its_code(house: RunningServer, tmp_path: Path) -> None:
    """A source of Algorithmia's layout declares nothing itself."""
    author = Author(house, tmp_path)
    copy = author.clone()
    (copy.folder / "troth.toml").unlink()
    copy.write("src/__init__.py", "")
    copy.write("src/helper.py", "WORD = 'helped'\n")
    copy.write(author.entry, "from . import helper\n\ndef apply(input):\n    return helper.WORD + input\n")
    copy.write("algorithmia.conf", '{"username": "somebody", "language": "python3"}')
    commit = copy.commit()
    copy.push()
    build = author.ended(commit)
    assert build["status"] == "succeeded", build["log"]
    assert author.client.call(f"{author.subject}/{commit}", "!").result == "helped!"


def test_uploads_and_pushes_meet_in_one_history(house: RunningServer, tmp_path: Path) -> None:
    author, commit = _pushed(house, tmp_path, "", ECHO)
    author.ended(commit)
    project = write_project(tmp_path / "upload", author.name, author.subject.split("/")[1], ECHO + "# two\n")
    built = author.client.compile(project)
    copy = author.clone("after")
    assert copy.git("rev-parse", "HEAD").stdout.strip() == built["hash"]
    assert copy.git("rev-parse", "HEAD~1").stdout.strip() == commit


def test_the_contract_is_recorded(house: RunningServer, tmp_path: Path) -> None:
    """From annotations, or from files that troth.toml names; the version carries its digest."""
    author = Author(house, tmp_path)
    copy = author.clone()
    copy.write(
        author.entry, "from troth import algorithm\n\n@algorithm\ndef add(a: int, b: int) -> int:\n    return a + b\n"
    )
    commits = [copy.commit()]
    copy.push()
    with open(copy.folder / "troth.toml", "a") as file:
        file.write('\n[contract]\ninput = "schemas/input.json"\nexamples = "examples.json"\n')
    copy.write("schemas/input.json", '{"type": "object", "maxProperties": 2}')
    copy.write("examples.json", '[{"input": {"a": 1, "b": 2}, "output": 3}]')
    commits.append(copy.commit())
    copy.push()
    found = [_contract_of(author, commit) for commit in commits]
    assert found[0]["input"]["properties"].keys() == {"a", "b"}
    assert found[0]["output"]["type"] == "integer"
    assert found[1]["input"] == {"type": "object", "maxProperties": 2}
    assert found[1]["examples"] == [{"input": {"a": 1, "b": 2}, "output": 3}]
    assert author.client.call(f"{author.subject}/{commits[1]}", {"a": 1, "b": 2}).result == 3


def _contract_of(author: Author, commit: str) -> Any:
    assert author.ended(commit)["status"] == "succeeded"
    database = author.server.server.database
    with database.read() as connection:
        algorithm = catalog.find_algorithm(connection, *author.subject.split("/"))
        assert algorithm is not None
        build = build_records.find_build(connection, algorithm.id, commit)
        assert build is not None
    return json.loads(build.contract)


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        ("schemas/input.json", "{", "schemas/input.json"),
        ("schemas/input.json", '{"type": "nothing"}', "schemas/input.json"),
        ("schemas/input.json", "[]", "a schema is a JSON object"),
        ("schemas/input.json", "[" * 100_000, "schemas/input.json"),
        ("other.json", "{}", "there is no 'schemas/input.json'"),
    ],
)
def test_contract_files_that_are_none(house: RunningServer, tmp_path: Path, path: str, content: str, said: str) -> None:
    author = Author(house, tmp_path)
    copy = author.clone()
    with open(copy.folder / "troth.toml", "a") as file:
        file.write('\n[contract]\ninput = "schemas/input.json"\n')
    copy.write(path, content)
    commit = copy.commit()
    copy.push()
    build = author.ended(commit)
    assert build["status"] == "failed"
    assert said in build["log"]
