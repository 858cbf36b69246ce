"""Pushes that no author means: garbage, floods, half a push, trees that lie. The repository stays, and the server goes on."""

from __future__ import annotations

import base64
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.doors.test_git import Author, ended_build
from tests.server import RunningServer, running_server
from tests.working_copy import WorkingCopy, cloned

_GIBIBYTE = 1 << 30
_RECEIVE = "application/x-git-receive-pack-request"


@pytest.fixture
def pusher(server: RunningServer, tmp_path: Path) -> Author:
    return Author(server, tmp_path)


def _authorization(author: Author) -> dict[str, str]:
    basic = base64.b64encode(f"{author.name}:{author.key}".encode()).decode()
    return {"Authorization": f"Basic {basic}", "Content-Type": _RECEIVE}


def _head(author: Author) -> str:
    return author.clone(f"look{time.monotonic_ns()}").git("rev-parse", "HEAD").stdout.strip()


def _leftovers(server: RunningServer) -> list[Path]:
    return [*(server.home / "repositories").glob("*.git/objects/tmp_objdir-*")]


def _command(old: str, new: str) -> bytes:
    line = f"{old} {new} refs/heads/master\0report-status".encode()
    return b"%04x%b0000" % (len(line) + 4, line)


def _push_body(author: Author, body: bytes) -> httpx2.Response:
    address = f"{author.server.address}/git/{author.subject}.git/git-receive-pack"
    return httpx2.post(address, content=body, headers=_authorization(author), timeout=60)


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"0000",
        b"garbage",
        b"\xff" * 5000,
        b"ffff" + b"x" * 70000,
        b"0004" * 1000,
        b"-001",
        b"zzzz",
        os.urandom(300_000),
    ],
    ids=["nothing", "flush", "words", "ones", "long line", "empty lines", "negative", "no number", "noise"],
)
def test_garbage_instead_of_a_push(pusher: Author, garbage: bytes) -> None:
    before = _head(pusher)
    reply = _push_body(pusher, garbage)
    assert reply.status_code in (200, 400, 500)
    assert b"unpack ok" not in reply.content
    assert _head(pusher) == before


@pytest.mark.parametrize(
    "pack", [b"", b"PACK", b"PACK\0\0\0\2\0\0\0\1", b"PACK\0\0\0\2\xff\xff\xff\xff", b"JUNK" * 500]
)
def test_a_push_whose_pack_is_none(pusher: Author, pack: bytes) -> None:
    before = _head(pusher)
    reply = _push_body(pusher, _command(before, "1" * 40) + pack)
    assert b"unpack ok" not in reply.content
    assert _head(pusher) == before
    assert _leftovers(pusher.server) == []


def test_a_push_of_an_object_that_is_not_there(pusher: Author) -> None:
    before = _head(pusher)
    empty_pack = bytes.fromhex("5041434b0000000200000000029d08823bd8a8eab510ad6ac75c823cfd3ed31e")
    reply = _push_body(pusher, _command(before, "1" * 40) + empty_pack)
    assert b"ng refs/heads/master" in reply.content
    assert _head(pusher) == before


def _flood(size: int, chunk: int = 1 << 20) -> Iterator[bytes]:
    for _ in range(size // chunk):
        yield bytes(chunk)


@pytest.mark.parametrize("length", [True, False], ids=["announced", "chunked"])
def test_a_push_of_a_gibibyte(pusher: Author, length: bool) -> None:
    """It ends early, and whatever the client hears of it, nothing of it is kept."""
    before = _head(pusher)
    begun = _command(before, "1" * 40) + b"PACK\0\0\0\2\0\0\0\1" + b"\xb0\x80\x80\x80\x04x\x9c"
    headers = _authorization(pusher)
    if length:
        headers["Content-Length"] = str(len(begun) + _GIBIBYTE)

    def body() -> Iterator[bytes]:
        yield begun
        yield from _flood(_GIBIBYTE)

    address = f"{pusher.server.address}/git/{pusher.subject}.git/git-receive-pack"
    try:
        reply = httpx2.post(address, content=body(), headers=headers, timeout=120)
        assert b"unpack ok" not in reply.content
    except httpx2.TransportError:
        pass  # the server hung up in the middle
    assert _head(pusher) == before
    _wait_for_quiet(pusher.server)


def _wait_for_quiet(server: RunningServer) -> None:
    deadline = time.monotonic() + 60
    while _leftovers(server) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _leftovers(server) == []


@pytest.fixture(scope="module")
def small_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that takes little."""
    with running_server(tmp_path_factory.mktemp("small"), push_bytes=1 << 20) as running:
        yield running


@pytest.fixture
def hasty_server(tmp_path: Path) -> Iterator[RunningServer]:
    """A server that waits shortly."""
    with running_server(tmp_path / "home", git_seconds=6.0) as running:
        yield running


def test_a_real_push_that_is_too_large(small_server: RunningServer, tmp_path: Path) -> None:
    author = Author(small_server, tmp_path)
    copy = author.clone()
    before = copy.git("rev-parse", "HEAD").stdout.strip()
    copy.commit("large", noise=os.urandom(1_800_000))
    said = copy.push(check=False)
    assert said.returncode
    assert "exceeds maximum allowed size" in said.stderr
    copy.commit("larger", noise=os.urandom(30_000_000))
    said = copy.push(check=False)
    assert said.returncode
    assert "413" in said.stderr or "exceeds maximum allowed size" in said.stderr
    assert _head(author) == before
    _wait_for_quiet(small_server)


def test_a_push_that_stalls(hasty_server: RunningServer, tmp_path: Path) -> None:
    author = Author(hasty_server, tmp_path)
    before = _head(author)
    with _half_sent(author, before) as sock:
        sock.settimeout(120)
        started = time.monotonic()
        answer = sock.recv(4096)
        assert b" 408 " in answer.split(b"\r\n")[0] + b" "
        assert time.monotonic() - started > 5
    assert _head(author) == before
    _wait_for_quiet(hasty_server)


def _half_sent(author: Author, before: str) -> socket.socket:
    """A connection on which half of a push was sent."""
    address = urlsplit(author.server.address)
    sock = socket.create_connection((address.hostname or "", address.port or 0))
    headers = "".join(f"{name}: {value}\r\n" for name, value in _authorization(author).items())
    begun = _command(before, "1" * 40) + b"PACK\0\0\0\2\0\0\1\0" + bytes(1000)
    head = f"POST /git/{author.subject}.git/git-receive-pack HTTP/1.1\r\nHost: x\r\n{headers}Transfer-Encoding: chunked\r\n\r\n"
    sock.sendall(head.encode() + b"%x\r\n%b\r\n" % (len(begun), begun))
    return sock


def test_a_push_that_is_cut_off(pusher: Author) -> None:
    before = _head(pusher)
    for _ in range(5):
        _half_sent(pusher, before).close()
    _wait_for_quiet(pusher.server)
    copy = pusher.clone()
    commit = copy.commit("a whole one", data="1")
    copy.push()
    assert pusher.ended(commit)["status"] == "succeeded"


def test_a_client_that_is_killed_in_the_middle(pusher: Author) -> None:
    copy = pusher.clone()
    before = copy.git("rev-parse", "HEAD").stdout.strip()
    copy.commit("large", noise=os.urandom(40_000_000))
    environment = {"TEST": "1"}
    helper = '!f() { echo "username=$A"; echo "password=$K"; }; f'
    process = subprocess.Popen(
        ["git", "-c", f"credential.helper={helper}", "push", "--quiet", "origin", "master"],
        cwd=copy.folder,
        env={**os.environ, **environment, "A": pusher.name, "K": pusher.key},
        start_new_session=True,
    )
    time.sleep(0.7)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    _wait_for_quiet(pusher.server)
    assert _head(pusher) in (before, copy.git("rev-parse", "HEAD").stdout.strip())
    pusher.clone("after").git("fsck", "--strict")


def test_a_push_to_somebody_elses_repository(server: RunningServer, pusher: Author, tmp_path: Path) -> None:
    before = _head(pusher)
    stranger, _ = server.account("stranger")
    copy = pusher.clone()
    copy.commit("not mine", data="1")
    intruder = WorkingCopy(copy.folder, stranger, server.keys[stranger])
    assert "not found" in intruder.push(check=False).stderr
    assert _head(pusher) == before


def _push_tree(
    author: Author, lines: list[tuple[str, str, str]]
) -> tuple[WorkingCopy, str, subprocess.CompletedProcess[str]]:
    """Pushes a commit whose root holds (mode, path or name, content) beside the template's entries."""
    copy = author.clone()
    index = []
    for mode, path, content in lines:
        blob = content
        if mode != "160000":
            copy.write("scratch", content)
            blob = copy.git("hash-object", "-w", "scratch").stdout.strip()
            (copy.folder / "scratch").unlink()
        index.append(f"{mode} {blob}\t{path}\n")
    (copy.folder / ".git" / "lines").write_text("".join(index))
    subprocess.run(
        ["git", "-c", "core.protectNTFS=false", "update-index", "--index-info"],
        cwd=copy.folder, input="".join(index), text=True, check=True,
    )  # fmt: skip
    copy.git("commit", "--quiet", "-m", "a tree")
    commit = copy.git("rev-parse", "HEAD").stdout.strip()
    return copy, commit, copy.push(check=False)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([("120000", "link", "/etc/passwd")], "symbolic link"),
        ([("120000", "src/inside", "../troth.toml")], "symbolic link"),
        ([("160000", "module", "1" * 40)], "submodule"),
        ([("100644", "README", "a"), ("100644", "readme", "b")], "same name"),
        ([("100644", "a\\b", "x")], "not a path"),
        ([("100644", "x" * 300, "x")], "not a path"),
    ],
    ids=["link out", "link inside", "submodule", "case twins", "backslash", "long name"],
)
def test_trees_that_cannot_be_published(pusher: Author, lines: list[tuple[str, str, str]], said: str) -> None:
    _, commit, done = _push_tree(pusher, lines)
    assert done.returncode == 0, done.stderr
    build = pusher.ended(commit)
    assert build["status"] == "failed"
    assert said in build["log"]


def _raw_tree(copy: WorkingCopy, *entries: tuple[str, bytes, str]) -> str:
    """The id of a tree with exactly these entries, whatever git thinks of them."""
    data = b"".join(f"{mode} ".encode() + name + b"\0" + bytes.fromhex(identity) for mode, name, identity in entries)
    (copy.folder / ".git" / "raw").write_bytes(data)
    return copy.git("hash-object", "-t", "tree", "-w", "--literally", ".git/raw").stdout.strip()


@pytest.mark.parametrize(
    "names",
    [[b".."], [b"."], [b".git"], [b".GIT"], [b"git~1"], [b"a/b"], [b"a", b"a"], [b""]],
    ids=["parent", "self", "git", "GIT", "short git", "slash", "twice", "nameless"],
)
def test_trees_that_git_itself_refuses(pusher: Author, names: list[bytes]) -> None:
    copy = pusher.clone()
    before = copy.git("rev-parse", "HEAD").stdout.strip()
    copy.write("blob", "x")
    blob = copy.git("hash-object", "-w", "blob").stdout.strip()
    tree = _raw_tree(copy, *(("100644", name, blob) for name in names))
    commit = copy.git("commit-tree", tree, "-p", "HEAD", "-m", "bad").stdout.strip()
    done = copy.git("push", "origin", f"{commit}:refs/heads/master", check=False)
    assert done.returncode
    assert _head(pusher) == before
    assert _leftovers(pusher.server) == []


@pytest.mark.clause("ALG-04")
def test_export_attributes_change_nothing(pusher: Author) -> None:
    """What is built is what was committed, whatever attributes say about archives, line ends and filters."""
    copy = pusher.clone()
    copy.write(".gitattributes", "data export-ignore\nother export-subst\n*.py ident\n")
    copy.write("data", "kept")
    copy.write("other", "$Format:%H$")
    copy.write(pusher.entry, "# $Id$\ndef apply(input):\n    return [open('data').read(), open('other').read()]\n")
    commit = copy.commit()
    copy.push()
    assert pusher.ended(commit)["status"] == "succeeded"
    assert pusher.client.call(f"{pusher.subject}/{commit}", 1).result == ["kept", "$Format:%H$"]


def test_a_hundred_thousand_files(pusher: Author) -> None:
    copy = pusher.clone()
    copy.write("one", "x")
    blob = copy.git("hash-object", "-w", "one").stdout.strip()
    (copy.folder / "one").unlink()
    lines = "".join(f"100644 {blob}\tmany/{number // 1000}/{number}\n" for number in range(100_000))
    subprocess.run(["git", "update-index", "--index-info"], cwd=copy.folder, input=lines, text=True, check=True)
    copy.git("commit", "--quiet", "-m", "many")
    commit = copy.git("rev-parse", "HEAD").stdout.strip()
    copy.push()
    build = pusher.ended(commit)
    assert build["status"] == "failed"
    assert "files" in build["log"]
    assert "at most 10000" in build["log"]


def test_a_large_file_that_compresses_well(pusher: Author) -> None:
    copy = pusher.clone()
    commit = copy.commit("zeros", zeros=bytes(100 << 20))
    copy.push()
    build = pusher.ended(commit)
    assert build["status"] == "failed"
    assert "MB are published" in build["log"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import time\ntime.sleep(1000)\n", "more than 6 seconds"),
        ("import os\nwhile True:\n    if os.fork() == 0:\n        import time\n        time.sleep(100)\n", ""),
        ("open('/etc/shadow').read()\n", "No such file"),
        ("import os\nprint(os.listdir('HOME'))\n", "No such file"),
        ("open(__file__, 'a').write('x')\n", "[Errno"),
        ("import os\nos._exit(0)\n", "exited with code 0"),
        ("raise SystemExit('no')\n", "no"),
        ("import os\nos.kill(os.getpid(), 9)\n", "SIGKILL"),
        ("import nothing_of_that_name\n", "ModuleNotFoundError"),
        ("x = 'a' * (1 << 40)\n", "MemoryError"),
        ("print('\\x1b[2J', 'seen', '\\0')\nraise ValueError('\\ud800 \\0 odd')\n", "seen"),
    ],
    ids=["hangs", "forks", "reads", "lists", "writes", "exits", "leaves", "killed", "missing", "memory", "odd words"],
)
def test_imports_that_misbehave(tmp_path: Path, patient_server: RunningServer, code: str, said: str) -> None:
    author = Author(patient_server, tmp_path)
    copy = author.clone()
    copy.write(author.entry, code.replace("HOME", str(patient_server.home)) + "\ndef apply(input):\n    return input\n")
    commit = copy.commit()
    copy.push()
    build = author.ended(commit)
    assert build["status"] == "failed", build["log"]
    assert said in build["log"]
    assert "\x1b" not in build["log"]
    assert author.clone("after").git("rev-parse", "HEAD").stdout.strip() == commit


@pytest.fixture(scope="module")
def patient_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that gives up on a load after some seconds."""
    with running_server(tmp_path_factory.mktemp("patient"), load_seconds=6.0, worker_processes=50) as running:
        yield running


def test_two_builds_of_one_commit_are_one(pusher: Author) -> None:
    copy = pusher.clone()
    copy.write(pusher.entry, "import time\ntime.sleep(0.5)\ndef apply(input):\n    return input\n")
    commit = copy.commit()
    copy.push()
    built = pusher.client.command("compile_algorithm", algorithm=pusher.subject, commit=commit)
    assert built["status"] == "succeeded"
    assert ended_build(pusher.client, pusher.subject, commit)["hash"] == commit
    started = [link.entry for link in pusher.server.owner.journal() if commit.encode() in link.entry]
    assert sum(b'"command":"start_build"' in entry.replace(b" ", b"") for entry in started) == 1


def test_an_account_without_a_clone_of_an_unknown_algorithm(server: RunningServer, tmp_path: Path) -> None:
    name, _ = server.account("author")
    with pytest.raises(AssertionError, match="not found"):
        cloned(tmp_path / "none", server.address, f"{name}/nothing", name, server.keys[name])
