"""The policy for algorithms: may this candidate be published under this number?

Rules are rows of `RULES`. Each looks at the candidate and the history and objects or not; nothing else decides.
Those that compare contracts (ALG-05, ALG-07, ALG-09) lie in `troth.versions.promises`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from troth.versions.candidate import Candidate, Rule
from troth.versions.clauses import policy
from troth.versions.history import DEFAULT_READINGS, History, Readings
from troth.versions.numbers import ZERO, Bump, Number
from troth.versions.promises import breaks, differs, falls_short
from troth.versions.verdict import Contradiction, Finding, Outcome, Verdict
from troth.versions.waivers import Considered


def next_number(history: History, bump: Bump) -> Number:
    """The number that a bump of the highest version gives; 0.0.1, 0.1.0 or 1.0.0 for the first publication.

    A revision follows the highest version, whichever line that is in; other lines are continued by complete number.
    """
    highest = max(history.numbers(), default=ZERO)
    return highest.raised(bump)


def judge(candidate: Candidate, history: History, readings: Readings = DEFAULT_READINGS) -> Verdict:
    """The verdict on `candidate`, with every objection and the lowest number that would pass."""
    found = _apply(candidate, history, readings)
    least = candidate.number if found.outcome is Outcome.ALLOWED else _least(candidate, history, readings)
    return Verdict(
        found.outcome,
        candidate.number,
        found.findings,
        least,
        policy().revision,
        behaviour=candidate.judged.behaviour,
        interface=candidate.judged.interface,
        compared=tuple(sorted(candidate.judged.evidence)),
        follows=_followed(candidate),
        contradicted=_contradicted(found.findings + found.warnings + found.waived),
        warnings=found.warnings,
        replays=candidate.judged.replays,
        waived=found.waived,
        waivers=_told_waivers(candidate, found),
    )


def least_number(candidate: Candidate, history: History, readings: Readings = DEFAULT_READINGS) -> Number:
    """The lowest legal number behind the highest version, for a candidate whose number was left open."""
    highest = max(history.numbers(), default=None)
    if highest is None:
        return next_number(history, Bump.MINOR)
    return _least(replace(candidate, number=highest), history, readings) or next_number(history, Bump.MAJOR)


def _followed(candidate: Candidate) -> Contradiction | None:
    """The highest lower version of what was compared, with all that differs."""
    lower = [number for number in candidate.judged.evidence if number < candidate.number]
    if not lower:
        return None
    return Contradiction(max(lower), candidate.judged.evidence[max(lower)].differences)


def _contradicted(findings: tuple[Finding, ...]) -> tuple[Contradiction, ...]:
    """Every earlier version that the findings speak of, lowest first, with all that contradicts it."""
    found: dict[Number, dict[str, Contradiction]] = {}
    for finding in findings:
        for contradiction in finding.contradictions:
            found.setdefault(contradiction.version, {})[finding.clause] = contradiction
    return tuple(max(found[number].values(), key=lambda one: len(one.differences)) for number in sorted(found))


@dataclass(frozen=True, slots=True)
class _Applied:
    """What the rules said: the objections that made the outcome, those that are only said, and those that are waived."""

    outcome: Outcome
    findings: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    waived: tuple[Finding, ...]


def _apply(candidate: Candidate, history: History, readings: Readings) -> _Applied:
    objections = [
        (rule, finding) for rule in RULES if (finding := rule.handler(candidate, history, readings)) is not None
    ]
    softened = readings.compatibility == "warn"
    warnings = tuple(finding for rule, finding in objections if rule.comparing and softened)
    waived = tuple(finding for rule, finding in objections if not softened and _is_waived(rule, candidate))
    left = [(rule, finding) for rule, finding in objections if finding not in (*warnings, *waived)]
    for outcome in (Outcome.REFUSED, Outcome.NOT_REGULATED):
        if found := tuple(finding for rule, finding in left if rule.objection is outcome):
            return _Applied(outcome, found, warnings, waived)
    return _Applied(Outcome.ALLOWED, (), warnings, waived)


def _is_waived(rule: Rule, candidate: Candidate) -> bool:
    """Whether a waiver excuses what this rule objects to; only what compares can be waived."""
    return rule.comparing and any(waiver.excuses(rule.clause, candidate.number) for waiver in candidate.waivers)


def _told_waivers(candidate: Candidate, found: _Applied) -> tuple[Considered, ...]:
    """Those that the outcome rests on; where it is refused, all, because somebody may have counted on them."""
    if found.outcome is not Outcome.ALLOWED:
        return candidate.waivers
    clauses = [finding.clause for finding in found.waived]
    return tuple(one for one in candidate.waivers if any(one.excuses(each, candidate.number) for each in clauses))


def _least(candidate: Candidate, history: History, readings: Readings) -> Number | None:
    """The lowest legal number for the same candidate, from the line it asked for upwards."""
    asked = candidate.number
    in_minor = [v.number for v in history.minor_line(asked.major, asked.minor)]
    in_major = [v.number for v in history.major_line(asked.major)]
    steps = [
        max(numbers).raised(bump) for numbers, bump in ((in_minor, Bump.REVISION), (in_major, Bump.MINOR)) if numbers
    ]
    steps.append(next_number(history, Bump.MAJOR))
    for number in steps:
        found = _apply(replace(candidate, number=number, confirmed=True, waivers=()), history, readings)
        if found.outcome is Outcome.ALLOWED and not found.warnings:
            return number
    return None


def _unused(candidate: Candidate, history: History, readings: Readings) -> Finding | None:
    if candidate.number not in history.numbers():
        return None
    return Finding(
        "ALG-02",
        f"{candidate.number} is published already, and a published version never changes",
        asked=str(candidate.number),
        found=f"{candidate.number} exists",
        repair="publish the next version",
    )


def _open(candidate: Candidate, history: History, readings: Readings) -> Finding | None:
    """A retired line gets nothing more (8.4), as a deprecated version of an API does not (PDB-32)."""
    major = candidate.number.major
    if major not in history.retired:
        return None
    return Finding(
        "PDB-32",
        f"{major}.x is retired, and what is retired gets no further versions",
        asked=str(candidate.number),
        found=f"{major}.x is retired",
        repair="publish it on a line that is not",
    )


def _rises(candidate: Candidate, history: History, readings: Readings) -> Finding | None:
    number = candidate.number
    above = [v.number for v in history.minor_line(number.major, number.minor) if v.number > number]
    if not above or number in history.numbers():
        return None
    return Finding(
        "ALG-15",
        f"{number} lies below {max(above)}, and the newest revision of {number.major}.{number.minor} is its highest",
        asked=str(number),
        found=str(max(above)),
        repair="publish above the highest revision of the line",
    )


def _major_permissions(candidate: Candidate, history: History, readings: Readings) -> Finding | None:
    number = candidate.number
    line = history.major_line(number.major)
    if not line:
        return None  # ALG-06: a new major may set its permissions anew
    differences = candidate.permissions.differences(line[0].permissions)
    same_minor = bool(history.minor_line(number.major, number.minor))
    if same_minor or readings.visibility_fixed_per == "minor":
        differences.pop("visibility", None)  # that element is ALG-10's, or free by the operator's reading of N3
    if not differences:
        return None
    said = ", ".join(f"{name} {old} -> {new}" for name, (new, old) in differences.items())
    return Finding(
        "ALG-08",
        f"all versions of {number.major}.x have the same permissions, and these differ: {said}",
        asked={name: new for name, (new, _) in differences.items()},
        found={name: old for name, (_, old) in differences.items()},
        repair=f"keep the permissions of {number.major}.x",
    )


def _minor_visibility(candidate: Candidate, history: History, readings: Readings) -> Finding | None:
    number = candidate.number
    line = history.minor_line(number.major, number.minor)
    asked = candidate.permissions.visibility
    if not line or asked == line[0].permissions.visibility:
        return None
    found = line[0].permissions.visibility
    return Finding(
        "ALG-10",
        f"{number.major}.{number.minor} is {found}, and a revision carries the visibility of its line",
        asked=asked,
        found=found,
        repair=f"publish it as {found}",
    )


def _is_next(candidate: Candidate, history: History, readings: Readings) -> Finding | None:
    number = candidate.number
    in_minor = [v.number.revision for v in history.minor_line(number.major, number.minor)]
    in_major = [v.number.minor for v in history.major_line(number.major)]
    if in_minor:
        regulated = number.revision <= max(in_minor) + 1
    elif in_major:
        regulated = number.revision == 0 and number.minor == max(in_major) + 1
    else:
        highest = max(history.numbers(), default=None)
        regulated = highest is None or number == highest.raised(Bump.MAJOR)
    if regulated:
        return None
    return Finding(
        "PDB-04",
        f"no clause speaks of leaving numbers out, as {number} would",
        asked=str(number),
        found=str(max(history.numbers())),
        repair="take the next number of a line",
    )


def _confirmed(candidate: Candidate, history: History, readings: Readings) -> Finding | None:
    """ALG-06 lets a major change permissions; that it reopens them should not happen unnoticed (N23)."""
    number = candidate.number
    before = [version for version in history.versions if version.number.major < number.major]
    if candidate.confirmed or history.major_line(number.major) or not before:
        return None
    latest = max(before, key=lambda version: version.number)
    differences = candidate.permissions.differences(latest.permissions)
    if not differences:
        return None
    said = ", ".join(f"{name} {old} -> {new}" for name, (new, old) in differences.items())
    return Finding(
        "ALG-06",
        f"{number} would change the permissions of {latest.number}, which a major may, once that is confirmed: {said}",
        asked={name: new for name, (new, _) in differences.items()},
        found={name: old for name, (_, old) in differences.items()},
        repair="confirm it (--confirm-permissions), or keep the permissions",
    )


RULES: tuple[Rule, ...] = (
    Rule("ALG-02", "A number is used once.", Outcome.REFUSED, _unused),
    Rule("PDB-32", "Fixes go into lines that are not retired (8.4).", Outcome.REFUSED, _open),
    Rule("ALG-15", "The newest revision of a line is its highest (N5).", Outcome.REFUSED, _rises),
    Rule("ALG-05", "What breaks an earlier version is a new major.", Outcome.REFUSED, breaks, comparing=True),
    Rule("ALG-07", "A minor is compatible with its whole major.", Outcome.REFUSED, falls_short, comparing=True),
    Rule("ALG-09", "A revision has the interface of what it fixes.", Outcome.REFUSED, differs, comparing=True),
    Rule("ALG-08", "A minor has the permissions of its major line.", Outcome.REFUSED, _major_permissions),
    Rule("ALG-10", "A revision has the visibility of its line.", Outcome.REFUSED, _minor_visibility),
    Rule("ALG-06", "A major that changes permissions is confirmed (N23).", Outcome.REFUSED, _confirmed),
    Rule("PDB-04", "What is not written is not decided by the machine.", Outcome.NOT_REGULATED, _is_next),
)
