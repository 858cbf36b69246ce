"""What the policy says of a release: an object with its reasons, from which every text is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from troth.versions.releases.evidence import Fact
from troth.versions.releases.numbers import ReleaseNumber, Step
from troth.versions.verdict import Outcome
from troth.versions.waivers import Considered

#: Facts that are told of one rule; the rest is counted.
_TOLD = 50


@dataclass(frozen=True, slots=True)
class Asking:
    """One rule that asked: the clause, the step, and the facts because of which."""

    rule: str
    clause: str
    purpose: str
    step: Step
    facts: tuple[Fact, ...]
    #: whether a waiver can excuse it
    comparing: bool = False
    waived: bool = False

    def as_dict(self) -> dict[str, Any]:
        """As JSON, with the first of very many facts."""
        return {
            "rule": self.rule,
            "clause": self.clause,
            "purpose": self.purpose,
            "step": str(self.step),
            "facts": [fact.as_dict() for fact in self.facts[:_TOLD]],
            "count": len(self.facts),
            "waivable": self.comparing,
            "waived": self.waived,
        }


@dataclass(frozen=True, slots=True)
class Objection:
    """What is wrong with the number itself, whatever it holds."""

    clause: str
    text: str
    repair: str

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"clause": self.clause, "text": self.text, "repair": self.repair}


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that no clause speaks of: a name for it, and the question that somebody has to decide (PDB-04)."""

    about: str
    question: str

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"about": self.about, "question": self.question}


@dataclass(frozen=True, slots=True)
class ReleaseVerdict:
    """The policy's answer to one release. `number` is None where it was left open; `least` is the lowest legal one."""

    outcome: Outcome
    number: ReleaseNumber | None
    former: ReleaseNumber | None
    least: ReleaseNumber | None
    step: Step
    asked: tuple[Asking, ...]
    objections: tuple[Objection, ...]
    missing: tuple[Asking, ...]
    gaps: tuple[Gap, ...]
    facts: tuple[Fact, ...]
    warnings: tuple[str, ...]
    profiles: tuple[str, ...]
    policy_revision: int
    #: whether the number is one that the policy judges (PLX-05)
    judged: bool = True
    #: the waivers that it rests on, and, where it is refused, those that do not hold
    waivers: tuple[Considered, ...] = ()

    @property
    def clauses(self) -> tuple[str, ...]:
        """The clauses that refuse the number, each once."""
        against = [one.clause for one in self.objections]
        against += [one.clause for one in self.asked if self._refuses(one)]
        return tuple(dict.fromkeys(against))

    @property
    def used(self) -> tuple[str, ...]:
        """The ids of the waivers that it rests on."""
        clauses = {one.clause for one in self.asked if one.waived}
        return tuple(one.waiver.id for one in self.waivers if any(one.excuses(each, self.number) for each in clauses))

    def _refuses(self, asking: Asking) -> bool:
        return asking.step > self._declared and not asking.waived

    @property
    def _declared(self) -> Step:
        if self.number is None or self.former is None or self.number < self.former:
            return Step.MAJOR
        return self.number.step_from(self.former)

    def as_dict(self) -> dict[str, Any]:
        """As JSON: what every rendering is made of."""
        return {
            "outcome": self.outcome.value,
            "number": str(self.number) if self.number else None,
            "former": str(self.former) if self.former else None,
            "least": str(self.least) if self.least else None,
            "step": str(self.step),
            "judged": self.judged,
            "clauses": list(self.clauses) if self.outcome is Outcome.REFUSED else [],
            "objections": [one.as_dict() for one in self.objections],
            "asked": [one.as_dict() | {"refuses": self._refuses(one)} for one in self.asked],
            "missing": [one.as_dict() for one in self.missing],
            "not_regulated": [one.as_dict() for one in self.gaps],
            "facts": [fact.as_dict() for fact in self.facts],
            "warnings": list(self.warnings),
            "profiles": list(self.profiles),
            "policy_revision": self.policy_revision,
            "waivers": [one.as_dict(self.number) for one in self.waivers],
        }
