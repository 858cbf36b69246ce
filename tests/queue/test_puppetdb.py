"""PuppetDB's own commands, rebuilt as commands of a team: replace facts up to version 5, deactivate node up to version 3.

Formats as PuppetDB documents them. Its first versions of facts were JSON inside a string; since version 2 they are an object.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import Any

import pytest

from tests.queue.conftest import Publisher

MOMENT = "2026-01-02T03:04:05.678Z"
#: What each version of the handler keeps of a node; in a trial it says so and keeps nothing.
FACTS = """\
import json
def apply(input):
    payload = input["payload"]
    if isinstance(payload, str):
        payload = json.loads(payload)
    name = payload.get("certname") or payload["name"]
    made = {"node": name, "environment": payload.get("environment"), "facts": len(payload["values"])}
    if "producer" in payload:
        made["producer"] = payload["producer"]
    return made
"""
DEACTIVATE = """\
import json
def apply(input):
    payload = input["payload"]
    name = payload if isinstance(payload, str) else payload["certname"]
    return {"deactivated": json.loads(name) if name.startswith('"') else name}
"""
_TEXT = {"type": "string", "minLength": 1, "maxLength": 100}
_NAME = {"type": "string", "pattern": "^[a-z][a-z.]*$"}
_VALUES = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}}


def _facts(name: str, *more: str, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    properties: dict[str, Any] = {name: _TEXT, "values": _VALUES}
    properties |= dict.fromkeys(more, _TEXT)
    properties |= {one: {"type": ["string", "null"], "maxLength": 100} for one in optional}
    required = [name, "values", *more, *optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


#: (schema, up-conversion, golden payload, result, how results change) of each version of replace facts
FACTS_VERSIONS: list[tuple[Any, Any, Any, Any, list[Any]]] = [
    ({"type": "string", "pattern": '^[{]"name": "[a-z]+", "values": [{]("os": "[a-z]+")?[}][}]$'},
     None, '{"name": "one", "values": {"os": "linux"}}', {"node": "one", "environment": None, "facts": 1}, []),
    (_facts("name"), {"jsonata": "$eval($)"}, {"name": "one", "values": {"os": "linux"}},
     {"node": "one", "environment": None, "facts": 1}, []),
    (_facts("name", "environment", "producer-timestamp"),
     {"operations": [{"default": "/environment", "value": "production"}, {"default": "/producer-timestamp", "value": MOMENT}]},
     {"name": "one", "environment": "test", "producer-timestamp": MOMENT, "values": {}},
     {"node": "one", "environment": "test", "facts": 0},
     [{"drop": "/environment", "reason": "version 2 has none"}, {"default": "/environment", "value": "production"}]),
    (_facts("certname", "environment", "producer_timestamp"),
     {"operations": [{"rename": "/name", "to": "certname"}, {"rename": "/producer-timestamp", "to": "producer_timestamp"}]},
     {"certname": "one", "environment": "test", "producer_timestamp": MOMENT, "values": {"a": 1}},
     {"node": "one", "environment": "test", "facts": 1}, []),
    (_facts("certname", "environment", "producer_timestamp", optional=("producer",)),
     {"operations": [{"default": "/producer", "value": None}]},
     {"certname": "one", "environment": "test", "producer_timestamp": MOMENT, "values": {}, "producer": "master"},
     {"node": "one", "environment": "test", "facts": 0, "producer": "master"},
     [{"default": "/producer", "value": None}]),
]  # fmt: skip


@pytest.fixture(scope="module")
def facts(publisher: Publisher) -> str:
    """`replace facts` with its five versions."""
    command = publisher.command("replace_facts")
    handler = publisher.algorithm(FACTS)
    for number, (schema, conversion, payload, result, change) in enumerate(FACTS_VERSIONS, 1):
        golden = [{"payload": payload, "result": result}]
        more: dict[str, Any] = {}
        if conversion is not None:
            _, _, before, was, _ = FACTS_VERSIONS[number - 2]
            golden.append({"version": number - 1, "payload": before, "result": _changed(was, change)})
            more = {"up_conversion": conversion, "expected_change": change}
        if number > 1:
            more["ordered_by"] = "/certname" if number > 3 else "/name"
        made = publisher.publish(command, number, schema, handler, golden, **more)
        assert made["deprecated"] == ([number - 1] if number > 1 else [])
        assert made["proof"]["golden"] == 1
        if number > 1:
            assert made["proof"]["converted"] == 1
            assert made["proof"]["drawn"] >= 2
            assert made["proof"]["compared"] == made["proof"]["drawn"]
    return command


def _changed(result: dict[str, Any], change: list[Any]) -> dict[str, Any]:
    for one in change:
        if "drop" in one:
            result = {key: value for key, value in result.items() if f"/{key}" != one["drop"]}
        else:
            result = {one["default"][1:]: one["value"], **result}
    return result


def _waits(number: int) -> str:
    return f"&version={number}&secondsToWaitForCompletion=60"


def test_facts_of_versions_4_and_5_come_to_the_same(publisher: Publisher, facts: str) -> None:
    old = {"certname": "n1", "environment": "test", "producer_timestamp": MOMENT, "values": {"os": "linux"}}
    body = json.dumps(old).encode()
    sha256 = hashlib.sha256(body).hexdigest()
    status, answer = publisher.curl(f"command={facts}{_waits(4)}&checksum={sha256}", body)
    assert (status, answer["state"]) == (200, "done"), answer
    assert answer["result"] == {"node": "n1", "environment": "test", "facts": 1, "producer": None}
    assert answer["deprecated"] == {"version": 4, "in": "1.0.0", "send": 5}
    new = json.dumps({**old, "producer": "master"}).encode()
    sha1 = hashlib.sha1(new).hexdigest()
    status, answer = publisher.curl(
        f"command={facts}{_waits(5)}&checksum={sha1}", gzip.compress(new), "--header", "Content-Encoding: gzip"
    )
    assert (status, answer["result"]["producer"]) == (200, "master"), answer


def test_facts_of_version_1_pass_through_every_conversion(publisher: Publisher, facts: str) -> None:
    body = json.dumps('{"name": "one", "values": {"os": "linux"}}').encode()
    status, answer = publisher.curl(f"command={facts}{_waits(1)}", body)
    assert (status, answer["state"]) == (200, "done"), answer
    assert answer["result"] == {"node": "one", "environment": "production", "facts": 1, "producer": None}


def test_a_payload_of_another_version_is_told_which_it_fits(publisher: Publisher, facts: str) -> None:
    old = {"certname": "n1", "environment": "test", "producer_timestamp": MOMENT, "values": {}}
    status, problem = publisher.curl(f"command={facts}&version=5", json.dumps(old).encode())
    assert (status, problem["repair"]) == (400, "it fits version 4; send it as that")


@pytest.fixture(scope="module")
def deactivate(publisher: Publisher) -> str:
    """`deactivate node` with its three versions: JSON of a name in a string, the bare name, an object."""
    command, handler = publisher.command("deactivate_node"), publisher.algorithm(DEACTIVATE)
    result = {"deactivated": "foo.example.com"}
    parse = publisher.algorithm("import json\ndef apply(input):\n    return json.loads(input)\n")
    last = {
        "type": "object",
        "properties": {"certname": _NAME, "producer_timestamp": {"type": ["string", "null"]}},
        "required": ["certname", "producer_timestamp"],
        "additionalProperties": False,
    }
    wrap = [{"wrap": "", "in": "certname"}, {"default": "/producer_timestamp", "value": None}]
    quoted = {"type": "string", "pattern": '^"[a-z]+[.][a-z]+"$'}
    publisher.publish(
        command, 1, quoted, handler, [{"payload": '"foo.example"', "result": {"deactivated": "foo.example"}}]
    )
    bare = [{"payload": "foo.example.com", "result": result}]
    publisher.publish(command, 2, _NAME, handler, bare, up_conversion={"algorithm": parse}, ordered_by="")
    whole = [{"payload": {"certname": "foo.example.com", "producer_timestamp": MOMENT}, "result": result}]
    publisher.publish(command, 3, last, handler, whole, up_conversion={"operations": wrap}, ordered_by="/certname")
    return command


@pytest.mark.parametrize(
    ("version", "payload"),
    [
        (1, '"foo.example"'),
        (2, "foo.example"),
        (3, {"certname": "foo.example", "producer_timestamp": MOMENT}),
    ],
)
def test_a_node_is_deactivated_by_each_version(
    publisher: Publisher, deactivate: str, version: int, payload: Any
) -> None:
    status, answer = publisher.curl(f"command={deactivate}{_waits(version)}", json.dumps(payload).encode())
    assert (status, answer["state"], answer["result"]) == (200, "done", {"deactivated": "foo.example"}), answer
