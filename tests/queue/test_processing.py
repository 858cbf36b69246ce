"""What the queue does with commands: attempts, order, priority, pauses, dead letters, and what people do about them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import Connection

from tests.queue.conftest import Publisher, until
from tests.server import running_server
from troth.errors import NotFound, Refused
from troth.registry import queue

ANY: dict[str, Any] = {"type": "object"}
#: A handler that is told by its payload what to do. It writes each command that it has done to its owner's data, once.
TOLD = """\
import sys, time
def apply(input):
    payload = input["payload"]
    if input["trial"]:
        return "trial"
    if payload.get("fail", 0) >= input["attempt"]:
        raise ValueError("told to fail")
    if payload.get("exit"):
        sys.exit(3)
    time.sleep(payload.get("sleep", 0))
    if payload.get("large"):
        return "x" * payload["large"]
    return {key: input[key] for key in ("attempt", "uuid", "idempotency_key", "sent_version", "submitted_by")}
"""
WRITES = """\
import Algorithmia
def apply(input):
    if input["trial"]:
        return "trial"
    file = Algorithmia.client().file("data://{owner}/{collection}/" + input["payload"]["name"])
    before = file.getString() if file.exists() else ""
    file.put(before + input["payload"]["word"])
    return before
"""
TRIAL = [{"payload": {}, "result": "trial"}]
WAIT = "&secondsToWaitForCompletion=60"


@pytest.fixture(scope="module")
def told(publisher: Publisher) -> str:
    """The handler above."""
    return publisher.algorithm(TOLD)


@pytest.fixture(scope="module")
def command(publisher: Publisher, told: str) -> str:
    """A command with it."""
    found = publisher.command()
    publisher.publish(found, 1, ANY, told, TRIAL)
    return found


def test_a_handler_that_fails_is_tried_again_with_the_same_key(publisher: Publisher, command: str) -> None:
    answer = publisher.send(command, 1, {"fail": 2}, WAIT)
    assert (answer["state"], answer["attempts"]) == ("done", 3)
    result = answer["result"]
    assert (result["attempt"], result["uuid"], result["submitted_by"]) == (3, answer["uuid"], publisher.name)
    assert result["idempotency_key"].endswith(answer["uuid"])


def test_what_fails_each_time_is_a_dead_letter_with_its_diagnosis(publisher: Publisher, command: str) -> None:
    answer = publisher.send(command, 1, {"fail": 5}, WAIT)
    assert answer["state"] == "failed"
    assert answer["diagnosis"]["what"] == "told to fail"
    assert [one["attempt"] for one in answer["failures"]] == [1, 2, 3]
    found = publisher.client.command("retry_queued_command", uuid=answer["uuid"])
    assert found["state"] == "waiting"
    dead = until(lambda: one if (one := publisher.shown(answer["uuid"]))["state"] == "failed" else None)
    assert dead["attempts"] == 3
    publisher.client.command("discard_queued_command", uuid=answer["uuid"], reason="nobody wants it")
    shown = publisher.shown(answer["uuid"])
    assert (shown["state"], shown["outcome"]["reason"]) == ("discarded", "nobody wants it")
    with pytest.raises(Refused):
        publisher.client.command("retry_queued_command", uuid=answer["uuid"])


def test_a_handler_that_exits_or_answers_too_much_is_survived(publisher: Publisher, command: str) -> None:
    assert publisher.send(command, 1, {"exit": True}, WAIT)["state"] == "failed"
    large = publisher.send(command, 1, {"large": 100_000}, WAIT)
    assert (large["state"], large["result"]) == ("done", {"omitted": "a result of 100002 bytes"})


def test_a_replay_is_a_command_of_its_own(publisher: Publisher, command: str) -> None:
    first = publisher.send(command, 1, {}, WAIT)
    with pytest.raises(Refused):
        publisher.client.command("discard_queued_command", uuid=first["uuid"], reason="too late")
    again = publisher.client.command("replay_queued_command", uuid=first["uuid"])["replayed_as"]
    assert again != first["uuid"]
    assert publisher.ended(again)["outcome"]["result"]["uuid"] == again


def test_a_handler_that_is_gone_leaves_a_dead_letter_at_once(publisher: Publisher) -> None:
    handler = publisher.algorithm(TOLD)
    command = publisher.command()
    publisher.publish(command, 1, ANY, handler, TRIAL)
    publisher.client.command("delete_algorithm", algorithm=handler.rpartition("/")[0])
    answer = publisher.send(command, 1, {}, WAIT)
    if answer["state"] == "failed":
        assert (answer["diagnosis"]["code"], answer["attempts"]) == ("not-found", 1)
    else:  # exact pins of a deleted version still run (ALG-13)
        assert answer["state"] == "done"


def test_a_handler_acts_for_who_set_it_up(publisher: Publisher) -> None:
    """It writes to its owner's data, though the sender may not."""
    collection = publisher.server.new_name("kept")
    made = publisher.client._send("POST", f"/v1/data/{publisher.name}", json={"name": collection})
    assert made.status_code == 200, made.text
    code = WRITES.replace("{owner}", publisher.name).replace("{collection}", collection)
    handler = publisher.algorithm(code, permissions={"pipeline_enabled": True})
    command = publisher.command(public=True)
    publisher.publish(command, 1, ANY, handler, TRIAL, ordered_by="/name")
    _, sam = publisher.server.account("sam")
    sent = [
        sam.submit(command, 1, {"name": "word", "word": letter}, secondsToWaitForCompletion=60 if letter == "h" else 0)
        for letter in "troth"
    ]
    assert sent[-1]["result"] == "trot", sent[-1]


def test_commands_of_one_key_keep_their_order(publisher: Publisher, command: str, told: str) -> None:
    """A command that is tried again holds back those behind it, and nobody else."""
    ordered = publisher.command()
    publisher.publish(ordered, 1, ANY, told, TRIAL, ordered_by="/node")
    publisher.client.command("pause_command", command=ordered)
    first = publisher.send(ordered, 1, {"node": "a", "fail": 2})["uuid"]
    behind = publisher.send(ordered, 1, {"node": "a"}, "&priority=-100")["uuid"]
    other = publisher.send(ordered, 1, {"node": "b"})["uuid"]
    publisher.client.command("resume_command", command=ordered)
    ends = {identity: publisher.ended(identity)["finished_at"] for identity in (first, behind, other)}
    assert ends[first] < ends[behind]
    assert ends[other] < ends[first]


def test_the_urgent_come_first_and_what_is_scheduled_waits(publisher: Publisher, told: str) -> None:
    command = publisher.command()
    publisher.publish(command, 1, ANY, told, TRIAL)
    publisher.client.command("pause_command", command=command)
    later = publisher.send(command, 1, {}, "&due=2099-01-01T00:00:00%2B01:00")["uuid"]
    plain = publisher.send(command, 1, {"sleep": 0})["uuid"]
    assert publisher.shown(plain)["state"] == "waiting"
    listed = publisher.client.queue(command=command, state="waiting")["queue"]
    assert [one["uuid"] for one in listed] == [plain, later]
    publisher.client.command("resume_command", command=command)
    publisher.ended(plain)
    assert publisher.shown(later)["due_at"].startswith("2098-12-31T23:00:00")
    publisher.client.command("retry_queued_command", uuid=later)
    assert publisher.ended(later)["state"] == "done"


def test_a_drained_command_is_processed_and_takes_nothing(publisher: Publisher, told: str) -> None:
    command = publisher.command()
    publisher.publish(command, 1, ANY, told, TRIAL)
    publisher.client.command("pause_command", command=command)
    waiting = publisher.send(command, 1, {})["uuid"]
    publisher.client.command("pause_command", command=command, drain=True)
    assert publisher.ended(waiting)["state"] == "done"
    status, problem = publisher.curl(f"command={command}&version=1", b"{}")
    assert (status, problem["code"]) == (503, "unavailable")
    publisher.client.command("resume_command", command=command)
    assert publisher.send(command, 1, {}, WAIT)["state"] == "done"


def test_what_was_accepted_is_processed_after_its_version_was_retired(publisher: Publisher, told: str) -> None:
    command = publisher.command()
    publisher.publish(command, 1, ANY, told, TRIAL)
    publisher.client.command("pause_command", command=command)
    waiting = publisher.send(command, 1, {"name": "old"})["uuid"]
    form = {"type": "object", "properties": {"label": {"type": "string"}}}
    operations = {"operations": [{"rename": "/name", "to": "label"}]}
    narrow = {"type": "object", "properties": {"name": {"type": "string"}}}
    other = publisher.command()
    publisher.publish(other, 1, narrow, told, TRIAL)
    publisher.client.command("pause_command", command=other)
    held = publisher.send(other, 1, {"name": "old"})["uuid"]
    more = [*TRIAL, {"version": 1, "payload": {"name": "x"}, "result": "trial"}]
    publisher.publish(other, 2, form, told, more, up_conversion=operations, release="1.1.0")
    status, problem = publisher.curl(
        "command=set_command_state&version=1",
        json.dumps({"command": other, "version": 1, "state": "retired", "release": "2.0.0"}).encode(),
    )
    assert status == 200, problem
    status, problem = publisher.curl(f"command={other}&version=1", b'{"name": "new"}')
    assert (status, problem["clauses"]) == (409, ["PDB-40"])
    _, problem = publisher.curl(
        f"command={other}&version=2", b'{"label": 1}'
    )  # fits what was retired, and nothing else
    assert problem["repair"] == f"troth command show {other} has the format"
    for one, identity in ((command, waiting), (other, held)):
        publisher.client.command("resume_command", command=one)
        assert publisher.ended(identity)["state"] == "done"
    assert publisher.shown(held)["outcome"]["result"]["sent_version"] == 1


def test_pages_of_the_queue_follow_each_other(publisher: Publisher, command: str) -> None:
    sent = [publisher.send(command, 1, {}, WAIT)["uuid"] for _ in range(3)]
    first = publisher.client.queue(command=command, limit=2)
    second = publisher.client.queue(command=command, limit=2, after=first["next"])
    assert [one["uuid"] for one in first["queue"] + second["queue"]][:3] == sent[::-1]


def test_metrics_tell_of_the_queue(publisher: Publisher, command: str, told: str) -> None:
    waiting = publisher.command()
    publisher.publish(waiting, 1, ANY, told, TRIAL)
    publisher.client.command("pause_command", command=waiting)
    publisher.send(waiting, 1, {})
    publisher.send(command, 1, {}, WAIT)
    loops, count = [], queue.depths

    def counted(connection: Connection) -> list[tuple[str, str, int, str]]:
        loops.append(asyncio._get_running_loop())
        return count(connection)

    with patch.object(queue, "depths", counted):
        lines = publisher.server.owner.metrics().splitlines()
    assert loops == [None]  # calls are not held up by it
    assert f'troth_commands_accepted_total{{command="{waiting}"}} 1.0' in lines
    assert f'troth_queue_depth{{command="{waiting}",state="waiting"}} 1.0' in lines
    assert any(line.startswith(f'troth_queue_age_seconds{{command="{waiting}"') for line in lines)
    assert any(line.startswith(f'troth_commands_ended_total{{command="{command}",state="done"}}') for line in lines)
    assert any(line.startswith("troth_command_seconds_bucket") for line in lines)
    publisher.client.command("resume_command", command=waiting)


def test_the_journal_tells_which_command_an_entry_is_about(publisher: Publisher, command: str) -> None:
    rows = publisher.server.owner.query("journal", f'select command where subject = "{command}"')["rows"]
    assert {"create_command", "publish_command_version"} <= {row["command"] for row in rows}


def test_who_is_gone_is_not_found(publisher: Publisher) -> None:
    with pytest.raises(NotFound):
        publisher.shown("00000000-0000-0000-0000-000000000001")


def test_a_handler_that_hangs_is_stopped(tmp_path: Path) -> None:
    settings = {"command_seconds": 1.0, "command_attempts": 2, "command_retry_seconds": 0.01}
    with running_server(tmp_path / "home", **settings) as running:
        own = Publisher(running, tmp_path)
        command = own.command()
        own.publish(command, 1, ANY, own.algorithm(TOLD), TRIAL)
        answer = own.send(command, 1, {"sleep": 600}, WAIT)
        assert (answer["state"], answer["attempts"]) == ("failed", 2)
        assert "more than 1 seconds" in answer["diagnosis"]["what"]
