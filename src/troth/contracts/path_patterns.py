"""Paths of files told by patterns: `src` and `src/` are a folder with all that is in it, `*` is one step, `**` is any."""

from __future__ import annotations

import re
from functools import lru_cache


def matches(pattern: str, path: str) -> bool:
    """Whether the pattern means the file at this path."""
    return _compiled(pattern).fullmatch(path) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    steps = [step for step in pattern.split("/") if step] or ["**"]
    parts = []
    for place, step in enumerate(steps):
        last = place == len(steps) - 1
        if step == "**":
            parts.append(".*" if last else "(?:[^/]+/)*")
        else:
            parts.append("".join(_one(piece) for piece in re.split(r"([*?])", step)) + ("" if last else "/"))
    return re.compile("".join(parts) + "(?:/.*)?")


def _one(piece: str) -> str:
    return {"*": "[^/]*", "?": "[^/]"}.get(piece) or re.escape(piece)
