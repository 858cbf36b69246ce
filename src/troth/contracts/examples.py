"""Examples of calls: how close an answer has to be to the declared one, and whether it is.

`exact` compares JSON values (1 and 1.0 are one number). `{"relative": x}` and `{"absolute": x}` let numbers differ by so much,
wherever they stand. `unordered` takes every list as a bag. `rank` compares the order that numbers put things in. `schema`
asks only for an answer that the output's schema accepts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from troth.contracts.schema.acceptance import accepts

_NAMED = ("exact", "unordered", "rank", "schema")
_NUMBERED = ("relative", "absolute")


def check_tolerance(example: Mapping[str, Any]) -> None:
    """Raises ValueError, with words, where an example has a tolerance that is none."""
    tolerance = example.get("tolerance", "exact")
    if isinstance(tolerance, str) and tolerance in _NAMED:
        return
    if isinstance(tolerance, dict) and len(tolerance) == 1:
        ((name, size),) = tolerance.items()
        if name in _NUMBERED and _is_number(size) and 0 <= size < math.inf:
            return
    raise ValueError(f"a tolerance is {', '.join(_NAMED)}, or one of {', '.join(_NUMBERED)} with a number")


def agrees(example: Mapping[str, Any], answer: Any, schema: Mapping[str, Any] | None = None) -> bool | None:
    """Whether an answer is the declared one, as far as the example asks for it; `schema` is that of the output.

    None where the schema does not tell within the steps that are spent on it.
    """
    tolerance, declared = example.get("tolerance", "exact"), example["output"]
    if tolerance == "schema":
        return schema is None or accepts(schema, answer)
    if isinstance(tolerance, dict):
        ((name, size),) = tolerance.items()
        close = {"rel_tol": size} if name == "relative" else {"rel_tol": 0.0, "abs_tol": size}
        return _same(declared, answer, lambda one, other: math.isclose(one, other, **close))
    return _FORMS[tolerance](declared) == _FORMS[tolerance](answer)


def _same(one: Any, other: Any, close: Callable[[float, float], bool]) -> bool:
    """Whether two JSON values are equal but for numbers, which are close."""
    if _is_number(one) and _is_number(other):
        return close(one, other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_same(a, b, close) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key], close) for key in one)
    return _exact(one) == _exact(other)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _exact(value: Any) -> str:
    """One text for each JSON value."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return {key: _plain(item) for key, item in value.items()} if isinstance(value, dict) else value


def _bag(value: Any) -> str:
    """One text for all values that differ in the order of lists only."""
    if isinstance(value, list):
        return f"[{','.join(sorted(_bag(item) for item in value))}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_bag(value[key])}" for key in sorted(value)) + "}"
    return _exact(value)


def _rank(value: Any) -> str:
    """The order of things: positions by their numbers, names by their numbers, else the sequence without numbers."""
    if isinstance(value, dict) and all(map(_is_number, value.values())):
        return json.dumps(sorted(value, key=lambda name: (-value[name], name)))
    if isinstance(value, list) and all(map(_is_number, value)):
        return json.dumps(sorted(range(len(value)), key=lambda place: (-value[place], place)))
    return _exact(_without_numbers(value))


def _without_numbers(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_numbers(item) for item in value if not _is_number(item)]
    if isinstance(value, dict):
        return {key: _without_numbers(item) for key, item in value.items() if not _is_number(item)}
    return value


_FORMS: Mapping[str, Callable[[Any], str]] = {"exact": _exact, "unordered": _bag, "rank": _rank}
