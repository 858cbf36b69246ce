"""Commands made to have others do what their makers may not, and what is sent to break the door, the queue or its order."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from tests.queue.conftest import Publisher
from tests.queue.test_submission import NAMED, WAIT
from troth.commands.formats import shipped
from troth.commands.queued.book import CommandBook
from troth.commands.queued.handlers import SECRET
from troth.commands.queued.work import kept
from troth.errors import Forbidden, Refused
from troth.registry import queue
from troth.registry.database import Database
from troth.sdk import Client

ANY: dict[str, Any] = {"type": "object"}
TRIAL = [{"payload": {}, "result": "trial"}]
#: A handler that says what cannot be sent.
SAYS = """\
def apply(input):
    if input["trial"]:
        return "trial"
    match input["payload"].get("say"):
        case "half an error":
            raise ValueError("half \\ud800 of it")
        case "half a word":
            return "half \\ud800 of it"
        case "no number":
            return {"found": [float("nan"), float("inf"), 1.5]}
"""


@pytest.fixture(scope="module")
def eve(publisher: Publisher, tmp_path_factory: pytest.TempPathFactory) -> Publisher:
    """Somebody without any right but those of every user."""
    return Publisher(publisher.server, tmp_path_factory.mktemp("eve"))


@pytest.fixture(scope="module")
def says(publisher: Publisher) -> str:
    """A command with the handler above."""
    found = publisher.command()
    publisher.publish(found, 1, ANY, publisher.algorithm(SAYS), TRIAL)
    return found


@pytest.fixture(scope="module")
def ordered(publisher: Publisher, handler: str) -> str:
    """A command whose payloads with one name are kept in order."""
    found = publisher.command()
    publisher.publish(found, 1, ANY, handler, [{"name": "a"}], ordered_by="/name")
    return found


def _trap(maker: Publisher, own: str, worded: dict[str, Any]) -> str:
    """A public command that takes names of organisations, and whose newest version makes of each what its maker words."""
    command = maker.command("trap", public=True)
    maker.publish(command, 1, NAMED, "troth/create_organization", [{"payload": {"name": "x1"}}])
    conversion = [
        {"drop": "/name", "reason": "it is not needed"},
        *({"default": f"/{name}", "value": value} for name, value in worded.items()),
    ]
    maker.publish(
        command,
        2,
        ANY,
        f"troth/{own}",
        [{"payload": worded}],
        up_conversion={"operations": conversion},
        release="1.1.0",
    )
    return command


def _sent(sender: Client, command: str) -> dict[str, Any]:
    """What came of it for somebody who sends what the first version says."""
    return sender.submit(command, 1, {"name": "x1"}, secondsToWaitForCompletion=60)


def _forbidden(answer: dict[str, Any]) -> bool:
    """Whether it is a dead letter, after one attempt, because somebody may not do it."""
    return (answer["state"], answer["diagnosis"]["code"], answer["attempts"]) == ("failed", "forbidden", 1)


# --- handlers that are commands of troth's own


def test_who_words_a_membership_in_a_conversion_does_not_get_it(eve: Publisher) -> None:
    _, bob = eve.server.account("bob")
    organization = eve.server.organization(bob)
    command = _trap(eve, "add_member", {"organization": organization, "account": eve.name, "role": "admin"})
    before = bob.organization(organization)
    answer = _sent(bob, command)
    assert _forbidden(answer), answer
    assert bob.organization(organization) == before
    with pytest.raises(Forbidden):
        eve.client.command("update_organization", organization=organization, details={})
    (letter,) = bob.queue(command=command, state="failed")["queue"]
    assert letter["uuid"] == answer["uuid"]


def test_who_words_a_command_of_administrators_does_not_get_it(eve: Publisher) -> None:
    name, external = eve.server.new_name("root"), eve.server.new_name("external")
    for own, worded in (
        ("create_account", {"name": name, "administrator": True}),
        ("update_account", {"account": eve.name, "details": {"external_id": external}}),
    ):
        answer = _sent(eve.server.owner, _trap(eve, own, worded))
        assert _forbidden(answer), answer
    accounts = json.dumps(eve.server.owner.accounts())
    assert eve.name in accounts
    assert name not in accounts
    assert external not in accounts


def test_what_publisher_and_sender_may_both_do_is_done(eve: Publisher) -> None:
    _, bob = eve.server.account("bob")
    organization, (sam, _) = eve.server.organization(bob), eve.server.account("sam")
    command = _trap(eve, "add_member", {"organization": organization, "account": sam, "role": "member"})
    assert _forbidden(_sent(bob, command))
    bob.command("add_member", organization=organization, account=eve.name, role="admin")
    answer = _sent(bob, command)
    assert (answer["state"], answer["result"]["account"]) == ("done", sam), answer
    assert sam in json.dumps(bob.organization(organization))
    # and neither without the other: a stranger has nothing of eve's right
    _, stranger = eve.server.account("stranger")
    assert _forbidden(_sent(stranger, command))
    bob.command("remove_member", organization=organization, account=eve.name)
    assert _forbidden(_sent(bob, command))


def test_a_handler_does_no_more_than_the_key_that_it_was_published_with(publisher: Publisher, tmp_path: Path) -> None:
    """Also where the same account sends it with a key that may do more."""
    server = publisher.server
    scope = {"algorithms": ["algo://*"], "data": "none", "manage": True, "administrator": False, "production": False}
    made = server.owner.command("create_key", version=2, account="owner", label="publishing", scope=scope)
    maker = Publisher(server, tmp_path)
    maker.name, maker.key = "owner", str(made["key"])
    maker.client = server.client(maker.key)
    name = server.new_name("root")
    command = _trap(maker, "create_account", {"name": name, "administrator": True})
    answer = _sent(server.owner, command)
    assert _forbidden(answer), answer
    assert name not in json.dumps(server.owner.accounts())


def test_a_handler_of_an_account_that_is_gone_does_nothing(publisher: Publisher, tmp_path: Path) -> None:
    gone = Publisher(publisher.server, tmp_path)
    product = f"{publisher.name}/{publisher.server.new_name('shop')}"
    command = _trap(gone, "create_product", {"product": product})
    publisher.server.owner.command("delete_account", account=gone.name)
    status, answer = publisher.curl(f"command={command}&version=1{WAIT}", b'{"name": "x1"}')
    assert (status, answer["state"], answer["diagnosis"]["code"]) == (200, "failed", "refused"), answer
    assert publisher.client._send("GET", f"/api/v1/products/{product}").status_code == 404


@pytest.mark.parametrize("name", [*sorted(SECRET), "publish_command_version"])
def test_what_holds_a_secret_is_no_handler(eve: Publisher, name: str) -> None:
    command = eve.command()
    with pytest.raises(Refused, match=f"troth/{name} cannot be a handler"):
        eve.publish(command, 1, ANY, f"troth/{name}", [{"payload": {}}])
    assert eve.client.command_format(command)["versions"] == []


def test_every_command_whose_payload_has_a_secret_is_known_as_one() -> None:
    formats = shipped()
    hidden = set()
    for name, versions in formats.schemas.items():
        for version, validator in versions.items():
            schema: Any = validator.schema
            payload = json.dumps(dict.fromkeys(schema.get("properties", {}))).encode()
            if formats.without_secrets(name, version, payload) != payload:
                hidden.add(name)
    assert hidden == {"set_secret"}
    assert hidden <= SECRET <= formats.schemas.keys()


def test_a_webhook_is_not_made_behind(publisher: Publisher) -> None:
    """Its secret is in the first reply, which nobody would get."""
    body = json.dumps({"account": publisher.name, "url": "http://127.0.0.1:1/closed"}).encode()
    status, problem = publisher.curl(f"command=create_alert_hook&version=1{WAIT}", body)
    assert (status, problem["code"]) == (409, "refused")
    assert "create_alert_hook is not queued" in problem["detail"]
    assert publisher.client._get("/api/v1/alerts")["hooks"] == []
    assert publisher.client.queue(command="create_alert_hook")["queue"] == []


# --- bodies


def test_a_body_of_many_members_is_malformed(publisher: Publisher, says: str) -> None:
    packed, empty, payload = ("--header", "Content-Encoding: gzip"), gzip.compress(b""), gzip.compress(b"{}")
    for body in (empty * 200, empty * 200 + payload):
        status, problem = publisher.curl(f"command={says}&version=1", body, *packed)
        assert (status, problem["code"]) == (400, "malformed"), problem
        assert "members of gzip" in problem["detail"]
    assert publisher.curl(f"command={says}&version=1", empty * 99 + payload, *packed)[0] == 200


# --- results


def test_half_a_character_in_an_error_breaks_no_answer(publisher: Publisher, says: str) -> None:
    answer = publisher.send(says, 1, {"say": "half an error"}, WAIT)
    assert answer["state"] == "failed"
    assert answer["diagnosis"]["what"].startswith("half ")
    shown = publisher.shown(answer["uuid"])
    assert shown["outcome"]["diagnosis"] == answer["diagnosis"]
    reply = publisher.client._send("GET", "/api/v1/queue", params={"command": says})
    assert reply.status_code == 200
    assert answer["uuid"] in [one["uuid"] for one in reply.json()["queue"]]
    found = publisher.send(says, 1, {"say": "half a word"}, WAIT)
    assert found["state"] == "failed"
    assert found["uuid"] in [one["uuid"] for one in publisher.client.queue(command=says)["queue"]]


def test_what_is_no_number_is_in_no_answer(publisher: Publisher, says: str) -> None:
    answer = publisher.send(says, 1, {"say": "no number"}, WAIT)
    assert (answer["state"], answer["diagnosis"]["code"]) == ("failed", "call-failed"), answer
    for path in ("/api/v1/queue", f"/api/v1/queue/{answer['uuid']}"):
        reply = publisher.client._send("GET", path)
        assert reply.status_code == 200
        json.loads(reply.text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_kept_as_nothing(wrong: float) -> None:
    assert kept(wrong) is None
    assert kept({"found": [wrong, 1.5, 10**30]}) == {"found": [None, 1.5, 10**30]}
    with pytest.raises(Refused, match="garbage"):
        kept(["\ud800", wrong])


# --- order


def test_what_is_kept_in_order_is_not_put_off(publisher: Publisher, ordered: str, says: str) -> None:
    """Everything behind it would wait as long."""
    later, body = "&due=2099-01-01T00:00:00Z", b'{"name": "n"}'
    for query in (f"command={ordered}&version=1{later}", f"command={says}&version=1&subject=n{later}"):
        status, problem = publisher.curl(query, body)
        assert (status, problem["code"]) == (409, "refused"), problem
        assert "cannot be put off" in problem["detail"]
    envelope = {"command": ordered, "version": 1, "payload": {"name": "n"}, "due": "2099-01-01T00:00:00Z"}
    assert publisher.curl("", json.dumps(envelope).encode())[0] == 409
    assert publisher.client.queue(command=ordered)["queue"] == []
    assert publisher.send(ordered, 1, {"name": "n"}, WAIT)["state"] == "done"
    # without a place in an order it can be
    for command, payload in ((says, {"name": "n"}), (ordered, {})):
        identity = publisher.send(command, 1, payload, later)["uuid"]
        assert publisher.shown(identity)["state"] == "waiting"
        publisher.client.command("discard_queued_command", uuid=identity, reason="a test")


def test_nobody_holds_back_what_others_send_of_troths_own(publisher: Publisher, eve: Publisher) -> None:
    """A word that senders choose has no place in the order of others, and what has one is not put off."""
    word = "subject=everybody"
    own = f"command=create_organization&version=1&{word}"
    body = json.dumps({"name": publisher.server.new_name("late")}).encode()
    status, problem = eve.curl(f"{own}{WAIT}&due=2099-01-01T00:00:00Z", body)
    assert (status, problem["code"]) == (409, "refused"), problem
    assert "cannot be put off" in problem["detail"]
    assert eve.client.queue(command="create_organization", state="waiting")["queue"] == []

    def key(sender: Publisher) -> str | None:
        payload = {"name": publisher.server.new_name("ordered")}
        identity = sender.send("create_organization", 1, payload, f"&{word}{WAIT}")["uuid"]
        with publisher.server.server.database.read() as connection:
            (row,) = queue.find(connection, identity)
            return queue.payload_of(connection, row.position).ordered_key

    assert key(eve) == key(eve) is not None
    assert key(eve) != key(publisher)


@pytest.mark.parametrize("place", ["/²", "/①", "/٣", "/" + "9" * 400, "/-1", "/0x0", "/"])
def test_a_place_that_no_list_has_is_no_fault(publisher: Publisher, handler: str, place: str) -> None:
    command = publisher.command()
    publisher.publish(command, 1, {"type": "array"}, handler, [[1]], ordered_by=place)
    answer = publisher.send(command, 1, [1, 2, 3, 4], WAIT)
    assert (answer["state"], answer["result"]) == ("done", {"handled": [1, 2, 3, 4]})
    # nothing is there, so nothing is kept in order by it
    identity = publisher.send(command, 1, [1, 2, 3, 4], "&due=2099-01-01T00:00:00Z")["uuid"]
    publisher.client.command("discard_queued_command", uuid=identity, reason="a test")


# --- definitions in memory


class _Overtaken(Database):
    """A database, of which one read is overtaken by a change as soon as everything is read."""

    def __init__(self, database: Database, change: Callable[[], None]) -> None:
        self._real = database
        self._changes = [change]

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._real.read() as connection:
            yield connection
        while self._changes:
            self._changes.pop()()


def test_a_definition_read_before_a_change_is_not_kept(publisher: Publisher, handler: str) -> None:
    command = publisher.command()
    publisher.publish(command, 1, NAMED, handler, [{"name": "a"}])

    def change() -> None:
        publisher.client.command("pause_command", command=command)
        book.forget(command)

    book = CommandBook(_Overtaken(publisher.server.server.database, change), lambda account, owner: True)
    before = book.find(command)
    assert before is not None
    assert before.row.flow == "running"
    assert book.known(command) is None
    now = book.find(command)
    assert now is not None
    assert now.row.flow == "paused"
    assert book.known(command) is now
    assert command in book.held
