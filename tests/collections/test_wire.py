"""The pairs of wire/*.ndjson: as the rows say, valid schemas, and equal ones are told apart by no instance."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from jsonschema import Draft202012Validator

from tests.collections.instances import instances
from tests.collections.make_wire import FAMILIES, HERE, NEW, SAME


def collection() -> list[dict[str, Any]]:
    return [
        json.loads(text) for path in sorted((HERE / "wire").glob("*.ndjson")) for text in path.read_text().splitlines()
    ]


def test_the_files_are_what_the_rows_say() -> None:
    for family, rows in FAMILIES.items():
        written = (HERE / "wire" / f"{family}.ndjson").read_text().splitlines()
        assert [json.loads(text) for text in written] == list(rows()), family


def test_lines_are_well_made() -> None:
    rows = collection()
    assert len(rows) >= 60
    assert max(Counter(row["id"] for row in rows).values()) == 1
    assert {(row["label"], row["tolerant"]) for row in rows} == {(SAME, SAME), (NEW, SAME), (NEW, NEW)}
    assert sum(row.get("doubtful", False) for row in rows) <= 2
    for row in rows:
        Draft202012Validator.check_schema(row["old"])
        Draft202012Validator.check_schema(row["new"])


def test_what_is_the_same_is_told_apart_by_no_instance() -> None:
    for row in collection():
        if row["label"] == SAME:
            old, new = Draft202012Validator(row["old"]), Draft202012Validator(row["new"])
            for one in instances({**row, "place": "root"}):
                assert old.is_valid(one) == new.is_valid(one), (row["id"], one)
