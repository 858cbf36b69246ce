"""Schemas of authors are strangers' texts: validating under them ends soon, and fetches nothing."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from troth.commands import reproducing
from troth.contracts.comparison import differences as compared
from troth.contracts.document import Contract, checked_schema, schema_in
from troth.contracts.examples import agrees
from troth.contracts.replays import Replay, Reply, asks_a_schema, behaviour, differences, promised
from troth.contracts.schema.acceptance import accepts
from troth.contracts.upgrades.configuration import problems
from troth.contracts.upgrades.releases import Standing
from troth.errors import Malformed, MalformedSource

BACKTRACKING = {"type": "string", "pattern": "^(a|a)*$"}
LONG = "a" * 60 + "!"
#: What the language of patterns does not decide: a reference back.
NOT_UNDERSTOOD = {"pattern": r"^(a*)\1b$"}
SCHEMA = {"output": "", "tolerance": "schema"}


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """The address of a schema on a server, and what that was asked for."""
    said: list[str] = []

    class Answering(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            said.append(self.rfile.readline().decode())
            self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{}")

    with socketserver.TCPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/x", said
        server.shutdown()
        thread.join()


def replayed(schema: dict[str, Any], answer: Any) -> tuple[Replay, Contract]:
    contract = Contract(output=schema, examples=({"input": 1, **SCHEMA},))
    (plan,) = promised(contract)
    return replace(plan, candidate=Reply(0.1, answer), followed=Reply(0.1, "a")), contract


def test_a_pattern_that_would_backtrack_is_judged() -> None:
    assert agrees(SCHEMA, LONG, BACKTRACKING) is False
    assert agrees(SCHEMA, "a" * 60, BACKTRACKING) is True
    names = {"patternProperties": {"^(a|a)*$": False}, "additionalProperties": {"pattern": "^(a|a)*$"}}
    assert agrees(SCHEMA, {LONG: LONG}, names) is False
    (found,) = compared(Contract(input=None, examples=({"input": LONG, "output": 1},)), Contract(input=BACKTRACKING))[
        :1
    ]
    assert (found.rule, found.undecided) == ("input-schema-narrowed", False)


def test_an_end_of_line_is_not_the_end_of_the_text() -> None:
    assert agrees(SCHEMA, "a\n", {"pattern": "^a$"}) is False


def test_a_schema_that_is_endless_to_follow_is_left_undecided() -> None:
    doubling: dict[str, Any] = {"$defs": {"0": {"uniqueItems": True}}, "items": {"$ref": "#/$defs/20"}}
    doubling["$defs"] |= {str(n): {"allOf": [{"$ref": f"#/$defs/{n - 1}"}] * 2} for n in range(1, 21)}
    assert agrees(SCHEMA, [[1, 1]], doubling) is False
    assert agrees(SCHEMA, [[1, 2]], doubling) is True
    assert agrees(SCHEMA, [1] * 60, {"items": {"allOf": [{"enum": [n, 1]} for n in range(400)]}}) in (True, None)


def test_nothing_is_fetched(asked: tuple[str, list[str]]) -> None:
    address, said = asked
    for schema in ({"$ref": address}, {"$dynamicRef": address}, {"$id": address, "properties": {"a": {"$ref": "y"}}}):
        assert agrees(SCHEMA, {"a": 1}, schema) is None
        old = Contract(examples=({"input": {"a": 1}, "output": 1},))
        assert compared(old, Contract(input=schema))[0].rule == "input-schema-undecided"
        with pytest.raises(MalformedSource, match="contract.json") as caught:
            schema_in("contract.json", json.dumps(schema).encode())
        assert "never fetched" in caught.value.why
        assert checked_schema(schema) is None
        wanted = Standing(settings=({"path": "settings.json", "kind": "settings", "text": json.dumps(schema)},))
        with pytest.raises(Malformed, match="schema of settings is none"):
            problems("shop.json", '{"a": 1}', wanted)
    assert said == []


def test_references_within_a_schema_and_to_the_drafts_are_followed() -> None:
    schema = {"$defs": {"n": {"type": "integer"}}, "items": {"$ref": "#/$defs/n"}}
    assert schema_in("contract.json", json.dumps(schema).encode()) == schema == checked_schema(schema)
    assert (agrees(SCHEMA, [1], schema), agrees(SCHEMA, ["1"], schema)) == (True, False)
    draft = {"$ref": "https://json-schema.org/draft/2020-12/schema"}
    assert checked_schema(draft) == draft


def test_a_configuration_is_held_against_patterns_that_would_backtrack() -> None:
    schema = json.dumps({"properties": {"a": BACKTRACKING}, "additionalProperties": False})
    wanted = Standing(settings=({"path": "settings.json", "kind": "settings", "text": schema},))
    found = problems("shop.json", json.dumps({"a": LONG, "b": 1, "c": 2}), wanted)
    assert [one["where"] for one in found] == ["a", "(the whole)", "b", "c"]


def test_what_a_schema_does_not_tell_counts_as_a_break_and_says_so() -> None:
    replay, contract = replayed(NOT_UNDERSTOOD, "aab")
    found = differences([replay], contract, contract)
    assert [(one.rule, one.undecided) for one in found] == [("example-not-replayed", True)]
    assert behaviour([replay], found) == "not checked"


def test_a_process_judges_as_the_code_does() -> None:
    for schema, answer in ((BACKTRACKING, LONG), (BACKTRACKING, "aa"), (NOT_UNDERSTOOD, "b"), ({"const": None}, None)):
        replay, contract = replayed(schema, answer)
        assert asks_a_schema(replay, contract, contract)
        ((found, told),) = reproducing.judged([replay], contract, contract, "1.0.0", 120.0)
        assert found == differences([replay], contract, contract)
        assert told["candidate"]["reproduced"] is accepts(schema, answer)
    fault = replace(replay, candidate=Reply(0.1, fault="it broke"))
    ((found, _),) = reproducing.judged([fault], contract, contract, "1.0.0", 120.0)
    assert found == differences([fault], contract, contract)


def test_a_process_that_takes_too_long_proves_nothing() -> None:
    replay, contract = replayed(BACKTRACKING, LONG)
    ((found, told),) = reproducing.judged([replay], contract, contract, "1.0.0", 0.0)
    assert [(one.rule, one.undecided) for one in found] == [("example-not-replayed", True)]
    assert told["candidate"]["reproduced"] is None


WORDS = st.sampled_from(["", "a", "b", "ab"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=5,
)
SCHEMAS = st.recursive(
    st.booleans()
    | st.fixed_dictionaries({"type": st.sampled_from(["integer", "string", "array", "object", "null"])})
    | st.fixed_dictionaries({"enum": st.lists(VALUES, max_size=3)})
    | st.fixed_dictionaries({"pattern": st.sampled_from(["^a", "b", "^(a|b)*$"])}),
    lambda inner: st.fixed_dictionaries({}, optional={
        "items": inner, "additionalProperties": inner, "properties": st.dictionaries(WORDS, inner, max_size=2),
        "not": inner, "oneOf": st.lists(inner, min_size=1, max_size=3), "minimum": st.integers(-1, 1),
        "required": st.lists(WORDS, unique=True, max_size=2), "unevaluatedProperties": inner,
    }),
    max_leaves=6,
)  # fmt: skip


@given(SCHEMAS, VALUES)
def test_what_is_accepted_is_what_json_schema_says(schema: Any, value: Any) -> None:
    assert accepts(schema, value) is Draft202012Validator(schema).is_valid(value)
