"""From each state to each state: which releases may bring it, and the clause that says so. Sixteen rows, nothing left out."""

from __future__ import annotations

from dataclasses import dataclass

from troth.versions.lifecycles.states import State
from troth.versions.releases.numbers import Step
from troth.versions.verdict import Outcome

E, C, D, R = State.EXPERIMENTAL, State.CURRENT, State.DEPRECATED, State.RETIRED
ALL = frozenset({Step.MAJOR, Step.MINOR, Step.PATCH})
X_OR_Y = frozenset({Step.MAJOR, Step.MINOR})
X = frozenset({Step.MAJOR})


@dataclass(frozen=True, slots=True)
class Transition:
    """One row: in releases of `steps` it is allowed; in others, or where there are none, `otherwise` with this clause."""

    before: State
    after: State
    steps: frozenset[Step]
    clause: str
    words: str
    repair: str
    otherwise: Outcome = Outcome.REFUSED

    @property
    def about(self) -> str:
        """How a decision names it."""
        return f"{self.before} to {self.after}"


def _legal(before: State, after: State, steps: frozenset[Step], clause: str, words: str, repair: str) -> Transition:
    return Transition(before, after, steps, clause, words, repair)


def _never(before: State, after: State, clause: str, words: str, repair: str) -> Transition:
    return Transition(before, after, frozenset(), clause, words, repair)


def _gap(before: State, after: State) -> Transition:
    words = f"no clause speaks of a move from {before} to {after}"
    return Transition(before, after, frozenset(), "PDB-04", words, "have somebody decide it", Outcome.NOT_REGULATED)


def _stays(state: State) -> Transition:
    return _never(state, state, "PDB-11", f"it is {state} already", "nothing is left to do")


_BEFORE = "what is retired has been deprecated before"
_ROWS = (
    _stays(E),
    _legal(E, C, X_OR_Y, "PDB-19", "a new current version is a feature, which is Y at least (note N15)",
           "graduate it in a Y or X release"),
    _gap(E, D),
    _never(E, R, "PDB-36", _BEFORE, "drop it: an experimental version may go in Y or X"),
    _gap(C, E),
    _stays(C),
    _legal(C, D, X_OR_Y, "PDB-05", "to deprecate is Y at least (SemVer 7)", "deprecate it in a Y or X release"),
    _never(C, R, "PDB-36", _BEFORE, "deprecate it now, and retire it in the X release behind"),
    _gap(D, E),
    _gap(D, C),
    _stays(D),
    _legal(D, R, X, "PDB-37", "a deprecated version is retired in an X release only", "retire it in the next X release"),
    _gap(R, E),
    _gap(R, C),
    _gap(R, D),
    _stays(R),
)  # fmt: skip
#: (before, after) to its row (PDB-11, note N9).
TRANSITIONS: dict[tuple[State, State], Transition] = {(row.before, row.after): row for row in _ROWS}
