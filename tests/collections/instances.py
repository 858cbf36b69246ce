"""Instances that every claimed yes must survive: a fixed list over all kinds, and what the claims themselves speak of."""

from __future__ import annotations

import itertools
import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any

# No integer here is beyond 2**53, where the validator divides with rounding. No string
# here ends in a line end: `$` of Python's `re`, which the validator uses, accepts one there; ECMA-262 does not.
NUMBERS: list[Any] = [
    0, 1, -1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 30, 40, 100, -5, -6, 0.0, 1.0, 0.5, 1.5, 2.5, 0.25, 0.375, 0.75, 3.5,
    4.25, 5.5, -0.5, 1e300,
]  # fmt: skip
STRINGS: list[Any] = [
    "", "a", "b", "c", "A", "aa", "ab", "ba", "aaa", "aaaa", "abc", "abab", "abcd", "abcde", "ab\ncd", "z", "1", "12", "123", "1234",
    "12345", "cat", "cow", "red", "blue", "green", "v1", "v23", "x-", "y-", "bab", "\u00e9", "e\u0301", "\U0001f600", "\U0001f600\U0001f680",
    "2020-01-01", "another branch",
]  # fmt: skip
SCALARS: list[Any] = [None, True, False, *NUMBERS, *STRINGS]
FEW: list[Any] = [None, True, 0, 1, 0.5, "a", "x", [], {}]
LISTS: list[Any] = [
    [], *([one] for one in FEW), *([one, other] for one, other in itertools.product(FEW[2:6], repeat=2)),
    [1, 2, 3], [1, 1, 1], [1, "a", 1], ["a", "b", "c"], [[1]], [[[1]]], [[1], 1], [[None]], [1, 2, "a", "b"], [True, False], [None, None], [{"a": 1}],
    [1, 5.5], [5], [7, "a"], ["b", 1], [[0.5]], [["a"]],
]  # fmt: skip
NAMES = ["a", "b", "c", "x-a", "value", "kind"]
OBJECTS: list[Any] = [
    {}, *({name: one} for name in NAMES for one in FEW), *({"a": one, "b": other} for one, other in itertools.product(FEW[2:6], repeat=2)),
    {"a": 1, "c": 1}, {"b": 1, "c": 1}, {"a": 1, "b": 1, "c": 1}, {"xa": 1}, {"xa": "ab"}, {"xb": "a"}, {"ab": 1}, {"abc": 1}, {"A": 1}, {"kind": "a"},
    {"kind": "b"}, {"kind": "c"}, {"kind": "a", "x": 1}, {"kind": "a", "x": 0.5}, {"kind": "card"}, {"kind": "card", "number": 1}, {"kind": "bank"},
    {"next": {}}, {"next": {"value": 1}}, {"next": {"next": {"value": "a"}}}, {"value": 1, "next": {"value": 2}}, {"next": None}, {"next": {"next": None}},
    {"left": {"size": 1}, "right": {"size": -1}}, {"size": 0}, {"a": {"b": 1}}, {"a": {"b": 1, "c": "x"}}, {"b": {}}, {"other": 1}, {"x-a": 1, "a": 1},
    {"a": 2, "b": 1}, {"$ref": "#/a"},
]  # fmt: skip
POOL: list[Any] = [*SCALARS, *LISTS, *OBJECTS]


def spoken_of(schema: Any) -> Iterator[Any]:
    """Every value that a schema names: constants, members of enums, bounds and their neighbours, names as strings."""
    if isinstance(schema, dict):
        for name, part in schema.items():
            yield name
            if name == "enum" and isinstance(part, list):
                yield from part
            elif name == "const":
                yield part
            yield from spoken_of(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from spoken_of(part)
    elif isinstance(schema, int | float) and not isinstance(schema, bool):
        yield from (schema, schema - 1, schema + 1, schema + 0.5)


CARRIERS: dict[str, Callable[[Any], Any]] = {
    "items": lambda one: [one],
    "first item": lambda one: [one],
    "contains": lambda one: [one],
    "required property": lambda one: {"value": one},
    "optional property": lambda one: {"value": one},
    "additionalProperties": lambda one: {"other": one},
    "patternProperties": lambda one: {"x-value": one},
    "two levels": lambda one: {"list": [one]},
    "dependentSchemas": lambda one: {"switch": True, "value": one},
    "then": lambda one: {"kind": "v", "value": one},
}


def instances(line: dict[str, Any], every: int = 1) -> Iterator[Any]:
    """What to hold against one line of the collection; carried to the place where the line's difference lies.

    With `every`, only each so-many-th of the fixed list, beginning elsewhere for each pair, and all that the pair names.
    """
    sides = sorted([line["old"], line["new"]], key=lambda side: json.dumps(side, sort_keys=True))
    named = list(spoken_of(sides))
    first = zlib.crc32(json.dumps(sides, sort_keys=True).encode()) % every
    both = [*POOL[first::every], *named, *([one] for one in named), *({"a": one, "value": one} for one in named)]
    carry = CARRIERS.get(line["place"])
    if carry is None:
        yield from both
    else:
        yield from FEW
        yield from (carry(one) for one in both)
