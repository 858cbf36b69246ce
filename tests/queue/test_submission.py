"""What the door takes and what it refuses."""

from __future__ import annotations

import gzip
import hashlib
import json
import uuid
from typing import Any

import msgspec
import pytest

from tests.queue.conftest import Publisher
from troth.errors import NotFound

NAMED = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 50}},
    "required": ["name"],
    "additionalProperties": False,
}
WAIT = "&secondsToWaitForCompletion=60"


@pytest.fixture(scope="module")
def command(publisher: Publisher, handler: str) -> str:
    """A command with one version."""
    found = publisher.command()
    publisher.publish(found, 1, NAMED, handler, [{"name": "a"}])
    return found


def test_a_command_is_accepted_processed_and_told_of(publisher: Publisher, command: str) -> None:
    identity = str(uuid.uuid4())
    answer = publisher.send(command, 1, {"name": "node1"}, f"&uuid={identity}")
    assert answer == {"uuid": identity}
    found = publisher.ended(identity)
    assert (found["state"], found["outcome"]["result"]) == ("done", {"handled": {"name": "node1"}})
    assert (found["command"], found["version"], found["submitted_by"]) == (command, 1, publisher.name)


def test_a_sender_can_wait_for_the_end(publisher: Publisher, command: str) -> None:
    answer = publisher.send(command, 1, {"name": "node1"}, WAIT)
    assert (answer["timed_out"], answer["state"], answer["result"]) == (False, "done", {"handled": {"name": "node1"}})


def test_the_wait_ends_where_the_command_does_not(publisher: Publisher, command: str) -> None:
    answer = publisher.send(command, 1, {"name": "n"}, "&secondsToWaitForCompletion=1&due=2099-01-01T00:00:00Z")
    assert answer["timed_out"] is True
    assert publisher.shown(answer["uuid"])["state"] == "waiting"
    publisher.client.command("discard_queued_command", uuid=answer["uuid"], reason="a test")


def test_the_same_uuid_is_the_same_command(publisher: Publisher, command: str) -> None:
    identity = str(uuid.uuid4())
    first = publisher.send(command, 1, {"name": "n"}, f"&uuid={identity}{WAIT}")
    again = publisher.send(command, 1, {"name": "n"}, f"&uuid={identity}{WAIT}")
    assert again == first
    status, problem = publisher.curl(f"command={command}&version=1&uuid={identity}", b'{"name": "other"}')
    assert (status, problem["code"]) == (409, "uuid-reused")


def test_two_senders_may_use_one_uuid(publisher: Publisher, handler: str) -> None:
    command = publisher.command(public=True)
    publisher.publish(command, 1, NAMED, handler, [{"name": "a"}])
    identity, (_, sam) = str(uuid.uuid4()), publisher.server.account("sam")
    publisher.send(command, 1, {"name": "hers"}, f"&uuid={identity}{WAIT}")
    theirs = sam.submit(command, 1, {"name": "his"}, uuid=identity, secondsToWaitForCompletion=60)
    assert theirs["result"] == {"handled": {"name": "his"}}
    assert sam.queued(identity)["outcome"]["result"] == {"handled": {"name": "his"}}
    assert publisher.shown(identity)["outcome"]["result"] == {"handled": {"name": "hers"}}


def test_one_envelope_holds_everything(publisher: Publisher, command: str) -> None:
    envelope: dict[str, Any] = {"command": command, "version": 1, "payload": {"name": "n"}, "uuid": str(uuid.uuid4())}
    status, answer = publisher.curl(WAIT[1:], json.dumps(envelope).encode())
    assert (status, answer["uuid"], answer["result"]) == (200, envelope["uuid"], {"handled": {"name": "n"}})
    for wrong in ({"version": "1"}, {"version": 1.5}, {"version": 10**30}, {"other": 1}, {"payload": "n"}):
        status, problem = publisher.curl("", json.dumps({**envelope, "uuid": "", **wrong}).encode())
        assert status == 400, (wrong, problem)
    status, problem = publisher.curl("", b"[1, 2]")
    assert (status, problem["code"]) == (400, "malformed")


def test_message_pack_is_a_serialisation_of_its_own(publisher: Publisher, handler: str, command: str) -> None:
    packed = publisher.command()
    publisher.publish(packed, 1, NAMED, handler, [{"name": "a"}], format={"serialisation": "msgpack"})
    body, kind = msgspec.msgpack.encode({"name": "n"}), ("--header", "Content-Type: application/msgpack")
    status, answer = publisher.curl(f"command={packed}&version=1{WAIT}", body, *kind)
    assert (status, answer["result"]) == (200, {"handled": {"name": "n"}})
    envelope = msgspec.msgpack.encode({"command": packed, "version": 1, "payload": {"name": "n"}})
    status, answer = publisher.curl(WAIT[1:], envelope, *kind)
    assert (status, answer["result"]) == (200, {"handled": {"name": "n"}})
    assert publisher.curl(f"command={packed}&version=1", b'{"name": "n"}')[1]["clauses"] == ["PDB-46"]
    assert publisher.curl(f"command={command}&version=1", body, *kind)[1]["clauses"] == ["PDB-46"]
    for strange in ({"name": b"raw"}, {1: "n"}, {"name": float("nan")}):
        status, problem = publisher.curl(f"command={packed}&version=1", msgspec.msgpack.encode(strange), *kind)
        assert (status, problem["code"]) == (400, "malformed-payload")


def test_checksums_are_compared(publisher: Publisher, command: str) -> None:
    body = b'{"name": "n"}'
    for digest in (hashlib.sha256, hashlib.sha1):
        publisher.send(command, 1, {"name": "n"}, f"&checksum={digest(body).hexdigest()}")
    wrong = hashlib.sha256(b"other").hexdigest()
    for checksum in (wrong, wrong[:40], "12", "g" * 64):
        status, problem = publisher.curl(f"command={command}&version=1&checksum={checksum}", body)
        assert (status, problem["code"]) == (400, "malformed"), checksum
    status, problem = publisher.curl(f"command=create_product&version=1&checksum={wrong}", b'{"product": "a/b"}')
    assert (status, problem["code"]) == (400, "malformed")


@pytest.mark.parametrize("version", ["0", "4", "2147483647"])
def test_versions_that_do_not_exist_are_not_found(publisher: Publisher, command: str, version: str) -> None:
    status, problem = publisher.curl(f"command={command}&version={version}", b'{"name": "n"}')
    assert (status, problem["code"]) == (404, "not-found")


@pytest.mark.parametrize("version", ["4.1", "1.0", '"5"', "1" + "0" * 30, "-1", "1e0", "", "one"])
def test_versions_that_are_no_numbers_are_malformed(publisher: Publisher, command: str, version: str) -> None:
    status, problem = publisher.curl(f"command={command}&version={version.replace(chr(34), '%22')}", b'{"name": "n"}')
    assert (status, problem["code"]) == (400, "malformed")
    assert publisher.curl(f"command={command}", b'{"name": "n"}')[0] == 400


@pytest.mark.parametrize("body", [b"", b"{", b'{"name": 1}', b"[]", b'{"name": "n", "x": 1}', b"\xff", b"[" * 100_000])
def test_payloads_that_do_not_fit_are_malformed(publisher: Publisher, command: str, body: bytes) -> None:
    status, problem = publisher.curl(f"command={command}&version=1", body)
    assert (status, problem["code"]) == (400, "malformed-payload")


def test_large_bodies_and_bombs_are_too_large(publisher: Publisher, command: str) -> None:
    large = b'{"name": "' + b"n" * (100 << 20) + b'"}'
    packed = ("--header", "Content-Encoding: gzip")
    status, problem = publisher.curl(f"command={command}&version=1", large)
    assert (status, problem["code"]) == (413, "too-large")
    status, problem = publisher.curl(f"command={command}&version=1", gzip.compress(large), *packed)
    assert (status, problem["code"]) == (413, "too-large")
    for broken in (b"no gzip", gzip.compress(b'{"name": "n"}')[:-9]):
        status, problem = publisher.curl(f"command={command}&version=1", broken, *packed)
        assert (status, problem["code"]) == (400, "malformed")


def test_strangers_learn_nothing_of_a_private_command(publisher: Publisher, command: str) -> None:
    _, sam = publisher.server.account("sam")
    there, gone = (
        publisher.curl(f"command={name}&version=1", b'{"name": "n"}', key=sam.key)
        for name in (command, f"{publisher.name}/nothing")
    )
    assert there[0] == gone[0] == 404
    assert there[1]["why"] == gone[1]["why"]
    # who administers the server is none
    assert publisher.curl(f"command={command}&version=1", b'{"name": "n"}', key=publisher.server.owner_key)[0] == 200
    identity = publisher.send(command, 1, {"name": "n"})["uuid"]
    for path in (f"/api/v1/queue/{identity}", f"/api/v1/commands/{command}"):
        assert sam._send("GET", path).status_code == 404
    assert sam.queue()["queue"] == []
    for action, more in (("retry", {}), ("discard", {"reason": "x"}), ("replay", {})):
        status, problem = publisher.curl(
            f"command={action}_queued_command&version=1", json.dumps({"uuid": identity, **more}).encode(), key=sam.key
        )
        assert (status, problem["code"]) == (404, "not-found")
        assert "troth command queue" in problem["repair"]


def test_a_key_sends_the_commands_that_its_patterns_name(publisher: Publisher, command: str) -> None:
    def key(pattern: str) -> str:
        made = publisher.client.command(
            "create_key", version=2, account=publisher.name, label="sender",
            scope={"algorithms": [pattern], "data": "none", "manage": False, "administrator": False, "production": False},
        )  # fmt: skip
        return str(made["key"])

    query, body = f"command={command}&version=1", b'{"name": "n"}'
    assert publisher.curl(query, body, key=key(f"algo://{command}/*"))[0] == 200
    assert publisher.curl(query, body, key=key("algo://other/*"))[0] == 404
    status, problem = publisher.curl("command=create_command&version=1", b"{}", key=key("algo://*"))
    assert (status, problem["code"]) == (400, "malformed-payload")
    status, problem = publisher.curl(
        "command=create_command&version=1", json.dumps({"command": f"{publisher.name}/x"}).encode(), key=key("algo://*")
    )
    assert (status, problem["code"]) == (403, "forbidden")


def test_priorities_and_moments_are_read_strictly(publisher: Publisher, command: str) -> None:
    for extra in ("&priority=101", "&priority=x", "&due=tomorrow", "&due=2026-01-01", "&secondsToWaitForCompletion=-1"):
        status, problem = publisher.curl(f"command={command}&version=1{extra}", b'{"name": "n"}')
        assert (status, problem["code"]) == (400, "malformed"), extra


def test_a_command_of_troth_s_own_can_be_queued(publisher: Publisher) -> None:
    product = f"{publisher.name}/{publisher.server.new_name('shop')}"
    body, query = json.dumps({"product": product}).encode(), "command=create_product&version=1"
    status, answer = publisher.curl(f"{query}{WAIT}", body)
    assert (status, answer["state"], answer["result"]["product"]) == (200, "done", product)
    assert publisher.client.product(product)["product"] == product
    status, answer = publisher.curl(f"{query}{WAIT}", body)
    assert (status, answer["state"], answer["diagnosis"]["code"]) == (200, "failed", "name-taken")
    for name, payload in (("create_key", {"account": publisher.name}), ("create_account", {"name": "nobody"})):
        status, problem = publisher.curl(f"command={name}&version=1{WAIT}", json.dumps(payload).encode())
        assert status in (403, 409), problem


@pytest.mark.parametrize("extra", ["&due=2999-01-01T00:00:00Z", "&priority=5", "&subject=shops"])
def test_what_only_the_queue_gives_has_a_command_of_troth_s_own_queued(publisher: Publisher, extra: str) -> None:
    product = f"{publisher.name}/{publisher.server.new_name('shop')}"
    body, query = json.dumps({"product": product}).encode(), f"command=create_product&version=1{extra}"
    status, answer = publisher.curl(query, body)
    assert (status, list(answer)) == (200, ["uuid"])
    if "due" in extra:
        assert publisher.shown(answer["uuid"])["state"] == "waiting"
        with pytest.raises(NotFound):
            publisher.client.product(product)
    else:
        assert publisher.ended(answer["uuid"])["outcome"]["result"]["product"] == product
    key = json.dumps({"account": publisher.name}).encode()
    status, problem = publisher.curl(f"command=create_key&version=2{extra}", key)
    assert status == 400  # a key needs its scope, as it does at once
    status, problem = publisher.curl(f"command=create_key&version=1{extra}", key)
    assert (status, "is not queued" in problem["detail"]) == (409, True)
    assert "leave secondsToWaitForCompletion, due, priority and subject out" in problem["repair"]


def test_the_usual_priority_asks_for_no_queue(publisher: Publisher) -> None:
    product = f"{publisher.name}/{publisher.server.new_name('shop')}"
    envelope = {"command": "create_product", "version": 1, "payload": {"product": product}, "priority": 0}
    assert publisher.curl("priority=0", json.dumps(envelope).encode())[1]["outcome"] == "done"
    envelope |= {"payload": {"product": f"{product}2"}, "due": "2999-01-01T00:00:00Z"}
    assert list(publisher.curl("", json.dumps(envelope).encode())[1]) == ["uuid"]


def test_what_was_done_before_is_not_done_again_by_the_queue(publisher: Publisher) -> None:
    """The first attempt does not ask; what it does is taken back, for a uuid is recorded once."""
    product, identity = f"{publisher.name}/{publisher.server.new_name('shop')}", str(uuid.uuid4())
    publisher.client.command("create_product", product=product)
    update: dict[str, Any] = {"product": product, "summary": "first"}
    done = publisher.client.command("update_product", identity=identity, **update)
    publisher.client.command("update_product", product=product, summary="second")
    body, query = json.dumps(update).encode(), f"command=update_product&version=1&uuid={identity}"
    status, answer = publisher.curl(f"{query}{WAIT}", body)
    assert (status, answer["state"], answer["result"]) == (200, "done", done)
    assert publisher.client.product(product)["summary"] == "second"


def test_what_was_done_before_and_could_not_be_prepared_again_is_told_as_it_was(publisher: Publisher) -> None:
    """The name is taken by what the same command made: that is no reason to call it failed."""
    made: dict[str, Any] = {"algorithm": f"{publisher.name}/{publisher.server.new_name('echo')}"}
    identity = str(uuid.uuid4())
    done = publisher.client.command("create_algorithm", version=2, identity=identity, **made)
    body, query = json.dumps(made).encode(), f"command=create_algorithm&version=2&uuid={identity}"
    status, answer = publisher.curl(f"{query}{WAIT}", body)
    assert (status, answer["state"], answer.get("result")) == (200, "done", done), answer


def test_who_is_no_member_any_more_sends_nothing(publisher: Publisher, handler: str) -> None:
    organization = publisher.server.organization(publisher.client)
    command = f"{organization}/{publisher.server.new_name('command')}"
    publisher.client.command("create_command", command=command)
    publisher.publish(command, 1, NAMED, handler, [{"name": "a"}])
    name, sam = publisher.server.account("sam")
    body = b'{"name": "n"}'
    assert publisher.curl(f"command={command}&version=1", body, key=sam.key)[0] == 404
    publisher.client.command("add_member", organization=organization, account=name, role="member")
    assert publisher.curl(f"command={command}&version=1{WAIT}", body, key=sam.key)[1]["state"] == "done"
    publisher.client.command("remove_member", organization=organization, account=name)
    assert publisher.curl(f"command={command}&version=1", body, key=sam.key)[0] == 404
