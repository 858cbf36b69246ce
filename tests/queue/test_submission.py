"""Commands submitted over HTTP, processed behind, and looked at."""

from __future__ import annotations

import uuid

from tests.queue.conftest import Publisher

NAMED = {
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
    "additionalProperties": False,
}


def test_a_command_is_accepted_processed_and_told_of(publisher: Publisher, handler: str) -> None:
    command = publisher.command()
    made = publisher.publish(
        command, 1, NAMED, handler, [{"payload": {"name": "a"}, "result": {"handled": {"name": "a"}}}]
    )
    assert made["proof"] == {"golden": 1, "converted": 0, "drawn": 0, "compared": 0}
    identity = str(uuid.uuid4())
    answer = publisher.send(command, 1, {"name": "node1"}, f"&uuid={identity}")
    assert answer == {"uuid": identity}
    found = publisher.ended(identity)
    assert (found["state"], found["outcome"]["result"]) == ("done", {"handled": {"name": "node1"}})
    assert (found["command"], found["version"], found["submitted_by"]) == (command, 1, publisher.name)


def test_a_sender_can_wait_for_the_end(publisher: Publisher, handler: str) -> None:
    command = publisher.command()
    publisher.publish(command, 1, NAMED, handler, [{"payload": {"name": "a"}, "result": {"handled": {"name": "a"}}}])
    answer = publisher.send(command, 1, {"name": "node1"}, "&secondsToWaitForCompletion=60")
    assert (answer["timed_out"], answer["state"], answer["result"]) == (False, "done", {"handled": {"name": "node1"}})
