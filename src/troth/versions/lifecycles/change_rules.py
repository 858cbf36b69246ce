"""What may change of a version's contract, by its state: a row for each state and weight of a change.

Rows that compare can be waived. That a version which goes, or is gone, stays as it is cannot.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from troth.versions.lifecycles.numbers import letter
from troth.versions.lifecycles.states import State
from troth.versions.lifecycles.subject import Api, Asked, ContractChange, Move, Weight
from troth.versions.lifecycles.transitions import ALL, X_OR_Y
from troth.versions.lifecycles.verdict import Objection
from troth.versions.releases.numbers import Step

_NEVER: frozenset[Step] = frozenset()
_UNCHANGED = ContractChange(Weight.FIX, "the contract stays as it is")


@dataclass(frozen=True, slots=True)
class Allowance:
    """One row: the releases in which it is allowed, the clause that refuses it in others, and those that allow it.

    `comparing` says that it objects to a difference between two contracts, so that a waiver may excuse it.
    """

    steps: frozenset[Step]
    clause: str
    words: str
    repair: str
    rests_on: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    comparing: bool = False


#: States in which a version may change, and those in which it does not any more.
LIVE = (State.CURRENT, State.EXPERIMENTAL)
ENDING = (State.DEPRECATED, State.RETIRED)
_FROZEN = Allowance(
    _NEVER, "PDB-30", "a deprecated version is no longer changed", "change the current version instead, or declare"
    " a security fix with a reference", ("PDB-33",), ("PDB-32",),
)  # fmt: skip
_GONE = Allowance(_NEVER, "PDB-38", "a retired version has nothing left to change", "change another version")
_BREAKS = Allowance(
    _NEVER, "PDB-21", "what breaks users belongs in the next, experimental version, whatever the release",
    "put it into the experimental version", comparing=True,
)  # fmt: skip
_GROWS = Allowance(
    X_OR_Y, "PDB-19", "every addition is Y at least", "release it as Y or X", ("PDB-13",), comparing=True
)
_SHAKES = Allowance(
    X_OR_Y, "PDB-29", "breaks of an experimental version are kept to Y and X", "release it as Y or X", ("PDB-27",),
    comparing=True,
)  # fmt: skip
_SOAKS = replace(_GROWS, rests_on=("PDB-22",))
_MENDS = Allowance(ALL, "PDB-32", "fixes go into every version that is not deprecated", "", ("PDB-32",))

#: (state, weight) to its row.
CHANGES: dict[tuple[State, Weight], Allowance] = {
    (State.CURRENT, Weight.BREAK): _BREAKS,
    (State.CURRENT, Weight.UNDECIDED): _BREAKS,
    (State.CURRENT, Weight.ADDITION): _GROWS,
    (State.CURRENT, Weight.FIX): _MENDS,
    (State.EXPERIMENTAL, Weight.BREAK): _SHAKES,
    (State.EXPERIMENTAL, Weight.UNDECIDED): _SHAKES,
    (State.EXPERIMENTAL, Weight.ADDITION): _SOAKS,
    (State.EXPERIMENTAL, Weight.FIX): _MENDS,
    **{(State.DEPRECATED, weight): _FROZEN for weight in Weight},
    **{(State.RETIRED, weight): _GONE for weight in Weight},
}


def change_objection(
    asked: Asked, api: Api, *, states: Collection[State] = LIVE, weights: Collection[Weight] = tuple(Weight)
) -> Objection | None:
    """What the first of these weights that is not allowed has against it, where the version is in one of the states."""
    standing = api.versions.get(asked.number)
    if standing is None or standing.dropped or standing.state not in states:
        return None
    if excepted(asked, standing.state):
        return None if asked.reference.strip() else _unreferenced(asked)
    for weight in weights:
        concerned = [one for one in asked.changes or (_UNCHANGED,) if one.weight is weight]
        row = CHANGES[standing.state, weight]
        if concerned and asked.step not in row.steps:
            return _objection(asked, standing.state, row, concerned)
    return None


def allowing(asked: Asked, state: State) -> tuple[str, ...]:
    """The clauses that allow the changes in a version of this state."""
    if excepted(asked, state):
        return ("PDB-33",)
    changes = asked.changes or (_UNCHANGED,)
    found = [name for one in changes for name in (*CHANGES[state, one.weight].rests_on, *one.clauses)]
    return tuple(dict.fromkeys(found))


def excepted(asked: Asked, state: State) -> bool:
    """Whether the exception for security fixes is meant (PDB-33)."""
    return asked.move is Move.SECURITY_FIX and state is State.DEPRECATED


def breaking(changes: Sequence[ContractChange]) -> bool:
    """Whether anything may break who uses the version."""
    return any(one.weight in (Weight.BREAK, Weight.UNDECIDED) for one in changes)


def _unreferenced(asked: Asked) -> Objection:
    words = f"{asked.name} is deprecated, and a security fix names what it mends"
    return Objection("PDB-33", words, "give a reference: an advisory, a CVE number", also=("PDB-30",))


def _objection(asked: Asked, state: State, row: Allowance, concerned: list[ContractChange]) -> Objection:
    first = concerned[0]
    where = f"{first.where}: " if first.where and first.where not in first.words else ""
    more = f" (and {len(concerned) - 1} more)" if len(concerned) > 1 else ""
    doubt = "not proved compatible: " if first.weight is Weight.UNDECIDED else ""
    kind = f"; {asked.release} is a {letter(asked.step)} release" if row.steps else ""
    said = tuple(name for one in concerned for name in one.clauses if name != row.clause)
    also = row.also + (said if state is not State.DEPRECATED and state is not State.RETIRED else ())
    return Objection(
        row.clause,
        f"{asked.name} is {state}: {row.words}{kind}. {doubt}{where}{first.words}{more}",
        row.repair,
        also=tuple(dict.fromkeys(also)),
        comparing=row.comparing,
    )
