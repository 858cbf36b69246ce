"""The clauses on commands and their wire formats: PDB-12 and PDB-40 to PDB-47."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.queue.conftest import HANDLER, Publisher
from tests.server import RunningServer
from troth.errors import Refused
from troth.versions.commands.rules import Finding, Proposal, Standing, judge
from troth.versions.commands.states import Moving, State, objection
from troth.versions.releases.numbers import ReleaseNumber

NAMED: dict[str, Any] = {
    "type": "object",
    "description": "a node",
    "properties": {"name": {"type": "string"}, "values": {"type": "object"}},
    "required": ["name"],
    "additionalProperties": False,
}
BESIDE = {"operations": [{"default": "/values", "value": {}}]}
SAME: dict[str, Any] = {"operations": []}
OPEN = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def _release(text: str) -> ReleaseNumber:
    return ReleaseNumber.parse(text)


def _proposal(version: int, release: str = "1.0.0", **more: Any) -> Proposal:
    return Proposal(
        **{"version": version, "format_version": version, "described": True, "release": _release(release), **more}
    )


def _clauses(standing: Standing, proposal: Proposal) -> list[str]:
    return [one.clause for one in judge(standing, proposal)]


@pytest.fixture(scope="module")
def publisher(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Publisher:
    return Publisher(server, tmp_path_factory.mktemp("handlers"))


@pytest.fixture(scope="module")
def handler(publisher: Publisher) -> str:
    return publisher.algorithm(HANDLER)


@pytest.fixture(scope="module")
def command(publisher: Publisher, handler: str) -> str:
    """A command with one version."""
    found = publisher.command()
    publisher.publish(found, 1, NAMED, handler, [{"name": "a"}])
    return found


def _refused(
    publisher: Publisher, command: str, version: int, schema: Any, handler: str, **more: Any
) -> tuple[str, ...]:
    """The clauses by which a version is refused."""
    golden = more.pop("golden", [{"name": "a"}])
    with pytest.raises(Refused) as refused:
        publisher.publish(command, version, schema, handler, golden, **more)
    return refused.value.clauses


# --- numbers


@pytest.mark.clause("PDB-47")
def test_a_command_starts_at_1_and_rises_by_1() -> None:
    assert _clauses(Standing(), _proposal(1)) == []
    assert _clauses(Standing(), _proposal(2)) == ["PDB-47"]
    assert _clauses(Standing((1,), _release("1.0.0")), _proposal(2)) == []
    assert _clauses(Standing((1,), _release("1.0.0")), _proposal(3)) == ["PDB-47"]


@pytest.mark.clause("PDB-47")
def test_a_server_refuses_a_gap(publisher: Publisher, handler: str, command: str) -> None:
    assert "PDB-47" in _refused(publisher, publisher.command(), 2, NAMED, handler, up_conversion=BESIDE)
    assert "PDB-47" in _refused(publisher, command, 3, NAMED, handler, up_conversion=BESIDE)


@pytest.mark.clause("PDB-43")
def test_a_wire_format_has_the_number_of_its_command(publisher: Publisher, handler: str) -> None:
    assert _clauses(Standing((1, 2, 3, 4)), _proposal(5, format_version=4)) == ["PDB-43"]
    command = publisher.command()
    assert _refused(publisher, command, 1, NAMED, handler, format={"version": 2}) == ("PDB-43",)


# --- releases and states


@pytest.mark.clause("PDB-40")
def test_new_versions_come_in_y_and_x_releases_as_often_as_one_likes() -> None:
    standing = Standing((1,), _release("2.3.0"))
    for release in ("2.3.0", "2.4.0", "3.0.0"):
        assert _clauses(standing, _proposal(2, release)) == []
    for release in ("2.3.1", "2.4.0-rc.1", "2.2.0"):
        assert _clauses(standing, _proposal(2, release)) == ["PDB-40"]


@pytest.mark.clause("PDB-40")
def test_a_new_version_of_one_command_leaves_the_others(publisher: Publisher, handler: str) -> None:
    one, other = publisher.command(), publisher.command()
    for each in (one, other):
        publisher.publish(each, 1, NAMED, handler, [{"name": "a"}])
    before = publisher.client.command_format(other)
    publisher.publish(one, 2, OPEN, handler, [{"name": "a"}], up_conversion=SAME, release="1.1.0")
    states = [version["state"] for version in publisher.client.command_format(one)["versions"]]
    assert states == ["deprecated", "current"]
    assert publisher.client.command_format(other) == before


@pytest.mark.clause("PDB-40")
def test_an_up_conversion_with_another_effect_is_refused(publisher: Publisher, handler: str) -> None:
    command = publisher.command()
    publisher.publish(command, 1, NAMED, handler, [{"name": "a"}])
    assert _refused(publisher, command, 2, OPEN, handler, up_conversion=BESIDE) == ("PDB-40",)


@pytest.mark.clause("PDB-40")
def test_a_version_is_retired_in_an_x_release_after_it_was_deprecated() -> None:
    def why(start: State, end: State, release: str, deprecated: str | None) -> str | None:
        return objection(start, end, Moving(_release(release), _release(deprecated) if deprecated else None))

    assert why(State.DEPRECATED, State.RETIRED, "2.0.0", "1.4.0") is None
    assert why(State.CURRENT, State.DEPRECATED, "1.4.0", None) is None
    for refused in (
        why(State.DEPRECATED, State.RETIRED, "1.5.0", "1.4.0"),
        why(State.DEPRECATED, State.RETIRED, "2.0.0", "2.0.0"),
        why(State.CURRENT, State.RETIRED, "2.0.0", None),
        why(State.DEPRECATED, State.CURRENT, "2.0.0", "1.4.0"),
        why(State.RETIRED, State.CURRENT, "2.0.0", "1.4.0"),
        why(State.CURRENT, State.DEPRECATED, "1.4.1", None),
    ):
        assert refused


@pytest.mark.clause("PDB-40")
def test_each_version_leads_to_the_next() -> None:
    assert _clauses(Standing((1,)), _proposal(2, converts=False)) == ["PDB-40"]


# --- wire formats


@pytest.mark.clause("PDB-42")
def test_every_version_has_a_format_and_a_bare_scalar_is_one(publisher: Publisher, handler: str) -> None:
    assert _clauses(Standing(), _proposal(1, described=False)) == ["PDB-42"]
    command = publisher.command("deactivate_node")
    with pytest.raises(Refused) as refused:
        publisher.client.submit(
            "publish_command_version", 1,
            {"command": command, "version": 1, "format": {"version": 1}, "handler": handler, "golden": [{"payload": "n"}]},
        )  # fmt: skip
    assert refused.value.clauses == ("PDB-42",)
    publisher.publish(command, 1, {"type": "string"}, handler, [{"payload": "n", "result": {"handled": "n"}}])
    answer = publisher.send(command, 1, "foo.example.com", "&secondsToWaitForCompletion=60")
    assert answer["result"] == {"handled": "foo.example.com"}


@pytest.mark.clause("PDB-45")
def test_another_meaning_is_another_version(publisher: Publisher, handler: str, command: str) -> None:
    added = {**NAMED, "properties": {**NAMED["properties"], "more": {"type": "string"}}}
    optional = {**NAMED, "required": []}
    nullable = {**NAMED, "properties": {**NAMED["properties"], "name": {"type": ["string", "null"]}}}
    bounded = {**NAMED, "properties": {**NAMED["properties"], "name": {"type": "string", "maxLength": 60}}}
    for schema in (added, optional, nullable, bounded):
        assert _refused(publisher, command, 1, schema, handler) == ("PDB-45",)


@pytest.mark.clause("PDB-45")
def test_descriptions_and_the_order_of_keys_may_change(publisher: Publisher, handler: str, command: str) -> None:
    said = {**dict(reversed(NAMED.items())), "description": "a node, told better", "title": "node"}
    assert publisher.publish(command, 1, said, handler, [{"name": "a"}])["new"] is False
    assert publisher.client.command_format(command)["versions"][0]["format"]["schema"] == said


@pytest.mark.clause("PDB-46")
def test_another_serialisation_is_another_version(publisher: Publisher, handler: str, command: str) -> None:
    packed = _refused(publisher, command, 1, NAMED, handler, format={"serialisation": "msgpack"})
    assert packed == ("PDB-46",)
    inside = {**NAMED, "properties": {**NAMED["properties"], "values": {"type": "string"}}}
    assert "PDB-46" in _refused(publisher, command, 1, inside, handler)
    whole = {"type": "string", "contentMediaType": "application/json"}
    assert "PDB-46" in _refused(publisher, command, 1, whole, handler, golden=["{}"])


@pytest.mark.clause("PDB-44")
def test_what_cannot_be_told_is_another_version(publisher: Publisher, handler: str) -> None:
    undecided = (Finding("nobody can tell", undecided=True),)
    assert _clauses(Standing((1,)), _proposal(1, findings=undecided)) == ["PDB-44"]
    old, new = ({"type": "string", "not": {"$comment": "x", "pattern": pattern}} for pattern in HARD)
    command = publisher.command()
    publisher.publish(command, 1, old, handler, [{"payload": "n", "result": {"handled": "n"}}])
    refused = _refused(publisher, command, 1, new, handler, golden=[{"payload": "n", "result": {"handled": "n"}}])
    assert refused == ("PDB-44",)


#: two patterns that mean the same, which takes more steps to find out than there are
HARD = ("^(a|b)*a(a|b){11}c(a|b)*a(a|b){11}$", "^(b|a)*a(b|a){11}c(b|a)*a(b|a){11}$")


# --- the envelope, the API and the command


@pytest.mark.clause("PDB-12")
def test_the_envelope_has_the_version_of_the_api_and_the_payload_its_own(publisher: Publisher, handler: str) -> None:
    command, before = publisher.command(), _document(publisher)
    publisher.publish(command, 1, NAMED, handler, [{"name": "a"}])
    publisher.publish(command, 2, OPEN, handler, [{"name": "a"}], up_conversion=SAME)
    assert _document(publisher) == before
    for version, more in ((1, {}), (2, {"else": 1})):
        answer = publisher.send(command, version, {"name": "n", **more}, "&secondsToWaitForCompletion=60")
        assert answer["state"] == "done"
    assert publisher.curl(f"command={command}&version=1", b'{"name": "n", "else": 1}')[0] == 400
    status, problem = publisher.curl(f"command={command}&version=2", b'{"other": 1}')
    assert (status, problem["code"]) == (400, "malformed-payload")
    status, problem = publisher.curl("version=1", json.dumps({"command": command, "payload": {"name": "n"}}).encode())
    assert (status, problem["code"]) == (400, "malformed")  # the envelope is looked at by itself, before any command


def _document(publisher: Publisher) -> Any:
    return publisher.client._get("/api/v1/openapi.json")
