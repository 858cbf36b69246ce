"""A text for each number of a release, so that the order of texts, byte by byte, is the order of precedence.

For databases, which know no precedence: SemVer 2.0.0, clause 11. Build metadata counts for nothing and is not in it.
"""

from __future__ import annotations

from troth.versions.releases.numbers import ReleaseNumber

#: Ends an identifier: below everything that an identifier may hold, so that fewer identifiers come first.
_END = "!"
#: Above the beginning of every prerelease.
_FINISHED = "~"


def order_key(number: ReleaseNumber) -> str:
    """The text. Numbers are equal in precedence where it is equal."""
    prerelease = number.version.prerelease
    behind = "-" + "".join(_identifier(one) + _END for one in prerelease.split(".")) if prerelease else _FINISHED
    return "".join(_counted(str(part)) for part in number.parts) + behind


def parts_key(*parts: int) -> str:
    """The beginning that the texts of all numbers with these first parts have."""
    return "".join(_counted(str(part)) for part in parts)


def _identifier(text: str) -> str:
    """Numeric identifiers are lower than others, and compared by their numbers."""
    return "0" + _counted(text) if text.isdigit() else "1" + text


def _counted(digits: str) -> str:
    """Digits behind their count, so that more digits are more. A number of a release has at most 128 characters."""
    return f"{len(digits):03d}{digits}"
