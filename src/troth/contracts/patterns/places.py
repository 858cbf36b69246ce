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


#: What it can matter to know of a place, beside the end of the text.
SEES_WORDS, SEES_START = 1, 2


def seen(places: int) -> int:
    """Whether it matters if the characters beside a place are word characters, and if it is the start of the text."""
    start, word, other = [(places >> shift) & 7 for shift in (0, 3, 6)]
    words = word != other or any((row >> BEFORE_WORD) & 1 != (row >> BEFORE_OTHER) & 1 for row in (start, word, other))
    return (SEES_WORDS if words else 0) | (SEES_START if start != other else 0)
