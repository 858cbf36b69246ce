"""Rollback of the state of a command's version: there is no way back, and it is said what there is instead."""

from __future__ import annotations

from typing import Any

import pytest

from tests.queue.conftest import Publisher
from tests.queue.test_submission import NAMED
from troth.errors import Refused


def _last(publisher: Publisher) -> int:
    return int(publisher.server.owner.query("journal", "select max(position)")["rows"][0]["max_position"])


def _move(publisher: Publisher, command: str, state: str, release: str) -> None:
    payload = {"command": command, "version": 1, "state": state, "release": release}
    publisher.client.submit("set_command_state", 1, payload)


@pytest.mark.clause("PDB-40")
def test_a_version_of_a_command_does_not_come_back(publisher: Publisher, handler: str) -> None:
    command = publisher.command()
    publisher.publish(command, 1, NAMED, handler, [{"name": "a"}])
    current = _last(publisher)
    _move(publisher, command, "deprecated", "1.1.0")
    deprecated, subject = _last(publisher), f"{command}/1"
    found = publisher.client.rollback("command-version", subject, str(current), "2.0.0")
    assert found["difference"] == {"state": {"now": "deprecated", "then": "current"}}
    assert found["refusal"]["clauses"] == ["PDB-40"]
    assert "note N16" in found["refusal"]["why"]
    assert "publish the next version" in found["refusal"]["repair"]
    asked: dict[str, Any] = {
        "kind": "command-version",
        "command": command,
        "command_version": 1,
        "release": "2.0.0",
        "reason": "x",
    }
    with pytest.raises(Refused, match="cannot become current"):
        publisher.client.command("roll_back", version=2, **asked, position=current, values={"state": "current"})
    _move(publisher, command, "retired", "2.0.0")
    for to, state in ((current, "current"), (deprecated, "deprecated")):
        found = publisher.client.rollback("command-version", subject, str(to), "3.0.0")
        assert (found["values"], found["refusal"]["clauses"]) == ({"state": state}, ["PDB-40"])
    assert publisher.client.rollback("command-version", subject, str(_last(publisher)))["difference"] == {}


def test_a_version_that_the_next_one_deprecated_is_known_to_be(publisher: Publisher, handler: str) -> None:
    command = publisher.command()
    publisher.publish(command, 1, NAMED, handler, [{"name": "a"}])
    same = {"operations": [{"default": "/name", "value": "a"}]}
    publisher.publish(command, 2, NAMED, handler, [{"name": "a"}], up_conversion=same)
    found = publisher.client.rollback("command-version", f"{command}/1", str(_last(publisher)))
    assert (found["values"], found["difference"]) == ({"state": "deprecated"}, {})
    assert publisher.client.rollback("command-version", f"{command}/2", str(_last(publisher)))["values"] == {
        "state": "current"
    }
