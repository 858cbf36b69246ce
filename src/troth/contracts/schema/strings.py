"""A string of given length that matches some patterns, not others, and is none of some strings (2020-12 validation, 6.3)."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from troth.contracts.schema.outcomes import EMPTY, UNKNOWN, Literals, Outcome, found
from troth.contracts.schema.texts import matching

_LONGEST = 100_000
_FIRST = ord("a")


@dataclass(slots=True)
class _Strings:
    """The assertions of one conjunction; lengths in code points."""

    least: int = 0
    most: int | None = None
    excluded: set[Hashable] = field(default_factory=set)
    patterns: list[str] = field(default_factory=list)
    avoided: list[str] = field(default_factory=list)


def string_model(literals: Literals) -> tuple[Outcome, int]:
    """A string that satisfies all of `literals`, atoms of strings and their negations; and what its patterns cost."""
    asked = _Strings()
    for literal in literals:
        if literal.kind == "length" and literal.positive:
            asked.least = max(asked.least, literal.arguments[0])
        elif literal.kind == "length":
            most = literal.arguments[0] - 1
            asked.most = most if asked.most is None else min(asked.most, most)
        elif literal.kind == "matches":
            (asked.patterns if literal.positive else asked.avoided).append(literal.arguments[0])
        else:
            asked.excluded |= literal.arguments[0]
    if asked.most is not None and asked.least > asked.most:
        return EMPTY, 0
    if asked.patterns or asked.avoided:
        excluded = [text for text in asked.excluded if isinstance(text, str)]
        return matching(asked.patterns, asked.avoided, excluded, asked.least, asked.most)
    return _unpatterned(asked), 0


def _unpatterned(asked: _Strings) -> Outcome:
    """Of a length above zero there are more strings than are excluded."""
    if asked.least == 0 and "" not in asked.excluded:
        return found("")
    length = max(asked.least, 1)
    if asked.most == 0:
        return EMPTY
    if length > _LONGEST or len(asked.excluded) > _LONGEST // 4:
        return UNKNOWN
    front = "a" * (length - 1)
    for shift in range(len(asked.excluded) + 1):
        text = front + chr(_FIRST + shift)
        if text not in asked.excluded:
            return found(text)
    return UNKNOWN
