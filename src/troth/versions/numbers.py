"""Version numbers of algorithms: `major.minor.revision` and nothing else (ALG-01).

SemVer's prerelease and build suffixes are left out on purpose (note N1); a build that is not ready is called by its hash.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from semver import Version

from troth.errors import MalformedNumber

#: The registry stores the parts as 32-bit integers.
LARGEST_PART = 2**31 - 1


class Bump(StrEnum):
    """Which part of the number a publication raises."""

    MAJOR = "major"
    MINOR = "minor"
    REVISION = "revision"


class Number(NamedTuple):
    """One version number, ordered by precedence (SemVer 2.0.0, clause 11)."""

    major: int
    minor: int
    revision: int

    @classmethod
    def parse(cls, text: str) -> Number:
        """The number that `text` spells.

        Raises MalformedNumber (ALG-01) for two or four parts, leading zeros, a `v`, suffixes, digits beyond ASCII,
        white space and parts above 2147483647.
        """
        if len(text) > 32 or not text.isascii():
            raise _malformed(text)
        try:
            parsed = Version.parse(text)
        except ValueError:
            raise _malformed(text) from None
        number = cls(parsed.major, parsed.minor, parsed.patch)
        if parsed.prerelease or parsed.build or max(number) > LARGEST_PART:
            raise _malformed(text)
        return number

    def raised(self, bump: Bump) -> Number:
        """The number one step on."""
        if bump is Bump.MAJOR:
            return Number(self.major + 1, 0, 0)
        if bump is Bump.MINOR:
            return Number(self.major, self.minor + 1, 0)
        return Number(self.major, self.minor, self.revision + 1)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.revision}"


#: What a first publication is raised from: 0.0.1, 0.1.0 or 1.0.0.
ZERO = Number(0, 0, 0)


def _malformed(text: str) -> MalformedNumber:
    return MalformedNumber(
        f"{text[:40]!r} is not a version number",
        why="a version of an algorithm is numbered major.minor.revision: three integers without leading zeros, no suffix",
        repair="write it like 1.2.3",
        clauses=["ALG-01"],
        asked=text[:200],
    )
