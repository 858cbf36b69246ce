"""Golden payloads of troth's own formats: append-only, like the formats, and every one is taken and brought up."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from troth.commands.formats import shipped
from troth.contracts.commands.wire_format import WireFormat
from troth.errors import MalformedSchema

FOLDER = Path(__file__).with_name("golden")
EVERY = sorted((name, version) for name, versions in shipped().schemas.items() for version in versions)


def test_a_golden_payload_is_never_edited() -> None:
    lines = [line.split() for line in (FOLDER / "digests.txt").read_text().splitlines()]
    listed = {path: digest for digest, path in lines}
    found = {
        str(file.relative_to(FOLDER)): hashlib.sha256(file.read_bytes()).hexdigest() for file in FOLDER.rglob("*.json")
    }
    assert found == listed


@pytest.mark.parametrize(("name", "version"), EVERY)
def test_every_format_has_a_golden_payload_that_comes_to_the_newest_version(name: str, version: int) -> None:
    payload = (FOLDER / name / f"{version}.json").read_bytes()
    value = shipped().decode(name, version, payload)
    newest = shipped().up_converted(name, version, value)
    assert shipped().check(name, shipped().newest(name), newest) == newest


@pytest.mark.parametrize(("name", "version"), EVERY)
@settings(max_examples=5)
@given(seed=st.integers(0, 2**31))
def test_what_fits_a_format_comes_back_as_it_was_and_to_the_newest_version(name: str, version: int, seed: int) -> None:
    schema: Any = shipped().schemas[name][version].schema
    for value in _drawn(name, version, schema, seed):
        text = msgspec.json.encode(value)
        assert shipped().decode(name, version, text) == value
        assert json.loads(shipped().without_secrets(name, version, text)) == {
            key: inner for key, inner in value.items() if not schema["properties"].get(key, {}).get("writeOnly")
        }
        newest = shipped().up_converted(name, version, value)
        assert shipped().check(name, shipped().newest(name), newest) == newest


def _drawn(name: str, version: int, schema: Any, seed: int) -> list[Any]:
    """Payloads of a format, at least its golden one."""
    golden = json.loads((FOLDER / name / f"{version}.json").read_text())
    try:
        found = WireFormat(schema, "json").drawn(3, seed)
    except MalformedSchema:
        return [golden]
    return [golden, *(value for value in found if Draft202012Validator(schema).is_valid(value))]
