"""The rules of releases, a row each: which facts ask for which step, by which clause, in which profile.

The needed step is the highest that any row asks for (note N23); `Step.NONE` says that no number will do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from troth.versions.releases.evidence import Fact, Kind, Maturity, Situation
from troth.versions.releases.numbers import STEPS, Step, supported

PROFILES: Final = ("semver", "puppetdb", "polyaxon")
#: The exceptions to Semantic Versioning that there are (PDB-07). One that a product does not list does not exist for it.
EXCEPTIONS: Final = ("PDB-08",)

Asks = Callable[[Fact, Situation], Step | None]


@dataclass(frozen=True, slots=True)
class ReleaseRule:
    """One row: the facts it looks at, the step that each asks for (None: it does not), and the clause that says so.

    `missing` rows speak of a whole release: they refuse nothing until it is cut. What `comparing` rows ask for can be
    waived (`troth.versions.waivers`).
    """

    id: str
    clause: str
    profiles: tuple[str, ...]
    kinds: frozenset[Kind]
    asks: Asks
    purpose: str
    missing: bool = False
    comparing: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The row as JSON."""
        return {
            "id": self.id,
            "clause": self.clause,
            "profiles": list(self.profiles),
            "kinds": sorted(self.kinds),
            "purpose": self.purpose,
            "waivable": self.comparing,
        }


BREAKS: Final = frozenset(
    {Kind.CONTRACT_BROKEN, Kind.CONTRACT_UNDECIDED, Kind.CONTRACT_REMOVED, Kind.SETTING_REMOVED,
     Kind.SETTING_REQUIRED, Kind.SETTING_NARROWED, Kind.COMPONENT_REMOVED, Kind.NOTED_BREAK}
)  # fmt: skip
FEATURES: Final = frozenset(
    {Kind.CONTRACT_WIDENED, Kind.CONTRACT_ADDED, Kind.SETTING_ADDED, Kind.COMPONENT_ADDED, Kind.NOTED_FEATURE}
)
_BROKEN_CHAIN: Final = frozenset(
    {Kind.MIGRATION_EDITED, Kind.MIGRATION_REMOVED, Kind.MIGRATION_HEADS, Kind.MIGRATION_GAP, Kind.MIGRATION_ORDER}
)


def _always(step: Step) -> Asks:
    return lambda fact, situation: step


def _from_one(step: Step) -> Asks:
    """Semantic Versioning promises nothing of 0.x (its clause 4)."""
    return lambda fact, situation: None if situation.zero else step


def _of_stable(fact: Fact, situation: Situation) -> Step | None:
    """A break of what is stable is a major, in 0.x a minor (note N19), which PLX-07 asks for already."""
    return None if situation.zero or fact.maturity is not Maturity.STABLE else Step.MAJOR


def _of_unstable(fact: Fact, situation: Situation) -> Step | None:
    return None if fact.maturity is Maturity.STABLE else Step.MINOR


def _new_target(fact: Fact, situation: Situation) -> Step | None:
    return None if "PDB-08" in situation.exceptions else Step.MINOR


def _excepted_target(fact: Fact, situation: Situation) -> Step | None:
    return Step.PATCH if "PDB-08" in situation.exceptions else None


def _path(fact: Fact, situation: Situation) -> Step | None:
    """The least step whose release need not be reached from where the path begins; none where all have to be (note N22)."""
    begins, former = fact.detail["from"], situation.former
    if former is None:
        return None
    named = None if situation.supported is None else [str(one) for one in situation.supported]
    for step in STEPS:
        candidate = former.raised(step)
        wanted = named if named is not None else [str(one) for one in supported(candidate, list(situation.used))]
        if begins not in wanted:
            return step
    return Step.NONE


def _row(
    identity: str,
    clause: str,
    profiles: str,
    kinds: frozenset[Kind] | set[Kind],
    asks: Asks,
    purpose: str,
    *,
    missing: bool = False,
    comparing: bool = False,
) -> ReleaseRule:
    return ReleaseRule(identity, clause, tuple(profiles.split()), frozenset(kinds), asks, purpose, missing, comparing)


RULES: Final[tuple[ReleaseRule, ...]] = (
    _row("semver-break", "PDB-05", "semver puppetdb", BREAKS, _from_one(Step.MAJOR),
         "What breaks who relies on the former release is a major (SemVer 8).", comparing=True),
    _row("semver-feature", "PDB-05", "semver", FEATURES | {Kind.SETTING_DEFAULT}, _from_one(Step.MINOR),
         "What is new and breaks nobody is a minor (SemVer 7).", comparing=True),
    _row("semver-default", "PDB-05", "puppetdb", {Kind.SETTING_DEFAULT}, _from_one(Step.MINOR),
         "What behaves otherwise without being asked to is a minor (SemVer 7).", comparing=True),
    _row("semver-target", "PDB-05", "semver puppetdb", {Kind.TARGET_ADDED}, _new_target,
         "A new distribution is something new, where no exception is listed (SemVer 7).", comparing=True),
    _row("puppetdb-feature", "PDB-19", "puppetdb", FEATURES, _always(Step.MINOR),
         "Every new feature is at least a Y release, in 0.x too.", comparing=True),
    _row("puppetdb-target", "PDB-08", "puppetdb", {Kind.TARGET_ADDED}, _excepted_target,
         "A new distribution may be a Z release, by the listed exception."),
    _row("puppetdb-only-target", "PDB-08", "puppetdb", {Kind.NOT_ONLY_TARGET}, _always(Step.NONE),
         "A release that is called a new distribution holds that and nothing else."),
    _row("polyaxon-break", "PLX-05", "polyaxon", BREAKS, _of_stable,
         "What breaks who relies on a stable component is a major, from 1.0 on (SemVer 8, note N19).", comparing=True),
    _row("polyaxon-unstable-break", "PLX-18", "polyaxon", BREAKS, _of_unstable,
         "A break of an alpha or beta component may come in a minor, and not in a patch.", comparing=True),
    _row("polyaxon-patch", "PLX-07", "polyaxon", BREAKS | FEATURES | {Kind.SETTING_DEFAULT, Kind.TARGET_REMOVED},
         _always(Step.MINOR),
         "A patch is completely compatible: interface, configuration, stored data, installation; and brings nothing new"
         " (note N20).", comparing=True),
    _row("polyaxon-manual", "PLX-07", "polyaxon", {Kind.MANUAL_STEP}, _always(Step.MINOR),
         "A patch is upgraded to in place, without a step by hand."),
    _row("polyaxon-target", "PDB-09", "polyaxon", {Kind.TARGET_ADDED}, _always(Step.PATCH),
         "A new distribution forces no more than a patch (note N23)."),
    _row("polyaxon-migration", "PLX-08", "polyaxon",
         {Kind.MIGRATION_ADDED, Kind.MIGRATION_EDITED, Kind.MIGRATION_REMOVED}, _always(Step.MINOR),
         "New migrations raise the minor at least.", comparing=True),
    _row("polyaxon-chain", "PLX-09", "polyaxon", _BROKEN_CHAIN, _always(Step.NONE),
         "Migrations that were released stay as they were, and form one chain, or who ran them is left behind."),
    _row("polyaxon-path", "PLX-09", "polyaxon", {Kind.PATH_BROKEN}, _path,
         "The migrations run from every supported earlier version by themselves (note N22)."),
    _row("polyaxon-by-hand", "PLX-09", "polyaxon", {Kind.MANUAL_STEP}, _always(Step.MAJOR),
         "A minor is upgraded to without a step by hand."),
    _row("polyaxon-major", "PLX-10", "polyaxon", {Kind.MAJOR_FUNCTIONALITY}, _always(Step.MAJOR),
         "Functionality that is declared major is a major release."),
    _row("polyaxon-unmarked", "PLX-17", "polyaxon", {Kind.COMPONENT_UNMARKED}, _always(Step.NONE),
         "Each component beside the core is marked alpha, beta or stable."),
    _row("polyaxon-lowered", "PLX-17", "polyaxon", {Kind.MATURITY_LOWERED}, _always(Step.NONE),
         "A component that was stable stays stable."),
    _row("polyaxon-occasion", "PLX-11", "polyaxon", {Kind.OCCASION_MISSING}, _always(Step.NONE),
         "A release names its occasion: a fix, functionality, or that it was due.", missing=True),
    _row("polyaxon-records", "PLX-13", "polyaxon", {Kind.RECORDS_MISSING}, _always(Step.NONE),
         "Functionality was tested on at least two infrastructures that differ in kind (note N24).", missing=True),
    _row("polyaxon-documentation", "PLX-06", "polyaxon", {Kind.DOCUMENTATION_MISSING}, _always(Step.NONE),
         "Each release has its own documentation.", missing=True),
    _row("polyaxon-not-tried", "PLX-09", "polyaxon", {Kind.PATHS_NOT_TRIED, Kind.PATH_UNPROVED}, _always(Step.NONE),
         "The path of migrations was run on filled databases.", missing=True),
)  # fmt: skip

#: The question that a gap is, by the kind of the fact that no rule of the profiles in force looks at (PDB-04).
QUESTIONS: Final[dict[Kind, str]] = {
    Kind.UNCLAIMED: "no component claims {where}: does its change concern who runs the product?",
    Kind.UNDESCRIBED: "{component} changed and has neither a contract nor a change note: does that break who relies on it?",
    Kind.TARGET_REMOVED: "the distribution {where} is no longer made: is that a break?",
    Kind.MIGRATION_ADDED: "there are new migrations: what may a release ask of who upgrades?",
    Kind.MIGRATION_EDITED: "the migration {where} was changed after it was released: what of those who ran it?",
    Kind.MIGRATION_REMOVED: "the migration {where} was removed after it was released: what of those who have not run it?",
    Kind.MIGRATION_HEADS: "the migrations in {where} do not form one chain: in which order are they run?",
    Kind.MIGRATION_GAP: "a migration is missing in {where}: what of those who are behind it?",
    Kind.MIGRATION_ORDER: "the migration {where} comes before one that was released: what of those who ran that one?",
    Kind.PATH_BROKEN: "the migrations do not run from {where}: may who has it be left behind?",
    Kind.MANUAL_STEP: "the upgrade has a step by hand ({words}): how large a step is that?",
    Kind.MAJOR_FUNCTIONALITY: "{words} is declared major functionality: how large a step is that?",
    Kind.POLICY_CHANGED: "the policy of the product itself changed in {where}: is that meant, and from which release on?",
}


def in_force(profiles: tuple[str, ...]) -> list[ReleaseRule]:
    """The rows of these profiles."""
    return [rule for rule in RULES if set(rule.profiles) & set(profiles)]
