"""What is known of a formula: that nothing satisfies it, a value that does, or neither."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from troth.contracts.schema.answers import ABSENT, Absent, Json
from troth.contracts.schema.formulas import Formula, Formulas
from troth.contracts.schema.steps import Steps


class Status(Enum):
    """Whether there is an instance."""

    EMPTY = "empty"
    FOUND = "found"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """FOUND comes with the instance; UNKNOWN may come with one that is worth a try."""

    status: Status
    value: Json | Absent = ABSENT

    def weakened(self) -> Outcome:
        """The same, where something was left out of account: an instance is no longer sure, and neither is none."""
        return Outcome(Status.UNKNOWN, self.value)


EMPTY = Outcome(Status.EMPTY)
UNKNOWN = Outcome(Status.UNKNOWN)


def found(value: Json) -> Outcome:
    """There is an instance: this."""
    return Outcome(Status.FOUND, value)


@dataclass(frozen=True, slots=True)
class Sample:
    """Different instances of a formula. `complete` is whether there are no more; None where that is not known."""

    values: list[Json]
    complete: bool | None


class Models(Protocol):
    """What the rules of one type ask of the proof for what lies inside."""

    formulas: Formulas
    steps: Steps

    def model(self, formula: Formula) -> Outcome:
        """An instance of a formula, or that there is none."""

    def holds(self, formula: Formula, value: Json) -> bool | None:
        """Whether `value` satisfies the formula; None where something in it is not understood."""

    def sample(self, formula: Formula, count: int) -> Sample:
        """Up to `count` different instances."""


Literals = Sequence[Formula]
