"""What a comparison of two OpenAPI documents is to the policy of APIs, and what a document says that no operation may say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from troth.contracts.rules.table import rule
from troth.versions.lifecycles.subject import ContractChange, Weight
from troth.versions.lifecycles.table import version_name

_WEIGHTS: Final = {"major": Weight.BREAK, "minor": Weight.ADDITION, "revision": Weight.FIX}
#: The clauses that name a kind of change as an example, where the rule is one of schemas.
_EXAMPLES: Final = {
    "output-property-added": ("PDB-14",),
    "output-property-removed": ("PDB-21", "PDB-24"),
    "input-property-added": ("PDB-18",),
    "input-property-added-required": ("PDB-18", "PDB-21"),
    "input-property-refused": ("PDB-21", "PDB-24"),
    "input-property-ignored": ("PDB-21", "PDB-24"),
}
_OWN: Final = ("x-api-version", "x-version", "x-api-state", "x-state")
_VERSIONED: Final = re.compile(r"/v([1-9][0-9]{0,8})(?:/|$)")
_MOST: Final = 500


def api_changes(answer: Mapping[str, Any]) -> tuple[ContractChange, ...]:
    """The changes in an answer of the checker, as JSON has it. An answer that proves nothing is a change of its own."""
    found = [_change(one) for one in answer["changes"][:_MOST]]
    if answer["verdict"] == "cannot-tell" and not any(one.weight is Weight.UNDECIDED for one in found):
        found.append(ContractChange(Weight.UNDECIDED, answer.get("fault") or "nothing was proved"))
    return tuple(found)


def _change(told: Mapping[str, Any]) -> ContractChange:
    row = rule(told["rule"])
    weight = Weight.UNDECIDED if row.undecided else _WEIGHTS[row.least]
    clauses = _EXAMPLES.get(row.id, tuple(name for name in row.clauses if name.startswith("PDB")))
    return ContractChange(weight, told["words"].rstrip("."), clauses, told["path"], row.id)


def undescribed(*documents: Any) -> tuple[str, ...]:
    """What no document describes although it is part of a contract: query operators, without an `x-operators`."""
    return () if any(_mentions(one, "x-operators") for one in documents) else ("query operators",)


def own_versions(document: Any, number: int) -> list[str]:
    """The places in a document of version `number` that give an operation a version or a state of its own (PDB-41)."""
    paths = document.get("paths") if isinstance(document, dict) else None
    return list(_own_versions(paths, number)) if isinstance(paths, dict) else []


def _own_versions(paths: Mapping[str, Any], number: int) -> Iterator[str]:
    for path, item in paths.items():
        found = _VERSIONED.match(str(path))
        if found and int(found[1]) != number:
            yield f"{path} lies below {version_name(int(found[1]))}"
        if not isinstance(item, dict):
            continue
        for name, described in [("", item), *item.items()]:
            if isinstance(described, dict):
                here = f"{name.upper()} {path}".strip()
                yield from (f"{here} has {key}" for key in _OWN if key in described)


def _mentions(value: Any, key: str) -> bool:
    """Whether a key is anywhere in a document; without recursion, because documents are strangers'."""
    waiting, left = [value], 1_000_000
    while waiting and left:
        left -= 1
        one = waiting.pop()
        if isinstance(one, dict):
            if key in one:
                return True
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return False
