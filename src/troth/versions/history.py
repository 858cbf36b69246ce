"""What is known of one algorithm when a question about its versions is answered: published versions and builds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from troth.versions.numbers import Number
from troth.versions.permissions import Permissions


class BuildStatus(StrEnum):
    """How far a build is."""

    IN_PROGRESS = "in-progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Published:
    """One published version."""

    number: Number
    permissions: Permissions
    #: the full SHA of the commit it was built from
    hash: str
    #: whether it answers to more than its complete number; it does not behind a deletion of its algorithm
    floats: bool = True


@dataclass(frozen=True, slots=True)
class Built:
    """One build, published or not."""

    hash: str
    status: BuildStatus


@dataclass(frozen=True, slots=True)
class History:
    """All versions and builds of one algorithm."""

    versions: tuple[Published, ...] = ()
    builds: tuple[Built, ...] = ()
    #: majors whose line is retired: nothing more is published there (8.4)
    retired: frozenset[int] = frozenset()
    #: those among them whose `M.m` and `M.*` lead nowhere any more
    stopped: frozenset[int] = frozenset()

    def numbers(self) -> frozenset[Number]:
        """Every number that was ever used (ALG-02)."""
        return frozenset(version.number for version in self.versions)

    def major_line(self, major: int) -> list[Published]:
        """The versions of one major, lowest first."""
        return sorted((v for v in self.versions if v.number.major == major), key=lambda v: v.number)

    def minor_line(self, major: int, minor: int) -> list[Published]:
        """The versions of one minor, lowest first."""
        return [v for v in self.major_line(major) if v.number.minor == minor]


@dataclass(frozen=True, slots=True)
class Readings:
    """What an operator may choose of the policy: the readings of notes N3 and N6, and how strict it is on contracts."""

    #: N3: visibility is fixed for a major line, or for each minor line of it
    visibility_fixed_per: Literal["major", "minor"] = "major"
    #: N6: `latestPrivate` answers members always, or only where nothing was published publicly
    latest_private: Literal["always", "only-private"] = "always"
    #: whether what ALG-05, ALG-07 and ALG-09 object to is refused, or only said
    compatibility: Literal["enforce", "warn"] = "enforce"


DEFAULT_READINGS = Readings()
