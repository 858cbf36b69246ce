"""The smallest instance that still shows the same: by leaving out, shortening and simplifying, as long as that goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from troth.contracts.schema.answers import Json
from troth.contracts.schema.steps import Exhausted
from troth.contracts.schema.values import is_number, key, size

_MOST_TRIES = 400
_WIDE = 8
_SIMPLE: tuple[Json, ...] = (None, False, True, 0, "", [], {}, 1, "a")


def shrunk(value: Json, shows: Callable[[Json], bool], tries: int = _MOST_TRIES) -> Json:
    """A small instance for which `shows` holds, as it does for `value`. Ends where `shows` is Exhausted."""
    improved = True
    try:
        while improved and tries > 0:
            improved = False
            for smaller in _smaller(value):
                tries -= 1
                if tries < 0:
                    break
                if shows(smaller):
                    value, improved = smaller, True
                    break
    except Exhausted:
        pass
    return value


def _rank(value: Json) -> tuple[int, int]:
    simple = [key(other) for other in _SIMPLE]
    return size(value), simple.index(key(value)) if key(value) in simple else len(simple)


def _smaller(value: Json) -> Iterator[Json]:
    """Smaller values, the smallest first where that is cheap to say."""
    rank = _rank(value)
    yield from (simple for simple in _SIMPLE if _rank(simple) < rank)
    if isinstance(value, dict | list):  # schemas that refer to themselves fail inside as they fail outside
        yield from (inner for inner in (value.values() if isinstance(value, dict) else value) if _rank(inner) < rank)
    if isinstance(value, dict):
        yield from _halves(value)
        yield from ({other: value[other] for other in value if other != name} for name in value)
        for name, inner in value.items():
            yield from ({**value, name: smaller} for smaller in _smaller(inner))
        for place, name in enumerate(value):
            yield from _renamed(value, name, "abcdefghijklmnopqrstuvwxyz"[place % 26])
    elif isinstance(value, list):
        yield from (value[:half] for half in (len(value) // 2,) if half < len(value) - 1)
        yield from (value[:place] + value[place + 1 :] for place in range(len(value)))
        for place, inner in enumerate(value):
            yield from ([*value[:place], smaller, *value[place + 1 :]] for smaller in _smaller(inner))
    elif isinstance(value, str) and value:
        yield from (value[: len(value) // 2], value[1:], value[:-1])
        yield from () if value == "a" * len(value) else ("a" * len(value),)
    elif is_number(value):
        yield from (other for other in (int(value), int(value) // 2, abs(value)) if _rank(other) < rank)


def _halves(value: dict[str, Json]) -> Iterator[Json]:
    """Each half of the properties of a wide object, so that few steps lead to a small one."""
    if len(value) >= _WIDE:
        names = list(value)
        for half in (names[: len(names) // 2], names[len(names) // 2 :]):
            yield {name: value[name] for name in half}


def _renamed(value: dict[str, Json], name: str, other: str) -> Iterator[Json]:
    if len(name) > 1 and other not in value:
        yield {other if each == name else each: inner for each, inner in value.items()}
