"""What the policy says of a move: an object with its reasons and with what the move would do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from troth.errors import Refused
from troth.versions.clauses import clause
from troth.versions.lifecycles.states import State
from troth.versions.lifecycles.subject import Asked
from troth.versions.lifecycles.table import version_name
from troth.versions.verdict import Outcome
from troth.versions.waivers import Considered


@dataclass(frozen=True, slots=True)
class Objection:
    """One rule's objection. Where nothing is regulated, `about` names the gap and `question` asks what somebody has to decide."""

    clause: str
    text: str
    repair: str
    outcome: Outcome = Outcome.REFUSED
    about: str = ""
    question: str = ""
    #: clauses that say the same in other words, or of a special case
    also: tuple[str, ...] = ()
    #: whether it objects to a difference between two contracts, so that a waiver may excuse it
    comparing: bool = False

    def as_dict(self) -> dict[str, Any]:
        """As JSON; what is empty is left out."""
        told: dict[str, Any] = {"clause": self.clause, "outcome": self.outcome.value, "text": self.text}
        told |= {"repair": self.repair, "about": self.about, "question": self.question, "also": list(self.also)}
        return {key: value for key, value in told.items() if value}


@dataclass(frozen=True, slots=True)
class MoveVerdict:
    """The policy's answer to one move of one version.

    `effects` are the states that it leads to, by version. `judged` is False before the policy's starting point (PDB-03).
    `decided` are gaps that somebody filled, `waived` objections that a waiver excuses.
    """

    asked: Asked
    outcome: Outcome
    objections: tuple[Objection, ...]
    effects: Mapping[int, State]
    policy_revision: int
    warnings: tuple[str, ...] = ()
    decided: tuple[str, ...] = ()
    #: the clauses that say that it may be, or what it does
    rests_on: tuple[str, ...] = ()
    judged: bool = True
    waived: tuple[Objection, ...] = ()
    #: the waivers that it rests on, and, where it is not allowed, those that do not hold
    waivers: tuple[Considered, ...] = ()

    @property
    def used(self) -> tuple[str, ...]:
        """The ids of the waivers that it rests on."""
        excused = {one.clause for one in self.waived}
        return tuple(
            one.waiver.id for one in self.waivers if any(one.excuses(each, self.asked.numbered) for each in excused)
        )

    @property
    def clauses(self) -> tuple[str, ...]:
        """The clauses that object, each once; where nothing does, those that it rests on."""
        found = [name for one in self.objections for name in (one.clause, *one.also)]
        return tuple(dict.fromkeys(found or self.rests_on))

    @property
    def questions(self) -> tuple[Objection, ...]:
        """The gaps that somebody has to decide."""
        return tuple(one for one in self.objections if one.outcome is Outcome.NOT_REGULATED)

    def as_dict(self) -> dict[str, Any]:
        """As JSON: what every rendering is made of."""
        return {
            "outcome": self.outcome.value,
            "move": self.asked.move.value,
            "version": self.asked.name,
            "release": str(self.asked.release),
            "judged": self.judged,
            "clauses": list(self.clauses),
            "objections": [one.as_dict() for one in self.objections],
            "not_regulated": [{"about": one.about, "question": one.question} for one in self.questions],
            "effects": {version_name(number): state.value for number, state in self.effects.items()},
            "changes": [one.as_dict() for one in self.asked.changes],
            "warnings": list(self.warnings),
            "decided": list(self.decided),
            "waived": [one.as_dict() for one in self.waived],
            "waivers": [one.as_dict(self.asked.numbered) for one in self.waivers],
            "policy_revision": self.policy_revision,
        }

    def refusal(self, api: str) -> Refused:
        """The verdict as an error, for a door to send."""
        told = [one.text for one in self.objections]
        sentences = "; ".join(f"{name}: {clause(name).sentence}" for name in self.clauses)
        asking = self.outcome is Outcome.NOT_REGULATED
        ending = "is not regulated and needs a decision" if asking else "is refused"
        words = f"{self.asked.move} {api} {self.asked.name} in {self.asked.release}"
        unheld = [
            f"the waiver {one['id']} does not help: {one['why']}" for one in self.as_dict()["waivers"] if one["why"]
        ]
        open_ones = [f'troth api decide {api} "{one.about}" --allow --reason "..."' for one in self.questions]
        return Refused(
            f"{words} {ending}: {'; also, '.join(told[:3])}",
            why="; ".join([f"{self.questions[0].question} " + sentences if asking else sentences, *unheld]),
            repair=", and ".join(open_ones) if asking else ", or ".join(dict.fromkeys(self._repairs(api))),
            clauses=self.clauses,
            asked=words,
            found=self.as_dict(),
        )

    def _repairs(self, api: str) -> Iterator[str]:
        yield from (one.repair for one in self.objections)
        if all(one.comparing for one in self.objections):
            clauses = " ".join(f"--clause {name}" for name in dict.fromkeys(one.clause for one in self.objections))
            what = f"{api} {self.asked.name} --release {self.asked.release} {clauses}"
            yield f"ask for a waiver, where it harms nobody (troth api request-waiver {what})"
