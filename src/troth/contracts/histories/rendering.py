"""A judged history in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from troth.contracts.histories.verdict import EventVerdict
from troth.versions.releases.rendering import waiver_lines
from troth.versions.verdict import Outcome


def lines_of(verdict: EventVerdict) -> Iterator[str]:
    """One event for a terminal: what was done and what is said of it, then why."""
    outcome = verdict.outcome.value.replace("-", " ")
    if verdict.waived and verdict.outcome is Outcome.ALLOWED:
        outcome += " by a waiver"
    ending = "" if verdict.judged else " (before the starting point, not judged)"
    named = f" [{', '.join(verdict.clauses)}]" if verdict.clauses else ""
    yield f"{verdict.event.identity}. {verdict.what}: {outcome}{named}{ending}"
    for one in verdict.said:
        yield f"     {one.clause}: {one.text}"
        if one.question:
            yield f"     to decide: {one.question}"
        if one.repair:
            yield f"     help: {one.repair}"
    yield from (f"     waived: {one.clause}: {one.text}" for one in verdict.waived)
    yield from (f"     {line}" for line in waiver_lines({"waivers": verdict.waivers}))
    yield from (f"     note: {one}" for one in verdict.notes)


def summary(verdicts: Sequence[EventVerdict]) -> str:
    """How many events had which answer."""
    counts = {outcome: sum(one.outcome is outcome for one in verdicts) for outcome in Outcome}
    unjudged = sum(not one.judged for one in verdicts)
    before = f", {unjudged} of them before the starting point" if unjudged else ""
    told = [f"{counts[Outcome.ALLOWED]} allowed{before}", f"{counts[Outcome.REFUSED]} refused"]
    return ", ".join([*told, f"{counts[Outcome.NOT_REGULATED]} not regulated"])
