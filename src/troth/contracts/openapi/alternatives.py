"""Schemas that are a choice of others, `anyOf` and `oneOf`: which alternative stands for which, and whether one at most holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from troth.contracts.openapi.objects import flat
from troth.contracts.openapi.schemas import HINTS, Whole

_CHOICES: Final = ("oneOf", "anyOf")
_MOST: Final = 60


@dataclass(frozen=True, slots=True)
class Choice:
    """Two choices, with the alternatives that stand for each other, and how many there are of each that do not."""

    pairs: tuple[tuple[Whole, Whole], ...]
    gone: int
    added: int


def paired(old: Whole, new: Whole) -> Iterator[tuple[Whole, Whole]]:
    """The alternatives of two schemas that stand for each other, whatever else the schemas say."""
    for keyword in _CHOICES:
        both = [one.schema.get(keyword) if isinstance(one.schema, dict) else None for one in (old, new)]
        if all(isinstance(one, list) for one in both):
            yield from _matched(old, new, both[0] or [], both[1] or [])


def choice(old: Whole, new: Whole) -> Choice | None:
    """Two schemas as choices whose alternatives can be judged one by one; None where they cannot.

    Of `oneOf` that is so where its alternatives exclude each other: a discriminator chooses, or a property that all of
    them require has other values in each. Otherwise a change of one alternative could let two of them hold.
    """
    keyword = _keyword(old, new)
    if keyword is None:
        return None
    before, after = old.schema[keyword], new.schema[keyword]
    pairs = tuple(_matched(old, new, before, after))
    if keyword == "oneOf" and not (_chosen(old, new) or _exclusive([old.inner(one) for one in before], new, after)):
        return None
    return Choice(pairs, len(before) - len(pairs), len(after) - len(pairs))


def _keyword(old: Whole, new: Whole) -> str | None:
    both = (old.schema, new.schema)
    if not all(isinstance(one, dict) for one in both):
        return None
    told = [{key: value for key, value in one.items() if key not in HINTS} for one in both]
    for keyword in _CHOICES:
        rest = [{key: value for key, value in one.items() if key != keyword} for one in told]
        lists = [one.get(keyword) for one in told]
        if all(isinstance(one, list) and len(one) <= _MOST for one in lists) and json.dumps(rest[0]) == json.dumps(
            rest[1]
        ):
            return None if rest[0].keys() & {"$ref", "unevaluatedProperties"} else keyword
    return None


def _matched(old: Whole, new: Whole, before: list[Any], after: list[Any]) -> Iterator[tuple[Whole, Whole]]:
    """By reference first, then what is the same, then by place where as many are left on both sides."""
    first, second = [old.inner(one) for one in before], [new.inner(one) for one in after]
    for key in (_reference, _digest):
        known = {key(one): one for one in second if key(one)}
        for one in list(first):
            other = known.pop(key(one), None)
            if other is not None:
                first.remove(one)
                second.remove(other)
                yield one, other
    if len(first) == len(second):
        yield from zip(first, second, strict=True)


def _reference(one: Whole) -> str:
    return str(one.schema.get("$ref", "")) if isinstance(one.schema, dict) else ""


def _digest(one: Whole) -> str:
    return one.digest


def _chosen(old: Whole, new: Whole) -> bool:
    names = [one.schema.get("discriminator") for one in (old, new)]
    told = [one.get("propertyName") if isinstance(one, dict) else None for one in names]
    return told[0] is not None and told[0] == told[1]


def _exclusive(first: list[Whole], new: Whole, after: list[Any]) -> bool:
    second = [new.inner(one) for one in after]
    tags = [[_tags(one) for one in side] for side in (first, second)]
    return all(_apart(a, b) for side in tags for index, a in enumerate(side) for b in side[index + 1 :]) and _same_tags(
        tags[0], tags[1]
    )


def _same_tags(first: list[dict[str, set[str]]], second: list[dict[str, set[str]]]) -> bool:
    """Whether values that tell alternatives apart were not moved from one to another."""
    return all(sum(not _apart(a, b) for b in second) <= 1 for a in first)


def _tags(one: Whole) -> dict[str, set[str]]:
    """By property that has to be there, the values that it may have, where they are listed."""
    found = flat(one.followed())
    tags = {}
    for name in found.required & found.properties.keys() if found is not None else ():
        schema = found.properties[name].followed().schema if found is not None else {}
        listed = (
            schema.get("enum", [schema["const"]] if "const" in schema else None) if isinstance(schema, dict) else None
        )
        if isinstance(listed, list):
            tags[name] = {json.dumps(value, sort_keys=True) for value in listed}
    return tags


def _apart(a: dict[str, set[str]], b: dict[str, set[str]]) -> bool:
    return any(not a[name] & b[name] for name in a.keys() & b.keys())
