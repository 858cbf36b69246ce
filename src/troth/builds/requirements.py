"""Single requirements that strangers wrote, and the files that hold them: bounded, checked, refused with a reason.

A requirement names a distribution of the package index. Addresses are refused wherever they stand: they would let an author
make the server fetch from, or read, anything.
"""

from __future__ import annotations

import platform
import re
import tomllib
from dataclasses import dataclass, field
from typing import Any

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from troth.errors import BuildFailed

MOST_REQUIREMENTS = 1000
LONGEST_REQUIREMENT = 1000
#: squares of the dots in the lines of a TOML file, together: the time to read `a.b.c` grows with the square of its parts
_MOST_DOTS = 10_000_000
_ADDRESS = re.compile(r"[./~\\]|[A-Za-z][A-Za-z0-9+.-]*:", re.ASCII)
_SHA256 = re.compile(r"sha256:([0-9a-fA-F]{64})", re.ASCII)


@dataclass(slots=True)
class Wanted:
    """What one file asks for: requirements, and by name the SHA-256 of the files that may stand for them."""

    requirements: list[Requirement] = field(default_factory=list)
    hashes: dict[str, frozenset[str]] = field(default_factory=dict)

    def add(self, requirement: Requirement, hashes: frozenset[str] | None = None) -> None:
        """Adds one. Its hashes, if the file gives any, are added to those of other lines on the same distribution."""
        self.requirements.append(requirement)
        name = canonicalize_name(requirement.name)
        if hashes is not None:
            self.hashes[name] = self.hashes.get(name, frozenset()) | hashes


def wrong(place: str, what: str, why: str, repair: str) -> BuildFailed:
    """The error that something in `place` cannot be built from."""
    return BuildFailed(f"{place}: {what}", why=why, repair=repair)


def shown(text: str) -> str:
    """Hostile text for a message: quoted and short."""
    return repr(text if len(text) <= 120 else text[:117] + "...")


def requirement_of(text: str, place: str) -> Requirement:
    """The requirement that `text` is. Raises BuildFailed for anything but a name, extras, specifiers and a marker."""
    if len(text) > LONGEST_REQUIREMENT:
        raise wrong(
            place, "a requirement is too long", f"at most {LONGEST_REQUIREMENT} characters are read", "shorten it"
        )
    if _ADDRESS.match(text) or "://" in text:
        raise _address(text, place)
    try:
        found = Requirement(text)
    except (InvalidRequirement, ValueError, RecursionError) as error:
        first = (str(error).splitlines() or [""])[0]
        raise wrong(
            place,
            f"{shown(text)} is not a requirement",
            f"requirements have the form of PEP 508: {first}" if first else "requirements have the form of PEP 508",
            "write a name and, if need be, versions, such as idna>=3,<4",
        ) from None
    if found.url:
        raise _address(text, place)
    return found


def text_of(requirement: Requirement) -> str:
    """The requirement in one form, whatever way it was written, without its marker."""
    extras = (
        f"[{','.join(sorted(canonicalize_name(extra) for extra in requirement.extras))}]" if requirement.extras else ""
    )
    return f"{canonicalize_name(requirement.name)}{extras}{requirement.specifier}"


def holds(marker: Marker | None, place: str) -> bool:
    """Whether what stands under this marker is wanted here. Raises BuildFailed for a marker without an answer."""
    if marker is None:
        return True
    try:
        return marker.evaluate({"extra": ""})
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise wrong(
            place,
            "a marker has no answer",
            f"what it compares cannot be compared ({type(error).__name__})",
            "mend the marker",
        ) from None


def check_python(specifier: Any, place: str) -> None:
    """Raises BuildFailed where `requires-python` leaves out the interpreter that versions run on."""
    if specifier is None:
        return
    running = platform.python_version()
    try:
        fits = SpecifierSet(str(specifier)[:LONGEST_REQUIREMENT]).contains(running, prereleases=True)
    except (InvalidSpecifier, ValueError):
        raise wrong(
            place, f"requires-python {shown(str(specifier))} cannot be read", "it is a version specifier", "mend it"
        ) from None
    if not fits:
        raise wrong(
            place,
            f"requires-python {shown(str(specifier))} leaves out Python {running}",
            f"this server runs versions on Python {running}",
            "widen requires-python, or publish on a server with another interpreter",
        )


def sha256_of(text: str) -> str | None:
    """The digest in `sha256:...`, in small letters; None for anything else."""
    found = _SHA256.fullmatch(text)
    return found[1].lower() if found else None


def read_text(content: bytes, place: str, largest: int) -> str:
    """The file as text. Raises BuildFailed for one too large, or not in UTF-8."""
    if len(content) > largest:
        raise wrong(
            place, f"it has {len(content)} bytes", f"at most {largest} are read", "keep requirements only in it"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise wrong(place, "it is not text", f"it has to be UTF-8: {error.reason}", "save it as UTF-8") from None


def read_toml(content: bytes, place: str, largest: int) -> dict[str, Any]:
    """The file as a table. Raises BuildFailed."""
    text = read_text(content, place, largest)
    if sum(line.count(".") ** 2 for line in text.split("\n")) > _MOST_DOTS:
        raise wrong(place, "its keys are too long", "reading them would take too long", "write tables with short names")
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
        raise wrong(
            place, "it cannot be read", f"it has to be TOML 1.0: {str(error)[:200]}", "mend that line"
        ) from None


def _address(text: str, place: str) -> BuildFailed:
    return wrong(
        place,
        f"{shown(text)} is an address",
        "requirements come from the server's package index, by name; addresses, repositories and paths are not fetched",
        "name a distribution of the package index, or publish the code as part of the source",
    )
