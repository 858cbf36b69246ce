"""References that lead nowhere, and keys that open nothing: who hears what (ALG-12 to ALG-26, algorithmia-api 2.1)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.faults.wire import JSON, Author, answered, author_of, call, call_error, head, patient, post, problem
from tests.server import ECHO, RunningServer, write_project
from troth.errors import Forbidden, NotFound, Refused, Unauthenticated
from troth.sdk import Client

_NO_ACCESS = "authorization required"


@pytest.fixture(autouse=True)
def _nothing_lost(author: Author, echo: str) -> Iterator[None]:
    """After each fault a good call is answered."""
    yield
    assert author.call(echo, "still here") == "still here"


@dataclass(frozen=True)
class _Stage:
    """A private algorithm of an organisation with a member, a stranger, and the hashes of its builds."""

    owner: Author
    member: Client
    member_name: str
    member_key: str
    stranger_key: str
    organization: str
    algorithm: str
    good: str
    failed: str
    foreign: str


@pytest.fixture(scope="module")
def stage(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Stage]:
    folder = tmp_path_factory.mktemp("stage")
    with author_of(server, folder) as owner:
        organization = server.organization(owner.client)
        member_name, _ = server.account("member")
        stranger_name, _ = server.account("stranger")
        owner.client.command("add_member", organization=organization, account=member_name, role="member")
        algorithm, good = server.build(folder, organization, owner.client, permissions={"visibility": "private"})
        owner.client.publish(algorithm, good, number="1.0.0")
        project = write_project(
            folder / "broken", organization, algorithm.split("/")[1], "import nothing_of_this_name\n"
        )
        broken = owner.client.compile(project)
        assert broken["status"] == "failed"
        _, foreign = owner.build("def apply(input):\n    return 'foreign'\n")
        with patient(server, server.keys[member_name]) as member:
            yield _Stage(
                owner,
                member,
                member_name,
                server.keys[member_name],
                server.keys[stranger_name],
                organization,
                algorithm,
                good,
                broken["hash"],
                foreign,
            )


def _same_but_for_names(reply: httpx2.Response, *names: str) -> tuple[int, dict[str, str], Any]:
    """A reply without what differs between any two requests, and with names taken out."""
    found = reply.json()
    found.get("metadata", {}).pop("request_id", None)
    found.get("metadata", {}).pop("duration", None)
    found.pop("instance", None)
    text = repr(found)
    for name in names:
        text = text.replace(name, "NAME")
    varying = ("date", "content-length", "troth-request")
    return reply.status_code, {k: v for k, v in reply.headers.items() if k not in varying}, text


# --- references that lead nowhere


@pytest.mark.clause("ALG-12")
@pytest.mark.parametrize("version", ["", "/1.0.0", "/1.0", "/1.*", "/latest", "/latestPrivate", "/" + "a" * 40])
def test_unknown_owners_and_names(server: RunningServer, author: Author, version: str) -> None:
    for subject in (f"nobody/{author.name}", f"{author.name}/nothing", f"{author.name}x/nothing"):
        reference = subject + version
        reply = call(server, reference, b"{}", key=author.key)
        assert call_error(reply) == f"algorithm algo://{reference} not found"
        assert not [name for name in reply.headers if name.startswith("troth-")]
        said = problem(post(server, "/api/v1/resolve", method="GET", key=author.key, reference=reference), 404,
                       "not-found", plain=True)  # fmt: skip
        assert said["detail"] == f"algorithm algo://{reference} not found"
        with pytest.raises(NotFound, match="not found"):
            author.client.call(reference, {})


@pytest.mark.clause("ALG-13")
@pytest.mark.parametrize("version", ["0.1.1", "0.2.0", "0.2", "1.0.0", "1.*", "0.1.2147483647", "2147483647.0.0"])
def test_unknown_versions(server: RunningServer, author: Author, echo: str, stage: _Stage, version: str) -> None:
    """The owner hears why, a stranger only that there is none; nothing runs in its place."""
    reference = f"{echo.rsplit('/', 1)[0]}/{version}"
    mine = call_error(call(server, reference, b"{}", key=author.key))
    assert mine.startswith(f"algorithm algo://{reference} not found (ALG-")
    theirs = call_error(call(server, reference, b"{}", key=stage.stranger_key))
    assert theirs == f"algorithm algo://{reference} not found"


@pytest.mark.clause("ALG-12")
@pytest.mark.parametrize(
    "version",
    [
        "0",
        "1",
        "v0.1.0",
        "0.1.x",
        "0.1.0.0",
        "00.1.0",
        "0.01.0",
        "0.1.0-rc.1",
        "0.1.0+b",
        "0.1.0 ",
        " 0.1.0",
        "0.1.",
        ".1.0",
        "*",
        "0.*.*",
        "0.1.*.*",
        "Latest",
        "LATEST",
        "latestprivate",
        "latestPublic",
        "latest/0.1.0",
        "0.1.0/latest",
        "0,1,0",
        "-0.1.0",
        "0.1.2147483648",
        "0.1.99999999999999999999999",
        "1e1.0.0",
        "0.1.0\n",
        "0.1.0\x00",
        "0.1.0#",
    ],
)
def test_versions_that_are_no_references(
    server: RunningServer, author: Author, echo: str, stage: _Stage, version: str
) -> None:
    algorithm = echo.rsplit("/", 1)[0]
    path = f"/v1/algo/{algorithm}/" + "".join(f"%{byte:02x}" for byte in version.encode())
    reply = post(server, path, b"{}", key=author.key)
    message = call_error(reply)
    assert message.startswith(f"algorithm algo://{algorithm}/{version} not found")
    if version.isprintable():
        assert "(ALG-12: " in message
    assert call_error(post(server, path, b"{}", key=stage.stranger_key)) == message.partition(" (ALG-12")[0]
    resolved = post(server, "/api/v1/resolve", method="GET", key=author.key, reference=f"{algorithm}/{version}")
    assert problem(resolved, 400, "malformed-reference")["clauses"] == ["ALG-12"]


@pytest.mark.parametrize(
    "path", ["", "/", "one", "one/", "//", "///", "/one", "one//0.1.0", "%2f%2f", "%", "%zz", "%00"]
)
def test_paths_with_nothing_in_them(server: RunningServer, author: Author, path: str) -> None:
    lines = ("Content-Type: application/json", "Content-Length: 2")
    message = call_error(answered(server, head(f"/v1/algo/{path}", author.key, *lines), b"{}"))
    assert message.startswith("algorithm algo://")
    assert message.endswith(" not found")


def test_a_reference_as_long_as_a_head_may_be(server: RunningServer, author: Author, echo: str) -> None:
    reply = call(server, f"{echo}{'0' * 30_000}", b"{}", key=author.key)
    assert call_error(reply).startswith(f"algorithm algo://{echo}")


@pytest.mark.parametrize(
    "path", ["/../../health", "/o/../../health", "/%2e%2e/%2e%2e/health", "/o/n/../../../../etc/passwd"]
)
def test_dots_lead_nowhere(server: RunningServer, author: Author, path: str) -> None:
    lines = ("Content-Type: application/json", "Content-Length: 2")
    reply = answered(server, head(f"/v1/algo{path}", author.key, *lines), b"{}")
    assert call_error(reply).endswith(" not found")
    assert "isolation" not in reply.text


# --- hashes


@pytest.mark.clause("ALG-22")
@pytest.mark.parametrize("digits", [7, 12, 39])
def test_short_hashes(server: RunningServer, stage: _Stage, digits: int) -> None:
    reference = f"{stage.algorithm}/{stage.good[:digits]}"
    message = call_error(call(server, reference, b"{}", key=stage.member_key))
    assert message.startswith(f"algorithm algo://{reference} not found (ALG-12: ")
    assert "40 digits" in message
    assert call_error(call(server, reference, b"{}", key=stage.stranger_key)) == (
        f"algorithm algo://{reference} not found"
    )


@pytest.mark.clause("ALG-22")
def test_hashes_that_are_too_long_or_no_hashes(server: RunningServer, stage: _Stage) -> None:
    for version in (stage.good + "0", stage.good[:-1] + "g", stage.good + stage.good, "sha1:" + stage.good):
        message = call_error(call(server, f"{stage.algorithm}/{version}", b"{}", key=stage.member_key))
        assert "not found (ALG-12: " in message


@pytest.mark.clause("ALG-22")
def test_hashes_that_are_not_to_be_called(server: RunningServer, stage: _Stage) -> None:
    """Another algorithm's, a failed build's, one that never was: a reason for members, none for strangers."""
    expected = {
        stage.foreign: "no build of this algorithm has that hash",
        "0" * 40: "no build of this algorithm has that hash",
        stage.failed: "the build of that hash is failed, and only a successful one is a version",
    }
    for commit, why in expected.items():
        reference = f"{stage.algorithm}/{commit}"
        message = call_error(call(server, reference, b"{}", key=stage.member_key))
        assert message == f"algorithm algo://{reference} not found (ALG-22: {why})"
        message = call_error(call(server, reference, b"{}", key=stage.stranger_key))
        assert message == f"algorithm algo://{reference} not found"


@pytest.mark.clause("ALG-22")
def test_a_good_hash_is_for_members_only(server: RunningServer, stage: _Stage) -> None:
    for commit in (stage.good, stage.good.upper()):
        reference = f"{stage.algorithm}/{commit}"
        assert stage.member.call(reference, "member").result == "member"
        message = call_error(call(server, reference, b"{}", key=stage.stranger_key))
        assert message == f"algorithm algo://{reference} not found"


@pytest.mark.clause("ALG-22")
def test_hashes_that_cannot_be_published(stage: _Stage) -> None:
    expected = {stage.failed: "its build is failed", stage.foreign: "no build has that hash", "0" * 40: "no build has"}
    for commit, found in expected.items():
        with pytest.raises(Refused, match=found) as refusal:
            stage.member.publish(stage.algorithm, commit, bump="minor")
        assert refusal.value.clauses == ("ALG-22",)
        assert refusal.value.why == "a version is a successful build"
        assert refusal.value.repair == "compile it first"
    listed = [version["version"] for version in stage.member.versions(stage.algorithm)["versions"]]
    assert listed == ["1.0.0"]


# --- what strangers may know


@pytest.mark.clause("ALG-25")
@pytest.mark.parametrize("version", ["", "/1.0.0", "/1.0", "/latest", "/latestPrivate", "/HASH"])
def test_private_equals_never_existed(server: RunningServer, stage: _Stage, version: str) -> None:
    version = version.replace("HASH", stage.good)
    for path, how in (("/v1/algo/{}", {}), ("/api/v1/resolve", {"reference": "{}"})):
        answers = []
        for subject in (stage.algorithm, f"{stage.organization}/neverThere", "neverWas/neverThere"):
            reference = subject + version
            query: dict[str, Any] = {name: value.format(reference) for name, value in how.items()}
            method = "POST" if not how else "GET"
            reply = post(server, path.format(reference), b"{}", key=stage.stranger_key, method=method, **query)
            assert "not found" in reply.text
            answers.append(_same_but_for_names(reply, subject))
        assert answers[0] == answers[1] == answers[2]


@pytest.mark.clause("ALG-25")
@pytest.mark.parametrize("path", ["versions", "builds"])
def test_queries_tell_strangers_nothing(server: RunningServer, stage: _Stage, path: str) -> None:
    answers = []
    for subject in (stage.algorithm, f"{stage.organization}/neverThere", "neverWas/neverThere"):
        reply = post(server, f"/api/v1/query/{path}", method="GET", key=stage.stranger_key, algorithm=subject)
        problem(reply, 404, "not-found", plain=True)
        answers.append(_same_but_for_names(reply, subject))
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.clause("ALG-25")
def test_commands_tell_strangers_nothing(server: RunningServer, stage: _Stage) -> None:
    """Whether the owner, the algorithm or the build exists."""
    answers = []
    for subject in (stage.algorithm, f"{stage.organization}/neverThere", "neverWas/neverThere"):
        for commit in (stage.good, "0" * 40):
            body = f'{{"algorithm": "{subject}", "hash": "{commit}", "bump": "minor"}}'.encode()
            reply = post(server, "/api/v1/cmd", body, key=stage.stranger_key, command="publish_version", version=1)
            problem(reply, 403, "forbidden")
            answers.append(_same_but_for_names(reply, subject, commit))
    assert len({repr(answer) for answer in answers}) == 1


@pytest.mark.clause("ALG-18")
@pytest.mark.parametrize("version", ["1.0", "1.0.*", "1.*", "latest", ""])
def test_floating_references_never_mean_a_private_version(server: RunningServer, stage: _Stage, version: str) -> None:
    reference = f"{stage.algorithm}/{version}".rstrip("/")
    message = call_error(call(server, reference, b"{}", key=stage.member_key))
    assert message.startswith(f"algorithm algo://{reference} not found (ALG-1")
    assert call_error(call(server, reference, b"{}", key=stage.stranger_key)) == (
        f"algorithm algo://{reference} not found"
    )


# --- keys


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("Authorization:",),
        ("Authorization: ",),
        ("Authorization: Bearer",),
        ("Authorization: Bearer ",),
        ("Authorization: Simple ",),
        ("Authorization: Simple",),
        ("Authorization: KEYx",),
        ("Authorization: xKEY",),
        ("Authorization: SHORT",),
        ("Authorization: SWAPPED",),
        ("Authorization: Basic KEY",),
        ("Authorization: Token KEY",),
        ("Authorization: Bearer Bearer KEY",),
        ("Authorization: Simple=KEY",),
        ("Authorization: sim" + "A" * 25,),
        ("Authorization: " + "x" * 10_000,),
        ("Authorization: \xff\xfe\x80",),
        ("X-Authorization: KEY",),
        ("Troth-Key: KEY",),
        ("Cookie: key=KEY",),
    ],
    ids=lambda lines: (lines or ("none",))[0][:40].replace("\xff\xfe\x80", "latin"),
)
def test_no_valid_key(server: RunningServer, author: Author, echo: str, lines: tuple[str, ...]) -> None:
    key = author.key
    words = {"KEY": key, "SHORT": key[:-1], "SWAPPED": key.swapcase()}
    for word, value in words.items():
        lines = tuple(line.replace(word, value) for line in lines)
    fixed = ("Content-Type: application/json", "Content-Length: 2")
    reply = answered(server, head(f"/v1/algo/{echo}", "", *fixed, *lines), b"{}")
    assert call_error(reply) == _NO_ACCESS  # in a 200: only that reaches the Python client's users (section 3.1)
    assert not [name for name in reply.headers if name.startswith("troth-")]
    found = problem(answered(server, head("/api/v1/query/keys", "", *lines, method="GET")), 401, "unauthenticated")
    assert found["why"] == "no valid key came with the request"
    assert found["repair"] == "send Authorization: Bearer KEY"


def test_without_a_key_nothing_can_be_found_out(server: RunningServer, stage: _Stage, echo: str) -> None:
    """Neither what exists nor what a body would do."""
    answers = [
        _same_but_for_names(call(server, reference, body, kind=kind))
        for reference in (echo, stage.algorithm, "no/thing", "a b/../c", f"{echo}/x")
        for body, kind in ((b"{}", JSON), (b"{", JSON), (b"", None), (b"x", "text/html"))
    ]
    assert len({repr(answer) for answer in answers}) == 1
    for path in (
        "/metrics",
        "/api/v1/resolve",
        "/api/v1/query/versions",
        "/api/v1/receipts/x",
        "/api/v1/query/journal",
    ):
        reply = post(server, path, method="GET", algorithm=stage.algorithm, reference=stage.algorithm)
        assert reply.status_code == 401
        assert reply.json()["code"] == "unauthenticated"
    reply = post(server, "/api/v1/cmd", b"{", command="none", version=7)
    assert problem(reply, 401, "unauthenticated")["detail"] == _NO_ACCESS
    reply = post(server, f"/api/v1/sources/{'0' * 64}", b"no tar", method="PUT")
    problem(reply, 401, "unauthenticated")


def test_a_key_in_the_query_is_no_key(server: RunningServer, author: Author, echo: str) -> None:
    """It would stand in every log on the way."""
    for name in ("key", "api_key", "apikey", "authorization", "access_token", "token"):
        assert call_error(call(server, f"{echo}?{name}={author.key}", b"{}")) == _NO_ACCESS


@pytest.mark.parametrize(
    "form",
    [
        "{}",
        "Simple {}",
        "Bearer {}",
        "simple {}",
        "bearer {}",
        "SIMPLE {}",
        "BEARER {}",
        "BeArEr {}",
        "Bearer   {}",
        " \t {}   ",
    ],
)
def test_all_forms_of_a_key(server: RunningServer, author: Author, echo: str, form: str) -> None:
    line = "Authorization:" + form.format(author.key)
    fixed = ("Content-Type: application/json", "Content-Length: 4", line)
    assert answered(server, head(f"/v1/algo/{echo}", "", *fixed), b'"in"').json()["result"] == "in"
    reply = answered(server, head("/api/v1/query/keys", "", line, method="GET"))
    assert reply.json()["account"] == author.name


def test_a_key_revoked_between_two_calls(server: RunningServer, author: Author, echo: str) -> None:
    made = author.client.command("create_key", account=author.name, label="short-lived")
    with patient(server, made["key"]) as brief:
        assert brief.call(echo, 1).result == 1
        author.client.command("revoke_key", key_id=made["key_id"])
        with pytest.raises(Unauthenticated, match=_NO_ACCESS):
            brief.call(echo, 2)
        with pytest.raises(Unauthenticated, match=_NO_ACCESS):
            brief.keys()
        with pytest.raises(Unauthenticated):
            brief.command("create_key", account=author.name)
    assert made["key_id"] not in [row["key_id"] for row in author.client.keys()["keys"]]
    assert author.call(echo, 3) == 3  # the account's other key is as good as before
    with pytest.raises(NotFound, match="no such key") as again:
        author.client.command("revoke_key", key_id=made["key_id"])
    assert again.value.repair


def test_a_key_that_revokes_itself(server: RunningServer, author: Author, echo: str) -> None:
    made = author.client.command("create_key", account=author.name)
    with patient(server, made["key"]) as brief:
        brief.command("revoke_key", key_id=made["key_id"])
        with pytest.raises(Unauthenticated, match=_NO_ACCESS):
            brief.call(echo, 2)


def test_keys_that_are_not_ones_own(server: RunningServer, author: Author, stage: _Stage) -> None:
    theirs = stage.member.keys()["keys"][0]["key_id"]
    for key_id in (theirs, str(uuid.uuid4())):
        with pytest.raises(Forbidden) as refusal:
            author.client.command("revoke_key", key_id=key_id)
        assert refusal.value.why
        assert refusal.value.repair
    for account in (stage.member_name, stage.organization, "nobody", "owner", "troth"):
        with pytest.raises(Forbidden):
            author.client.command("create_key", account=account)
    assert stage.member.call(f"{stage.algorithm}/1.0.0", 1).result == 1


@pytest.mark.clause("ALG-26")
def test_a_former_member_who_comes_back(server: RunningServer, stage: _Stage) -> None:
    """Membership is that of the moment of the call."""
    references = [f"{stage.algorithm}/{version}" for version in ("1.0.0", "latestPrivate", stage.good)]

    def answers() -> list[str]:
        found = []
        for reference in references:
            reply = call(server, reference, b'"in"', key=stage.member_key).json()
            found.append(reply.get("result") or reply["error"]["message"])
        return found

    assert answers() == ["in"] * 3
    stage.owner.client.command("remove_member", organization=stage.organization, account=stage.member_name)
    assert answers() == [f"algorithm algo://{reference} not found" for reference in references]
    with pytest.raises(NotFound):
        stage.member.versions(stage.algorithm)
    with pytest.raises(Forbidden):
        stage.member.publish(stage.algorithm, stage.good, bump="minor")
    stage.owner.client.command("add_member", organization=stage.organization, account=stage.member_name, role="member")
    assert answers() == ["in"] * 3
    assert [row["version"] for row in stage.member.versions(stage.algorithm)["versions"]] == ["1.0.0"]


@pytest.mark.clause("ALG-26")
def test_membership_does_not_outlive_itself_in_a_loop(server: RunningServer, stage: _Stage) -> None:
    change: dict[str, Any] = {"organization": stage.organization, "account": stage.member_name}
    for _ in range(10):
        stage.owner.client.command("remove_member", **change)
        with pytest.raises(NotFound):
            stage.member.call(f"{stage.algorithm}/1.0.0", 1)
        stage.owner.client.command("add_member", role="member", **change)
        assert stage.member.call(f"{stage.algorithm}/1.0.0", 1).result == 1


def test_administrators_are_no_members(server: RunningServer, stage: _Stage) -> None:
    """Who runs the server does not thereby call what is private on it."""
    message = call_error(call(server, f"{stage.algorithm}/1.0.0", b"{}", key=server.owner_key))
    assert message == f"algorithm algo://{stage.algorithm}/1.0.0 not found"


def test_publishing_goes_on(stage: _Stage, tmp_path: Path) -> None:
    """After all of the above the same author still builds, publishes and calls."""
    reference = stage.owner.publish(ECHO)
    assert stage.owner.call(reference, "new") == "new"
