"""Waivers from the request to the version's page, and everything by which they do not hold."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import update

from tests.cli.author import Author, author_of
from tests.server import RunningServer, write_project
from troth.clock import now, stamp
from troth.errors import Forbidden, Malformed, MalformedNumber, MalformedPayload, NotFound, Refused
from troth.registry import waivers as registry
from troth.sdk import Client
from troth.versions.waivers import Waiver

TYPED = "from typing import Literal\n\ndef apply(input: Literal{values}) -> str:\n    return 'x'\n"


def in_days(days: float) -> str:
    return stamp(now() + timedelta(days=days))


@dataclass
class Case:
    """An algorithm with a public 1.0.0, and a build that breaks it."""

    algorithm: str
    client: Client
    broken: str

    def request(self, **how: Any) -> dict[str, Any]:
        asked: dict[str, Any] = {
            "algorithm": self.algorithm,
            "hash": self.broken,
            "number": "1.1.0",
            "clauses": ["ALG-05", "ALG-07"],
        }
        asked |= {"reason": "nobody sends b", "expires_at": in_days(30), **how}
        return self.client.command("request_waiver", **asked)

    def check(self, number: str = "1.1.0") -> dict[str, Any]:
        verdict: dict[str, Any] = self.client.check(self.algorithm, self.broken, number=number)["verdict"]
        return verdict


def case(server: RunningServer, folder: Path, owner: str, client: Client) -> Case:
    """The algorithm, made new."""
    name = server.new_name("waived")
    write_project(folder / name, owner, name, TYPED.format(values=["a", "b"]), permissions={"visibility": "public"})
    first = client.compile(folder / name)
    client.publish(f"{owner}/{name}", first["hash"], bump="major")
    write_project(folder / name, owner, name, TYPED.format(values=["a"]), permissions={"visibility": "public"})
    broken = client.compile(folder / name)
    assert (first["status"], broken["status"]) == ("succeeded", "succeeded")
    return Case(f"{owner}/{name}", client, broken["hash"])


@pytest.fixture(scope="module")
def lasting(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """One for tests that leave it as it is."""
    return case(server, tmp_path_factory.mktemp("lasting"), *server.account("lasting"))


@pytest.fixture(scope="module")
def approved(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[Case, str]:
    """One with an approved waiver, and its id."""
    made = case(server, tmp_path_factory.mktemp("approved"), *server.account("approved"))
    identity = made.request()["id"]
    made.client.command("approve_waiver", waiver=identity)
    return made, identity


@pytest.fixture
def alone(server: RunningServer, tmp_path: Path) -> Case:
    """A user's algorithm: nobody else owns it."""
    return case(server, tmp_path, *server.account("alone"))


def test_a_version_passes_by_a_waiver_and_says_so_for_good(server: RunningServer, tmp_path: Path) -> None:
    ada, client = server.account("ada")
    bob, second = server.account("bob")
    organization = server.organization(client)
    client.command("add_member", organization=organization, account=bob, role="admin")
    made = case(server, tmp_path, organization, client)
    assert made.check()["clauses"] == ["ALG-05", "ALG-07"]
    asked = made.request()
    assert (asked["state"], asked["requested_by"], asked["waiver"]) == ("requested", ada, None)
    assert asked["verdict"]["clauses"] == ["ALG-05", "ALG-07"]
    assert made.check()["outcome"] == "refused"
    with pytest.raises(Refused, match="who asked for a waiver does not approve it"):
        client.command("approve_waiver", waiver=asked["id"])
    approved = second.command("approve_waiver", waiver=asked["id"])
    assert (approved["state"], approved["approved_by"], approved["self_approved"]) == ("approved", bob, False)
    assert made.check()["outcome"] == "allowed"
    assert made.check("1.0.1")["outcome"] == "refused"
    done = client.publish(made.algorithm, made.broken, bump="minor")
    assert (done["version"], done["verdict"]["outcome"]) == ("1.1.0", "allowed")
    assert [one["clause"] for one in done["verdict"]["waived"]] == ["ALG-05", "ALG-07"]
    assert done["warnings"][0].startswith("by a waiver, ALG-05 notwithstanding: 1.1.0 breaks")
    _, stranger = server.account("stranger")
    (page, _) = stranger.versions(made.algorithm)["versions"]
    assert [(one["id"], one["reason"]) for one in page["waivers"]] == [(asked["id"], "nobody sends b")]
    assert page["waivers"][0]["signature"] == page["verdict"]["waivers"][0]["signature"]
    assert stranger.resolve(f"{made.algorithm}/1.1")["waivers"][0]["id"] == asked["id"]
    assert stranger.resolve(f"{made.algorithm}/1.0.0")["waivers"] == []
    assert stranger.waiver(asked["id"])["state"] == "used"
    assert [one["id"] for one in stranger.waivers(made.algorithm)["waivers"]] == [asked["id"]]
    with pytest.raises(Refused, match="it is used"):
        client.command("revoke_waiver", waiver=asked["id"], reason="too late")
    names = [json.loads(link.entry)["command"] for link in server.owner.journal()]
    assert {"request_waiver", "approve_waiver"} <= set(names)


def test_who_is_alone_approves_and_it_is_seen(alone: Case) -> None:
    asked = alone.request()
    approved = alone.client.command("approve_waiver", waiver=asked["id"])
    assert approved["self_approved"]
    with pytest.raises(Refused, match="it is approved"):
        alone.client.command("approve_waiver", waiver=asked["id"])


@pytest.mark.parametrize(
    ("how", "error", "words"),
    [
        ({"clauses": ["ALG-08"]}, Refused, "ALG-08 cannot be waived"),
        ({"clauses": ["ALG-02", "ALG-05"]}, Refused, "ALG-02 cannot be waived"),
        ({"clauses": ["PDB-45"]}, Refused, "PDB-45 cannot be waived"),
        ({"clauses": ["nonsense"]}, Refused, "nonsense cannot be waived"),
        ({"clauses": []}, MalformedPayload, "does not fit"),
        ({"clauses": ["ALG-09"]}, Refused, "ALG-09 does not object to 1.1.0"),
        ({"clauses": ["ALG-05"]}, Refused, "would not help: ALG-07 objects"),
        ({"number": "2.0.0"}, Refused, "nothing to waive"),
        ({"number": "1.0.0"}, Refused, "nothing to waive|would not help: ALG-02"),
        ({"number": "1.1"}, MalformedNumber, "1.1"),
        ({"hash": "0" * 40}, Refused, "no build has that hash|cannot be published"),
        ({"reason": " \n"}, MalformedPayload, "request_waiver"),
        ({"expires_at": in_days(-1)}, Malformed, "cannot expire"),
        ({"expires_at": in_days(400)}, Malformed, "cannot expire"),
        ({"expires_at": "2030-01-01"}, Malformed, "cannot expire"),
        ({"expires_at": "soon"}, Malformed, "cannot expire"),
        ({"algorithm": "nobody/nothing"}, Forbidden, "may not request waiver"),
    ],
)
def test_what_cannot_be_asked_for(lasting: Case, how: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        lasting.request(**how)
    assert lasting.client.waivers(lasting.algorithm)["waivers"] == []


def test_one_at_a_time(alone: Case) -> None:
    first = alone.request()
    with pytest.raises(Refused, match=f"already: {first['id']}"):
        alone.request()
    revoked = alone.client.command("revoke_waiver", waiver=first["id"], reason="not like this")
    assert (revoked["state"], revoked["revocation"]) == ("revoked", "not like this")
    second = alone.request()
    with pytest.raises(Refused, match="it is revoked"):
        alone.client.command("approve_waiver", waiver=first["id"])
    alone.client.command("approve_waiver", waiver=second["id"])
    alone.client.command("revoke_waiver", waiver=second["id"])
    verdict = alone.check()
    assert verdict["outcome"] == "refused"
    assert [one["why"][:18] for one in verdict["waivers"]] == ["it was revoked at "]


def test_strangers_neither_see_nor_touch(server: RunningServer, alone: Case) -> None:
    asked = alone.request()
    _, stranger = server.account("stranger")
    for command in ("approve_waiver", "revoke_waiver"):
        with pytest.raises(Forbidden):
            stranger.command(command, waiver=asked["id"])
        with pytest.raises(Forbidden):
            stranger.command(command, waiver="0" * 36)
    with pytest.raises(NotFound, match="there is no waiver"):
        stranger.waiver(asked["id"])
    assert stranger.waivers(alone.algorithm)["waivers"] == []
    with pytest.raises(NotFound):
        stranger.waivers("nobody/nothing")
    with pytest.raises(NotFound, match="there is no waiver"):
        server.owner.command("approve_waiver", waiver="0" * 36)
    member, helper = server.account("member")
    assert server.owner.command("approve_waiver", waiver=asked["id"])["approved_by"] == "owner"
    with pytest.raises(Forbidden):
        helper.command("revoke_waiver", waiver=asked["id"])
    assert member


def test_a_member_asks_and_an_admin_approves(server: RunningServer, tmp_path: Path) -> None:
    _, admin = server.account("admin")
    name, member = server.account("member")
    organization = server.organization(admin)
    admin.command("add_member", organization=organization, account=name, role="member")
    made = case(server, tmp_path, organization, admin)
    asked = replace(made, client=member).request()
    with pytest.raises(Forbidden):
        member.command("approve_waiver", waiver=asked["id"])
    assert admin.command("approve_waiver", waiver=asked["id"])["state"] == "approved"


def write(server: RunningServer, identity: str, waiver: Waiver) -> None:
    """Writes a signed waiver into the registry, past every command."""
    values = {"signed": json.dumps(waiver.as_dict())}
    change = update(registry.waivers).where(registry.waivers.c.id == identity).values(values)
    server.server.database.write_now(lambda connection: connection.execute(change))


@pytest.mark.parametrize(
    ("how", "sign", "why"),
    [
        ({"number": "1.0.1"}, False, "its signature does not fit what it says"),
        ({"expires_at": "2099-01-01T00:00:00.000000Z"}, False, "its signature does not fit what it says"),
        ({"signature": "AAAA"}, False, "its signature does not fit what it says"),
        ({"id": "0" * 36}, True, "its signature does not fit what it says"),
        ({"expires_at": stamp(datetime(2026, 1, 1, tzinfo=UTC))}, True, "it expired at 2026-01-01T00:00:00.000000Z"),
        ({"number": "1.2.0"}, True, "it is for 1.2.0, and not for 1.1.0"),
    ],
)
def test_a_waiver_that_does_not_hold_lets_nothing_pass(
    server: RunningServer, approved: tuple[Case, str], how: dict[str, Any], sign: bool, why: str
) -> None:
    """Altered, or signed again as only the server could."""
    made, identity = approved
    assert made.check()["outcome"] == "allowed"
    before = Waiver.from_dict(made.client.waiver(identity)["waiver"])
    after = replace(before, **how)
    if sign:
        after = replace(after, signature=server.server.signing_key.sign(after.statement()))
    write(server, identity, after)
    try:
        with pytest.raises(Refused) as caught:
            made.client.publish(made.algorithm, made.broken, number="1.1.0")
        assert f"does not help: {why}" in caught.value.why
        assert len(made.client.versions(made.algorithm)["versions"]) == 1
    finally:
        write(server, identity, before)


def test_the_command_line_from_request_to_proof(server: RunningServer, tmp_path: Path) -> None:
    author = author_of(server, tmp_path / "home")
    made = case(server, tmp_path, author.name, author.client)
    reference = f"{made.algorithm}/1.1.0"
    assert author.troth("waiver", "request", made.algorithm, "--reason", "x").returncode == 2
    asked = author.answered("waiver", "request", reference, "--reason", "nobody sends [b]")
    assert asked["clauses"] == ["ALG-05", "ALG-07"]
    unsigned = author.troth("waiver", "verify", "-", given=json.dumps(asked))
    assert (unsigned.returncode, "not approved yet" in unsigned.stderr) == (2, True)
    shown = author.troth("waiver", "approve", asked["id"])
    assert (shown.returncode, "approved by" in shown.stdout, "is alone" in shown.stdout) == (0, True, True)
    done = author.troth("publish", "--minor", str(tmp_path / made.algorithm.split("/")[1]))
    assert done.returncode == 0, done.stderr
    assert "by a waiver, ALG-05 notwithstanding" in done.stderr
    listed = author.troth("waiver", "list", made.algorithm)
    assert ("used" in listed.stdout, "nobody sends [b]" in listed.stdout) == (True, True)
    why = author.troth("why", reference)
    assert f"published by a waiver of ALG-05, ALG-07 ({asked['id']})" in why.stdout
    assert "ALG-05, ALG-07 waived" in author.troth("versions", made.algorithm).stdout
    verify(author, asked["id"], tmp_path)


def verify(author: Author, identity: str, folder: Path) -> None:
    """The proof needs two files and no server, and fails for what was altered."""
    waiver, public = folder / "waiver.json", folder / "troth.pub"
    waiver.write_text(author.troth("waiver", "show", identity, "--json").stdout)
    public.write_text(author.troth("waiver", "key").stdout)
    offline: dict[str, Any] = {"TROTH_SERVER": "http://127.0.0.1:1"}
    proof = author.answered("waiver", "verify", str(waiver), "--public-key", str(public), **offline)
    assert (proof["verified"], proof["expired"]) == (True, False)
    assert author.troth("waiver", "verify", str(waiver)).returncode == 0
    waiver.write_text(waiver.read_text().replace("nobody sends", "everybody sends"))
    broken = author.troth("waiver", "verify", str(waiver), "--public-key", str(public), **offline)
    assert (broken.returncode, "not what was signed" in broken.stderr) == (1, True)
    for content in ("", "[]", "{}", '{"waiver": 3}', "\x00"):
        waiver.write_text(content)
        done = author.troth("waiver", "verify", str(waiver), "--public-key", str(public), **offline)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False), content
    assert author.troth("waiver", "verify", str(folder / "nowhere")).returncode == 2


def test_the_served_key_is_the_one_that_signs(server: RunningServer) -> None:
    told = server.owner.signing_key()
    assert told["public_key"].startswith("-----BEGIN PUBLIC KEY-----")
    assert told["key"] == server.server.signing_key.identity
    path = server.home / "signing.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().splitlines()[1] not in json.dumps(told)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
        ("*/*", "application/json"),
        ("application/json, text/html;q=0.5", "application/json"),
        ("text/html;q=0", "application/json"),
        ("text/html;q=x, ;;,", "text/html"),
    ],
)
def test_a_verdict_is_a_page_for_who_prefers_one(server: RunningServer, lasting: Case, accept: str, kind: str) -> None:
    asked = {"algorithm": lasting.algorithm, "hash": lasting.broken, "number": "1.1.0"}
    key = {"Authorization": f"Bearer {lasting.client.key}", "Accept": accept}
    reply = httpx2.post(f"{server.address}/api/v1/check", json=asked, headers=key, trust_env=False)
    assert (reply.status_code, reply.headers["content-type"].split(";")[0]) == (200, kind)
    assert reply.headers["vary"] == "Accept"
    if kind == "text/html":
        assert "1.1.0 is refused" in reply.text
        policy = reply.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy
        assert reply.headers["x-content-type-options"] == "nosniff"
