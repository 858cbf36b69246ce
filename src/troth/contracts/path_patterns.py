"""Paths of files told by patterns: `src` and `src/` are a folder with all that is in it, `*` is one step, `**` is any.

Patterns are strangers'. They are followed step by step, so that no pattern takes longer than its length times the path's.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

_ANY: Final = "**"


def matches(pattern: str, path: str) -> bool:
    """Whether the pattern means the file at this path."""
    *steps, last = _steps(pattern)
    names = path.split("/")
    reached = {0}  # how many names the steps so far may stand for; one is always left
    for step in steps:
        reached = _behind(step, names, reached)
        if not reached:
            return False
    # what lies below a folder is meant with it
    return last == _ANY or any(_is_meant(last, names[place]) for place in reached)


@lru_cache(maxsize=4096)
def _steps(pattern: str) -> Sequence[str]:
    """The steps of a pattern; `**` behind another says nothing more."""
    steps = [step for step in pattern.split("/") if step] or [_ANY]
    return tuple(step for place, step in enumerate(steps) if step != _ANY or steps[place + 1 : place + 2] != [_ANY])


def _behind(step: str, names: Sequence[str], reached: set[int]) -> set[int]:
    """Where one may be behind a step that is not the last."""
    if step != _ANY:
        return {place + 1 for place in reached if place + 1 < len(names) and _is_meant(step, names[place])}
    found = set(reached)
    for place in range(min(reached), len(names) - 1):
        if place in found and names[place]:
            found.add(place + 1)
    return found


def _is_meant(step: str, name: str) -> bool:
    """Whether a step without slashes means a name: only the last `*` is ever tried again, for what lies before it fits."""
    place = at = again = 0
    star = -1
    while at < len(name):
        sign = step[place] if place < len(step) else ""
        if sign == "*":
            star, again = place, at
            place += 1
        elif sign and sign in ("?", name[at]):
            place, at = place + 1, at + 1
        elif star >= 0:
            again += 1
            place, at = star + 1, again
        else:
            return False
    return not step[place:].strip("*")
