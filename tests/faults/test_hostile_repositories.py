"""Repositories made to harm who reads them: bombs of trees, objects that stand for others, hooks, files that take for ever."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.doors.test_git import Author, ended_build
from tests.faults.test_pushes import _authorization, _command, _head
from tests.server import RunningServer
from tests.working_copy import WorkingCopy, cloned
from troth import git
from troth.registry import catalog


@pytest.fixture
def pusher(server: RunningServer, tmp_path: Path) -> Author:
    return Author(server, tmp_path)


def _repository(author: Author) -> Path:
    with author.server.server.database.read() as connection:
        found = catalog.find_algorithm(connection, *author.subject.split("/"))
    assert found is not None
    return author.server.server.repositories.path(found.id)


def _tree(copy: WorkingCopy, entries: list[tuple[str, str, str]]) -> str:
    lines = "".join(f"{mode} {kind} {identity}\t{number}\n" for number, (mode, kind, identity) in enumerate(entries))
    return git.run(copy.folder / ".git", "mktree", given=lines.encode()).decode().strip()


def test_a_few_kilobytes_that_name_a_billion_files(pusher: Author) -> None:
    copy = pusher.clone()
    copy.write("blob", "x")
    blob = copy.git("hash-object", "-w", "blob").stdout.strip()
    tree = _tree(copy, [("100644", "blob", blob)] * 100)
    for _ in range(5):
        tree = _tree(copy, [("040000", "tree", tree)] * 100)
    commit = copy.git("commit-tree", tree, "-p", "HEAD", "-m", "bomb").stdout.strip()
    copy.git("push", "origin", f"{commit}:refs/heads/master")
    build = pusher.ended(commit, 60)
    assert build["status"] == "failed"
    assert "files" in build["log"]


@pytest.mark.clause("ALG-02")
@pytest.mark.parametrize("reference", ["refs/replace/{commit}", "refs/odd/thing", "refs/notes/x"])
def test_refs_that_are_neither_branches_nor_tags(pusher: Author, reference: str) -> None:
    copy = pusher.clone()
    commit = copy.commit("one", data="1")
    done = copy.git("push", "origin", f"{commit}:{reference.format(commit=commit)}", check=False)
    assert done.returncode
    assert "deny updating a hidden ref" in done.stderr


@pytest.mark.clause("ALG-04")
def test_an_object_that_stands_for_another(pusher: Author) -> None:
    """A replacement in the repository, however it came there, changes neither what is built nor what a push may do."""
    copy = pusher.clone()
    copy.write(pusher.entry, "def apply(input):\n    return 'true'\n")
    commit = copy.commit()
    copy.push()
    pusher.ended(commit)
    repository = _repository(pusher)
    template = git.ask(repository, "rev-parse", f"{commit}~1")
    git.run(repository, "update-ref", f"refs/replace/{commit}", template)
    source = pusher.server.server.trees
    digest = pusher.ended(commit)["source"]
    source.remove(digest)
    assert pusher.client.call(f"{pusher.subject}/{commit}", 1).result == "true"


@pytest.mark.parametrize("hook", ["reference-transaction", "post-index-change", "pre-receive", "update"])
def test_hooks_are_not_run_by_the_server_either(pusher: Author, tmp_path: Path, hook: str) -> None:
    repository = _repository(pusher)
    seen = tmp_path / "seen"
    path = repository / "hooks" / hook
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\necho run >> {seen}\n")
    path.chmod(0o755)
    copy = pusher.clone()
    commit = copy.commit("pushed", data="1")
    copy.push()
    pusher.ended(commit)
    folder = copy.folder
    (folder / "data").write_text("2")
    pusher.client.compile(folder)
    assert not seen.exists()


def test_what_decides_how_git_reads_a_repository_is_out_of_reach_of_pushes(pusher: Author) -> None:
    """Where the server is root, the git that serves pushes is another user."""
    repository = _repository(pusher)
    service = pusher.server.server.launcher.service_uid
    if service is None:
        return  # one user, who owns all of it
    child = os.fork()
    if child == 0:
        os.chdir(repository)
        os.setgid(service)
        os.setuid(service)
        os._exit(_reached())
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def _reached() -> int:
    """How many of the forbidden things this user can do in the present folder."""
    attempts: list[Callable[[], object]] = [
        lambda: open("config", "a").close(),
        lambda: os.rename("config", "other"),
        lambda: open("HEAD", "a").close(),
        lambda: os.rename("hooks", "other"),
        lambda: open("hooks/update", "w").close(),
        lambda: os.rename("objects", "other"),
        lambda: open("objects/info/alternates", "w").close(),
        lambda: os.rename("objects/info", "objects/other"),
        lambda: open("info/grafts", "w").close(),
    ]
    done = 0
    for attempt in attempts:
        try:
            attempt()
            done += 1
        except OSError:
            pass
    return done


def test_a_project_file_whose_keys_take_long_to_read(pusher: Author) -> None:
    """The server answers others meanwhile, and the build fails soon."""
    copy = pusher.clone()
    copy.write("troth.toml", "a" + ".a" * 30_000 + "=1\n")
    commit = copy.commit()
    copy.push()
    waits = []
    for _ in range(10):
        started = time.monotonic()
        httpx2.get(f"{pusher.server.address}/health", timeout=60)
        waits.append(time.monotonic() - started)
    assert max(waits) < 20
    build = pusher.ended(commit)
    assert build["status"] == "failed"
    assert "too long" in build["log"]


def test_a_schema_that_takes_long_to_check(pusher: Author) -> None:
    copy = pusher.clone()
    with open(copy.folder / "troth.toml", "a") as file:
        file.write('\n[contract]\ninput = "schema.json"\n')
    names = ",".join(f'"{number}"' for number in range(60_000))
    copy.write("schema.json", f'{{"type": [{names}]}}')
    commit = copy.commit()
    copy.push()
    build = pusher.ended(commit)
    assert build["status"] == "failed"
    assert "schema.json" in build["log"]


@pytest.mark.clause("ALG-26")
def test_rights_that_end_during_a_push(server: RunningServer, tmp_path: Path) -> None:
    """Who was removed while a push was on its way has not pushed."""
    _, admin = server.account("admin")
    member, _ = server.account("member")
    house = server.organization(admin)
    admin.command("add_member", organization=house, account=member, role="member")
    subject = f"{house}/{server.new_name('algo')}"
    admin.command("create_algorithm", algorithm=subject)
    author = Author.__new__(Author)
    author.server, author.name, author.key, author.subject = server, member, server.keys[member], subject
    author.folder = tmp_path
    before = _head(author)
    copy = author.clone()
    commit = copy.commit("late", data="1")
    pack = git.run(copy.folder / ".git", "pack-objects", "--revs", "--stdout", given=f"{commit}\n^{before}\n".encode())
    body = _command(before, commit) + pack
    said = _sent_slowly(author, body, lambda: admin.command("remove_member", organization=house, account=member))
    assert said.split(b"\r\n")[0].endswith(b"404 Not Found")
    admin.command("add_member", organization=house, account=member, role="member")
    assert _head(author) == before
    said = _sent_slowly(author, body, lambda: None)
    assert b"unpack ok" in said
    assert _head(author) == commit


@pytest.mark.clause("ALG-22")
def test_rights_that_end_during_a_build(server: RunningServer, tmp_path: Path) -> None:
    """The build ends and is recorded all the same; it is no longer theirs."""
    _, admin = server.account("admin")
    member, _ = server.account("member")
    house = server.organization(admin)
    admin.command("add_member", organization=house, account=member, role="member")
    subject = f"{house}/{server.new_name('algo')}"
    admin.command("create_algorithm", algorithm=subject)
    copy = cloned(tmp_path / "clone", server.address, subject, member, server.keys[member])
    copy.write(f"src/{subject.split('/')[1]}.py", "import time\ntime.sleep(2)\ndef apply(input):\n    return input\n")
    commit = copy.commit()
    copy.push()
    deadline = time.monotonic() + 60
    while not admin.builds(subject)["builds"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    admin.command("remove_member", organization=house, account=member)
    assert ended_build(admin, subject, commit, 60)["status"] == "succeeded"
    assert admin.call(f"{subject}/{commit}", 1).result == 1


def _sent_slowly(author: Author, body: bytes, meanwhile: Callable[[], object]) -> bytes:
    """The answer to a push whose last bytes come a second after the others."""
    address = urlsplit(author.server.address)
    headers = "".join(f"{name}: {value}\r\n" for name, value in _authorization(author).items())
    head = f"POST /git/{author.subject}.git/git-receive-pack HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}"
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=60) as sock:
        sock.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:-10])
        time.sleep(1)
        meanwhile()
        sock.sendall(body[-10:])
        said = b""
        while chunk := sock.recv(65536):
            said += chunk
    return said


def test_the_newest_build_is_the_one_begun_last(pusher: Author) -> None:
    """A slow build of an older commit that ends later is not what an unnamed publication means."""
    copy = pusher.clone()
    copy.write(pusher.entry, "import time\ntime.sleep(3)\ndef apply(input):\n    return 'old'\n")
    old = copy.commit()
    copy.push()
    deadline = time.monotonic() + 60
    while not pusher.client.builds(pusher.subject)["builds"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    copy.write(pusher.entry, "def apply(input):\n    return 'new'\n")
    new = copy.commit()
    copy.push()
    pusher.ended(new)
    pusher.ended(old)
    reply = httpx2.post(
        f"{pusher.server.address}/v1/algorithms/{pusher.subject}/versions",
        headers={"Authorization": f"Simple {pusher.key}"},
        json={},
    )
    assert reply.json()["version_info"]["git_hash"] == new
