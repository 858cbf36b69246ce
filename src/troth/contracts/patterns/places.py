"""Places in a text, by what stands before and what comes after: what `^`, `$`, `\\b` and `\\B` ask for.

A set of places is nine bits. ECMA-262 22.2.2.4: without the flag m, `^` is the start of the text and `$` its very end.
"""

from __future__ import annotations

AT_START, AFTER_WORD, AFTER_OTHER = 0, 1, 2
AT_END, BEFORE_WORD, BEFORE_OTHER = 0, 1, 2


def place(before: int, after: int) -> int:
    """The bit of one place."""
    return 1 << (3 * before + after)


_ALL = [(before, after) for before in range(3) for after in range(3)]

NOWHERE = 0
EVERYWHERE = (1 << 9) - 1
START = sum(place(before, after) for before, after in _ALL if before == AT_START)
END = sum(place(before, after) for before, after in _ALL if after == AT_END)
BOUNDARY = sum(place(before, after) for before, after in _ALL if (before == AFTER_WORD) != (after == BEFORE_WORD))
INSIDE = EVERYWHERE & ~BOUNDARY


def past_start(places: int) -> int:
    """The same places once a character was read, when none of them is the start of the text."""
    return (places & ~START) | (places >> 6)


def sees_words(places: int) -> bool:
    """Whether it matters if the characters beside a place are word characters."""
    rows = [(places >> shift) & 7 for shift in (0, 3, 6)]
    return rows[1] != rows[2] or any((row >> 1) & 1 != (row >> 2) & 1 for row in rows)
