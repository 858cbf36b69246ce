"""The journal's hash chain: each entry's digest covers its exact bytes and the digest of the entry before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from troth.errors import JournalBroken

#: The digest that the first entry follows.
BEGINNING = "0" * 64


@dataclass(frozen=True, slots=True)
class Link:
    """One entry: its position counted from 1, the exact bytes, the digest of the entry before, and its own."""

    position: int
    entry: bytes
    previous: str
    digest: str


def chained(previous: str, content: bytes) -> str:
    """The digest of an entry: SHA-256 over the digest before it, in hexadecimal, and its exact bytes."""
    return hashlib.sha256(previous.encode() + content).hexdigest()


def verify(links: Iterable[Link], position: int = 0, digest: str = BEGINNING) -> tuple[int, str]:
    """(position, digest) of the last entry, after every link behind the given one was computed anew.

    Raises JournalBroken at the first that does not hold: an entry altered, taken out or put in.
    """
    for link in links:
        if link.position != position + 1:
            raise _broken(position + 1, f"entry {position + 1} is missing")
        if link.previous != digest or chained(link.previous, link.entry) != link.digest:
            raise _broken(link.position, f"entry {link.position} is not what was recorded, or the one before it is not")
        position, digest = link.position, link.digest
    return position, digest


def _broken(position: int, found: str) -> JournalBroken:
    return JournalBroken(
        f"the journal is broken at entry {position}: {found}",
        why="each entry's digest covers its bytes and the digest of the entry before",
        repair="restore the registry from a backup, and find out who could write to it",
        found=found,
    )
