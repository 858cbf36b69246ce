"""What is said of one event of a history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from troth.contracts.histories.reading import Event
from troth.errors import TrothError
from troth.versions.verdict import Outcome


@dataclass(frozen=True, slots=True)
class Said:
    """One reason: the clause, and why in words; `question` where nothing is regulated, `repair` where something would help."""

    clause: str
    text: str
    repair: str = ""
    question: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventVerdict:
    """The answer to one event. `clauses` refuse it, or, where it is allowed, are those that it rests on."""

    event: Event
    what: str
    outcome: Outcome
    said: tuple[Said, ...] = ()
    rests_on: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    judged: bool = True
    #: what a waiver excuses
    waived: tuple[Said, ...] = ()
    #: as JSON: those that it rests on, and, where it is not allowed, those that do not hold
    waivers: tuple[Mapping[str, Any], ...] = ()

    @property
    def clauses(self) -> tuple[str, ...]:
        """Each once, the most important first."""
        found = [name for one in self.said for name in (one.clause, *one.also)]
        return tuple(dict.fromkeys(found or self.rests_on))

    def as_dict(self) -> dict[str, Any]:
        """As JSON: one line of the answer."""
        told: Mapping[str, Any] = {
            "why": [one.text for one in self.said],
            "questions": [one.question for one in self.said if one.question],
            "help": list(dict.fromkeys(one.repair for one in self.said if one.repair)),
            "notes": list(self.notes),
            "waived": [{"clause": one.clause, "text": one.text} for one in self.waived],
            "waivers": [{key: value for key, value in one.items() if value != ""} for one in self.waivers],
        }
        return {
            "event": self.event.identity,
            "verdict": self.outcome.value,
            "clauses": list(self.clauses),
            "what": self.what,
            "judged": self.judged,
            **{key: value for key, value in told.items() if value},
        }


def decided(event: Event, what: str, said: Iterable[Said], rests_on: Iterable[str] = ()) -> EventVerdict:
    """The verdict that reasons add up to: what refuses comes before what asks."""
    found = sorted(said, key=lambda one: bool(one.question))
    outcome = Outcome.ALLOWED
    if found:
        outcome = Outcome.NOT_REGULATED if found[0].question else Outcome.REFUSED
    return EventVerdict(event, what, outcome, tuple(found), tuple(dict.fromkeys(rests_on)))


def refused(event: Event, what: str, error: TrothError) -> EventVerdict:
    """The verdict that an error is: a number in a wrong form."""
    clause, *also = error.clauses
    said = Said(clause, f"{error.what}: {error.why}", error.repair, also=tuple(also))
    return EventVerdict(event, what, Outcome.REFUSED, (said,))


def open_question(event: Event, what: str, question: str) -> EventVerdict:
    """The verdict where no clause speaks."""
    return EventVerdict(event, what, Outcome.NOT_REGULATED, (Said("PDB-04", "no clause speaks of it", "", question),))
