"""An API as the policy sees it: its versions and their states, and what is asked of one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from troth.versions.lifecycles.numbers import step_of
from troth.versions.lifecycles.states import FIRST, State
from troth.versions.lifecycles.table import version_name
from troth.versions.releases.numbers import ReleaseNumber, Step
from troth.versions.waivers import Considered


class Move(StrEnum):
    """Everything that can be asked of a version of an API."""

    CREATE = "create"
    GRADUATE = "graduate"
    DEPRECATE = "deprecate"
    RETIRE = "retire"
    #: an experimental version goes, without ever having been current (note N9)
    DROP = "drop"
    CHANGE = "change"
    SECURITY_FIX = "security-fix"
    #: the retirement of a deprecated version is put off (PDB-35)
    EXTEND = "extend"
    #: back to a state that it was in; the policy has no such move
    RETURN = "return"


#: The state that a move leads to, where it leads to one.
TARGETS: Mapping[Move, State] = MappingProxyType(
    {Move.GRADUATE: State.CURRENT, Move.DEPRECATE: State.DEPRECATED, Move.RETIRE: State.RETIRED}
)


class Weight(StrEnum):
    """What a change is to who uses the version."""

    BREAK = "break"
    #: nothing proves that it breaks nobody
    UNDECIDED = "undecided"
    ADDITION = "addition"
    #: the contract stays as it is: a fix, or words
    FIX = "fix"


@dataclass(frozen=True, slots=True)
class ContractChange:
    """One thing that changes in the contract of a version, or without it, with the clauses that speak of such changes."""

    weight: Weight
    words: str
    clauses: tuple[str, ...] = ()
    where: str = ""
    rule: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        told = {"weight": self.weight.value, "words": self.words, "clauses": list(self.clauses)}
        return told | {key: value for key, value in (("where", self.where), ("rule", self.rule)) if value}


@dataclass(frozen=True, slots=True)
class Standing:
    """One version as it is. `since` is the release in which it came into its state, None where nobody recorded it."""

    number: int
    state: State
    since: ReleaseNumber | None = None
    #: the release to which its retirement was put off by decision
    extended: ReleaseNumber | None = None
    dropped: bool = False

    @property
    def name(self) -> str:
        return version_name(self.number)


@dataclass(frozen=True, slots=True)
class Decided:
    """What somebody decided where no clause speaks: about which gap, whether it may be, and why (PDB-04)."""

    about: str
    allowed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Api:
    """The versions of one API. What was dropped stays listed, so that its number is known."""

    versions: Mapping[int, Standing] = field(default_factory=dict)
    #: the first version that the policy governs (PDB-03)
    starting_point: int | None = None
    decisions: tuple[Decided, ...] = ()
    #: the highest release that anything rode on
    newest: ReleaseNumber | None = None

    def live(self, state: State) -> list[Standing]:
        """The versions in this state, lowest first; without what was dropped."""
        return [one for _, one in sorted(self.versions.items()) if one.state is state and not one.dropped]

    @property
    def governed(self) -> bool:
        """Whether a version that the policy governs has been made (note N7)."""
        return self.starting_point is None or any(number >= self.starting_point for number in self.versions)


@dataclass(frozen=True, slots=True)
class Asked:
    """One move of one version, and the release that it rides on."""

    move: Move
    number: int
    release: ReleaseNumber
    #: of `create` and `return`: the state that the version is to have
    state: State = FIRST
    #: a single operation, where somebody asks for one alone
    operation: str = ""
    changes: tuple[ContractChange, ...] = ()
    #: of a security fix: what tells of the fault
    reference: str = ""
    #: of a change: what users are told
    note: str = ""
    reason: str = ""
    #: of an extension: the release in which the version is to be gone
    until: ReleaseNumber | None = None
    #: what becomes of the version that was current: None where graduating deprecates it, as it should
    former: State | None = None
    #: other versions that are no longer served as they were, in the same release
    disturbed: Mapping[int, str] = field(default_factory=dict)
    #: what of the contract nobody describes, so that nothing about it is judged
    undescribed: tuple[str, ...] = ()
    #: of a change: waivers that somebody may mean for it
    waivers: tuple[Considered, ...] = ()

    @property
    def step(self) -> Step:
        """The kind of the release."""
        return step_of(self.release)

    @property
    def name(self) -> str:
        return version_name(self.number)

    @property
    def numbered(self) -> str:
        """The version and the release, as a waiver names them: `v4/7.4.1`, without metadata of a build (SemVer 10)."""
        return f"{self.name}/{self.release}".partition("+")[0]

    def target(self) -> State | None:
        """The state that the version is to come into."""
        return self.state if self.move in (Move.CREATE, Move.RETURN) else TARGETS.get(self.move)
