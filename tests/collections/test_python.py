"""The pairs of python/*.ndjson: as the rows say, and every module is one that Python reads."""

from __future__ import annotations

import ast
import inspect
import itertools
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.collections.make_python import HERE, lines


def collection() -> list[dict[str, Any]]:
    return [json.loads(text) for text in (HERE / "python" / "modules.ndjson").read_text().splitlines()]


def modules(side: str | dict[str, str]) -> dict[str, str]:
    return side if isinstance(side, dict) else {"module.py": side}


def test_the_file_is_what_the_rows_say() -> None:
    assert collection() == list(lines())


def test_lines_are_well_made() -> None:
    rows = collection()
    assert len(rows) >= 60
    assert max(Counter(row["id"] for row in rows).values()) == 1
    assert {row["label"] for row in rows} == {"compatible", "breaking"}
    pairs = Counter(json.dumps([row["old"], row["new"]]) for row in rows)
    assert [pair for pair, times in pairs.items() if times > 1] == []


def test_every_module_is_python() -> None:
    for row in collection():
        for side in (row["old"], row["new"]):
            for text in modules(side).values():
                ast.parse(text)


NAMES = ("a", "b", "c", "key", "name", "z")


def calls() -> Iterator[tuple[tuple[int, ...], dict[str, int]]]:
    for count in range(5):
        for size in range(4):
            for given in itertools.combinations(NAMES, size):
                yield (0,) * count, dict.fromkeys(given, 0)


def signature(text: str) -> inspect.Signature:
    namespace: dict[str, Any] = {}
    exec(text, namespace)
    return inspect.signature(namespace["f"])


def binds(called: inspect.Signature, args: tuple[int, ...], options: dict[str, int]) -> bool:
    try:
        called.bind(*args, **options)
    except TypeError:
        return False
    return True


def places(called: inspect.Signature) -> dict[str, int]:
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return {one.name: place for place, one in enumerate(called.parameters.values()) if one.kind in positional}


def test_labels_of_parameters_are_what_python_does_with_calls() -> None:
    """A breaking signature refuses a call that was legal, puts it to another name, or assumes another default."""
    for row in collection():
        if row["about"] == "parameter":
            old, new = signature(row["old"]), signature(row["new"])
            refused = any(binds(old, *call) and not binds(new, *call) for call in calls())
            moved = any(places(new).get(name, place) != place for name, place in places(old).items())
            shared = [
                (one.default, new.parameters[name].default)
                for name, one in old.parameters.items()
                if name in new.parameters
            ]
            assumed = any(inspect.Parameter.empty not in pair and pair[0] != pair[1] for pair in shared)
            assert (refused or moved or assumed) == (row["label"] == "breaking"), row["id"]
