"""Patterns as the schemas use them: what matches, and strings that match some and not others (2020-12 core, 6.4).

The languages are those of `troth.contracts.patterns`; what that cannot decide is not decided here either. Each answer comes
with what it cost, in steps of the patterns: the same whether or not it was remembered.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from troth.contracts.patterns import EVERYTHING, Budget, Language, Undecidable, language, lengths, literals
from troth.contracts.schema.outcomes import EMPTY, UNKNOWN, Outcome, Status, found

_KEPT = 256
#: What is spent on the samples of one pattern: they are tried, and nothing rests on them.
_SAMPLE_STATES: Final = 1_000
_SAMPLE_STEPS: Final = 15_000


class NotUnderstood(Exception):
    """Whether a text matches a pattern is not known."""


class Matcher:
    """Whether texts match one pattern, somewhere in them."""

    def __init__(self, pattern: str) -> None:
        self._language = _language_of(pattern)
        self._known: dict[str, tuple[bool | None, int]] = {}

    def __call__(self, text: str) -> bool:
        """Whether `text` matches. Raises NotUnderstood."""
        said, _ = self.told(text)
        if said is None:
            raise NotUnderstood
        return said

    def told(self, text: str) -> tuple[bool | None, int]:
        """Whether `text` matches, None where that is not known; and what it cost."""
        if text not in self._known:
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[text] = self._matched(text)
        return self._known[text]

    def _matched(self, text: str) -> tuple[bool | None, int]:
        if self._language is None:
            return None, 1
        budget = Budget()
        try:
            return self._language.matches(text, budget), budget.spent()
        except Undecidable:
            return None, budget.spent()


@lru_cache(maxsize=512)
def matcher(pattern: str) -> Matcher:
    """The matcher of a pattern."""
    return Matcher(pattern)


def _language_of(pattern: str) -> Language | None:
    try:
        return language(pattern)
    except Undecidable:
        return None


@lru_cache(maxsize=4096)
def is_understood(pattern: str) -> bool:
    """Whether the strings that `pattern` matches are known exactly."""
    return _language_of(pattern) is not None


def why_not_understood(pattern: str) -> str:
    """Why it is not known which strings `pattern` matches; empty where it is."""
    try:
        language(pattern)
    except Undecidable as error:
        return error.reason
    return ""


def matching(
    patterns: list[str], avoided: list[str], excluded: list[str], least: int, most: int | None
) -> tuple[Outcome, int]:
    """A string that matches all of `patterns` and none of `avoided`, is none of `excluded`, and has such a length.

    With it comes what it cost.
    """
    known = [pattern for pattern in (*patterns, *avoided) if is_understood(pattern)]
    strict = len(known) == len(patterns) + len(avoided)
    outcome, cost = _matching(tuple(patterns), tuple(avoided), tuple(sorted(excluded)), least, most)
    return (outcome if strict or outcome.status is Status.EMPTY else outcome.weakened()), cost


@lru_cache(maxsize=4096)
def _matching(
    patterns: tuple[str, ...], avoided: tuple[str, ...], excluded: tuple[str, ...], least: int, most: int | None
) -> tuple[Outcome, int]:
    """The same with patterns that are not understood left out."""
    budget = Budget()
    try:
        asked = EVERYTHING if least == 0 and most is None else lengths(least, most)
        for pattern in filter(is_understood, patterns):
            asked = asked.intersection(language(pattern))
        for pattern in filter(is_understood, avoided):
            asked = asked.intersection(language(pattern).complement())
        if excluded:
            asked = asked.intersection(literals(excluded).complement())
        text = asked.shortest(budget)
        return (EMPTY if text is None else found(text)), budget.spent()
    except Undecidable:
        return UNKNOWN, budget.spent()


@lru_cache(maxsize=1024)
def samples_of(pattern: str) -> tuple[tuple[str, ...], int]:
    """A few strings that match `pattern`, and one that does not, to try; and what they cost."""
    budget = Budget(_SAMPLE_STATES, _SAMPLE_STEPS)
    began = budget.spent()
    try:
        asked = language(pattern)
        other = asked.complement().shortest(budget)
        texts = (*asked.examples(3, budget), *(() if other is None else (other,)))
    except Undecidable:
        texts = ("", "a", "aa", "0", "A")
    return texts, budget.spent() - began + len(pattern) // 8
