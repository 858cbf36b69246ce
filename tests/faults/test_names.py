"""Names that nobody may have, and names that look like somebody else's: in commands and in references."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.faults.wire import PUBLIC, Author, answered, call_error, exchange, head, post, problem
from tests.server import ECHO, RunningServer, write_project
from troth.errors import Forbidden, MalformedName, NameTaken, NotFound
from troth.versions.names import RESERVED, folded

#: Never a name, whatever of.
_MALFORMED = {
    "dot": "a.b",
    "slash": "a/b",
    "backslash": "a\\b",
    "dash": "a-b",
    "space": "a b",
    "trailing space": "ab ",
    "trailing newline": "ab\n",
    "null": "a\x00b",
    "escape": "a\x1b[31mb",
    "markup": "<b>",
    "tilde": "~a",
    "leading underscore": "_a",
    "full-width": "ｅｃｈｏ",
    "full-width digits": "a１",
    "combining": "e\u0301cho",
    "cyrillic": "есho",
    "dotted i": "İlke",
    "sharp s": "straße",
    "kelvin": "\u212aelvin",
    "ligature": "ﬁle",
    "zero width": "a\u200bb",
    "right to left": "a\u202eb",
    "arabic digits": "a٣",
    "emoji": "a🙂",
    "beyond the plane": "𝖺𝖻",
}
_malformed = pytest.mark.parametrize("name", _MALFORMED.values(), ids=_MALFORMED)


@pytest.fixture(autouse=True)
def _nothing_lost(author: Author, echo: str) -> Iterator[None]:
    """After each fault a good call is answered."""
    yield
    assert author.call(echo, "still here") == "still here"


def _command(server: RunningServer, key: str, command: str, **payload: Any) -> Any:
    body = json.dumps(payload).encode()
    return post(server, "/api/v1/cmd", body, key=key, command=command, version=1)


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _accounts(server: RunningServer) -> set[str]:
    return {row["name"] for row in server.owner.accounts()["accounts"]}


# --- accounts


@_malformed
def test_malformed_names_of_accounts(server: RunningServer, author: Author, name: str) -> None:
    for key, command in ((server.owner_key, "create_account"), (author.key, "create_organization")):
        found = problem(_command(server, key, command, name=name), 400, "malformed-name")
        assert repr(name) in found["detail"]
        assert "letters, digits and underscores" in found["why"]
        assert found["asked"] == name


def test_none_of_them_came_to_be(server: RunningServer) -> None:
    assert not _accounts(server) & set(_MALFORMED.values())


@pytest.mark.parametrize("name", ["", "a" * 64, "a" * 10_000])
def test_names_of_accounts_that_are_too_short_or_too_long(server: RunningServer, author: Author, name: str) -> None:
    before = _accounts(server)
    for key, command in ((server.owner_key, "create_account"), (author.key, "create_organization")):
        found = problem(_command(server, key, command, name=name), 400, "malformed-payload")
        assert "/name" in found["why"]
    assert _accounts(server) == before


def test_the_longest_and_the_shortest_name(server: RunningServer, author: Author) -> None:
    for name in (server.new_name("x").ljust(63, "y"), "0"):
        assert server.owner.command("create_account", name=name)["account"] == name
        with pytest.raises(NameTaken):
            server.owner.command("create_account", name=name)


@pytest.mark.parametrize("name", [None, 7, True, ["a"], {"name": "a"}, 1.5])
def test_names_that_are_no_text(server: RunningServer, name: object) -> None:
    found = problem(_command(server, server.owner_key, "create_account", name=name), 400, "malformed-payload")
    assert found["why"].startswith("at /name: ")
    assert "string" in found["why"]


@pytest.mark.parametrize("change", [str.upper, str.title, str.swapcase, lambda name: name])
def test_case_twins_of_accounts(server: RunningServer, author: Author, change: Any) -> None:
    """Users and organisations share one set of names."""
    name, _ = server.account("twin")
    organization = server.organization(author.client, "Twin_Org")
    before = _accounts(server)
    for taken in (name, organization):
        for key, command in ((server.owner_key, "create_account"), (author.key, "create_organization")):
            found = problem(_command(server, key, command, name=change(taken)), 409, "name-taken")
            assert found["detail"] == f"the name {change(taken)!r} is taken"
            assert taken in found["why"]
            assert found["found"] == taken
    assert _accounts(server) == before


def test_reserved_words(server: RunningServer, author: Author) -> None:
    before = _accounts(server)
    for number, word in enumerate(sorted(RESERVED)):
        change = (str, str.upper, str.title)[number % 3]
        for key, command in ((server.owner_key, "create_account"), (author.key, "create_organization")):
            found = problem(_command(server, key, command, name=change(word)), 409, "name-taken")
            assert "reserved" in found["detail"]
            assert "path" in found["why"]
    assert _accounts(server) == before


def test_every_first_segment_of_a_path_is_reserved(server: RunningServer) -> None:
    """Else an account could take the place of a path."""
    document = post(server, "/api/v1/openapi.json", method="GET").json()
    segments = {path.split("/")[1] for path in document["paths"]} | {"v1", "health", "metrics", "api", "git", "gateway"}
    assert {folded(segment) for segment in segments} <= RESERVED


@_malformed
def test_accounts_that_cannot_exist(server: RunningServer, author: Author, name: str) -> None:
    """Where a command names an account that cannot be, it is one that is not there."""
    organization = server.organization(author.client)
    reply = _command(server, author.key, "add_member", organization=organization, account=name, role="member")
    assert repr(name) in problem(reply, 404, "not-found", plain=True)["detail"]
    problem(_command(server, server.owner_key, "create_key", account=name), 404, "not-found", plain=True)
    problem(_command(server, author.key, "create_key", account=name), 403, "forbidden")
    problem(_command(server, author.key, "add_member", organization=name, account=author.name, role="admin"), 403,
            "forbidden")  # fmt: skip


def test_an_account_that_is_not_there_is_refused_with_a_reason(server: RunningServer) -> None:
    found = problem(_command(server, server.owner_key, "create_key", account="nobody"), 404, "not-found")
    assert found["detail"] == "there is no account 'nobody'"


# --- algorithms


@_malformed
def test_malformed_names_of_algorithms(author: Author, server: RunningServer, name: str) -> None:
    reply = _command(server, author.key, "create_algorithm", algorithm=f"{author.name}/{name}")
    assert reply.json()["code"] in ("malformed-payload", "malformed-name")
    found = problem(reply, 400, reply.json()["code"])
    assert "algorithm" in found["why"] + found["detail"]
    reply = _command(server, author.key, "create_algorithm", algorithm=f"{name}/echo")
    problem(reply, reply.status_code, "malformed-payload" if reply.status_code == 400 else "forbidden")
    assert reply.status_code in (400, 403)


@pytest.mark.parametrize(
    "name", ["", "1st", "_private", "a" * 64, "algo/rithm", "/", "9", *(word + "\n" for word in ("echo", "x"))]
)
def test_names_of_algorithms_that_begin_or_end_wrongly(server: RunningServer, author: Author, name: str) -> None:
    reply = _command(server, author.key, "create_algorithm", algorithm=f"{author.name}/{name}")
    assert reply.json()["code"] in ("malformed-payload", "malformed-name")
    problem(reply, 400, reply.json()["code"])


@_malformed
def test_malformed_names_in_a_project(author: Author, tmp_path: Path, name: str) -> None:
    """Found on the author's own machine, before anything is sent."""
    for owner, algorithm in ((author.name, name), (name, "echo")):
        (tmp_path / "src").mkdir(exist_ok=True)
        (tmp_path / "troth.toml").write_text(
            f"[algorithm]\nowner = {_toml(owner)}\nname = {_toml(algorithm)}\n", "utf-8"
        )
        with pytest.raises(MalformedName) as refusal:
            author.client.compile(tmp_path)
        assert repr(name) in refusal.value.what
        assert refusal.value.why
        assert refusal.value.repair


@pytest.mark.parametrize("change", [str.upper, str.title, str.swapcase])
def test_case_twins_of_algorithms(server: RunningServer, author: Author, tmp_path: Path, change: Any) -> None:
    reference = author.publish("def apply(input):\n    return 'the first'\n", stem="twin")
    subject = reference.rsplit("/", 1)[0]
    name = subject.split("/")[1]
    found = problem(
        _command(server, author.key, "create_algorithm", algorithm=f"{author.name}/{change(name)}"), 409, "name-taken"
    )
    assert found["detail"] == f"there is an algorithm {name} already"
    with pytest.raises(NameTaken, match="already"):
        author.client.compile(write_project(tmp_path, author.name, change(name), ECHO, permissions=PUBLIC))
    for twin in (f"{author.name}/{change(name)}", f"{change(author.name)}/{name}"):
        with pytest.raises(NotFound):
            author.call(f"{twin}/0.1.0")
    assert author.call(reference) == "the first"


def test_the_same_name_under_two_accounts(server: RunningServer, author: Author, tmp_path: Path) -> None:
    """That is no twin: a name belongs to its owner."""
    reference = author.publish(stem="mine")
    name = reference.split("/")[1]
    other, client = server.account()
    built = client.compile(write_project(tmp_path, other, name, "def apply(input):\n    return 'other'\n"))
    client.publish(f"{other}/{name}", built["hash"], number="0.1.0", visibility="public")
    assert author.call(f"{other}/{name}/0.1.0") == "other"
    assert author.call(reference, "mine") == "mine"


def test_algorithms_may_be_called_as_paths_are(author: Author, tmp_path: Path) -> None:
    """Only accounts stand where paths do."""
    for name in ("health", "latest", "def"):
        built = author.client.compile(write_project(tmp_path / name, author.name, name))
        assert built["status"] == "succeeded", built["log"]
        assert author.call(f"{author.name}/{name}/{built['hash']}", name) == name


# --- references


@pytest.mark.clause("ALG-12")
@_malformed
def test_malformed_names_in_references(server: RunningServer, author: Author, echo: str, name: str) -> None:
    owner, algorithm, version = echo.split("/")
    for parts in ((name, algorithm, version), (owner, name, version)):
        path = "/v1/algo/" + "/".join(quote(part, safe="") for part in parts)
        lines = ("Content-Type: application/json", "Content-Length: 2")
        assert "not found" in call_error(answered(server, head(path, author.key, *lines), b"{}"))
        reference = "/".join(parts)
        reply = post(server, "/api/v1/resolve", method="GET", key=author.key, reference=reference)
        found = problem(reply, 400 if name != "_a" else reply.status_code, reply.json()["code"], plain=name == "_a")
        if name != "_a":  # which no account has, but the clients' grammar
            assert found["clauses"] == ["ALG-12"]
            assert found["detail"].endswith("is not a reference")


@pytest.mark.clause("ALG-12")
def test_look_alikes_of_an_algorithm_that_exists(server: RunningServer, author: Author) -> None:
    """Nothing folds or normalises a reference into another one."""
    reference = author.publish("def apply(input):\n    return 'genuine'\n", stem="face")
    owner, name, version = reference.split("/")
    twins = [
        name.replace("a", "\u0430"),  # Cyrillic
        name.replace("e", "\u0435"),
        name.replace("f", "\uff46"),  # full-width
        name + "\u0301",  # combining
        name + "\u200d",
        name + "\ufe0f",
        name.replace("c", "\u217d"),  # the Roman numeral
        name.upper(),
        name + "_",
        name + " ",
        name + "\x00",
        name + ".",
    ]
    for twin in twins:
        path = f"/v1/algo/{owner}/{quote(twin)}/{version}"
        assert "not found" in call_error(post(server, path, b"{}", key=author.key)), twin
    for digits in ("０.１.０", "0.1.0\u0301", "٠.١.٠", "0\u2024" + "1\u2024" + "0", "0.1.0\u200b", "⁰.¹.⁰"):
        path = f"/v1/algo/{owner}/{name}/{quote(digits)}"
        assert "not found" in call_error(post(server, path, b"{}", key=author.key)), digits
    assert author.call(reference) == "genuine"


def test_a_percent_encoded_reference_is_the_reference(server: RunningServer, author: Author, echo: str) -> None:
    path = "/v1/algo/" + "/".join("".join(f"%{byte:02X}" for byte in part.encode()) for part in echo.split("/"))
    lines = ("Content-Type: application/json", "Content-Length: 1")
    assert answered(server, head(path, author.key, *lines), b"7").json()["result"] == 7


def test_bytes_in_a_path_that_are_no_text(server: RunningServer, author: Author, echo: str) -> None:
    for path in (b"/v1/algo/%ff%fe/x", b"/v1/algo/a/%c3", f"/v1/algo/{echo}%ed%a0%80".encode()):
        reply = answered(server, head(path, author.key, "Content-Type: text/plain", "Content-Length: 0"))
        assert "not found" in call_error(reply)
    for path in (b"/v1/algo/\xff\xfe/x", "/v1/algo/grün/x".encode()):
        refused = exchange(server, head(path, author.key, "Content-Type: text/plain", "Content-Length: 0"))
        assert refused is None or refused.status_code in (200, 400)


def test_acting_for_accounts_that_are_not_ones_own(server: RunningServer, author: Author) -> None:
    other, _ = server.account()
    for owner in (other, "owner", "troth", "nobody", author.name.upper(), author.name + "x"):
        with pytest.raises(Forbidden) as refusal:
            author.client.command("create_algorithm", algorithm=f"{owner}/echo")
        assert refusal.value.why
        assert refusal.value.repair
