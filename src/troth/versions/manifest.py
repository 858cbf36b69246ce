"""The source of a version as a list of files with their SHA-256: the truth that immutability is checked against (ALG-04).

Not git's tree: attributes and filters never change it. Its digest identifies the source wherever it is stored.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from troth.errors import MalformedSource

FORMAT = 1
#: Bounds of one source; a larger thing is data, which a version reads and does not carry (ALG-04a).
LARGEST_SOURCE = 64 << 20
MOST_FILES = 10_000
_LONGEST_PATH = 512
#: Names that mean something else to a file system or to git, whatever their case and the dots and blanks behind them.
_FORBIDDEN_PARTS = frozenset(["", ".git", "git~1"])
_LONGEST_PART = 255


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One file: its path below the root with `/` between the parts, whether it is executable, its digest and size."""

    path: str
    executable: bool
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """All files of a source, sorted by path."""

    entries: tuple[Entry, ...]

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Manifest:
        """A manifest of these files. Raises MalformedSource for paths that leave the root, twins and sources too large."""
        ordered = tuple(sorted(entries))
        _check(ordered)
        return cls(ordered)

    @classmethod
    def from_bytes(cls, document: bytes) -> Manifest:
        """The manifest that `document` holds, as `to_bytes` wrote it."""
        files = json.loads(document)["files"]
        return cls.of(Entry(f["path"], f["mode"] == "100755", f["sha256"], f["size"]) for f in files)

    def to_bytes(self) -> bytes:
        """The document whose digest identifies this source."""
        files = [
            {"mode": "100755" if e.executable else "100644", "path": e.path, "sha256": e.sha256, "size": e.size}
            for e in self.entries
        ]
        document = {"files": files, "format": FORMAT}
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()

    @property
    def digest(self) -> str:
        """SHA-256 of the document, in hexadecimal."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.entries)


def _check(entries: tuple[Entry, ...]) -> None:
    if not entries:
        raise MalformedSource(
            "the source is empty", why="there is no file in it", repair="troth new makes a working one"
        )
    check_size(len(entries), sum(entry.size for entry in entries))
    seen: dict[str, str] = {}
    for entry in entries:
        check_path(entry.path)
        if twin := seen.get(entry.path.casefold()):
            raise MalformedSource(
                f"{entry.path!r} and {twin!r} are the same name on some systems",
                why="paths are unique by their letters, whatever the case",
                repair="rename one of them",
            )
        seen[entry.path.casefold()] = entry.path


def check_size(files: int, size: int) -> None:
    """Raises MalformedSource for a source of more files or bytes than are published."""
    if files > MOST_FILES:
        raise MalformedSource(
            f"the source has {files} files",
            why=f"at most {MOST_FILES} are published",
            repair="leave out what the algorithm does not need; large data belongs beside a version, not in it",
        )
    if size > LARGEST_SOURCE:
        raise MalformedSource(
            f"the source has {size / 1e6:.0f} MB",
            why=f"at most {LARGEST_SOURCE / 1e6:.0f} MB are published",
            repair="leave out what the algorithm does not need; large data belongs beside a version, not in it",
        )


def check_path(path: str) -> None:
    """Raises MalformedSource unless `path` stays below the root on every system."""
    parts = path.split("/")
    legal = (
        len(path.encode("utf-8", "surrogateescape")) <= _LONGEST_PATH
        and not any(part.casefold().rstrip(". ") in _FORBIDDEN_PARTS for part in parts)
        and all(len(part.encode("utf-8", "surrogateescape")) <= _LONGEST_PART for part in parts)
        and all(character.isprintable() and character != "\\" for character in path)
    )
    if not legal:
        raise MalformedSource(
            f"{path[:120]!r} is not a path that can be published",
            why=f"paths are relative, printable, at most {_LONGEST_PATH} bytes, without . or .. or .git, and each part at most {_LONGEST_PART} bytes",
            repair="rename or leave out the file",
        )
