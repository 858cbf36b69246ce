"""Versions of commands: up-conversions are proved by effects, and what loops, hangs or lies is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.queue.conftest import Publisher
from tests.queue.test_submission import NAMED, WAIT
from troth.errors import Malformed, MalformedPayload, MalformedSchema, Refused, TrothError

LABELLED = {
    "type": "object",
    "properties": {"label": {"type": "string", "maxLength": 50}},
    "required": ["label"],
    "additionalProperties": False,
}
RENAME = {"operations": [{"rename": "/name", "to": "label"}]}
#: Handles both forms and tells the length of the name, so that a wrong conversion shows.
HANDLER = """\
def apply(input):
    payload = input["payload"]
    return {"letters": (payload["name"] if "name" in payload else payload["label"]).upper()}
"""
GOLDEN = [{"payload": {"name": "a"}, "result": {"letters": "A"}}]
NEXT = [{"payload": {"label": "b"}, "result": {"letters": "B"}}]


@pytest.fixture(scope="module")
def letters(publisher: Publisher) -> str:
    return publisher.algorithm(HANDLER)


@pytest.fixture
def command(publisher: Publisher, letters: str) -> str:
    """A command with its first version."""
    found = publisher.command()
    publisher.publish(found, 1, NAMED, letters, GOLDEN)
    return found


def _refusal(publisher: Publisher, *given: Any, **more: Any) -> TrothError:
    with pytest.raises(TrothError) as refused:
        publisher.publish(*given, **more)
    return refused.value


@pytest.mark.parametrize(
    "conversion",
    [
        RENAME,
        {"operations": [{"move": "/name", "to": "/label"}]},
        {"jsonata": '{"label": name}'},
    ],
)
def test_an_up_conversion_is_declared_or_written(
    publisher: Publisher, letters: str, command: str, conversion: dict[str, Any]
) -> None:
    made = publisher.publish(command, 2, LABELLED, letters, NEXT, up_conversion=conversion)
    assert made["deprecated"] == [1]
    assert made["proof"]["converted"] == 1
    assert made["proof"]["compared"] == made["proof"]["drawn"] > 3
    assert publisher.send(command, 1, {"name": "old"}, WAIT)["result"] == {"letters": "OLD"}


@pytest.mark.parametrize(
    "conversion",
    [
        # legal under the schema, and another effect
        {"operations": [{"drop": "/name", "reason": "x"}, {"default": "/label", "value": "same"}]},
        {"jsonata": '{"label": $substring(name, 0, 1)}'},
        # not legal under the schema
        {"operations": [{"drop": "/name", "reason": "nobody needs it"}]},
        {"jsonata": "name"},
        # no value, an error, an endless recursion, an endless loop, a regular expression that never ends, too much memory
        {"jsonata": "nothing.here"},
        {"jsonata": "$error('no')"},
        {"jsonata": "($f := function($x) { $f($x + 1) + 1 }; $f(1))"},
        {"jsonata": "($f := function($x) { $f($x + 1) }; $f(1))"},
        {"jsonata": "$match('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', /^(a|aa)+$/)"},
        {"jsonata": "$sum([1..9999999])"},
        {"jsonata": "(("},
    ],
)
def test_an_up_conversion_with_another_effect_is_refused(
    publisher: Publisher, letters: str, command: str, conversion: dict[str, Any]
) -> None:
    refused = _refusal(publisher, command, 2, LABELLED, letters, NEXT, up_conversion=conversion)
    assert isinstance(refused, Refused)
    assert refused.clauses == ("PDB-40",)
    assert publisher.send(command, 1, {"name": "n"}, WAIT)["state"] == "done"


def test_an_algorithm_converts_and_one_that_hangs_is_refused(publisher: Publisher, letters: str, command: str) -> None:
    loops = publisher.algorithm("def apply(input):\n    while True:\n        pass\n")
    with pytest.raises(Refused, match="more than"):
        publisher.publish(command, 2, LABELLED, letters, NEXT, up_conversion={"algorithm": loops})
    converts = publisher.algorithm('def apply(input):\n    return {"label": input["name"]}\n')
    publisher.publish(command, 2, LABELLED, letters, NEXT, up_conversion={"algorithm": converts})
    assert publisher.send(command, 1, {"name": "old"}, WAIT)["result"] == {"letters": "OLD"}


@pytest.mark.parametrize(
    "conversion",
    [
        {"operations": [{"rename": "name", "to": "label"}]},
        {"operations": [{"rename": "/name"}]},
        {"operations": [{"drop": "/name"}]},
        {"operations": [{"drop": "/name", "reason": " "}]},
        {"operations": [{"drop": "", "reason": "all of it"}]},
        {"operations": [{"explode": "/name"}]},
        {"operations": [{"rename": "/name", "to": 5}]},
        {"algorithm": "not a reference"},
    ],
)
def test_what_is_no_up_conversion_is_malformed(
    publisher: Publisher, letters: str, command: str, conversion: dict[str, Any]
) -> None:
    refused = _refusal(publisher, command, 2, LABELLED, letters, NEXT, up_conversion=conversion)
    assert isinstance(refused, Malformed)


def test_golden_payloads_have_to_hold(publisher: Publisher, letters: str) -> None:
    command = publisher.command()
    wrong = [{"payload": {"name": "a"}, "result": {"letters": "b"}}]
    assert "makes" in _refusal(publisher, command, 1, NAMED, letters, wrong).what
    assert "does not fit" in _refusal(publisher, command, 1, NAMED, letters, [{"payload": {}, "result": 1}]).what
    other = [{"version": 7, "payload": {"name": "a"}, "result": 1}]
    assert "without a golden payload" in _refusal(publisher, command, 1, NAMED, letters, other).what
    assert _refusal(publisher, command, 1, NAMED, f"{publisher.name}/nothing", GOLDEN).code == "not-found"
    assert isinstance(_refusal(publisher, command, 1, NAMED, "nonsense", GOLDEN), Malformed)
    assert publisher.client.command_format(command)["versions"] == []


@pytest.mark.parametrize(
    ("schema", "place", "why"),
    [
        (NAMED, "/nam", "it has name, and allows no other"),
        (NAMED, "/name/first", "is string, which has nothing inside"),
        ({"type": "object", "properties": {"name": {}, "inner": False}}, "/inner", "allows nothing at /inner"),
    ],
)
def test_an_order_is_by_what_payloads_can_have(
    publisher: Publisher, letters: str, schema: Any, place: str, why: str
) -> None:
    refused = _refusal(publisher, publisher.command(), 1, schema, letters, GOLDEN, ordered_by=place)
    assert isinstance(refused, Refused)
    assert why in refused.why


@pytest.mark.parametrize("place", ["", "/name", "/node", "/inner/deep"])
def test_an_order_may_be_by_what_payloads_need_not_have(publisher: Publisher, letters: str, place: str) -> None:
    schema = {"type": "object", "properties": {"inner": {"$ref": "#/$defs/any"}}, "$defs": {"any": {}}}
    publisher.publish(publisher.command(), 1, schema, letters, GOLDEN, ordered_by=place)


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"pattern": "("}, "a group is not closed"),
        ({"pattern": "(a)\\1"}, "a back-reference"),
        ({"type": "strng"}, "one of array, boolean, integer, null, number, object, string"),
    ],
)
def test_what_is_wrong_with_a_format_is_told(publisher: Publisher, letters: str, schema: Any, why: str) -> None:
    refused = _refusal(publisher, publisher.command(), 1, schema, letters, [{"payload": 1, "result": 1}])
    assert why in f"{refused.what} {refused.why}"


@pytest.mark.parametrize("schema", [{"type": "thing"}, {"pattern": "(a)\\1"}, {"$ref": "#/nowhere"}, {"pattern": "["}])
def test_what_cannot_be_checked_at_the_door_is_no_format(publisher: Publisher, letters: str, schema: Any) -> None:
    refused = _refusal(publisher, publisher.command(), 1, schema, letters, [{"payload": 1, "result": 1}])
    assert isinstance(refused, MalformedSchema)


def test_troth_itself_can_be_a_handler(publisher: Publisher) -> None:
    """Its payloads have to be what troth's own command takes, and it acts for who sends it."""
    command = publisher.command(public=True)
    schema = {"type": "object", "properties": {"product": {"type": "string"}}, "required": ["product"]}
    product = f"{publisher.name}/{publisher.server.new_name('shop')}"
    refused = _refusal(publisher, command, 1, schema, "troth/create_product", [{"payload": {"product": "no"}}])
    assert isinstance(refused, MalformedPayload)
    publisher.publish(command, 1, schema, "troth/create_product", [{"payload": {"product": product}}])
    _, sam = publisher.server.account("sam")
    theirs = sam.submit(command, 1, {"product": product}, secondsToWaitForCompletion=60)
    assert (theirs["state"], theirs["diagnosis"]["code"]) == ("failed", "forbidden")
    assert publisher.send(command, 1, {"product": product}, WAIT)["result"]["product"] == product


def test_a_command_is_told_to_its_senders_and_whole_to_its_owners(publisher: Publisher, letters: str) -> None:
    command = publisher.command(public=True)
    publisher.publish(command, 1, NAMED, letters, GOLDEN)
    _, sam = publisher.server.account("sam")
    told, whole = sam.command_format(command), publisher.client.command_format(command)
    assert told["versions"][0]["format"] == {"version": 1, "schema": NAMED, "serialisation": "application/json"}
    assert "handler" not in told["versions"][0]
    assert whole["versions"][0]["handler"] == letters
    assert command in [one["command"] for one in sam.commands()]
