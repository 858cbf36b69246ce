"""What comparing a candidate's contract with that of an earlier version showed, as the policy needs to know it.

Evidence is facts; whether they may be published under a number is the policy's to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from troth.versions.numbers import Bump, Number

#: Bumps, from the one that promises most to the one that promises least.
ORDER = (Bump.REVISION, Bump.MINOR, Bump.MAJOR)
_MOST = 50


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference of two contracts: the rule that names it, where it is, what was there and what is there now."""

    rule: str
    #: where in the contract, e.g. `input.lang`
    path: str
    old: Any
    new: Any
    words: str
    #: the smallest bump that may hold it
    least: Bump
    #: nothing was proved either way; it counts as a break and is told as what it is
    undecided: bool = False
    #: a list of one value that shows the difference, or none
    witness: tuple[Any, ...] = ()
    #: the smallest change of the candidate that would undo it
    repair: str = ""

    def as_dict(self) -> dict[str, Any]:
        told = {"rule": self.rule, "path": self.path, "old": self.old, "new": self.new, "words": self.words}
        told |= {"least": self.least.value, "undecided": self.undecided, "repair": self.repair}
        return told | ({"witness": self.witness[0]} if self.witness else {})

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Difference:
        """The difference that `as_dict` told of."""
        witness = (told["witness"],) if "witness" in told else ()
        plain = {key: told[key] for key in ("rule", "path", "old", "new", "words", "undecided", "repair")}
        return cls(**plain, least=Bump(told["least"]), witness=witness)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All differences between the candidate and the version `against`."""

    against: Number
    differences: tuple[Difference, ...] = ()

    @classmethod
    def of(cls, against: Number, differences: Iterable[Difference]) -> Evidence:
        """The same with what asks for most first; of very many, the first."""
        return cls(against, tuple(sorted(differences, key=lambda one: -ORDER.index(one.least))[:_MOST]))

    @property
    def least(self) -> Bump:
        """The smallest bump that all of them may have together."""
        return max((difference.least for difference in self.differences), key=ORDER.index, default=Bump.REVISION)

    def asking(self, bump: Bump) -> tuple[Difference, ...]:
        """The differences that need at least this bump."""
        return tuple(one for one in self.differences if ORDER.index(one.least) >= ORDER.index(bump))


@dataclass(frozen=True, slots=True)
class Judged:
    """Everything that was found out about a candidate beside its number and permissions."""

    evidence: Mapping[Number, Evidence]
    #: which sides of the interface the candidate describes, in words
    interface: str = "not described"
    #: `checked`, `not checked` or `differs`
    behaviour: str = "not checked"
    #: each example that was replayed: on which version, how it ended and how long it took
    replays: tuple[Mapping[str, Any], ...] = ()


NOTHING_JUDGED = Judged({})
