"""The clauses that compare contracts: what breaks an earlier version, and what a minor and a revision may bring.

Which difference asks for which bump is a row of `troth.contracts.rules`. What could not be decided counts as a break.
"""

from __future__ import annotations

from collections.abc import Sequence

from troth.versions.candidate import Candidate
from troth.versions.evidence import Difference, Evidence
from troth.versions.history import History, Readings
from troth.versions.numbers import Bump, Number
from troth.versions.verdict import Contradiction, Finding

#: Differences that a finding tells in words; all are in its contradictions.
_TOLD = 3


def breaks(candidate: Candidate, history: History, readings: Readings) -> Finding | None:
    """ALG-05: what breaks an earlier version of a major line is not published in that line."""
    found = [
        Contradiction(evidence.against, proved)
        for evidence in _earlier(candidate, history)
        if (proved := tuple(one for one in evidence.asking(Bump.MAJOR) if not one.undecided))
    ]
    return _finding("ALG-05", candidate.number, found, "breaks what was promised in") if found else None


def falls_short(candidate: Candidate, history: History, readings: Readings) -> Finding | None:
    """ALG-07: a minor is proved compatible with every earlier version of its major; what is new is at least a minor."""
    number = candidate.number
    earlier = _earlier(candidate, history)
    if not history.minor_line(number.major, number.minor):
        found = [Contradiction(one.against, one.asking(Bump.MAJOR)) for one in earlier if one.asking(Bump.MAJOR)]
        return _finding("ALG-07", number, found, "is not proved compatible with") if found else None
    fixed = _fixed(candidate, history)
    new = tuple(one for one in fixed.asking(Bump.MINOR) if one.least is Bump.MINOR) if fixed else ()
    if fixed is None or not new or fixed.asking(Bump.MAJOR):
        return None
    return _finding("ALG-07", number, [Contradiction(fixed.against, new)], "brings something new beside")


def differs(candidate: Candidate, history: History, readings: Readings) -> Finding | None:
    """ALG-09: the interface of a revision equals that of the version it fixes."""
    fixed = _fixed(candidate, history)
    if fixed is None or not fixed.asking(Bump.MINOR):
        return None
    found = [Contradiction(fixed.against, fixed.asking(Bump.MINOR))]
    return _finding("ALG-09", candidate.number, found, "is a revision, and differs from")


def _earlier(candidate: Candidate, history: History) -> list[Evidence]:
    """What was found against each lower version of the candidate's major line, lowest first."""
    number, known = candidate.number, candidate.judged.evidence
    lower = (version.number for version in history.major_line(number.major) if version.number < number)
    return [known[one] for one in lower if one in known]


def _fixed(candidate: Candidate, history: History) -> Evidence | None:
    """What was found against the version that a revision fixes: the highest below it in its minor line."""
    number = candidate.number
    lower = [v.number for v in history.minor_line(number.major, number.minor) if v.number < number]
    return candidate.judged.evidence.get(max(lower)) if lower else None


def _finding(clause: str, number: Number, found: Sequence[Contradiction], verb: str) -> Finding:
    worst = max(found, key=lambda one: (len(one.differences), one.version))
    versions = ", ".join(str(one.version) for one in found)
    told = "; ".join(_told(difference) for difference in worst.differences[:_TOLD])
    more = len(worst.differences) - _TOLD
    first = worst.differences[0]
    return Finding(
        clause,
        f"{number} {verb} {versions}: {told}" + (f"; and {more} more" if more > 0 else ""),
        asked=first.new,
        found=first.old,
        repair=" and ".join(dict.fromkeys(one.repair for one in worst.differences[:_TOLD] if one.repair)),
        contradictions=tuple(found),
    )


def _told(difference: Difference) -> str:
    return f"at {difference.path}, {difference.words}"
