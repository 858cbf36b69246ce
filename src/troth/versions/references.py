"""What a caller writes to name a version: `owner/name[/version]` (ALG-12).

The forms are the seven of ALG-12 to ALG-22 and the two that the old REST documents list: `M.m.*` and `M.*`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from troth.errors import MalformedNumber, MalformedReference
from troth.versions.numbers import LARGEST_PART, Number

_SUBJECT = re.compile(r"([A-Za-z0-9_]{1,63})/([A-Za-z][A-Za-z0-9_]{0,62})(?:/(.*))?", re.ASCII | re.DOTALL)
_PART = r"(0|[1-9][0-9]{0,9})"
_MINOR_LINE = re.compile(rf"{_PART}\.{_PART}(?:\.\*)?", re.ASCII)
_MAJOR_LINE = re.compile(rf"{_PART}\.\*", re.ASCII)
_HASH = re.compile(r"[0-9a-fA-F]{40}", re.ASCII)


class Form(StrEnum):
    """The shape of a reference, which decides what it resolves to."""

    EXACT = "exact"  #: `1.2.3`: that version and no other (ALG-13)
    MINOR_LINE = "minor-line"  #: `1.2` or `1.2.*`: the newest public revision of it (ALG-15)
    MAJOR_LINE = "major-line"  #: `1.*`: the highest public version of it
    LATEST = "latest"  #: `latest` or nothing: the highest public version (ALG-19)
    LATEST_PRIVATE = "latest-private"  #: `latestPrivate`: the highest private version, for members (ALG-21)
    HASH = "hash"  #: 40 hexadecimal digits: a successful build, for members (ALG-22)

    @property
    def floats(self) -> bool:
        """Whether the answer may change when something is published."""
        return self not in (Form.EXACT, Form.HASH)


@dataclass(frozen=True, slots=True)
class Reference:
    """A parsed reference. `version` is the text of the third segment as written, empty where there was none."""

    owner: str
    name: str
    version: str
    form: Form
    number: Number | None = None
    line: tuple[int, ...] = ()
    hash: str = ""

    @property
    def subject(self) -> str:
        return f"{self.owner}/{self.name}"

    def __str__(self) -> str:
        return f"{self.subject}/{self.version}" if self.version else self.subject


def parse(text: str) -> Reference:
    """The reference that `text` spells. Raises MalformedReference (ALG-12) for everything that is not a listed form."""
    found = _SUBJECT.fullmatch(text) if len(text) <= 200 else None
    if found is None or found[3] == "":
        raise _malformed(text, "a reference is owner/name or owner/name/version")
    owner, name, version = found[1], found[2], found[3] or ""
    if version in ("", "latest"):
        return Reference(owner, name, version, Form.LATEST)
    if version == "latestPrivate":
        return Reference(owner, name, version, Form.LATEST_PRIVATE)
    if _HASH.fullmatch(version):
        return Reference(owner, name, version, Form.HASH, hash=version.lower())
    if line := _MINOR_LINE.fullmatch(version):
        return Reference(owner, name, version, Form.MINOR_LINE, line=_line(text, line))
    if line := _MAJOR_LINE.fullmatch(version):
        return Reference(owner, name, version, Form.MAJOR_LINE, line=_line(text, line))
    try:
        return Reference(owner, name, version, Form.EXACT, number=Number.parse(version))
    except MalformedNumber:
        raise _malformed(
            text,
            "the version of a reference is major.minor.revision, major.minor, major.*, latest, latestPrivate"
            " or the 40 digits of a version hash",
        ) from None


def _line(text: str, found: re.Match[str]) -> tuple[int, ...]:
    line = tuple(int(part) for part in found.groups())
    if max(line) > LARGEST_PART:
        raise _malformed(text, "a part of a version number is at most 2147483647")
    return line


def _malformed(text: str, why: str) -> MalformedReference:
    return MalformedReference(
        f"{text[:120]!r} is not a reference",
        why=why,
        repair="write it like util/echo, util/echo/0.2 or util/echo/0.2.1",
        clauses=["ALG-12"],
        asked=text[:200],
    )
