"""What changed between two releases, as the policy needs to know it. Facts only; what they ask for is the rules' to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from troth.versions.releases.numbers import ReleaseNumber

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Maturity(StrEnum):
    """How much a component promises (PLX-17); a mark of the component, not of a number (note N25)."""

    ALPHA = "alpha"
    BETA = "beta"
    STABLE = "stable"


class Kind(StrEnum):
    """Every kind of fact."""

    CONTRACT_BROKEN = "contract-broken"
    CONTRACT_UNDECIDED = "contract-undecided"
    CONTRACT_REMOVED = "contract-removed"
    CONTRACT_WIDENED = "contract-widened"
    CONTRACT_ADDED = "contract-added"
    CONTRACT_CHANGED = "contract-changed"
    SETTING_REMOVED = "setting-removed"
    SETTING_REQUIRED = "setting-required"
    SETTING_NARROWED = "setting-narrowed"
    SETTING_DEFAULT = "setting-default"
    SETTING_ADDED = "setting-added"
    MIGRATION_ADDED = "migration-added"
    MIGRATION_EDITED = "migration-edited"
    MIGRATION_REMOVED = "migration-removed"
    MIGRATION_HEADS = "migration-heads"
    MIGRATION_GAP = "migration-gap"
    MIGRATION_ORDER = "migration-order"
    PATH_BROKEN = "path-broken"
    PATH_UNPROVED = "path-unproved"
    COMPONENT_CHANGED = "component-changed"
    COMPONENT_UNMARKED = "component-unmarked"
    COMPONENT_ADDED = "component-added"
    COMPONENT_REMOVED = "component-removed"
    MATURITY_LOWERED = "maturity-lowered"
    MATURITY_RAISED = "maturity-raised"
    TARGET_ADDED = "target-added"
    TARGET_REMOVED = "target-removed"
    NOT_ONLY_TARGET = "not-only-target"
    NOTED_BREAK = "noted-break"
    NOTED_FEATURE = "noted-feature"
    NOTED_FIX = "noted-fix"
    MAJOR_FUNCTIONALITY = "major-functionality"
    MANUAL_STEP = "manual-step"
    UNCLAIMED = "unclaimed"
    UNDESCRIBED = "undescribed"
    POLICY_CHANGED = "policy-changed"
    OCCASION_MISSING = "occasion-missing"
    RECORDS_MISSING = "records-missing"
    DOCUMENTATION_MISSING = "documentation-missing"
    NOTES_MISSING = "notes-missing"
    PATHS_NOT_TRIED = "paths-not-tried"


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that differs, or that is missing: what kind, where, in words, and what would undo it."""

    kind: Kind
    #: a file, or a place in one
    where: str
    words: str
    repair: str = ""
    component: str = ""
    #: what the component promised in the former release
    maturity: Maturity = Maturity.STABLE
    #: the row of `troth rules` by which a contract differs
    rule: str = ""
    old: Any = None
    new: Any = None
    detail: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)

    def as_dict(self) -> dict[str, Any]:
        """As JSON; what is empty is left out."""
        told: dict[str, Any] = {"kind": self.kind.value, "where": self.where, "words": self.words}
        told |= {"repair": self.repair, "component": self.component, "rule": self.rule}
        told |= {"old": self.old, "new": self.new, **self.detail}
        if self.component:
            told["maturity"] = self.maturity.value
        return {key: value for key, value in told.items() if value not in (None, "")}


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided where no clause speaks (PDB-04): about which gap, the least step, and why."""

    about: str
    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class Situation:
    """What facts are judged in: what was released, under which policy, and what was decided."""

    #: the former release; None before the first
    former: ReleaseNumber | None
    #: every number that was ever used, prereleases and other lines included
    used: tuple[ReleaseNumber, ...] = ()
    profiles: tuple[str, ...] = ("semver",)
    #: the last release that is not judged (N7, PLX-05)
    since: ReleaseNumber | None = None
    #: the exceptions to Semantic Versioning that are listed (PDB-07)
    exceptions: tuple[str, ...] = ()
    decisions: tuple[Decision, ...] = ()
    #: versions that an upgrade has to lead from, where the product names them itself
    supported: tuple[ReleaseNumber, ...] | None = None
    #: whether what is missing of a whole release refuses too
    complete: bool = False
    #: whether every release is known, so that numbers between them were left out
    gapless: bool = True

    @property
    def zero(self) -> bool:
        """Whether the former release is a 0.x, which Semantic Versioning promises nothing of (note N19)."""
        return self.former is not None and self.former.major == 0
