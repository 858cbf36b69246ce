"""The policy for releases: may these facts be released under this number, and which is the lowest that would do?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from troth.versions.clauses import policy
from troth.versions.releases.evidence import Decision, Fact, Kind, Situation
from troth.versions.releases.numbers import STEPS, ReleaseNumber, Step
from troth.versions.releases.rules import QUESTIONS, ReleaseRule, in_force
from troth.versions.releases.verdict import Asking, Gap, Objection, ReleaseVerdict
from troth.versions.verdict import Outcome
from troth.versions.waivers import Considered

#: The first number of a product, where it has none yet.
FIRST = ReleaseNumber.of(0, 1, 0)


def judge(
    facts: Sequence[Fact],
    situation: Situation,
    number: ReleaseNumber | None = None,
    warnings: Sequence[str] = (),
    waivers: Sequence[Considered] = (),
) -> ReleaseVerdict:
    """The verdict on a release with these facts, under `number` or, where that is left open, under the lowest legal one.

    A waiver excuses what comparing rules ask for, under its own number. The lowest number is told as if there were none.
    """
    asked, missing = _askings(facts, situation)
    decided, gaps = _gaps(facts, situation, number)
    asked = [*asked, *decided]
    refusing = [*asked, *missing] if situation.complete else asked
    step = max((one.step for one in refusing), default=Step.PATCH)
    refusing = [replace(one, waived=_is_waived(one, situation, number, waivers)) for one in refusing]
    left = max((one.step for one in refusing if not one.waived), default=Step.PATCH)
    judged = not _before(situation, number)
    # that a number is used once holds for every release, whatever the policy judges
    objections = tuple(_used(situation, number)) or (tuple(_order(situation, number)) if judged else ())
    outcome = _outcome(number, situation, left, objections, gaps) if judged or objections else Outcome.ALLOWED
    return ReleaseVerdict(
        outcome=outcome,
        number=number,
        former=situation.former,
        least=_least(situation, step),
        step=step,
        asked=tuple(sorted(refusing, key=lambda one: -one.step)),
        objections=objections,
        missing=() if situation.complete else tuple(missing),
        gaps=tuple(gaps),
        facts=tuple(facts),
        warnings=tuple(warnings),
        profiles=situation.profiles,
        policy_revision=policy().revision,
        judged=judged,
        waivers=tuple(_told_waivers(refusing, number, waivers, outcome)),
    )


def _is_waived(
    asking: Asking, situation: Situation, number: ReleaseNumber | None, waivers: Sequence[Considered]
) -> bool:
    """Whether a rule asks for more than the number gives, and a waiver excuses that; only what compares can be waived."""
    if not asking.comparing or number is None or asking.step <= _declared(situation, number):
        return False
    return any(one.excuses(asking.clause, number) for one in waivers)


def _told_waivers(
    asked: Sequence[Asking], number: ReleaseNumber | None, waivers: Sequence[Considered], outcome: Outcome
) -> Iterator[Considered]:
    """Those that the outcome rests on; where it is not allowed, all, because somebody may have counted on them."""
    clauses = {one.clause for one in asked if one.waived}
    for one in waivers if number is not None else ():
        if outcome is not Outcome.ALLOWED or any(one.excuses(clause, number) for clause in clauses):
            yield one


def _askings(facts: Sequence[Fact], situation: Situation) -> tuple[list[Asking], list[Asking]]:
    """What every rule in force asks for, and what those ask for that speak of a whole release."""
    asked: list[Asking] = []
    missing: list[Asking] = []
    for rule in in_force(situation.profiles):
        (missing if rule.missing else asked).extend(_of_rule(rule, facts, situation))
    return asked, missing


def _of_rule(rule: ReleaseRule, facts: Sequence[Fact], situation: Situation) -> Iterator[Asking]:
    """What one rule asks for, a line for each step; a first release breaks nobody, so only `NONE` counts there."""
    steps: dict[Step, list[Fact]] = {}
    for fact in facts:
        step = rule.asks(fact, situation) if fact.kind in rule.kinds else None
        if step is not None and (situation.former is not None or step is Step.NONE):
            steps.setdefault(step, []).append(fact)
    for step, because in steps.items():
        yield Asking(rule.id, rule.clause, rule.purpose, step, tuple(because), rule.comparing)


def _gaps(facts: Sequence[Fact], situation: Situation, number: ReleaseNumber | None) -> tuple[list[Asking], list[Gap]]:
    """What nobody wrote down: what was decided of it, and the questions that are open."""
    covered = {kind for rule in in_force(situation.profiles) for kind in rule.kinds}
    found: dict[str, Gap] = {}
    for fact in facts:
        if fact.kind in QUESTIONS and fact.kind not in covered and situation.former is not None:
            about = f"{fact.kind.value} {fact.component or fact.where}"
            words = QUESTIONS[fact.kind].format(where=fact.where, component=fact.component, words=fact.words)
            found.setdefault(about, Gap(about, words))
    for gap in _jumps(situation, number):
        found.setdefault(gap.about, gap)
    decisions = {one.about: one for one in situation.decisions}
    decided = [_decided(gap, decisions[about]) for about, gap in found.items() if about in decisions]
    return decided, [gap for about, gap in found.items() if about not in decisions]


def _decided(gap: Gap, decision: Decision) -> Asking:
    fact = Fact(Kind.POLICY_CHANGED, gap.about, f"{gap.question} Decided: {decision.reason}")
    step = Step[decision.step.upper()]
    return Asking("decision", "PDB-04", "What is not written down is decided by people, and recorded.", step, (fact,))


def _jumps(situation: Situation, number: ReleaseNumber | None) -> Iterator[Gap]:
    """Numbers that are left out; nothing says that they may be (PDB-04, decision 0005)."""
    if (
        number is None
        or situation.former is None
        or not situation.gapless
        or number.finished <= situation.former
        or _unreset(situation.former, number)
    ):
        return
    # releases of other lines may lie between
    lower = [one for one in situation.used if one < number.finished and not one.is_prerelease]
    below = max(lower, default=situation.former)
    if number.finished not in [below.raised(step) for step in STEPS]:
        yield Gap(f"number-jump {number}", f"{number} leaves out numbers behind {below}: is that meant?")


def _used(situation: Situation, number: ReleaseNumber | None) -> Iterator[Objection]:
    if number is not None and number in situation.used:
        words = f"{number} is released already, and a release never changes (SemVer 3)"
        yield Objection("PDB-05", words, "take the next number")


def _order(situation: Situation, number: ReleaseNumber | None) -> Iterator[Objection]:
    """What is wrong with a number that is free, by Semantic Versioning."""
    former = situation.former
    if number is None or former is None:
        return
    if number <= former:
        words = f"{number} does not come after {former} (SemVer 9, 11)"
        yield Objection("PDB-05", words, f"take a number above {former}")
    elif situation.gapless and _unreset(former, number):
        step = number.step_from(former)
        words = f"{number} raises the {step} of {former} without setting what lies behind it to 0 (SemVer 7, 8)"
        yield Objection("PDB-05", words, f"take {former.raised(step)}")


def _unreset(former: ReleaseNumber, number: ReleaseNumber) -> bool:
    """Whether the parts behind the one that is raised are not 0."""
    return any(number.parts[3 - number.step_from(former) :])


def _outcome(
    number: ReleaseNumber | None,
    situation: Situation,
    step: Step,
    objections: Sequence[Objection],
    gaps: Sequence[Gap],
) -> Outcome:
    if objections or step > _declared(situation, number):
        return Outcome.REFUSED
    return Outcome.NOT_REGULATED if gaps else Outcome.ALLOWED


def _declared(situation: Situation, number: ReleaseNumber | None) -> Step:
    """The step that a number takes; the largest where it is left open."""
    if number is not None and situation.former is not None and number > situation.former:
        return number.step_from(situation.former)
    return Step.MAJOR


def _least(situation: Situation, step: Step) -> ReleaseNumber | None:
    """The lowest number that is free and rises by this step."""
    if step is Step.NONE:
        return None
    if situation.former is None:
        return FIRST
    number = situation.former.raised(step)
    while number in situation.used:
        number = number.raised(step)
    return number


def _before(situation: Situation, number: ReleaseNumber | None) -> bool:
    """Whether the number lies before the policy's starting point (PLX-05, N7)."""
    since, former = situation.since, situation.former
    if since is None:
        return False
    return number <= since if number is not None else former is not None and former < since
