"""What the policy says of an intended publication: an object with its reasons, from which every text is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from troth.errors import Refused
from troth.versions.clauses import clause
from troth.versions.evidence import Difference
from troth.versions.numbers import Number
from troth.versions.waivers import Considered

#: Contradicted versions of which every difference is told; of further ones, the first.
_TOLD_WHOLE = 20


class Outcome(StrEnum):
    """The three answers of a policy (PDB-04)."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    NOT_REGULATED = "not-regulated"


@dataclass(frozen=True, slots=True)
class Contradiction:
    """An earlier version and what differs from it, or lets its callers down."""

    version: Number
    differences: tuple[Difference, ...]

    def as_dict(self, most: int | None = None) -> dict[str, Any]:
        """As JSON, with so many differences at most."""
        return {"version": str(self.version), "differences": [one.as_dict() for one in self.differences[:most]]}


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule's objection: the clause, what was asked, what was found, and what would satisfy it."""

    clause: str
    text: str
    asked: Any
    found: Any
    repair: str
    contradictions: tuple[Contradiction, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "clause": self.clause,
            "text": self.text,
            "asked": self.asked,
            "found": self.found,
            "repair": self.repair,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """The policy's answer to one candidate, with everything that it rests on.

    `least` is the lowest number that would be allowed for the same candidate. `interface` and `behaviour` say what was
    compared beyond numbers and permissions, `compared` with which versions, and `contradicted` which of them it breaks.
    `warnings` are objections that the operator has said instead of enforced, `waived` those that a waiver excuses.
    """

    outcome: Outcome
    number: Number
    findings: tuple[Finding, ...]
    least: Number | None
    policy_revision: int
    behaviour: str = "not checked"
    interface: str = "not described"
    compared: tuple[Number, ...] = ()
    #: the version that it follows in its major line, with all that differs
    follows: Contradiction | None = None
    contradicted: tuple[Contradiction, ...] = ()
    warnings: tuple[Finding, ...] = ()
    replays: tuple[Mapping[str, Any], ...] = ()
    waived: tuple[Finding, ...] = ()
    #: the waivers that it rests on, and those that do not hold
    waivers: tuple[Considered, ...] = ()

    @property
    def clauses(self) -> tuple[str, ...]:
        """The ids of all clauses that object, each once, in the order of the rules."""
        return tuple(dict.fromkeys(finding.clause for finding in self.findings))

    def as_dict(self) -> dict[str, Any]:
        return {
            "outcome": self.outcome.value,
            "number": str(self.number),
            "clauses": list(self.clauses),
            "findings": [finding.as_dict() for finding in self.findings],
            "least": str(self.least) if self.least else None,
            "policy_revision": self.policy_revision,
            "interface": self.interface,
            "behaviour": self.behaviour,
            "compared": [str(number) for number in self.compared],
            "follows": self.follows.as_dict() if self.follows else None,
            "contradicted": [
                contradiction.as_dict(None if place < _TOLD_WHOLE else 1)
                for place, contradiction in enumerate(self.contradicted)
            ],
            "warnings": [finding.as_dict() for finding in self.warnings],
            "replays": [dict(replay) for replay in self.replays],
            "waived": [finding.as_dict() for finding in self.waived],
            "waivers": [waiver.as_dict(self.number) for waiver in self.waivers],
        }

    def _further(self) -> list[Finding]:
        """The findings behind the first that say something else than it: clauses on contracts object to the same."""
        further = self.findings[1:]
        return [one for one in further if not (one.contradictions and self.findings[0].contradictions)]

    @property
    def used(self) -> tuple[str, ...]:
        """The ids of the waivers that it rests on."""
        clauses = {finding.clause for finding in self.waived}
        return tuple(one.waiver.id for one in self.waivers if any(one.excuses(each, self.number) for each in clauses))

    def _without_effect(self) -> str:
        """Waivers that somebody may have counted on, and why they do not hold."""
        found = ((one.waiver.id, one.why_not(self.number)) for one in self.waivers)
        return "".join(f"; the waiver {identity} does not help: {why}" for identity, why in found if why)

    def refusal(self) -> Refused:
        """The verdict as an error, for a door to send."""
        first = self.findings[0]
        sentences = "; ".join(f"{name}: {clause(name).sentence}" for name in self.clauses)
        others = "".join(f"; also, {finding.text}" for finding in self._further())
        or_number = f", or publish as {self.least}" if self.least and self.least != self.number else ""
        verb = "is refused" if self.outcome is Outcome.REFUSED else "is not regulated and needs a decision"
        return Refused(
            f"publishing {self.number} {verb}: {first.text}{others}",
            why=sentences + self._without_effect(),
            repair=first.repair + or_number,
            clauses=self.clauses,
            asked=first.asked,
            found=first.found,
            least=str(self.least) if self.least else None,
            verdict=self.as_dict(),
        )
