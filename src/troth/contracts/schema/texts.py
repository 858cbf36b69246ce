"""Strings: what matches a pattern, and strings that satisfy some assertions and not others."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache


@lru_cache(maxsize=4096)
def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether `pattern` matches somewhere in a string (2020-12 core, 6.4)."""
    compiled = re.compile(pattern)
    return lambda text: compiled.search(text) is not None
