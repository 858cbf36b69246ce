"""The four states of an API version (PDB-11) or of an algorithm's major line, and the moves between them.

Which release a move needs is judged where releases are known; here is only what may follow what.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """How much a version promises."""

    EXPERIMENTAL = "experimental"  #: a future version, which may still change (PDB-20)
    CURRENT = "current"  #: the version to use
    DEPRECATED = "deprecated"  #: on its way out, frozen (PDB-30)
    RETIRED = "retired"  #: gone (PDB-38)


#: The only legal moves (PDB-11, note N9). Every other one is not regulated (PDB-04).
MOVES: dict[State, State] = {
    State.EXPERIMENTAL: State.CURRENT,
    State.CURRENT: State.DEPRECATED,
    State.DEPRECATED: State.RETIRED,
}

#: A new version begins here, never as current (PDB-20).
FIRST = State.EXPERIMENTAL


def may_follow(before: State, after: State) -> bool:
    """Whether the policy has a move from `before` to `after`."""
    return MOVES.get(before) is after
