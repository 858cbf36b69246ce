"""A source's requirements.txt, of which only requirements and their hashes are taken."""

from __future__ import annotations

import re
from collections.abc import Iterator

from troth.builds.requirements import (
    MOST_REQUIREMENTS,
    Wanted,
    holds,
    read_text,
    requirement_of,
    sha256_of,
    shown,
    wrong,
)

FILE = "requirements.txt"
_LARGEST = 2 << 20
_LONGEST_LINE = 4096
_MOST_HASHES = 2000
_COMMENT = re.compile(r"(^|\s)#.*")
_OPTIONS = re.compile(r"\s(?=--)")
#: options that ask for what is done anyway
_GRANTED = ("--require-hashes", "--only-binary", "--prefer-binary")
_FILES = ("-r", "--requirement", "-c", "--constraint")
_PLACES = ("-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--trusted-host", "--no-index")
_CODE = ("-e", "--editable")


def read(content: bytes) -> Wanted:
    """What the file asks for on this machine. Raises BuildFailed, naming the line."""
    wanted = Wanted()
    for number, line in _lines(read_text(content, FILE, _LARGEST)):
        place = f"{FILE} line {number}"
        if line.startswith("-"):
            _check_option(line, place)
            continue
        text, *options = (part.strip() for part in _OPTIONS.split(line))
        requirement = requirement_of(text, place)
        hashes = _hashes(options, place)
        if holds(requirement.marker, place):
            wanted.add(requirement, hashes)
        if len(wanted.requirements) > MOST_REQUIREMENTS:
            raise wrong(FILE, "it has too many lines", f"at most {MOST_REQUIREMENTS} are read", "leave some out")
    return wanted


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines without comments, each with its first number; one that ends with a backslash goes on in the next."""
    start, parts = 1, list[str]()
    for number, raw in enumerate(text.splitlines(), 1):
        if len(raw) > _LONGEST_LINE:
            raise wrong(
                f"{FILE} line {number}",
                "it is too long",
                f"lines have at most {_LONGEST_LINE} characters",
                "break it with a backslash",
            )
        start = start if parts else number
        line = _COMMENT.sub("", raw).rstrip()
        parts.append(line.removesuffix("\\"))
        if not line.endswith("\\"):
            yield from _joined(start, parts)
            parts = []
    yield from _joined(start, parts)


def _joined(number: int, parts: list[str]) -> Iterator[tuple[int, str]]:
    if line := " ".join(parts).strip():
        yield number, line


def _hashes(options: list[str], place: str) -> frozenset[str] | None:
    """The SHA-256 that a line pins its distribution to; None where it pins none."""
    found = []
    for option in options[: _MOST_HASHES + 1]:
        name, _, value = option.replace(" ", "=", 1).partition("=")
        if name != "--hash":
            raise _unknown(name, place)
        digest = sha256_of(value.strip())
        if digest is None:
            raise wrong(
                place,
                f"{shown(option)} is not a hash that is compared",
                "files are compared by SHA-256: --hash=sha256: and 64 hexadecimal digits",
                "write SHA-256 hashes, as uv pip compile --generate-hashes does",
            )
        found.append(digest)
    if len(found) > _MOST_HASHES:
        raise wrong(place, "it has too many hashes", f"at most {_MOST_HASHES} are read", "leave some out")
    return frozenset(found) or None


def _check_option(line: str, place: str) -> None:
    """Raises BuildFailed for every option but those that change nothing."""
    name = re.split(r"[\s=]", line, maxsplit=1)[0]
    if name in _GRANTED:
        return
    if name.startswith(_FILES):
        raise wrong(
            place,
            f"{shown(line)} names another file",
            f"only {FILE} itself is read",
            "copy its lines into requirements.txt, or publish a uv.lock",
        )
    if name.startswith(_CODE):
        raise wrong(
            place,
            f"{shown(line)} names code to install",
            "requirements come from the server's package index, by name",
            "publish the code as part of the source and leave the line out",
        )
    if name.startswith(_PLACES):
        raise wrong(
            place,
            f"{shown(name)} names a place to take packages from",
            "where packages come from is a setting of the server",
            "leave the line out; the server's operator chooses the package index",
        )
    raise _unknown(name, place)


def _unknown(name: str, place: str) -> Exception:
    return wrong(
        place, f"the option {shown(name)} is not read", "of options only --hash=sha256: is", "leave the option out"
    )
