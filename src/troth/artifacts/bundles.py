"""Bundles of documentation: a tar.gz of plain files, read from end to end and kept as it came."""

from __future__ import annotations

import tarfile
import zlib
from dataclasses import dataclass
from typing import IO, Final

from troth.errors import MalformedSource

MOST_FILES: Final = 100_000
_MOST_BYTES: Final = 8 << 30
_LONGEST_PATH: Final = 1000


@dataclass(frozen=True, slots=True)
class Bundle:
    """How much is in a bundle."""

    files: int
    size: int


def read_bundle(file: IO[bytes]) -> Bundle:
    """What is in a bundle. Raises MalformedSource for what cannot be unpacked on every machine as it was packed.

    It is read as a stream, so that memory stays flat whatever its size.
    """
    names: dict[str, str] = {}
    size = 0
    try:
        with tarfile.open(fileobj=file, mode="r|gz") as archive:
            for member in archive:
                archive.members = []  # type: ignore[attr-defined]  # or it would keep them all
                if member.isdir():
                    continue
                _check(member)
                size += member.size
                _check_twin(names, member.name)
                if len(names) > MOST_FILES or size > _MOST_BYTES:
                    raise _wrong("it is too large", f"it has at most {MOST_FILES} files and {_MOST_BYTES >> 30} GiB")
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as error:
        raise _wrong(f"it is no whole tar.gz: {error}", "it may have been cut off") from None
    if not names:
        raise _wrong("there is no file in it", "a release has documentation (PLX-06)")
    return Bundle(len(names), size)


def _check(member: tarfile.TarInfo) -> None:
    parts = member.name.split("/")
    if not member.isreg():
        raise _wrong(f"{member.name[:200]!r} is no plain file", "links and devices lead out of it")
    if member.name.startswith("/") or ".." in parts or "\\" in member.name or "\0" in member.name:
        raise _wrong(f"{member.name[:200]!r} leads out of it", "every file lies inside")
    if len(member.name) > _LONGEST_PATH or not member.name.isprintable():
        raise _wrong(f"{member.name[:200]!r} is no name that can be served", "it is too long, or cannot be shown")


def _check_twin(names: dict[str, str], name: str) -> None:
    plain = "/".join(part for part in name.split("/") if part not in ("", "."))
    twin = names.setdefault(plain.casefold(), name)
    if twin is not name:
        raise _wrong(
            f"{name[:200]!r} and {twin[:200]!r} are one file on some machines", "their letters differ in case only"
        )


def _wrong(what: str, why: str) -> MalformedSource:
    return MalformedSource(
        f"the documentation cannot be kept: {what}", why=why, repair="pack it again: --docs FOLDER", clauses=["PLX-06"]
    )
