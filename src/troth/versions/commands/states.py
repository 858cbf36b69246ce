"""The states of a version of a command, and which moves between them are legal (PDB-40, note N16)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from troth.versions.releases.numbers import ReleaseNumber


class State(StrEnum):
    """What is done with commands of a version that come now."""

    CURRENT = "current"
    #: taken, with the number of the version that replaced it
    DEPRECATED = "deprecated"
    #: refused at the door
    RETIRED = "retired"


#: What the door takes. The queue processes what was accepted, in whatever state its version is by then.
ACCEPTED: Final = frozenset({State.CURRENT, State.DEPRECATED})


@dataclass(frozen=True, slots=True)
class Moving:
    """A move that is asked for: in which release of the owner's software, and in which one the version was deprecated."""

    release: ReleaseNumber
    deprecated_in: ReleaseNumber | None


@dataclass(frozen=True, slots=True)
class Move:
    """One row: from a state to another, where it is legal, and what is said where it is not."""

    start: State
    end: State
    legal: Callable[[Moving], bool]
    why: str
    repair: str


def is_x(number: ReleaseNumber) -> bool:
    """Whether a release is an X release: X.0.0."""
    return number.parts[1:] == (0, 0) and not number.is_prerelease


def is_x_or_y(number: ReleaseNumber) -> bool:
    """Whether a release is an X or a Y release: X.Y.0."""
    return number.parts[2] == 0 and not number.is_prerelease


def _retires(moving: Moving) -> bool:
    return is_x(moving.release) and moving.deprecated_in is not None and moving.deprecated_in < moving.release


_ANEW: Final = "publish the next version, with the format that senders are to go back to"
MOVES: Final = (
    Move(State.CURRENT, State.DEPRECATED, lambda moving: is_x_or_y(moving.release),
         "a version is deprecated in a Y or an X release", "name a release X.Y.0"),
    Move(State.CURRENT, State.RETIRED, lambda moving: False,
         "acceptance never ends without a time in which the version is deprecated", "deprecate it first"),
    Move(State.DEPRECATED, State.RETIRED, _retires,
         "acceptance ends in an X release only, after the one in which the version was deprecated",
         "name a release X.0.0 behind that one"),
    Move(State.DEPRECATED, State.CURRENT, lambda moving: False,
         "going back is not written, and senders have begun to move", _ANEW),
)  # fmt: skip


def objection(start: State, end: State, moving: Moving) -> str | None:
    """Why the move is not legal; None where it is."""
    for move in MOVES:
        if (move.start, move.end) == (start, end):
            return None if move.legal(moving) else move.why
    return f"a version that is {start} does not become {end}"


def repair(start: State, end: State) -> str:
    """What helps where the move is not legal."""
    return next((move.repair for move in MOVES if (move.start, move.end) == (start, end)), _ANEW)
