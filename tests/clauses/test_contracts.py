"""What may be published by what its contract says: ALG-03, ALG-05, ALG-07, ALG-09."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from tests.clauses.conftest import House, refusal

CODE = "def apply(input):\n    return input\n"
INPUT: dict[str, Any] = {
    "type": "object",
    "properties": {"text": {"type": "string"}, "lang": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}
OUTPUT: dict[str, Any] = {"type": "object", "properties": {"words": {"type": "integer"}}, "required": ["words"]}


def described(house: House, algorithm: str, given: Any = INPUT, returned: Any = OUTPUT) -> str:
    """The hash of a build whose contract holds these schemas."""
    files = {"input.json": json.dumps(given).encode(), "output.json": json.dumps(returned).encode()}
    contract = {"input": "input.json", "output": "output.json"}
    built = house.build(algorithm, CODE, files=files, contract=contract)
    assert built["status"] == "succeeded", built["log"]
    return str(built["hash"])


@pytest.fixture
def algorithm(house: House) -> str:
    """An algorithm with the described versions 1.0.0 and 1.1.0, of which the later also takes `mode`."""
    name, _ = house.algorithm(code=CODE)
    house.publish(name, described(house, name), "1.0.0")
    house.publish(name, described(house, name, with_property(INPUT, "mode")), "1.1.0")
    return name


def with_property(schema: dict[str, Any], name: str, *, required: bool = False) -> dict[str, Any]:
    properties = {**schema["properties"], name: {"type": "string"}}
    return {**schema, "properties": properties, "required": schema["required"] + [name] * required}


def without(schema: dict[str, Any], name: str) -> dict[str, Any]:
    return {**schema, "properties": {key: value for key, value in schema["properties"].items() if key != name}}


@pytest.mark.clause("ALG-05")
@pytest.mark.clause("ALG-07")
def test_a_removed_input_field_is_a_new_major(house: House, algorithm: str) -> None:
    broken = described(house, algorithm, without(with_property(INPUT, "mode"), "lang"))
    error = refusal(house, algorithm, broken, bump="minor")
    assert error.clauses == ("ALG-05", "ALG-07")
    assert error.least == "2.0.0"
    assert error.verdict is not None
    assert [row["version"] for row in error.verdict["contradicted"]] == ["1.0.0", "1.1.0"]
    (difference,) = error.verdict["contradicted"][0]["differences"][:1]
    assert (difference["rule"], difference["path"]) == ("input-property-refused", "input.lang")
    assert set(difference["witness"]) == {"text", "lang"}
    assert "accept input.lang again" in error.repair
    house.publish(algorithm, broken, "2.0.0")
