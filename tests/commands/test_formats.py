"""Wire formats are append-only, and every listed version is accepted."""

from __future__ import annotations

import asyncio
import hashlib
import json
import uuid
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.server import RunningServer
from troth.access.roles import GRANTS
from troth.calls.loading import TableLoader
from troth.commands.bus import Bus, Envelope, Transaction
from troth.commands.fault_words import PATTERNS
from troth.commands.formats import Formats, shipped
from troth.errors import Forbidden, MalformedPayload, NotFound
from troth.registry import accounts
from troth.versions.history import DEFAULT_READINGS

FOLDER = Path(str(resources.files("troth.commands").joinpath("formats")))


def test_a_shipped_format_is_never_edited() -> None:
    lines = [line.split() for line in (FOLDER / "digests.txt").read_text().splitlines()]
    listed = {path: digest for digest, path in lines}
    found = {
        str(file.relative_to(FOLDER)): hashlib.sha256(file.read_bytes()).hexdigest() for file in FOLDER.rglob("*.json")
    }
    assert found == listed


def test_every_command_starts_at_version_one_and_rises_by_one() -> None:
    for name, versions in shipped().schemas.items():
        assert sorted(versions) == list(range(1, len(versions) + 1)), name
        for version in range(1, len(versions)):
            assert (name, version) in shipped().steps


def test_every_command_has_its_grant_and_its_handler(server: RunningServer) -> None:
    assert set(shipped().schemas) <= set(GRANTS)
    assert set(server.server.bus._handlers) == set(shipped().schemas)


def test_the_end_of_a_pattern_is_the_end_of_the_text() -> None:
    update = {"api": "ada/bank", "documentation": "https://ada.example/"}
    assert shipped().check("update_api", 1, update) == update
    for field, value in update.items():
        with pytest.raises(MalformedPayload, match="update_api") as caught:
            shipped().check("update_api", 1, {**update, field: f"{value}\n"})
        assert caught.value.asked == f"/{field}"


def test_every_format_is_a_valid_schema_that_takes_nothing_unknown() -> None:
    for versions in shipped().schemas.values():
        for schema in versions.values():
            document: Any = schema.schema
            Draft202012Validator.check_schema(document)
            assert document["additionalProperties"] is False
            assert document["description"]


class _Greeting:
    """A command of the test, which keeps what it was handed."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []

    def authorise(self, connection: object, actor: object, payload: dict[str, Any]) -> None:
        if payload.get("forbidden"):
            raise Forbidden("not you")

    async def prepare(self, actor: object, payload: dict[str, Any]) -> None:
        return None

    def handle(self, transaction: Transaction, payload: dict[str, Any], prepared: object) -> dict[str, Any]:
        self.seen.append(payload)
        return payload


def test_an_older_version_is_accepted_and_brought_up(server: RunningServer) -> None:
    first = {
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "required": ["name"],
        "additionalProperties": False,
    }
    second = {
        "type": "object",
        "properties": {"names": {"type": "array"}},
        "required": ["names"],
        "additionalProperties": False,
    }
    schemas = {"greet": {1: Draft202012Validator(first), 2: Draft202012Validator(second)}}
    formats = Formats(schemas, {("greet", 1): lambda payload: {"names": [payload["name"]]}})
    handler = _Greeting()
    database = server.server.database
    bus = Bus(database, formats, {"greet": handler}, TableLoader(server.server.table, DEFAULT_READINGS))

    def submit(version: int, payload: Any) -> dict[str, Any]:
        envelope = Envelope("greet", version, json.dumps(payload).encode(), accounts.SYSTEM, str(uuid.uuid4()))
        return asyncio.run(bus.submit(envelope)).result

    assert submit(1, {"name": "ada"}) == {"names": ["ada"]}
    assert submit(2, {"names": ["ada"]}) == {"names": ["ada"]}
    with pytest.raises(MalformedPayload):
        submit(2, {"name": "ada"})
    with pytest.raises(NotFound, match="no version 3"):
        submit(3, {"names": []})
    assert len(handler.seen) == 2


def test_the_journal_holds_the_payload_as_it_was_submitted(server: RunningServer) -> None:
    identity = str(uuid.uuid4())
    name = server.new_name("kept")
    server.owner.command("create_account", identity=identity, name=name)
    entries = [json.loads(link.entry) for link in server.owner.journal()]
    (entry,) = [entry for entry in entries if entry["uuid"] == identity]
    assert (entry["payload"], entry["actor"], entry["outcome"]["result"]["account"]) == ({"name": name}, "owner", name)


def test_keys_are_never_journalled(server: RunningServer) -> None:
    made = server.owner.command("create_key", account="owner", label="secret")
    whole = b"".join(link.entry for link in server.owner.journal())
    assert made["key"].encode() not in whole
    assert made["key_id"].encode() in whole
    for key in server.keys.values():
        assert key.encode() not in whole


@pytest.mark.parametrize(
    ("name", "payload", "why", "repair"),
    [
        ("create_api", {"api": "orders"}, "at /api: 'orders' is not OWNER/NAME", "write OWNER/NAME"),
        ("create_command", {"command": "replace"}, "is not OWNER/NAME", "write OWNER/NAME"),
        ("retry_queued_command", {"uuid": "5b7e"}, "is not the uuid", "troth command queue lists them"),
        ("plan_release", {"day": "soon"}, "'product' is a required property", "it has to hold product"),
        ("create_api", {"api": "a/b", "sumary": ""}, "'sumary' was unexpected", "it may hold summary"),
    ],
)
def test_faults_are_told_in_words(name: str, payload: dict[str, Any], why: str, repair: str) -> None:
    with pytest.raises(MalformedPayload) as refused:
        shipped().check(name, shipped().newest(name), payload)
    assert why in refused.value.why
    assert repair in refused.value.repair
    assert "[A-Za-z" not in refused.value.why


def test_each_pattern_of_a_format_has_its_words() -> None:
    def patterns(schema: Any) -> Iterator[str]:
        if isinstance(schema, dict):
            if isinstance(schema.get("pattern"), str):
                yield schema["pattern"]
            for inner in schema.values():
                yield from patterns(inner)
        elif isinstance(schema, list):
            for inner in schema:
                yield from patterns(inner)

    used = {one for versions in shipped().schemas.values() for row in versions.values() for one in patterns(row.schema)}
    assert set(PATTERNS) == used
