"""Commands that are malformed, repeated, or disguised: what the bus takes, and that it takes it once."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from tests.faults.wire import Author, post, problem
from tests.server import RunningServer
from troth.errors import Refused, UuidReused
from troth.versions.chain import BEGINNING, verify


@pytest.fixture(scope="module")
def proved() -> list[tuple[int, str]]:
    """Up to where the journal was verified, so that each test computes its own part only."""
    return [(0, BEGINNING)]


@pytest.fixture(autouse=True)
def _nothing_lost(server: RunningServer, proved: list[tuple[int, str]]) -> Iterator[None]:
    """After each fault a good command is carried out, and the journal holds."""
    yield
    name = server.new_name("after")
    assert server.owner.command("create_account", name=name)["account"] == name
    (position, digest) = proved.pop()
    proved.append(verify(server.owner.journal(position), position, digest))
    assert proved[0][0] > position


@pytest.fixture(scope="module")
def unpublished(author: Author) -> tuple[str, str]:
    """An algorithm with a build and no version."""
    return author.build()


def _send(
    server: RunningServer,
    payload: bytes | dict[str, Any],
    *,
    key: str = "",
    command: str = "create_account",
    version: Any = 1,
    **query: Any,
) -> httpx2.Response:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return post(server, "/api/v1/cmd", body, key=key or server.owner_key, command=command, version=version, **query)


def _entries(server: RunningServer, identity: str) -> list[dict[str, Any]]:
    """The journal's entries of commands with this uuid."""
    return [entry for link in server.owner.journal() if (entry := json.loads(link.entry))["uuid"] == identity]


def _exists(server: RunningServer, name: str) -> bool:
    return name in [row["name"] for row in server.owner.accounts()["accounts"]]


# --- uuids


def test_a_repeated_command_is_done_once(server: RunningServer) -> None:
    name, identity = server.new_name("once"), str(uuid.uuid4())
    replies = [_send(server, {"name": name}, uuid=identity) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200] * 3
    assert replies[0].json() == replies[1].json() == replies[2].json()
    assert replies[0].json()["uuid"] == identity
    assert len(_entries(server, identity)) == 1


def test_a_command_repeated_at_the_same_time_is_done_once(server: RunningServer) -> None:
    name, identity = server.new_name("race"), str(uuid.uuid4())
    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(lambda _: _send(server, {"name": name}, uuid=identity), range(8)))
    assert {reply.text for reply in replies} == {replies[0].text}
    assert replies[0].status_code == 200
    assert len(_entries(server, identity)) == 1


def test_a_refusal_is_repeated_as_it_was(server: RunningServer, author: Author) -> None:
    """Also when what it was refused for is no longer so: a command has one outcome."""
    algorithm, commit = author.build()
    author.client.publish(algorithm, commit, number="1.0.0")
    identity = str(uuid.uuid4())
    payload = {"algorithm": algorithm, "hash": commit, "number": "3.0.0"}
    first = _send(server, payload, key=author.key, command="publish_version", uuid=identity)
    problem(first, 409, "refused")
    author.client.publish(algorithm, commit, number="2.0.0")
    second = _send(server, payload, key=author.key, command="publish_version", uuid=identity)
    problem(second, 409, "refused")
    differing = ("instance",)
    assert {k: v for k, v in first.json().items() if k not in differing} == {
        k: v for k, v in second.json().items() if k not in differing
    }
    assert len(_entries(server, identity)) == 1
    assert author.client.publish(algorithm, commit, number="3.0.0")["version"] == "3.0.0"


def test_a_uuid_belongs_to_one_command(server: RunningServer, author: Author) -> None:
    name, other = server.new_name("first"), server.new_name("second")
    identity = str(uuid.uuid4())
    assert _send(server, {"name": name}, uuid=identity).status_code == 200
    attempts: list[tuple[bytes | dict[str, Any], str]] = [
        ({"name": other}, "create_account"),
        ({"name": name, "administrator": False}, "create_account"),
        (f'{{"name":"{name}"}}'.encode(), "create_account"),  # the same, spelled otherwise
        ({"name": name}, "create_organization"),
        ({"account": name}, "create_key"),
    ]
    for payload, command in attempts:
        found = problem(_send(server, payload, command=command, uuid=identity), 409, "uuid-reused")
        assert identity in found["detail"]
        assert found["found"] == "create_account"
    assert not _exists(server, other)
    assert len(_entries(server, identity)) == 1
    with pytest.raises(UuidReused):
        server.owner.command("create_account", identity=identity, name=other)


def test_a_uuid_is_the_actors_own(server: RunningServer, author: Author) -> None:
    """Nobody can take another's uuid away, nor learn its outcome."""
    identity = str(uuid.uuid4())
    mine = server.owner.command("create_key", identity=identity, account=author.name)
    theirs = author.client.command("create_key", identity=identity, account=author.name)
    assert mine["key_id"] != theirs["key_id"]
    assert len(_entries(server, identity)) == 2


def test_a_repeated_command_does_not_tell_a_key_again(server: RunningServer, author: Author) -> None:
    identity = str(uuid.uuid4())
    payload = {"account": author.name, "label": "shown once"}
    first = _send(server, payload, key=author.key, command="create_key", uuid=identity).json()["result"]
    again = _send(server, payload, key=author.key, command="create_key", uuid=identity).json()["result"]
    secret = first.pop("key")
    assert again == first
    assert "key" not in again
    assert len([row for row in author.client.keys()["keys"] if row["key_id"] == first["key_id"]]) == 1
    assert post(server, "/api/v1/query/keys", method="GET", key=secret).status_code == 200
    assert secret.encode() not in b"".join(link.entry for link in server.owner.journal())
    for path in server.home.rglob("*"):
        if path.is_file() and path.name.startswith("registry"):
            assert secret.encode() not in path.read_bytes()


def test_keys_asked_for_at_the_same_time_are_told_once(server: RunningServer, author: Author) -> None:
    identity = str(uuid.uuid4())
    payload = {"account": author.name}

    def ask(_: int) -> dict[str, Any]:
        result: dict[str, Any] = _send(server, payload, key=author.key, command="create_key", uuid=identity).json()
        return result

    with ThreadPoolExecutor(8) as threads:
        results = [reply["result"] for reply in threads.map(ask, range(8))]
    assert len({result["key_id"] for result in results}) == 1
    assert len([result for result in results if "key" in result]) == 1


@pytest.mark.parametrize(
    "identity",
    [
        "x",
        "0",
        "123",
        "g" * 36,
        "00000000-0000-0000-0000-00000000000",
        "00000000-0000-0000-0000-0000000000000",
        "AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE",
        "aaaaaaaabbbb4ccc8dddeeeeeeeeeeee",
        "{aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee}",
        "urn:uuid:aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",
        " aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",
        "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee\n",
        "ａaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",
        "a" * 5000,
    ],
    ids=lambda identity: identity[:20],
)
def test_malformed_uuids(server: RunningServer, identity: str) -> None:
    name = server.new_name("malformed")
    found = problem(_send(server, {"name": name}, uuid=identity), 400, "malformed")
    assert found["detail"].endswith("is not a uuid")
    assert not _exists(server, name)


def test_without_a_uuid_each_is_a_command_of_its_own(server: RunningServer) -> None:
    name = server.new_name("anonymous")
    first = _send(server, {"name": name})
    assert uuid.UUID(first.json()["uuid"]).version == 4
    assert problem(_send(server, {"name": name}), 409, "name-taken")["found"] == name


# --- names and versions of commands


@pytest.mark.parametrize("command", ["no_such", "Create_account", "create_account ", "a" * 3000])
def test_unknown_commands(server: RunningServer, command: str) -> None:
    found = problem(_send(server, {"name": "x"}, command=command), 404, "not-found")
    assert found["detail"].startswith("there is no command ")
    assert "create_account" in found["why"]


@pytest.mark.parametrize("command", ["../create_account", "ada/no_such", "/", "a/b/c"])
def test_unknown_commands_of_teams(server: RunningServer, command: str) -> None:
    found = problem(_send(server, {"name": "x"}, command=command), 404, "not-found")
    assert found["detail"].startswith("there is no command ")
    assert found["repair"]


def test_without_a_name_the_body_is_an_envelope(server: RunningServer) -> None:
    found = problem(_send(server, {"name": "x"}, command=""), 400, "malformed")
    assert found["detail"].startswith("the body is no envelope")


@pytest.mark.parametrize("command", ["start_build", "finish_build", "fail_interrupted_builds"])
def test_commands_that_only_troth_sends(server: RunningServer, author: Author, command: str) -> None:
    payload: dict[str, Any] = {}
    if command != "fail_interrupted_builds":
        payload = {"algorithm": "a/b", "hash": "0" * 40}
    if command == "start_build":
        payload["started_by"] = author.name
    for key in (author.key, server.owner_key):
        found = problem(_send(server, payload, key=key, command=command), 403, "forbidden")
        assert "troth itself" in found["why"]


@pytest.mark.clause("PDB-02")
@pytest.mark.clause("PDB-43")
@pytest.mark.parametrize("version", ["0", "3", "-1", str(10**30), "5", str(2**31), str(2**63)])
def test_unknown_versions_of_commands(server: RunningServer, version: str) -> None:
    name = server.new_name("unversioned")
    reply = _send(server, {"name": name}, version=version)
    found = problem(reply, reply.status_code, reply.json()["code"])
    assert reply.status_code in (400, 404)
    if reply.status_code == 404:
        assert f"has no version {version}" in found["detail"]
        assert found["why"] == "its versions are 1, 2"
        assert found["repair"] == "send version 2"
    assert not _exists(server, name)


@pytest.mark.clause("PDB-02")
@pytest.mark.parametrize(
    "version", ["4.1", "1.0", '"5"', '"1"', "1.0.0", "v1", "one", "", "1,0", "0x1", "١", "１", "true", "1e0", "null"]
)
def test_versions_of_commands_that_are_no_numbers(server: RunningServer, version: str) -> None:
    name = server.new_name("unversioned")
    found = problem(_send(server, {"name": name}, version=version), 400, "malformed")
    assert "version" in found["detail"]
    assert not _exists(server, name)


def test_a_command_without_a_name_or_a_version(server: RunningServer) -> None:
    queries: list[tuple[dict[str, Any], str]] = [
        ({"command": "create_account"}, "the version of the command is missing"),
        ({"version": "1"}, "missing required field"),
        ({}, "missing required field"),
    ]
    for query, words in queries:
        reply = post(server, "/api/v1/cmd", b"{}", key=server.owner_key, **query)
        assert words in problem(reply, 400, "malformed")["detail"]


def test_a_command_asked_for_by_get(server: RunningServer) -> None:
    reply = post(server, "/api/v1/cmd", method="GET", key=server.owner_key, command="create_account", version=1)
    assert reply.status_code == 405
    assert reply.json()["detail"] == "GET is not for /api/v1/cmd"
    assert reply.json()["repair"]


# --- payloads


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"name=x",
        b'{"name": }',
        b"{'name': 'x'}",
        b'{"name": "x",}',
        b'{"name": NaN}',
        b'{"name": "\xff"}',
        b'{"name": "\xed\xa0\x80"}',
        b'{"name": "\\ud800"}',
        b'\xef\xbb\xbf{"name": "x"}',
        '{"name": "x"}'.encode("utf-16"),
        b'{"name": "x"} {}',
        b"[" * 100_000,
        b"[" * 1000 + b"]" * 1000,
        b"\x00",
        b'{"name": "x\x00y"}',
    ],
    ids=lambda payload: repr(payload[:16]),
)
def test_payloads_that_are_no_json(server: RunningServer, payload: bytes) -> None:
    found = problem(_send(server, payload), 400, "malformed-payload")
    assert found["detail"] == "the payload does not fit version 1 of create_account"


@pytest.mark.parametrize("payload", [b"null", b"7", b"[]", b'"x"', b"true", b"[{}]", b"1e400", b"9" * 400])
def test_payloads_that_are_no_objects(server: RunningServer, payload: bytes) -> None:
    found = problem(_send(server, payload), 400, "malformed-payload")
    assert found["why"]


@pytest.mark.clause("PDB-45")
def test_a_payload_with_an_unknown_field(server: RunningServer) -> None:
    """What a format does not list may mean something in a later version, so it is not ignored."""
    name = server.new_name("extra")
    found = problem(_send(server, {"name": name, "colour": "red"}), 400, "malformed-payload")
    assert "colour" in found["why"]
    assert "it has to hold name" in found["repair"]
    assert not _exists(server, name)


def test_a_payload_that_lacks_a_field(server: RunningServer) -> None:
    assert "'name' is a required property" in problem(_send(server, {}), 400, "malformed-payload")["why"]


@pytest.mark.parametrize("value", ["yes", 1, None, [], {}])
def test_a_payload_with_a_value_of_another_type(server: RunningServer, value: object) -> None:
    name = server.new_name("typed")
    found = problem(_send(server, {"name": name, "administrator": value}), 400, "malformed-payload")
    assert found["why"].startswith("at /administrator: ")
    assert found["asked"] == "/administrator"
    assert not _exists(server, name)


def test_a_field_given_twice_is_recorded_as_it_was_understood(server: RunningServer) -> None:
    """Two readers of one document must not see two names."""
    first, second = server.new_name("double"), server.new_name("double")
    identity = str(uuid.uuid4())
    reply = _send(server, f'{{"name": "{first}", "name": "{second}"}}'.encode(), uuid=identity)
    if reply.status_code == 400:
        problem(reply, 400, "malformed-payload")
        return
    (entry,) = _entries(server, identity)
    assert entry["payload"]["name"] == reply.json()["result"]["account"]


@pytest.mark.parametrize("chunked", [False, True], ids=["content-length", "chunked"])
def test_a_payload_that_is_too_large(server: RunningServer, chunked: bool) -> None:
    name = server.new_name("large")
    body = b'{"name": "%b"}' % name.encode() + b" " * (1 << 20)
    reply = post(server, "/api/v1/cmd", iter([body]) if chunked else body, key=server.owner_key,
                 command="create_account", version=1)  # fmt: skip
    found = problem(reply, 413, "too-large")
    assert str(1 << 20) in found["detail"]
    assert not _exists(server, name)


def test_a_payload_of_one_mebibyte(server: RunningServer) -> None:
    name = server.new_name("large")
    body = b'{"name": "%b"}' % name.encode()
    body += b" " * ((1 << 20) - len(body))
    assert _send(server, body).json()["result"]["account"] == name


def test_text_that_databases_and_terminals_choke_on(server: RunningServer, author: Author) -> None:
    """Notes and summaries come back as they were sent."""
    text = "escape \x1b[31m, \u202e, \ufeff, 🙂, \u2028, \x7f, ' OR 1=1; --, {{7*7}}, %s, \\"
    algorithm = f"{author.name}/{server.new_name('texts')}"
    author.client.command("create_algorithm", algorithm=algorithm, summary=text)
    assert author.client.versions(algorithm)["summary"] == text
    published, commit = author.build()
    author.client.publish(published, commit, bump="minor", notes=text)
    assert author.client.versions(published)["versions"][0]["notes"] == text


def test_text_with_a_null(server: RunningServer, author: Author) -> None:
    """Not every database and tool can keep one, so none is taken, wherever text is."""
    algorithm, commit = author.build()
    fields: list[tuple[str, str, dict[str, Any]]] = [
        ("create_algorithm", "summary", {"algorithm": f"{author.name}/{server.new_name('texts')}"}),
        ("compile_algorithm", "message", {"algorithm": algorithm, "source": "0" * 64}),
        ("publish_version", "notes", {"algorithm": algorithm, "hash": commit, "bump": "minor"}),
        ("create_key", "label", {"account": author.name}),
    ]
    for command, field, payload in fields:
        reply = _send(server, {**payload, field: "a\0b"}, key=author.key, command=command)
        assert problem(reply, 400, "malformed-payload")["why"].startswith(f"at /{field}: ")
    assert author.client.versions(algorithm)["versions"] == []


@pytest.mark.parametrize("number", ["1.0", "01.0.0", "v1.0.0", "1.0.0-rc.1", "1.0.0+b", "1.0.0.0", "１.0.0", "1.0.0\n", "",
                                    "1.0.2147483648", "9" * 200, "-1.0.0", " 1.0.0", "1.0.x", "latest", "\x00"])  # fmt: skip
@pytest.mark.clause("ALG-01")
def test_numbers_that_are_none(author: Author, unpublished: tuple[str, str], number: str) -> None:
    algorithm, commit = unpublished
    with pytest.raises(Refused) as refusal:
        author.client.publish(algorithm, commit, number=number)
    assert (refusal.value.code, refusal.value.clauses) == ("malformed-number", ("ALG-01",))
    assert refusal.value.why
    assert refusal.value.repair
    assert author.client.versions(algorithm)["versions"] == []


def test_a_number_that_is_one(author: Author, unpublished: tuple[str, str]) -> None:
    algorithm, commit = unpublished
    assert author.client.publish(algorithm, commit, number="1.0.0")["version"] == "1.0.0"


def test_publishing_asks_for_a_bump_or_a_number(server: RunningServer, author: Author) -> None:
    algorithm, commit = author.build()
    subject = {"algorithm": algorithm, "hash": commit}
    for extra in ({}, {"bump": "minor", "number": "1.0.0"}, {"bump": "patch"}, {"bump": "minor", "visibility": "open"}):
        reply = _send(server, {**subject, **extra}, key=author.key, command="publish_version")
        problem(reply, 400, "malformed-payload")
    assert author.client.versions(algorithm)["versions"] == []


def test_heads_that_are_too_large(server: RunningServer) -> None:
    reply = post(server, "/api/v1/query/keys", method="GET", key=server.owner_key, headers={"X-Filler": "x" * 100_000})
    assert reply.status_code == 431
    found = reply.json()
    assert found["detail"] == "the request's headers are too large"
    assert found["repair"]


@pytest.mark.parametrize(
    "query", [{"after": "x"}, {"limit": "-1"}, {"after": "-1"}, {"after": 2**70}, {"limit": 2**70}], ids=str
)
def test_pages_of_the_journal_that_are_none(server: RunningServer, query: dict[str, Any]) -> None:
    """A page has an end: what would be all entries at once, or a number that no database knows, is refused."""
    reply = post(server, "/api/v1/query/journal", method="GET", key=server.owner_key, **query)
    problem(reply, 400, "malformed")
    reply = post(server, "/api/v1/query/journal", method="GET", key=server.owner_key, limit=2)
    assert [row["position"] for row in reply.json()["entries"]] == [1, 2]
