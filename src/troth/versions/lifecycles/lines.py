"""The states of an algorithm's public major lines, and whether one of them may be retired (8.4).

A line is all versions of one major; the lines with a public version have states. The highest is current, or experimental
while it is 0.x, and a new public major deprecates those below it, where their owner has set a notice. What was announced is
recorded, so that a notice that is made shorter later shortens nothing that callers were told. Whatever becomes of a line,
its complete numbers run on (ALG-13).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from troth.errors import Refused
from troth.versions.clauses import clause
from troth.versions.history import History
from troth.versions.lifecycles.states import State
from troth.versions.numbers import Number

#: Days without a call by others, where the owner has not said how many.
USUAL_QUIET_DAYS = 30
#: Days that a notice has at most.
LONGEST_NOTICE = 3660
#: The clause by which taking a line away from callers is refused, and which a waiver of a retirement is for.
KEPT = "ALG-11"


@dataclass(frozen=True, slots=True)
class Notice:
    """What an owner lets callers have: `days` from the deprecation of a line until it may be retired.

    `quiet_days` are those in which nobody else may have called it. Without days, a new major deprecates nothing.
    """

    days: int | None = None
    quiet_days: int = USUAL_QUIET_DAYS


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was announced of a line, and what became of it. Moments are RFC 3339, of equal length."""

    major: int
    deprecated_at: str
    #: before which it cannot be retired
    retires_after: str
    retired_at: str | None = None
    #: whether its retirement stopped `M.m` and `M.*`
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One public major line and its state."""

    major: int
    state: State
    #: its highest public version
    newest: Number
    #: the highest public version of the algorithm, for the lines below
    successor: Number | None = None
    recorded: Recorded | None = None

    def as_dict(self) -> dict[str, Any]:
        """As JSON; what is not announced is None."""
        told = self.recorded
        return {
            "line": str(self.major),
            "state": self.state.value,
            "newest": str(self.newest),
            "successor": str(self.successor) if self.successor else None,
            "deprecated_at": told.deprecated_at if told else None,
            "retires_after": told.retires_after if told else None,
            "retired_at": told.retired_at if told else None,
            "floating_stopped": told.stopped if told else False,
        }


def lines_of(history: History, recorded: Iterable[Recorded]) -> dict[int, Line]:
    """Every public line with its state, the lowest first."""
    known = {row.major: row for row in recorded}
    newest = _newest(history)
    highest = max(newest.values(), default=None)
    return {
        major: Line(
            major,
            _state(number, known.get(major)),
            number,
            successor=highest if number != highest else None,
            recorded=known.get(major),
        )
        for major, number in newest.items()
    }


def superseded(history: History, recorded: Iterable[Recorded]) -> list[int]:
    """The public lines below the highest of which nothing was announced yet."""
    known = {row.major for row in recorded}
    newest = _newest(history)
    return [major for major in newest if major < max(newest) and major not in known]


def _newest(history: History) -> dict[int, Number]:
    found: dict[int, Number] = {}
    for version in sorted(history.versions, key=lambda version: version.number):
        if version.permissions.public and version.floats:
            found[version.number.major] = version.number
    return found


def _state(newest: Number, recorded: Recorded | None) -> State:
    if recorded is not None:
        return State.DEPRECATED if recorded.retired_at is None else State.RETIRED
    return State.CURRENT if newest.major else State.EXPERIMENTAL


@dataclass(frozen=True, slots=True)
class Use:
    """The calls of a line by one account, in the days that are asked about."""

    caller: str
    calls: int


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a line is not retired. Without a clause it is its owner's own word."""

    text: str
    repair: str
    clause: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {"clause": self.clause or None, "text": self.text, "repair": self.repair}


@dataclass(frozen=True, slots=True)
class Retirement:
    """The answer to who wants to retire a line: what objects, what a waiver excuses, and who called it."""

    subject: str
    major: int
    stop: bool
    objections: tuple[Objection, ...]
    waived: tuple[Objection, ...]
    uses: tuple[Use, ...]
    quiet_days: int

    @property
    def clauses(self) -> list[str]:
        """The clauses that object, each once."""
        return list(dict.fromkeys(one.clause for one in self.objections if one.clause))

    def as_dict(self) -> dict[str, Any]:
        """As JSON, without the names of callers, which are for the owner alone."""
        return {
            "outcome": "refused" if self.objections else "allowed",
            "number": str(self.major),
            "stop_floating": self.stop,
            "clauses": self.clauses,
            "findings": [one.as_dict() for one in self.objections],
            "waived": [one.as_dict() for one in self.waived],
            "quiet_days": self.quiet_days,
            "callers": len(self.uses),
            "calls": sum(use.calls for use in self.uses),
            "least": None,
        }

    def refusal(self) -> Refused:
        """The answer as an error to the owner, with the names of callers, where something objects."""
        first = self.objections[0]
        others = "".join(f"; also, {one.text}" for one in self.objections[1:])
        named = ", ".join(f"{use.caller} ({use.calls})" for use in self.uses[:_TOLD])
        callers = f"; called by {named}{' and others' if len(self.uses) > _TOLD else ''}" if named else ""
        said = [f"{name}: {clause(name).sentence}" for name in self.clauses]
        return Refused(
            f"{self.subject} {self.major} is not retired: {first.text}{others}{callers}",
            why="; ".join(said) or "callers were told that they have that long",
            repair=first.repair,
            clauses=self.clauses,
            asked=f"{self.major}",
            found={use.caller: use.calls for use in self.uses} or first.text,
        )


def judge_retirement(
    subject: str,
    line: Line,
    notice: Notice,
    uses: Sequence[Use],
    *,
    moment: str,
    stop: bool = False,
    waived: bool = False,
) -> Retirement:
    """Whether a line may be retired now. `uses` are the calls by others in the owner's quiet days.

    `waived` says whether a waiver of ALG-11 holds for exactly this.
    """
    given = {"line": line, "notice": notice, "uses": uses, "moment": moment, "stop": stop}
    found = [one for rule in _RULES if (one := rule(given)) is not None]
    excused = tuple(one for one in found if waived and one.clause == KEPT)
    left = tuple(one for one in found if one not in excused)
    return Retirement(subject, line.major, stop, left, excused, tuple(uses), notice.quiet_days)


def _deprecated_before(given: Mapping[str, Any]) -> Objection | None:
    line: Line = given["line"]
    if line.state is State.DEPRECATED:
        return None
    if line.state is State.RETIRED:
        return Objection("it is retired already", "nothing is left to do", "PDB-36")
    how = "set a notice" if line.successor else "publish a new major, with a notice set"
    return Objection(
        f"it is {line.state}, and only a deprecated line is retired", f"{how} (troth line notice)", "PDB-36"
    )


def _notice_is_over(given: Mapping[str, Any]) -> Objection | None:
    line: Line = given["line"]
    if line.state is not State.DEPRECATED or line.recorded is None or given["moment"] >= line.recorded.retires_after:
        return None
    after = line.recorded.retires_after
    return Objection(f"callers have notice until {after}", f"wait until {after}")


def _unused(given: Mapping[str, Any]) -> Objection | None:
    uses: Sequence[Use] = given["uses"]
    notice: Notice = given["notice"]
    if not uses:
        return None
    who = "one other account" if len(uses) == 1 else f"{len(uses)} other accounts"
    return Objection(
        f"{who} called it {sum(use.calls for use in uses)} times in the last {notice.quiet_days} days",
        "tell them to move on, or have this waived (troth line request-waiver)",
        KEPT,
    )


def _keeps_references(given: Mapping[str, Any]) -> Objection | None:
    if not given["stop"]:
        return None
    major = given["line"].major
    return Objection(
        f"{major}.m and {major}.* would lead nowhere, and whoever uses them keeps access",
        "retire it without --stop-floating, or have this waived (troth line request-waiver)",
        KEPT,
    )


#: callers that a refusal names
_TOLD = 20
_RULES = (_deprecated_before, _notice_is_over, _unused, _keeps_references)
