"""A folder is published by git, and nothing of the author's own is touched on the way."""

from __future__ import annotations

import io
import json
import os
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.author import Author, author_of, command, plain_git
from tests.server import ECHO, RunningServer, running_server, write_project
from troth import git
from troth.doors.cli.main import execute
from troth.errors import (
    Forbidden,
    MalformedReference,
    MalformedSource,
    NotFound,
    Overloaded,
    Refused,
    ServerUnreachable,
    TooLarge,
    TrothError,
    Unauthenticated,
)
from troth.sdk.folder import read_project, read_source
from troth.sdk.push import pushed
from troth.versions.manifest import Manifest


@pytest.fixture
def author(server: RunningServer, tmp_path: Path) -> Author:
    """A new account with a home."""
    return author_of(server, tmp_path / "home")


def push(author: Author, folder: Path, **how: Any) -> str:
    """The commit that a folder is pushed as, in this process."""
    return pushed(author.client, author.server.address, author.name, author.key, folder, **how)


def everything(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Mode, time of change and content of every file below a folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = (
            path.read_bytes()
            if stat.S_ISREG(status.st_mode)
            else os.fsencode(os.readlink(path))
            if path.is_symlink()
            else b""
        )
        found[str(path)] = (status.st_mode, status.st_mtime_ns, content)
    return found


def source_of(author: Author, algorithm: str, commit: str) -> Manifest:
    """The manifest of a commit on the server."""
    files = author.server.server.repositories.files(author.server_id(algorithm), commit)
    return Manifest.of(entry for entry, _ in files)


# --- the author's own repository


def test_a_dirty_repository_is_left_byte_for_byte_as_it_was(author: Author) -> None:
    algorithm, folder = author.project()
    repository = author.home
    plain_git(repository, "init", "--quiet", "-b", "main")
    plain_git(repository, "config", "user.name", "Ada <L>")
    plain_git(repository, "config", "user.email", "ada@example.org")
    plain_git(repository, "add", "-A")
    plain_git(repository, "commit", "--quiet", "-m", "mine")
    (folder / "staged.txt").write_text("staged")
    plain_git(repository, "add", "-A")
    (folder / "staged.txt").write_text("changed since")
    (folder / "untracked.txt").write_text("untracked")
    index = repository / ".git" / "index"
    before, before_index = everything(repository), index.read_bytes()
    inside_a_hook = {
        "GIT_DIR": str(repository / ".git"),
        "GIT_INDEX_FILE": str(index),
        "GIT_WORK_TREE": str(repository),
    }
    done = author.troth("publish", "--minor", str(folder), **inside_a_hook)
    assert done.returncode == 0, done.stderr
    after = everything(repository)
    assert {path: after[path] for path in after if path in before} == before
    assert set(after) == set(before)
    assert index.read_bytes() == before_index
    commit = author.commits(algorithm)[0]
    assert author.history(algorithm)[0][1] == "Ada L"
    files = {entry.path for entry in source_of(author, algorithm, commit).entries}
    assert {"staged.txt", "untracked.txt", "troth.toml"} <= files


def test_without_an_own_name_the_commit_is_the_account_s(author: Author) -> None:
    algorithm, folder = author.project()
    assert author.troth("compile", str(folder), "-m", "words of mine\n\nmore").returncode == 0
    _, by, message = author.history(algorithm)[0]
    assert (by, message.strip()) == (author.name, "words of mine\n\nmore")


def test_the_author_s_configuration_has_no_say(author: Author) -> None:
    hooks = author.home / "hooks"
    hooks.mkdir()
    (hooks / "pre-push").write_text("#!/bin/sh\nexit 1\n")
    (hooks / "pre-push").chmod(0o755)
    (author.home / ".gitconfig").write_text(
        f"[core]\nhooksPath = {hooks}\n[commit]\ngpgSign = true\n[push]\ngpgSign = true\n"
        f'[url "http://127.0.0.1:9/"]\ninsteadOf = {author.server.address}/\n[core]\nautocrlf = true\n'
        "[user]\nname = ...\n"
    )
    algorithm, folder = author.project(
        files={"lines.txt": b"a\nb\r\n", ".gitattributes": b"* text eol=crlf export-ignore\n"}
    )
    assert author.troth("publish", "--minor", str(folder)).returncode == 0
    commit = author.commits(algorithm)[0]
    assert source_of(author, algorithm, commit) == read_source(folder)[0]


# --- the key


@contextmanager
def slow_git(folder: Path) -> Iterator[dict[str, str]]:
    """Variables under which `git` is a script that writes down how it was called, waits, and runs the real one."""
    folder.mkdir()
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()
    script = f'#!/bin/sh\necho "$@" >> {folder}/called\nenv | grep ^GIT_CONFIG_ >> {folder}/settings\nsleep 0.1\nexec {real} "$@"\n'
    (folder / "git").write_text(script)
    (folder / "git").chmod(0o755)
    yield {"PATH": f"{folder}:{os.environ['PATH']}"}


def command_lines(seen: set[bytes]) -> None:
    """Adds the command line of every process of this machine."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            seen.add((process / "cmdline").read_bytes())
        except OSError:
            continue


def test_the_key_stands_in_no_command_line_and_no_address(author: Author, tmp_path: Path) -> None:
    _, folder = author.project()
    seen: set[bytes] = set()
    with slow_git(tmp_path / "bin") as surroundings:
        process = author.start("publish", "--minor", str(folder), **surroundings)
        while process.poll() is None:
            command_lines(seen)
            time.sleep(0.002)
        assert process.communicate()[1].count("error:") == 0
        assert process.returncode == 0
    called = (tmp_path / "bin" / "called").read_text()
    settings = (tmp_path / "bin" / "settings").read_text()
    assert "push" in called
    assert any(b"fetch" in line for line in seen)
    assert author.server.address in settings
    assert author.key not in called + settings
    assert [line for line in seen if author.key.encode() in line] == []


def test_the_key_is_not_told_on_failure(author: Author) -> None:
    _, folder = author.project(owner="owner")
    with pytest.raises(TrothError) as failure:
        push(author, folder)
    assert author.key not in json.dumps(failure.value.as_problem())


# --- what is pushed


def test_publishing_twice_without_change_gives_the_same_build(author: Author) -> None:
    algorithm, folder = author.project()
    first = author.answered("compile", str(folder))
    again = author.answered("compile", str(folder))
    assert first["hash"] == again["hash"]
    assert len(author.commits(algorithm)) == 2  # the template, and this
    assert len(author.client.builds(algorithm)["builds"]) == 1
    published = author.answered("publish", "--minor", str(folder))
    assert published["hash"] == first["hash"]


def test_each_change_is_one_commit_on_the_one_before(author: Author) -> None:
    algorithm, folder = author.project()
    first = push(author, folder)
    (folder / "more.txt").write_text("more")
    second = push(author, folder)
    (folder / "more.txt").unlink()
    third = push(author, folder)
    assert author.commits(algorithm)[:3] == [third, second, first]
    assert source_of(author, algorithm, third) == source_of(author, algorithm, first)


def test_what_the_server_has_is_not_sent_again(author: Author, tmp_path: Path) -> None:
    large = os.urandom(2_000_000)
    algorithm, folder = author.project(files={"large.bin": large, "small.txt": b"x"})
    push(author, folder)
    (folder / "deep").mkdir()
    (folder / "large.bin").rename(folder / "deep" / "moved.bin")
    (folder / "copy.bin").write_bytes(large)
    (folder / "small.txt").write_bytes(b"y")
    with bytes_passed(author) as passed:
        second = push(author, folder)
    assert source_of(author, algorithm, second) == read_source(folder)[0]
    assert sum(passed) < 50_000


@contextmanager
def bytes_passed(author: Author) -> Iterator[list[int]]:
    """Sizes of all that git sends and gets meanwhile: the author's server is reached through a counter."""
    passed: list[int] = []
    before = author.server.address
    with ExitStack() as opened, ThreadPoolExecutor(20) as threads:
        counter = opened.enter_context(socket.create_server(("127.0.0.1", 0)))

        def forward(source: socket.socket, target: socket.socket) -> None:
            while chunk := source.recv(65536):
                passed.append(len(chunk))
                target.sendall(chunk)
            target.shutdown(socket.SHUT_WR)

        def accept() -> None:
            while True:
                try:
                    near = opened.enter_context(counter.accept()[0])
                except OSError:
                    return
                far = opened.enter_context(socket.create_connection(("127.0.0.1", int(before.rpartition(":")[2]))))
                threads.submit(forward, near, far)
                threads.submit(forward, far, near)

        threads.submit(accept)
        author.server.address = f"http://127.0.0.1:{counter.getsockname()[1]}"
        try:
            yield passed
        finally:
            author.server.address = before
            counter.shutdown(socket.SHUT_RDWR)
            threads.shutdown()


def test_the_upload_and_the_push_are_one_source_and_one_commit(author: Author) -> None:
    _, folder = author.project(files={"tool": b"#!/bin/sh\n"})
    (folder / "tool").chmod(0o755)
    uploaded = author.client.compile(folder)
    assert push(author, folder) == uploaded["hash"]


def test_what_a_source_leaves_out_is_not_pushed_and_links_are_files(author: Author) -> None:
    files = {
        "data/model.bin": b"\0\1",
        ".env": b"SECRET=1",
        "src/__pycache__/x.pyc": b"x",
        "a.pyc": b"x",
        ".venv/x": b"x",
    }
    algorithm, folder = author.project(files={**files, "tool": b"#!/bin/sh\n", "name with blank ä.txt": b""})
    (folder / "tool").chmod(0o755)
    (folder / "linked.bin").symlink_to("data/model.bin")
    plain_git(folder, "init", "--quiet")
    (folder / ".gitignore").write_text("data\n")
    built = author.answered("compile", str(folder))
    found = source_of(author, algorithm, built["hash"])
    assert found == read_source(folder)[0]
    assert found.digest == built["source"]
    entries = {entry.path: entry for entry in found.entries}
    assert entries["tool"].executable
    assert entries["linked.bin"].sha256 == entries["data/model.bin"].sha256
    assert not {path for path in entries if path.endswith(".pyc") or path.startswith((".git/", ".venv", ".env"))}


def test_a_link_that_leaves_the_folder_is_refused_and_nothing_pushed(author: Author) -> None:
    algorithm, folder = author.project()
    push(author, folder)
    (author.home / "outside").write_text("secret")
    (folder / "leak").symlink_to(author.home / "outside")
    done = author.troth("publish", "--minor", str(folder))
    assert (done.returncode, "leads out of the folder" in done.stderr) == (2, True)
    assert len(author.commits(algorithm)) == 2


def test_a_package_is_an_algorithm_as_well(author: Author) -> None:
    algorithm, folder = author.project()
    name = algorithm.split("/")[1]
    (folder / "src" / f"{name}.py").unlink()
    (folder / "src" / name).mkdir()
    (folder / "src" / name / "__init__.py").write_text("from .inner import apply\n")
    (folder / "src" / name / "inner.py").write_text("def apply(input):\n    return input\n")
    assert author.troth("publish", "--minor", str(folder)).returncode == 0
    assert author.troth("call", f"{algorithm}/0.1.0", "x").stdout == "x\n"


# --- folders that do not name their algorithm


@pytest.mark.parametrize("conf", [{"algoname": "inside", "language": "python3"}, None])
def test_a_folder_without_troth_toml_is_published_as_the_algorithm_that_is_named(author: Author, conf: Any) -> None:
    name = author.server.new_name("legacy")
    module = "inside" if conf else name
    folder = author.home / "old"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / f"{module}.py").write_text(ECHO)
    if conf:
        (folder / "algorithmia.conf").write_text(json.dumps(conf))
    refused = author.troth("publish", "--minor", "old")
    assert (refused.returncode, "--algorithm OWNER/NAME" in refused.stderr) == (2, True)
    done = author.troth("publish", "--minor", "--public", "old", "--algorithm", f"{author.name}/{name}")
    assert done.returncode == 0, done.stderr
    assert author.troth("call", f"{author.name}/{name}", "x").stdout == "x\n"


def test_a_folder_may_not_be_published_as_another_algorithm(author: Author) -> None:
    _, folder = author.project()
    done = author.troth("compile", str(folder), "--algorithm", f"{author.name}/other")
    assert (done.returncode, "is of another algorithm" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("algorithm", "error"),
    [("nobody", MalformedReference), ("a/b/c", TrothError), ("a/b-c", TrothError), ("me/x", TrothError)],
)
def test_an_algorithm_is_named_in_full(tmp_path: Path, algorithm: str, error: type[TrothError]) -> None:
    with pytest.raises(error):
        read_project(tmp_path, algorithm)


def test_a_folder_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(MalformedSource, match="there is no folder"):
        read_project(tmp_path / "nowhere", "ada/hello")
    with pytest.raises(MalformedSource, match=r"there is no troth\.toml"):
        read_project(tmp_path / "nowhere")
    with pytest.raises(MalformedSource, match=r"there is no src/hello\.py"):
        read_project(tmp_path, "ada/hello")


# --- others who push


def test_two_authors_at_once_both_get_their_build(author: Author, tmp_path: Path) -> None:
    other = author_of(author.server, tmp_path / "other")
    house = author.server.organization(author.client)
    author.client.command("add_member", organization=house, account=other.name, role="member")
    algorithm, folder = author.project(owner=house)
    name = algorithm.split("/")[1]
    others = write_project(other.home / name, house, name, ECHO + "# mine\n")
    for _ in range(2):
        started = [author.start("compile", str(folder), "--json"), other.start("compile", str(others), "--json")]
        built = []
        for process in started:
            printed, said = process.communicate(timeout=120)
            assert process.returncode == 0, printed + said
            built.append(json.loads(printed))
        assert [one["status"] for one in built] == ["succeeded", "succeeded"]
        assert {one["hash"] for one in built} <= set(author.commits(algorithm))
        assert source_of(author, algorithm, built[0]["hash"]) == read_source(folder)[0]
        assert source_of(author, algorithm, built[1]["hash"]) == read_source(others)[0]
        (folder / "round").write_text("2")
        (others / "round").write_text("two")


def interposed(monkeypatch: pytest.MonkeyPatch, before_push: Callable[[], None]) -> None:
    """Does something else before each push."""
    really = git.run

    def run(repository: Path | None, *arguments: str, **how: Any) -> bytes:
        if arguments[0] == "push":
            before_push()
        return really(repository, *arguments, **how)

    monkeypatch.setattr(git, "run", run)


def someone_commits(author: Author, algorithm: str, tmp_path: Path) -> Callable[[], None]:
    """Puts another commit on the branch, as a push of somebody else does."""
    repository = author.server.server.repositories
    counter = iter(range(100))
    really = git.run

    def commit() -> None:
        path = repository.path(author.server_id(algorithm))
        file = tmp_path / "theirs"
        file.write_text(str(next(counter)))
        head = git.head(path)
        made = git.write_commit(path, git.write_tree(path, [("theirs", False, file)]), head, author="bob", message="x")
        really(path, "update-ref", git.BRANCH, made)

    return commit


def test_a_push_that_loses_the_race_is_laid_on_the_winner(
    author: Author, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    algorithm, folder = author.project()
    author.client.command("create_algorithm", algorithm=algorithm)
    commit, once = someone_commits(author, algorithm, tmp_path), iter([True, True])
    interposed(monkeypatch, lambda: commit() if next(once, False) else None)
    found = push(author, folder)
    monkeypatch.undo()
    assert author.commits(algorithm)[0] == found
    assert len(author.commits(algorithm)) == 4
    assert source_of(author, algorithm, found) == read_source(folder)[0]


def test_a_push_that_always_loses_says_so(author: Author, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    algorithm, folder = author.project()
    author.client.command("create_algorithm", algorithm=algorithm)
    interposed(monkeypatch, someone_commits(author, algorithm, tmp_path))
    with pytest.raises(Overloaded, match="was pushed to by others"):
        push(author, folder)


def test_an_empty_repository_is_no_obstacle(author: Author) -> None:
    algorithm, folder = author.project()
    author.client.command("create_algorithm", algorithm=algorithm)
    git.run(author.server.server.repositories.path(author.server_id(algorithm)), "update-ref", "-d", git.BRANCH)
    found = push(author, folder)
    assert author.commits(algorithm) == [found]


# --- what can go wrong


def test_errors_of_git_are_errors_of_troth(author: Author) -> None:
    _, folder = author.project()
    _, foreign = author.project(owner="owner")
    with pytest.raises(Unauthenticated):
        pushed(author.client, author.server.address, author.name, "simNOT", folder)
    with pytest.raises(Unauthenticated):
        pushed(author.client, author.server.address, "owner", author.key, folder)
    with pytest.raises(ServerUnreachable, match=r"no server answers at http://127\.0\.0\.1:9"):
        pushed(author.client, "http://127.0.0.1:9", author.name, author.key, folder)
    with pytest.raises(Forbidden):
        push(author, foreign)
    with pytest.raises(NotFound) as failure:
        pushed(author.client, f"{author.server.address}/v1", author.name, author.key, author.project()[1])
    assert "git" not in failure.value.repair


def test_a_push_that_is_too_large_says_so(tmp_path: Path) -> None:
    with running_server(tmp_path / "server", push_bytes=300_000) as server:
        author = author_of(server, tmp_path / "home")
        _, folder = author.project(files={"data.bin": os.urandom(400_000)})
        with pytest.raises(TooLarge) as small:
            push(author, folder)
        assert small.value.why
        (folder / "data.bin").write_bytes(os.urandom(5_000_000))
        done = author.troth("publish", "--minor", str(folder))
        assert (done.returncode, "is too large" in done.stderr) == (2, True)
        assert len(done.stderr.splitlines()) == 3


def test_without_git_the_folder_is_uploaded(author: Author, tmp_path: Path) -> None:
    algorithm, folder = author.project()
    empty = tmp_path / "empty"
    empty.mkdir()
    done = author.troth("publish", "--minor", str(folder), PATH=str(empty))
    assert done.returncode == 0, done.stderr
    assert len(author.commits(algorithm)) == 2
    (folder / "troth.toml").unlink()
    refused = author.troth("compile", str(folder), "--algorithm", algorithm, PATH=str(empty))
    assert (refused.returncode, "no git on this machine" in refused.stderr) == (2, True)


def test_no_proxy_stands_before_a_server_on_this_machine(author: Author) -> None:
    _, folder = author.project()
    dead = dict.fromkeys(("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"), "http://127.0.0.1:9")
    done = author.troth("compile", str(folder), **dead)
    assert done.returncode == 0, done.stderr


# --- the log while it builds


SLOW = "import time\nfor step in range(4):\n    print('step', step, flush=True)\n    time.sleep(0.4)\n\n" + ECHO


def test_on_a_terminal_the_log_is_followed(author: Author) -> None:
    _, folder = author.project(code=SLOW)
    code, printed, shown = author.on_terminal("publish", "--minor", str(folder))
    assert code == 0, shown
    assert "importing src/" in shown
    assert shown.count("the build succeeded in") == 1
    assert "importing" not in printed
    code, printed, shown = author.on_terminal("compile", str(folder))
    assert (code, "importing src/" in shown) == (0, False)  # built before


def test_elsewhere_it_is_not(author: Author) -> None:
    _, folder = author.project(code=SLOW)
    done = author.troth("compile", str(folder))
    assert "importing src/" not in done.stdout + done.stderr


def test_a_failed_build_shows_its_log_once(author: Author) -> None:
    _, folder = author.project(code=SLOW + "raise ValueError('not today')\n")
    code, _, shown = author.on_terminal("compile", str(folder))
    assert code == 1
    assert shown.count("ValueError: not today") == 1
    assert "failed" in shown.splitlines()[-3]
    done = author.troth("compile", str(folder))
    assert done.returncode == 1
    assert done.stderr.count("ValueError: not today") == 1


# --- plain git


def test_plain_git_clones_and_pushes_with_the_key_of_troth(author: Author) -> None:
    algorithm, folder = author.project()
    first = push(author, folder)
    helper = f"!{sys.executable} -m troth credential"
    surroundings = {key: value for key, value in author.surroundings().items() if key.startswith(("TROTH_", "XDG_"))}
    address = f"{author.server.address}/git/{algorithm}.git"
    plain_git(author.home, "clone", "--quiet", "-c", f"credential.helper={helper}", address, "clone", **surroundings)
    clone = author.home / "clone"
    assert plain_git(clone, "rev-parse", "HEAD").stdout.strip() == first
    (clone / "more.txt").write_text("more")
    plain_git(clone, "add", "-A")
    plain_git(clone, "-c", "user.name=Ada", "-c", "user.email=a@b", "commit", "--quiet", "-m", "more")
    plain_git(clone, "push", "--quiet", "origin", "HEAD:master", **surroundings)
    assert len(author.commits(algorithm)) == 3


@pytest.fixture
def answer(author: Author, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What `troth credential` prints, in this process, when git asks with these lines."""
    for name, value in author.surroundings().items():
        monkeypatch.setenv(name, value)

    def answer(*lines: str, operation: str = "get", code: int = 0) -> str:
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        # settings are read once for a whole process, unless an option makes them others
        assert execute(["credential", "--server", author.server.address, operation]) == code
        return capsys.readouterr().out

    return answer


def test_git_is_answered_for_the_configured_server_only(author: Author, answer: Callable[..., str]) -> None:
    host = author.server.address.removeprefix("http://")
    ours = f"username={author.name}\npassword={author.key}\n"
    assert answer("protocol=http", f"host={host}", "") == ours
    assert answer("protocol=HTTP", f"host={host}", f"username={author.name}", "path=git/a/b.git", "new[]=1") == ours
    assert answer("protocol=https", f"host={host}") == ""
    assert answer("protocol=http", "host=example.org") == ""
    assert answer("protocol=http", "host=127.0.0.1") == ""
    assert answer("protocol=http", "host=127.0.0.1:port") == ""
    assert answer("protocol=http", f"host={host}", "username=somebody") == ""
    assert answer("", "protocol=http", f"host={host}") == ""
    assert answer() == ""


@pytest.mark.parametrize("operation", ["store", "erase", "whatever"])
def test_git_s_other_questions_do_nothing(author: Author, answer: Callable[..., str], operation: str) -> None:
    host = author.server.address.removeprefix("http://")
    assert answer("protocol=http", f"host={host}", operation=operation) == ""


def test_a_key_that_is_not_valid_is_not_given_to_git(
    author: Author, answer: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TROTH_KEY", "simNOT")
    host = author.server.address.removeprefix("http://")
    assert answer("protocol=http", f"host={host}", code=Refused.exit_code) == ""


def test_a_clone_cannot_choose_who_gets_the_key(author: Author, tmp_path: Path) -> None:
    """A troth.toml that names a server is refused by commands, and not read for git's questions."""
    heard: list[bytes] = []
    with listener(heard) as host:
        (author.home / "troth.toml").write_text(f'[settings]\nserver = "http://{host}"\n')
        surroundings = author.surroundings()
        del surroundings["TROTH_SERVER"]
        asked = f"protocol=http\nhost={host}\n"
        done = subprocess.run(
            command("credential", "get"), cwd=author.home, env=surroundings, input=asked, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (0, "")
        done = subprocess.run(
            command("versions", "a/b"), cwd=author.home, env=surroundings, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert "names a server" in done.stderr
    assert heard == []


@contextmanager
def listener(heard: list[bytes]) -> Iterator[str]:
    """HOST:PORT of somebody who writes down what they are told."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            try:
                while True:
                    connection, _ = server.accept()
                    heard.append(connection.recv(65536))
                    connection.close()
            except OSError:
                pass

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)
