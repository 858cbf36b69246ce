"""Numbers of a product's releases: Semantic Versioning 2.0.0 whole, prereleases included (PDB-05, PDB-06, note N1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import total_ordering

from semver import Version

from troth.errors import MalformedNumber

_LONGEST = 128
#: what Python's tools and others write where Semantic Versioning has `-rc.1`
_OTHER_PRERELEASE = re.compile(
    r"(\d+)\.(\d+)(?:\.(\d+))?[._-]?(a|alpha|b|beta|c|rc|pre|preview)[._-]?(\d+)?", re.IGNORECASE
)
_SPELLED = {"a": "alpha", "b": "beta", "c": "rc", "pre": "rc", "preview": "rc"}


class Step(IntEnum):
    """Which part of the number a release raises, in the order of what it may change."""

    PATCH = 0
    MINOR = 1
    MAJOR = 2
    #: no number will do before something is mended
    NONE = 3

    def __str__(self) -> str:
        return self.name.lower()


#: the steps that a release can take
STEPS = (Step.PATCH, Step.MINOR, Step.MAJOR)


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class ReleaseNumber:
    """One number, ordered by precedence (SemVer 2.0.0, clause 11). Build metadata is kept and counts for nothing."""

    version: Version

    @classmethod
    def parse(cls, text: str) -> ReleaseNumber:
        """The number that `text` spells. Raises MalformedNumber (PDB-06) for what is no X.Y.Z of Semantic Versioning."""
        try:
            if len(text) > _LONGEST or not text.isascii():
                raise ValueError
            return cls(Version.parse(text))
        except ValueError:
            raise MalformedNumber(
                f"{text[:40]!r} is not the number of a release",
                why="a release is numbered X.Y.Z, integers without leading zeros, and a prerelease like 1.2.0-rc.1",
                repair="write it like 1.2.3",
                clauses=["PDB-06"],
                asked=text[:200],
            ) from None

    @classmethod
    def of(cls, major: int, minor: int, patch: int) -> ReleaseNumber:
        """The number with these parts."""
        return cls(Version(major, minor, patch))

    @property
    def parts(self) -> tuple[int, int, int]:
        """Major, minor and patch."""
        return self.version.major, self.version.minor, self.version.patch

    @property
    def major(self) -> int:
        return self.version.major

    @property
    def minor(self) -> int:
        return self.version.minor

    @property
    def is_prerelease(self) -> bool:
        return bool(self.version.prerelease)

    @property
    def finished(self) -> ReleaseNumber:
        """The release that a prerelease precedes; a release itself."""
        return ReleaseNumber.of(*self.parts)

    def raised(self, step: Step) -> ReleaseNumber:
        """The number one step on."""
        major, minor, patch = self.parts
        if step is Step.MAJOR:
            return ReleaseNumber.of(major + 1, 0, 0)
        if step is Step.MINOR:
            return ReleaseNumber.of(major, minor + 1, 0)
        return ReleaseNumber.of(major, minor, patch + 1)

    def step_from(self, former: ReleaseNumber) -> Step:
        """Which part of `former`, a lower number, this one raises."""
        if self.major != former.major:
            return Step.MAJOR
        return Step.MINOR if self.minor != former.minor else Step.PATCH

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ReleaseNumber) and self.version == other.version

    def __lt__(self, other: ReleaseNumber) -> bool:
        mine, theirs = self.parts, other.parts
        return mine < theirs if mine != theirs else self.version < other.version

    def __hash__(self) -> int:
        return hash((self.parts, self.version.prerelease))

    def __str__(self) -> str:
        return str(self.version)


def lenient(text: str) -> ReleaseNumber | None:
    """The number that others spell in another way, like `1.0.0rc1`; None for what has no such number, like `4.2.3.1`."""
    found = _OTHER_PRERELEASE.fullmatch(text[:_LONGEST])
    if found is None:
        return None
    major, minor, patch, kind, count = found.groups()
    kind = _SPELLED.get(kind.lower(), kind.lower())
    return ReleaseNumber(Version(int(major), int(minor), int(patch or 0), f"{kind}.{int(count or 0)}"))


def supported(candidate: ReleaseNumber, released: list[ReleaseNumber]) -> list[ReleaseNumber]:
    """The earlier releases that an upgrade to `candidate` has to lead from, lowest first (note N22).

    Every release of the same major, and the newest release of the last minor of the former major.
    """
    earlier = sorted({one for one in released if one < candidate and not one.is_prerelease})
    same = [one for one in earlier if one.major == candidate.major]
    former = [one for one in earlier if one.major < candidate.major]
    return [*former[-1:], *same]


def chosen(numbers: Iterable[ReleaseNumber], patterns: Iterable[str]) -> list[ReleaseNumber]:
    """Those of the numbers that one of the patterns means: `1.2.3`, `1.2.*` or `1.*`."""
    listed = list(patterns)
    return [one for one in numbers if not one.is_prerelease and any(_means(pattern, one) for pattern in listed)]


def _means(pattern: str, number: ReleaseNumber) -> bool:
    if pattern.endswith(".*"):
        return str(number).startswith(pattern[:-1])
    return pattern == str(number)
