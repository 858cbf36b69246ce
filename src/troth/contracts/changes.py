"""What a comparison of two contracts found, as values: changes, and the answer that they add up to."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

#: Stands for "there was nothing there", where null is a value of its own.
ABSENT: Final = type("Absent", (), {"__repr__": lambda self: "ABSENT", "__slots__": ()})()

#: Longer values are cut where they are told, so that an answer stays readable whatever was compared.
_LONGEST_VALUE = 2_000
#: Changes that an answer has at most, the gravest first.
MOST_CHANGES: Final = 10_000


class Level(StrEnum):
    """How much a change matters to who relies on the older contract."""

    BREAKING = "breaking"
    WARNING = "warning"
    NOTE = "note"


class Answer(StrEnum):
    """The four answers of a comparison. Only `compatible` lets a version keep its line."""

    COMPATIBLE = "compatible"
    BREAKING = "breaking"
    CANNOT_TELL = "cannot-tell"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Change:
    """One finding: the rule that names it, where it is, what was there and what is there now.

    `undecided` marks what the checker could not judge: no comparison that holds one is ever compatible.
    """

    rule: str
    level: Level
    path: str
    old: Any
    new: Any
    words: str
    witness: Any = ABSENT
    undecided: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The change as JSON: what was absent is null, and values too long to read are cut."""
        told = {"rule": self.rule, "level": self.level.value, "path": self.path}
        told |= {"old": told_value(self.old), "new": told_value(self.new), "words": self.words}
        if self.witness is not ABSENT:
            told["witness"] = told_value(self.witness)
        return told


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answer to "may who relied on the old one rely on the new one?", with everything that was found."""

    answer: Answer
    changes: tuple[Change, ...] = ()
    #: a document that the one side takes and the other does not, where one was found
    witness: Any = ABSENT
    #: where the answer is `invalid`: what is wrong, and where
    fault: str = ""

    @property
    def breaking(self) -> tuple[Change, ...]:
        """The changes that break."""
        return tuple(change for change in self.changes if change.level is Level.BREAKING)

    def as_dict(self) -> dict[str, Any]:
        """The comparison as JSON: `verdict`, `changes`, `witness`, and `fault` where it is invalid."""
        told: dict[str, Any] = {
            "verdict": self.answer.value,
            "changes": [change.as_dict() for change in self.changes],
            "witness": told_value(self.witness),
        }
        return told | ({"fault": self.fault} if self.fault else {})


def concluded(changes: Iterable[Change]) -> Comparison:
    """The comparison that `changes` add up to: breaking before cannot-tell before compatible."""
    found = tuple(dict.fromkeys(_Once(change) for change in changes))
    kept = tuple(sorted((once.change for once in found), key=_gravity))
    witness = next((change.witness for change in kept if change.witness is not ABSENT), ABSENT)
    if any(change.level is Level.BREAKING for change in kept):
        answer = Answer.BREAKING
    elif any(change.undecided for change in kept):
        answer = Answer.CANNOT_TELL
    else:
        answer = Answer.COMPATIBLE
    return Comparison(answer, kept[:MOST_CHANGES], witness)


def invalid(fault: str) -> Comparison:
    """The answer to documents that cannot be compared, because one of them is not what it should be."""
    return Comparison(Answer.INVALID, fault=fault)


def told_value(value: Any) -> Any:
    """A value as an answer tells it: null for what is absent, cut where nobody would read on."""
    if value is ABSENT:
        return None
    try:
        text = json.dumps(value, default=str)
    except (ValueError, RecursionError):
        return "(too deep to show)"
    return value if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "..."


def _gravity(change: Change) -> int:
    return (Level.BREAKING, Level.WARNING, Level.NOTE).index(change.level)


class _Once:
    """A change by what identifies it: shared parts of a document are found once for each way that leads to them."""

    __slots__ = ("_key", "change")

    def __init__(self, change: Change) -> None:
        self.change = change
        self._key = (change.rule, change.path, change.words)

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Once) and self._key == other._key
