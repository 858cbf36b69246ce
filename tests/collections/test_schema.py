"""The labels of schema/*.ndjson, held against a validator: every witness tells the sides apart, no yes is refuted."""

from __future__ import annotations

import functools
import json
import os
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from jsonschema.protocols import Validator

from tests.collections.instances import instances
from tests.collections.make_schema import FAMILIES, HERE, lines

VALIDATORS: dict[str, type[Validator]] = {"draft-07": Draft7Validator, "2020-12": Draft202012Validator}
KEYWORDS = {
    "type", "enum", "const", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength", "minLength",
    "pattern", "items", "maxItems", "minItems", "uniqueItems", "contains", "maxProperties", "minProperties", "required", "properties",
    "patternProperties", "additionalProperties", "propertyNames", "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "$ref",
}  # fmt: skip
OF_ONE_DRAFT = {
    "draft-07": {"additionalItems", "dependencies"},
    "2020-12": {
        "prefixItems", "minContains", "maxContains", "dependentRequired", "dependentSchemas", "unevaluatedItems", "unevaluatedProperties", "$dynamicRef",
    },
}  # fmt: skip
CHANGES = {"added", "removed", "narrowed", "widened", "replaced"}


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in path.read_text().splitlines()]


@functools.cache
def collection() -> list[dict[str, Any]]:
    return [line for path in sorted((HERE / "schema").glob("*.ndjson")) for line in read(path)]


@functools.cache
def validator(dialect: str, schema: str) -> Validator:
    made = VALIDATORS[dialect](json.loads(schema))
    made.check_schema(json.loads(schema))
    return made


def sides(line: dict[str, Any]) -> tuple[Validator, Validator]:
    old, new = (validator(line["dialect"], json.dumps(line[side])) for side in ("old", "new"))
    return old, new


def test_the_files_are_what_the_templates_say() -> None:
    for family, rows in FAMILIES.items():
        assert read(HERE / "schema" / f"{family}.ndjson") == list(lines(rows)), family


def test_ids_are_one_each_and_nearly_none_is_doubtful() -> None:
    assert max(Counter(line["id"] for line in collection()).values()) == 1
    assert len(collection()) >= 600
    assert sum(line.get("doubtful", False) for line in collection()) <= 5


@pytest.mark.parametrize("dialect", ["draft-07", "2020-12"])
def test_every_keyword_is_met_with_every_change(dialect: str) -> None:
    met: dict[str, set[str]] = defaultdict(set)
    for line in collection():
        if line["dialect"] == dialect:
            met[line["keyword"]].add(line["change"])
    assert {word: CHANGES - met[word] for word in KEYWORDS | OF_ONE_DRAFT[dialect] if CHANGES - met[word]} == {}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_witness_tells_the_sides_apart(family: str) -> None:
    wrong = []
    for line in read(HERE / "schema" / f"{family}.ndjson"):
        old, new = sides(line)
        for name, label, holds, lacks in (
            ("witness_old_not_new", "old_in_new", old, new),
            ("witness_new_not_old", "new_in_old", new, old),
        ):
            if (line["label"][label] == "no") != (name in line):
                wrong.append((line["id"], f"{name} does not fit the label"))
            elif name in line and not (holds.is_valid(line[name]) and not lacks.is_valid(line[name])):
                wrong.append((line["id"], f"{name} does not tell the sides apart"))
    assert wrong == []


#: COLLECTIONS_EVERY=1 holds all instances against all pairs, which takes minutes; so it was done when they were frozen.
EVERY = int(os.environ.get("COLLECTIONS_EVERY", "8"))


@functools.lru_cache(maxsize=64)
def answers(dialect: str, schema: str, sides: tuple[str, str], place: str) -> list[bool]:
    """What the validator says of one side for each of the instances made for both; kept for the pair's other direction."""
    line = {"old": json.loads(sides[0]), "new": json.loads(sides[1]), "place": place}
    made = validator(dialect, schema)
    return [made.is_valid(one) for one in instances(line, EVERY)]


@pytest.mark.parametrize("family", FAMILIES)
def test_no_yes_is_refuted_by_an_instance(family: str) -> None:
    wrong = []
    for line in read(HERE / "schema" / f"{family}.ndjson"):
        old, new = json.dumps(line["old"]), json.dumps(line["new"])
        pair = (min(old, new), max(old, new))
        in_old, in_new = (answers(line["dialect"], side, pair, line["place"]) for side in (old, new))
        for one, was, is_now in zip(instances(line, EVERY), in_old, in_new, strict=True):
            if was != is_now and line["label"]["old_in_new" if was else "new_in_old"] == "yes":
                wrong.append((line["id"], one))
    assert wrong == []
