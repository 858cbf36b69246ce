"""Keys with scopes at every door: what they are for works, and what they are not for is like what never was."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.doors.conversation import Ways, both_ways
from tests.server import RunningServer
from troth.errors import Forbidden, Malformed, MalformedPayload, NotFound, Refused
from troth.sdk import Client

_IDS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+\.\d+(e-\d+)?")


@dataclass(frozen=True)
class Stage:
    """Somebody with a private and a public algorithm."""

    server: RunningServer
    name: str
    client: Client
    private: str
    public: str
    private_hash: str

    def key(self, **scope: Any) -> str:
        """A new key of this somebody for this scope."""
        made = self.client.command("create_key", version=2, account=self.name, scope=scope)
        return str(made["key"])

    def http(self, key: str, **headers: str) -> httpx2.Client:
        return httpx2.Client(base_url=self.server.address, headers={"Authorization": f"Bearer {key}", **headers})

    def call(self, key: str, reference: str, **headers: str) -> httpx2.Response:
        with self.http(key, **headers) as http:
            return http.post(f"/v1/algo/{reference}", json="hello")


@pytest.fixture(scope="module")
def stage(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    folder = tmp_path_factory.mktemp("keys")
    name, client = server.account("keeper")
    private, private_hash = server.build(folder, name, client, permissions={"visibility": "private"})
    public, public_hash = server.build(folder, name, client, permissions={"visibility": "public"})
    client.publish(private, private_hash, number="0.1.0")
    client.publish(public, public_hash, number="0.1.0")
    return Stage(server, name, client, private, public, private_hash)


def error_of(reply: httpx2.Response) -> dict[str, Any]:
    found: dict[str, Any] = reply.json()["error"]
    return found


def alike(reply: httpx2.Response, name: str) -> tuple[int, list[tuple[str, str]], str]:
    """A reply without what differs from request to request: names, ids, times."""

    def plain(text: str) -> str:
        return _IDS.sub("ID", text.replace(name, "NAME"))

    headers = sorted(
        (key, plain(value)) for key, value in reply.headers.items() if key not in ("date", "content-length")
    )
    return reply.status_code, headers, plain(reply.text)


def until(holds: Callable[[], Any], what: str) -> Any:
    """What holds at last."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if found := holds():
            return found
        time.sleep(0.05)
    raise AssertionError(f"in vain: {what}")


@pytest.mark.clause("ALG-25")
@pytest.mark.parametrize("version", ["", "/0.1.0", "/latest", "/latestPrivate", "/0.1", "HASH"])
def test_outside_its_scope_what_is_private_is_like_what_never_was(stage: Stage, version: str) -> None:
    key = stage.key(algorithms=[f"algo://{stage.public}/*"])
    never = f"{stage.name}/{stage.server.new_name('never')}"
    version = f"/{stage.private_hash}" if version == "HASH" else version
    hidden = alike(stage.call(key, stage.private + version), stage.private)
    missing = alike(stage.call(key, never + version), never)
    assert hidden == missing
    assert "not found" in hidden[2]
    assert stage.call(key, f"{stage.public}/0.1.0").json()["result"] == "hello"
    full = stage.call(stage.key(algorithms=["algo://*"]), f"{stage.private}/0.1.0")
    assert full.json()["result"] == "hello"


@pytest.mark.clause("ALG-25")
@pytest.mark.parametrize(
    "path",
    ["/v1/algorithms/{}", "/v1/algorithms/{}/versions", "/v1/algorithms/{}/versions/0.1.0", "/v1/algorithms/{}/builds",
     "/v1/algorithms/{}/errors", "/api/v1/query/versions?algorithm={}", "/api/v1/query/contract?reference={}/0.1.0",
     "/api/v1/resolve?reference={}/0.1.0", "/api/v1/resolve?reference={}"],
)  # fmt: skip
def test_and_so_it_is_at_the_other_doors(stage: Stage, path: str) -> None:
    key = stage.key(algorithms=[f"algo://{stage.public}/*"], data="write")
    never = f"{stage.name}/{stage.server.new_name('never')}"
    with stage.http(key) as http:
        hidden, missing = http.get(path.format(stage.private)), http.get(path.format(never))
    assert alike(hidden, stage.private) == alike(missing, never)
    assert hidden.status_code == 404


@pytest.mark.clause("ALG-25")
def test_and_so_it_is_for_results_of_calls_that_were_not_waited_for(stage: Stage) -> None:
    every = stage.key(algorithms=["algo://*"])
    request = stage.call(every, f"{stage.private}/0.1.0?output=void").json()["request_id"]
    never = f"req-{'0' * (len(request) - 4)}"
    with stage.http(every) as http:
        done = until(lambda: (r := http.get(f"/api/v1/calls/{request}").json())["status"] == "done" and r, "a result")
        assert done["answer"]["result"] == "hello"
    with stage.http(stage.key(algorithms=[f"algo://{stage.public}/*"])) as http:
        hidden, missing = http.get(f"/api/v1/calls/{request}"), http.get(f"/api/v1/calls/{never}")
    assert alike(hidden, request) == alike(missing, never)
    assert hidden.status_code == 404


@pytest.mark.clause("ALG-25")
@pytest.mark.parametrize("action", ["/compile", "/versions"])
def test_and_so_it_is_for_changes(stage: Stage, action: str) -> None:
    never = f"{stage.name}/{stage.server.new_name('never')}"
    with stage.http(stage.key(algorithms=[f"algo://{stage.public}/*"])) as http:
        hidden = http.post(f"/v1/algorithms/{stage.private}{action}", json={})
        missing = http.post(f"/v1/algorithms/{never}{action}", json={})
    assert alike(hidden, stage.private) == alike(missing, never)
    assert hidden.status_code == 404


def test_what_is_public_is_refused_with_the_reason(stage: Stage) -> None:
    reply = stage.call(stage.key(algorithms=["algo://nobody/*"]), stage.public)
    assert reply.status_code == 200
    assert error_of(reply)["message"] == f"this key is not for algo://{stage.public}: it may call algo://nobody/*"
    assert "troth-version" not in reply.headers
    nothing = stage.call(stage.key(data="write", manage=True), stage.public)
    assert error_of(nothing)["message"].endswith("it may call nothing")


def test_both_ways_into_the_server_say_the_same(server: RunningServer, stage: Stage) -> None:
    production = stage.key(algorithms=["algo://*"], production=True)
    elsewhere = stage.key(algorithms=["algo://*"], origin="app.example.org")
    limited = stage.key(algorithms=["algo://nobody/*"])
    with both_ways(server) as ways:
        for key, header in (
            (production, ""), (elsewhere, ""), (elsewhere, "Origin: https://app.example.org\r\n"),
            (elsewhere, "Referer: https://app.example.org/page\r\n"), (limited, ""),
        ):  # fmt: skip
            for reference in (stage.public, f"{stage.public}/0.1", stage.private):
                _same(ways, reference, key, header)


def _same(ways: Ways, reference: str, key: str, header: str) -> None:
    head = f"POST /v1/algo/{reference} HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\n{header}"
    ways.same(f"{head}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}".encode())


def test_an_origin_is_asked_for(stage: Stage) -> None:
    key = stage.key(algorithms=["algo://*"], manage=True, origin="App.example.org")
    good = {"Origin": "https://app.example.org"}
    assert stage.call(key, stage.public, **good).json()["result"] == "hello"
    assert stage.call(key, stage.public, Referer="https://app.example.org/a/b").json()["result"] == "hello"
    for wrong in (
        {}, {"Origin": "https://app.example.org.evil.com"}, {"Origin": "https://evil.com"}, {"Origin": "null"},
        {"Origin": "https://app.example.org:8443"}, {"Origin": "https://app.example.org@evil.com"},
        {"Origin": "https://evil.com", "Referer": "https://app.example.org/"}, {"Referer": "https://evil.com/app.example.org"},
        {"Origin": "//[app.example.org"},
    ):  # fmt: skip
        said = error_of(stage.call(key, stage.public, **wrong))["message"]
        assert said == "authorization required: this key is for another origin", wrong
        with stage.http(key, **wrong) as http:
            assert http.get("/api/v1/query/keys").status_code == 401
            assert http.get(f"/v1/algorithms/{stage.public}").status_code == 401
    with stage.http(key, **good) as http:
        assert http.get("/api/v1/query/keys").status_code == 200


def test_a_page_of_the_origin_may_call_and_read(stage: Stage) -> None:
    page = {"Origin": "https://app.example.org"}
    address = f"{stage.server.address}/v1/algo/{stage.public}"
    asking = {**page, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    asked = httpx2.request("OPTIONS", address, headers=asking)
    assert (asked.status_code, asked.content) == (204, b"")
    assert asked.headers["access-control-allow-origin"] == "https://app.example.org"
    assert "authorization" in asked.headers["access-control-allow-headers"]
    assert httpx2.request("OPTIONS", address, headers=page).status_code == 405
    key = stage.key(algorithms=[f"algo://{stage.public}"], origin="app.example.org")
    for reference in (stage.public, stage.private):
        reply = stage.call(key, reference, **page)
        assert reply.headers["access-control-allow-origin"] == "https://app.example.org"
        assert reply.headers["vary"] == "origin"
    for reply in (
        stage.call(key, stage.public, Origin="https://evil.com"),
        stage.call(stage.server.keys[stage.name], stage.public, **page),
    ):
        assert "access-control-allow-origin" not in reply.headers


def test_a_key_ends_when_it_was_said_to(stage: Stage) -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
    made = stage.client.command(
        "create_key", version=2, account=stage.name, scope={"algorithms": ["algo://*"], "manage": True}, expires_at=soon
    )
    key = made["key"]

    def expired() -> bool:
        reply = stage.call(key, stage.public)
        return "error" in reply.json() and error_of(reply)["message"] == "authorization required: this key has expired"

    until(expired, "the end of the key")
    with stage.http(key) as http:
        assert http.get("/api/v1/query/clauses").json()["why"] == "this key has expired"
        assert http.get(f"/v1/algorithms/{stage.public}").status_code == 401
        with pytest.raises(NotFound, match="no such key that is valid"):
            stage.client.command("rotate_key", key_id=made["key_id"])
    basic = base64.b64encode(f"{stage.name}:{key}".encode()).decode()
    reply = httpx2.get(
        f"{stage.server.address}/git/{stage.public}.git/info/refs?service=git-upload-pack",
        headers={"Authorization": f"Basic {basic}"},
    )
    assert reply.status_code == 401


@pytest.mark.parametrize(
    "moment", ["yesterday", "2020-01-01", "9999-01-01", "2027-13-01", "0", "\0", "2027-01-01T00:00:00+99:00"]
)
def test_when_a_key_cannot_end(stage: Stage, moment: str) -> None:
    with pytest.raises((Malformed, MalformedPayload)):
        stage.client.command("create_key", version=2, account=stage.name, scope=None, expires_at=moment)


@pytest.mark.parametrize(
    "scope",
    [{"algorithms": ["ada/*"]}, {"algorithms": "algo://*"}, {"data": "all"}, {"manage": "yes"}, {"origin": "https://x"}, {"more": 1},
     {"algorithms": ["algo://a/b"] * 201}, [], "everything"],
)  # fmt: skip
def test_what_is_no_scope(stage: Stage, scope: Any) -> None:
    with pytest.raises(Malformed):
        stage.client.command("create_key", version=2, account=stage.name, scope=scope)


def test_a_repository_takes_a_key_that_manages(stage: Stage) -> None:
    def status(key: str, algorithm: str) -> int:
        basic = base64.b64encode(f"{stage.name}:{key}".encode()).decode()
        address = f"{stage.server.address}/git/{algorithm}.git/info/refs?service=git-receive-pack"
        return httpx2.get(address, headers={"Authorization": f"Basic {basic}"}).status_code

    calling, managing = stage.key(algorithms=["algo://*"], data="write"), stage.key(manage=True)
    never = f"{stage.name}/{stage.server.new_name('never')}"
    assert [status(calling, subject) for subject in (stage.private, stage.public, never)] == [404, 404, 404]
    assert status(managing, stage.private) == 200


def test_metrics_and_the_journal_take_a_key_of_an_administrator(stage: Stage) -> None:
    def made(**scope: Any) -> httpx2.Client:
        return stage.http(stage.server.owner.command("create_key", version=2, account="owner", scope=scope)["key"])

    with made(algorithms=["algo://*"], data="write", manage=True) as http:
        assert http.get("/metrics").status_code == 403
        assert http.get("/api/v1/query/journal").status_code == 403
        assert http.get("/v1/users").status_code == 403
    with made(administrator=True) as http:
        assert http.get("/metrics").status_code == 200
        assert http.get("/api/v1/query/journal").status_code == 200
        assert http.get("/v1/users").status_code == 200
        assert http.get("/api/v1/query/keys").status_code == 403


def test_a_key_makes_none_that_is_wider_than_itself(stage: Stage) -> None:
    narrow = stage.server.client(stage.key(algorithms=[f"algo://{stage.public}"], data="read", manage=True))
    full = stage.client.command("create_key", account=stage.name)
    for scope in (
        None,
        {"algorithms": ["algo://*"]},
        {"data": "write"},
        {"administrator": True},
        {"algorithms": [f"algo://{stage.name}/*"]},
    ):
        with pytest.raises(Forbidden, match="more than itself"):
            narrow.command("create_key", version=2, account=stage.name, scope=scope)
    with pytest.raises(Forbidden, match="more than itself"):
        narrow.command("create_key", account=stage.name)  # in the words of version 1, a key without limits
    with pytest.raises(Forbidden, match="more than itself"):
        narrow.command("rotate_key", key_id=full["key_id"])
    assert narrow.command(
        "create_key", version=2, account=stage.name, scope={"algorithms": [f"algo://{stage.public}/*"], "data": "read"}
    )["key"]
    with pytest.raises(Refused, match="no administrator"):
        stage.client.command("create_key", version=2, account=stage.name, scope={"administrator": True})


def test_a_secret_is_shown_once_and_masked_from_then_on(stage: Stage) -> None:
    made = stage.client.command("create_key", version=2, account=stage.name, label="once", scope={"data": "read"})
    (row,) = [row for row in stage.client.keys()["keys"] if row["key_id"] == made["key_id"]]
    assert row["masked"] == f"{made['key'][:6]}..."
    assert row["scope"]["data"] == "read"
    assert (row["used_at"], row["expires_at"]) == (None, None)
    assert made["key"] not in json.dumps(stage.client.keys())


def test_its_last_use_is_written_down(stage: Stage) -> None:
    made = stage.client.command("create_key", version=2, account=stage.name, scope={"algorithms": ["algo://*"]})
    before = int(time.time())
    assert stage.call(made["key"], stage.public).status_code == 200

    def used() -> int | None:
        (row,) = [row for row in stage.client.keys()["keys"] if row["key_id"] == made["key_id"]]
        found: int | None = row["used_at"]
        return found

    assert until(used, "the use of the key") >= before


def test_a_key_is_rotated_at_once_or_with_a_grace(stage: Stage) -> None:
    scope = {"algorithms": [f"algo://{stage.public}/*"], "data": "read"}
    first = stage.client.command("create_key", version=2, account=stage.name, label="app", scope=scope)
    second = stage.client.command("rotate_key", key_id=first["key_id"], grace_seconds=3600)
    assert second["scope"]["algorithms"] == scope["algorithms"]
    assert second["label"] == "app"
    for key in (first["key"], second["key"]):
        assert stage.call(key, stage.public).json()["result"] == "hello"
    with pytest.raises(Refused, match="rotated already"):
        stage.client.command("rotate_key", key_id=first["key_id"])
    third = stage.client.command("rotate_key", key_id=second["key_id"])
    assert "error" in stage.call(second["key"], stage.public).json()
    assert stage.call(third["key"], stage.public).json()["result"] == "hello"
    with pytest.raises(NotFound):
        stage.client.command("rotate_key", key_id=second["key_id"])


@pytest.mark.parametrize("grace", [-1, 2592001, 1.5, "1", None])
def test_what_is_no_grace(stage: Stage, grace: Any) -> None:
    made = stage.client.command("create_key", account=stage.name)
    with pytest.raises(MalformedPayload):
        stage.client.command("rotate_key", key_id=made["key_id"], grace_seconds=grace)


def test_of_many_who_rotate_one_key_at_once_one_does(stage: Stage) -> None:
    made = stage.client.command("create_key", account=stage.name)

    def rotate(_: int) -> str:
        with Client(stage.server.address, stage.server.keys[stage.name]) as client:
            try:
                return str(client.command("rotate_key", key_id=made["key_id"], grace_seconds=60)["key"])
            except Refused:
                return ""

    with ThreadPoolExecutor(6) as pool:
        keys = [key for key in pool.map(rotate, range(6)) if key]
    assert len(keys) == 1
    assert stage.call(keys[0], stage.public).json()["result"] == "hello"


def test_keys_of_others_are_not_known(stage: Stage, server: RunningServer) -> None:
    name, stranger = server.account("stranger")
    made = stage.client.command("create_key", account=stage.name)
    nobody = "00000000-0000-4000-8000-000000000000"
    for command in ("rotate_key", "revoke_key"):
        said = []
        for key_id in (made["key_id"], nobody):
            with pytest.raises(Forbidden) as refused:
                stranger.command(command, key_id=key_id)
            said.append((refused.value.what.replace(key_id, "ID"), refused.value.why, refused.value.repair))
        assert said[0] == said[1]
    for account in (stage.name, "neverWas"):
        with pytest.raises(NotFound, match="no keys of"):
            stranger.keys(account)
    assert stranger.keys()["account"] == name


def test_keys_of_an_organisation_are_its_admins(stage: Stage, server: RunningServer, tmp_path: Path) -> None:
    house = server.organization(stage.client, "house")
    member, member_client = server.account("member")
    stage.client.command("add_member", organization=house, account=member, role="member")
    made = stage.client.command(
        "create_key", version=2, account=house, scope={"algorithms": ["algo://.my/*"], "manage": True}
    )
    assert made["scope"]["algorithms"] == [f"algo://{house}/*"]
    machine = server.client(made["key"])
    algorithm, commit = server.build(tmp_path, house, machine, permissions={"visibility": "private"})
    machine.publish(algorithm, commit, number="0.1.0")
    assert stage.call(made["key"], f"{algorithm}/0.1.0").json()["result"] == "hello"
    assert "error" in stage.call(made["key"], stage.public).json()
    with pytest.raises(Forbidden):
        machine.command("create_organization", name=server.new_name("org"))
    with pytest.raises(Forbidden):
        machine.command("add_member", organization=house, account=member, role="admin")
    with pytest.raises(Forbidden):
        member_client.command("create_key", account=house)
    with pytest.raises(NotFound):
        member_client.keys(house)
    assert [row["key_id"] for row in stage.client.keys(house)["keys"]] == [made["key_id"]]


@pytest.fixture(scope="module")
def production(stage: Stage) -> str:
    return stage.key(algorithms=["algo://*"], production=True)


@pytest.mark.clause("ALG-14")
@pytest.mark.clause("ALG-20")
@pytest.mark.parametrize(
    ("version", "floats"), [("", True), ("/latest", True), ("/0.1", True), ("/0.*", True), ("/0.1.0", False)]
)
def test_a_production_key_is_warned_of_what_floats(stage: Stage, production: str, version: str, floats: bool) -> None:
    reply = stage.call(production, stage.public + version)
    assert reply.json()["result"] == "hello"
    warning = f'ALG-14 "this reference floats: in production call {stage.public}/0.1.0"'
    assert reply.headers.get("troth-warning") == (warning if floats else None)
    assert "troth-warning" not in stage.call(stage.server.keys[stage.name], stage.public + version).headers


@pytest.mark.clause("ALG-14")
def test_a_production_key_calls_hashes_and_private_versions_exactly(stage: Stage, production: str) -> None:
    for version, floats in (
        (stage.private_hash, False),
        (stage.private_hash.upper(), False),
        ("0.1.0", False),
        ("latestPrivate", True),
    ):
        reply = stage.call(production, f"{stage.private}/{version}")
        assert reply.json()["result"] == "hello"
        assert ("troth-warning" in reply.headers) == floats, version


@pytest.mark.clause("ALG-14")
def test_what_floats_in_production_is_counted(stage: Stage) -> None:
    made = stage.client.command(
        "create_key",
        version=2,
        account=stage.name,
        label="shop",
        scope={"algorithms": ["algo://*"], "production": True},
    )
    for _ in range(3):
        stage.call(made["key"], f"{stage.public}/0.1")
    stage.call(made["key"], f"{stage.public}/0.1.0")

    def rows(client: Client) -> list[dict[str, Any]]:
        return [row for row in client.floating()["rows"] if row["key_id"] == made["key_id"]]

    (row,) = until(lambda: [row for row in rows(stage.client) if row["calls"] >= 3], "the count")
    assert (row["reference"], row["calls"], row["account"], row["label"]) == (
        f"{stage.public}/0.1",
        3,
        stage.name,
        "shop",
    )
    assert rows(stage.server.owner) == [row]
    assert rows(stage.server.account("outsider")[1]) == []
    metric = re.search(
        rf'troth_floating_production_calls_total{{algorithm="{stage.public}"}} (\S+)', stage.server.owner.metrics()
    )
    assert metric is not None
    assert float(metric[1]) >= 3
