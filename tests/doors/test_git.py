"""Git over HTTP, by the real git: clone, push, what is refused, and the builds that come of it."""

from __future__ import annotations

import base64
import gzip
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.server import RunningServer
from tests.working_copy import WorkingCopy, cloned
from troth.sdk import Client


class Author:
    """A user with one algorithm and a clone of its repository."""

    def __init__(self, server: RunningServer, folder: Path) -> None:
        self.server = server
        self.name, self.client = server.account("author")
        self.key = server.keys[self.name]
        self.subject = f"{self.name}/{server.new_name('algo')}"
        self.client.command("create_algorithm", algorithm=self.subject)
        self.entry = f"src/{self.subject.split('/')[1]}.py"
        self.folder = folder

    def clone(self, name: str = "clone", *options: str) -> WorkingCopy:
        return cloned(self.folder / name, self.server.address, self.subject, self.name, self.key, *options)

    def ended(self, commit: str, seconds: float = 60.0) -> dict[str, Any]:
        """The build of a commit, once it has ended."""
        return ended_build(self.client, self.subject, commit, seconds)


def ended_build(client: Client, subject: str, commit: str, seconds: float = 60.0) -> dict[str, Any]:
    """The build of a commit, once it has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for build in client.builds(subject)["builds"]:
            if build["hash"] == commit and build["status"] != "in-progress":
                return dict(build)
        time.sleep(0.05)
    raise AssertionError(f"no build of {commit} ended within {seconds} seconds: {client.builds(subject)}")


@pytest.fixture
def author(server: RunningServer, tmp_path: Path) -> Author:
    return Author(server, tmp_path)


def test_a_new_repository_holds_a_working_template(author: Author) -> None:
    copy = author.clone()
    assert copy.git("symbolic-ref", "HEAD").stdout.strip() == "refs/heads/master"
    assert (copy.folder / author.entry).is_file()
    built = author.client.command("compile_algorithm", algorithm=author.subject)
    assert built["status"] == "succeeded", built["log"]
    assert built["hash"] == copy.git("rev-parse", "HEAD").stdout.strip()
    assert author.client.call(f"{author.subject}/{built['hash']}", "X").result == "hello X"


@pytest.mark.clause("ALG-22")
def test_a_push_is_built_and_callable_by_its_full_hash(author: Author) -> None:
    copy = author.clone()
    copy.write(author.entry, "def apply(input):\n    return [input, 2]\n")
    commit = copy.commit()
    copy.push()
    assert author.ended(commit)["status"] == "succeeded"
    assert author.client.call(f"{author.subject}/{commit}", 1).result == [1, 2]


@pytest.mark.clause("ALG-22")
def test_a_push_that_cannot_be_built_is_a_recorded_failure_that_nobody_can_call(author: Author) -> None:
    copy = author.clone()
    copy.write(author.entry, "def apply(input:\n")
    commit = copy.commit()
    copy.push()
    build = author.ended(commit)
    assert build["status"] == "failed"
    assert "SyntaxError" in build["log"]
    with pytest.raises(Exception, match="not found"):
        author.client.call(f"{author.subject}/{commit}", 1)


def test_only_the_head_of_a_push_is_built(author: Author) -> None:
    copy = author.clone()
    first = copy.commit("one", one="1")
    second = copy.commit("two", two="2")
    copy.push()
    author.ended(second)
    assert first not in {build["hash"] for build in author.client.builds(author.subject)["builds"]}


def test_compile_after_a_push_gives_the_same_build(author: Author) -> None:
    copy = author.clone()
    commit = copy.commit("one", data="1")
    copy.push()
    built = author.client.command("compile_algorithm", algorithm=author.subject, commit=commit)
    again = author.client.command("compile_algorithm", algorithm=author.subject)
    assert built == again
    assert [build["hash"] for build in author.client.builds(author.subject)["builds"]] == [commit]


def test_a_version_hash_is_the_commit_and_its_manifest_is_recorded_beside_it(author: Author) -> None:
    copy = author.clone()
    commit = copy.commit("one", data="1")
    copy.push()
    source = author.ended(commit)["source"]
    published = author.client.publish(author.subject, commit, bump="minor")
    assert (published["hash"], published["source"]) == (commit, source)
    assert len(source) == 64


def test_other_branches_and_tags_are_kept_and_not_built(author: Author) -> None:
    copy = author.clone()
    copy.git("checkout", "--quiet", "-b", "idea")
    commit = copy.commit("idea", data="1")
    copy.git("tag", "v1")
    copy.git("push", "origin", "idea", "v1")
    assert commit in author.clone("second").git("ls-remote", "origin", "idea").stdout
    with pytest.raises(Exception, match="there is no commit"):
        author.client.command("compile_algorithm", algorithm=author.subject, commit=commit)
    assert author.client.builds(author.subject)["builds"] == []


def test_shallow_clone_and_push(author: Author) -> None:
    copy = author.clone()
    for number in range(3):
        copy.commit(f"change {number}", data=str(number))
    copy.push()
    shallow = author.clone("shallow", "--depth", "1")
    assert shallow.git("rev-list", "--count", "HEAD").stdout.strip() == "1"
    commit = shallow.commit("from a shallow clone", more="1")
    shallow.push()
    assert author.ended(commit)["status"] == "succeeded"


def test_an_exact_commit_can_be_fetched(author: Author) -> None:
    copy = author.clone()
    old = copy.commit("old", data="old")
    copy.commit("new", data="new")
    copy.push()
    other = author.clone("other", "--depth", "1")
    other.git("fetch", "--quiet", "--depth", "1", "origin", old)
    assert other.git("show", "FETCH_HEAD:data").stdout == "old"


@pytest.mark.parametrize("version", ["0", "1", "2"])
def test_every_protocol_version(author: Author, version: str) -> None:
    copy = author.clone()
    commit = copy.commit("change", data=version)
    copy.git("-c", f"protocol.version={version}", "push", "--quiet", "origin", "master")
    said = copy.git("-c", f"protocol.version={version}", "ls-remote", "origin", "master").stdout
    assert said.split()[0] == commit


def test_compressed_and_chunked_bodies(author: Author) -> None:
    """git compresses long negotiations and sends packs beyond http.postBuffer in chunks."""
    copy = author.clone()
    commit = copy.commit("change", noise=bytes(range(256)) * 40)
    said = copy.git("-c", "http.postBuffer=1000", "push", "origin", "master", GIT_TRACE_CURL="1").stderr.lower()
    assert "transfer-encoding: chunked" in said
    assert author.ended(commit)["status"] == "succeeded"


def test_a_compressed_question(author: Author) -> None:
    head = author.clone().git("rev-parse", "HEAD").stdout.strip()
    question = f"0032want {head}\n00000009done\n".encode()
    basic = base64.b64encode(f"{author.name}:{author.key}".encode()).decode()
    reply = httpx2.post(
        f"{author.server.address}/git/{author.subject}.git/git-upload-pack",
        content=gzip.compress(question),
        headers={
            "Authorization": f"Basic {basic}",
            "Content-Type": "application/x-git-upload-pack-request",
            "Content-Encoding": "gzip",
        },
    )
    assert reply.status_code == 200
    assert reply.content.startswith(b"0008NAK\nPACK")


@pytest.mark.clause("ALG-02")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["push", "--force", "origin", "HEAD~1:master"], "non-fast-forward"),
        (["push", "origin", ":master"], "deletion prohibited"),
        (["push", "--force", "origin", "+HEAD~1:refs/heads/master"], "non-fast-forward"),
    ],
)
def test_history_is_not_rewritten(author: Author, arguments: list[str], said: str) -> None:
    copy = author.clone()
    commit = copy.commit("change", data="1")
    copy.push()
    done = copy.git(*arguments, check=False)
    assert done.returncode
    assert said in done.stderr
    assert author.clone("after").git("rev-parse", "HEAD").stdout.strip() == commit


def test_hooks_are_never_run(author: Author, server: RunningServer) -> None:
    identity = next(path for path in (server.home / "repositories").glob("*.git") if _holds(path, author.name))
    hooks = identity / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("pre-receive", "update", "post-receive"):
        (hooks / name).write_text("#!/bin/sh\nexit 1\n")
        (hooks / name).chmod(0o755)
    copy = author.clone()
    copy.commit("change", data="1")
    copy.push()


def _holds(repository: Path, account: str) -> bool:
    said = subprocess.run(
        ["git", "-c", "safe.directory=*", "--git-dir", str(repository), "log", "-1", "--format=%an", "master"],
        capture_output=True,
        text=True,
        check=True,
    )
    return said.stdout.strip() == account


def _statuses(address: str, path: str, *credentials: tuple[str, str]) -> list[tuple[int, bytes]]:
    found = []
    for account, key in credentials:
        basic = base64.b64encode(f"{account}:{key}".encode()).decode()
        reply = httpx2.get(f"{address}/git/{path}", headers={"Authorization": f"Basic {basic}"} if key else {})
        found.append((reply.status_code, reply.content.replace(path.split(".git")[0].encode(), b"REPOSITORY")))
    return found


def test_who_may_use_a_repository(server: RunningServer, author: Author) -> None:
    stranger, _ = server.account("stranger")
    known = f"{author.subject}.git/info/refs?service=git-upload-pack"
    statuses = _statuses(
        server.address,
        known,
        (author.name, author.key),
        (author.name, "wrong"),
        (stranger, author.key),
        (author.name, ""),
        (stranger, server.keys[stranger]),
    )
    assert [status for status, _ in statuses] == [200, 401, 401, 401, 404]


@pytest.mark.clause("ALG-25")
@pytest.mark.parametrize("service", ["git-upload-pack", "git-receive-pack"])
def test_to_a_stranger_a_repository_is_like_one_that_never_was(
    server: RunningServer, author: Author, service: str
) -> None:
    stranger, _ = server.account("stranger")
    nothing = f"{author.name}/{server.new_name('nothing')}"
    answers = [
        _statuses(server.address, f"{path}.git/info/refs?service={service}", (stranger, server.keys[stranger]))
        for path in (author.subject, nothing)
    ]
    assert answers[0] == answers[1]


def test_members_of_an_organisation_share_its_repositories(server: RunningServer, tmp_path: Path) -> None:
    _, admin_client = server.account("admin")
    member, _ = server.account("member")
    house = server.organization(admin_client)
    admin_client.command("add_member", organization=house, account=member, role="member")
    subject = f"{house}/{server.new_name('algo')}"
    admin_client.command("create_algorithm", algorithm=subject)
    copy = cloned(tmp_path / "clone", server.address, subject, member, server.keys[member])
    commit = copy.commit("by a member", data="1")
    copy.push()
    assert ended_build(admin_client, subject, commit)["status"] == "succeeded"
    admin_client.command("remove_member", organization=house, account=member)
    copy.commit("by a former member", data="2")
    assert "not found" in copy.push(check=False).stderr


def test_a_client_is_asked_for_its_credentials(server: RunningServer, author: Author) -> None:
    reply = httpx2.get(f"{server.address}/git/{author.subject}.git/info/refs?service=git-upload-pack")
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    "path",
    [
        "{subject}.git/HEAD",
        "{subject}.git/config",
        "{subject}.git/objects/info/packs",
        "{subject}.git/../../registry.sqlite",
        "{subject}.git/%2e%2e/%2e%2e/registry.sqlite",
        "..%2f..%2fregistry.sqlite/x.git/info/refs?service=git-upload-pack",
        "{subject}.git/info/refs",
        "{subject}.git/info/refs?service=git-archive",
        "{subject}.git/git-upload-archive",
    ],
)
def test_nothing_but_the_smart_protocol_is_served(server: RunningServer, author: Author, path: str) -> None:
    basic = base64.b64encode(f"{author.name}:{author.key}".encode()).decode()
    reply = httpx2.get(
        f"{server.address}/git/{path.format(subject=author.subject)}", headers={"Authorization": f"Basic {basic}"}
    )
    assert reply.status_code in (403, 404)


def _two_pushes(author: Author) -> list[subprocess.CompletedProcess[str]]:
    from concurrent.futures import ThreadPoolExecutor

    copies = [author.clone(f"copy{number}") for number in range(2)]
    for number, copy in enumerate(copies):
        copy.commit(f"by {number}", **{f"file{number}": str(number)})
    with ThreadPoolExecutor(2) as threads:
        push: Callable[[WorkingCopy], subprocess.CompletedProcess[str]] = lambda copy: copy.push(check=False)  # noqa: E731
        return list(threads.map(push, copies))


def test_of_two_pushes_at_once_one_is_told_to_pull_first(author: Author) -> None:
    done = _two_pushes(author)
    assert sorted(bool(one.returncode) for one in done) == [False, True]
    author.clone("after").git("fsck", "--strict")
