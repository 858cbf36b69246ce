"""Patterns as the schemas use them: what matches, and strings that match some and not others (2020-12 core, 6.4).

The languages are those of `troth.contracts.patterns`; what that cannot decide is not decided here either.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from troth.contracts.patterns import EVERYTHING, Language, Undecidable, language, lengths, literals
from troth.contracts.schema.outcomes import EMPTY, UNKNOWN, Outcome, Status, found


@lru_cache(maxsize=512)
def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether `pattern` matches somewhere in a string. A pattern that is not understood is Python's."""
    try:
        asked = language(pattern)
    except Undecidable:
        return _python_s(pattern)

    @lru_cache(maxsize=256)
    def matches(text: str) -> bool:
        try:
            return asked.matches(text)
        except Undecidable:
            return _python_s(pattern)(text)

    return matches


def _python_s(pattern: str) -> Callable[[str], bool]:
    try:
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return lambda text: False
    return lambda text: compiled.search(text) is not None


@lru_cache(maxsize=4096)
def is_understood(pattern: str) -> bool:
    """Whether the strings that `pattern` matches are known exactly."""
    try:
        language(pattern)
    except Undecidable:
        return False
    return True


def matching(patterns: list[str], avoided: list[str], excluded: list[str], least: int, most: int | None) -> Outcome:
    """A string that matches all of `patterns` and none of `avoided`, is none of `excluded`, and has such a length."""
    known = [pattern for pattern in (*patterns, *avoided) if is_understood(pattern)]
    strict = len(known) == len(patterns) + len(avoided)
    outcome = _matching(tuple(patterns), tuple(avoided), tuple(sorted(excluded)), least, most)
    return outcome if strict or outcome.status is Status.EMPTY else outcome.weakened()


@lru_cache(maxsize=4096)
def _matching(
    patterns: tuple[str, ...], avoided: tuple[str, ...], excluded: tuple[str, ...], least: int, most: int | None
) -> Outcome:
    """The same with patterns that are not understood left out."""
    try:
        asked = EVERYTHING if least == 0 and most is None else lengths(least, most)
        for pattern in filter(is_understood, patterns):
            asked = asked.intersection(language(pattern))
        for pattern in filter(is_understood, avoided):
            asked = asked.intersection(language(pattern).complement())
        if excluded:
            asked = asked.intersection(literals(excluded).complement())
        return _shortest(asked)
    except Undecidable:
        return UNKNOWN


def _shortest(asked: Language) -> Outcome:
    text = asked.shortest()
    return EMPTY if text is None else found(text)


@lru_cache(maxsize=1024)
def samples_of(pattern: str) -> tuple[str, ...]:
    """A few strings that match `pattern`, and one that does not, to try."""
    try:
        asked = language(pattern)
        other = asked.complement().shortest()
        return (*asked.examples(3), *(() if other is None else (other,)))
    except Undecidable:
        return ("", "a", "aa", "0", "A")
