"""What may be in a bundle of documentation: one entry after the other, judged by name, kind and size alone. No I/O."""

from __future__ import annotations

import tarfile
import unicodedata
from typing import Final

from troth.errors import MalformedSource

MOST_FILES: Final = 100_000
MOST_BYTES: Final = 8 << 30
#: what is packed grows at most so many times, beyond a size that nobody minds
_MOST_GROWTH: Final = 100
_UNMINDED: Final = 64 << 20
_LONGEST_PATH: Final = 1000
_LONGEST_STEP: Final = 255
_DEEPEST: Final = 64


class Entries:
    """The files that were admitted so far, of a bundle of so many packed bytes."""

    def __init__(self, packed: int) -> None:
        self._most_bytes = min(MOST_BYTES, max(_UNMINDED, packed * _MOST_GROWTH))
        #: names of files and folders as they are on a machine that does not tell letters' cases apart
        self._files: dict[str, str] = {}
        self._folders: dict[str, str] = {}
        self.size = 0

    def __len__(self) -> int:
        return len(self._files)

    @property
    def root(self) -> str:
        """The one folder that everything lies in, with a slash; nothing where there are several, or files beside it."""
        tops = {path.partition("/")[0] for path in self._folders.values()}
        if len(tops) != 1 or any("/" not in path for path in self._files.values()):
            return ""
        return f"{tops.pop()}/"

    def admit(self, member: tarfile.TarInfo) -> str | None:
        """The path of a file below the root, or None for a folder, which follows from its files.

        Raises MalformedSource for what cannot be unpacked on every machine as it was packed, or leads out of the bundle.
        """
        path = _path(member.name)
        if member.isdir():
            return None
        if not member.isreg() or member.issparse() or member.size < 0:
            raise wrong(f"{_shown(member.name)} is no plain file", "links and devices lead out of it")
        if not path:
            raise wrong(f"{_shown(member.name)} is no name of a file", "every file lies inside")
        self._count(member.size)
        self._place(path)
        return path

    def _count(self, size: int) -> None:
        self.size += size
        if len(self) >= MOST_FILES:
            raise wrong("it has too many files", f"it has at most {MOST_FILES}")
        if self.size > self._most_bytes:
            raise wrong(
                "it is too large unpacked",
                f"it has at most {MOST_BYTES >> 30} GiB, and at most {_MOST_GROWTH} times what it has packed",
            )

    def _place(self, path: str) -> None:
        """Raises MalformedSource where something else has this place already, here or on another machine."""
        steps = path.split("/")
        for end in range(1, len(steps)):
            folder = "/".join(steps[:end])
            key = _folded(folder)
            if self._folders.setdefault(key, folder) != folder:
                raise _twins(folder, self._folders[key])
            if key in self._files:
                raise _twins(path, self._files[key])
        key = _folded(path)
        if (twin := self._files.get(key) or self._folders.get(key)) is not None:
            raise _twins(path, twin)
        self._files[key] = path


def wrong(
    what: str, why: str, repair: str = "build the documentation again, and pack its folder: --docs FOLDER"
) -> MalformedSource:
    """The error of a bundle that is not kept."""
    return MalformedSource(f"the documentation cannot be kept: {what}", why=why, repair=repair, clauses=["PLX-06"])


def _path(name: str) -> str:
    """The name without steps that mean nothing. Raises MalformedSource for one that leads out, or cannot be served."""
    if name.startswith("/") or "\\" in name or ".." in name.split("/"):
        raise wrong(f"{_shown(name)} leads out of it", "every file lies inside")
    steps = [step for step in name.split("/") if step not in ("", ".")]
    longest = max((len(step.encode(errors="replace")) for step in steps), default=0)
    if len(name) > _LONGEST_PATH or longest > _LONGEST_STEP or len(steps) > _DEEPEST or not name.isprintable():
        raise wrong(f"{_shown(name)} is no name that can be served", "it is too long, or cannot be shown")
    return "/".join(steps)


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def _twins(one: str, other: str) -> MalformedSource:
    return wrong(f"{_shown(one)} and {_shown(other)} have one place on some machines", "there, one would be lost")


def _shown(name: str) -> str:
    return repr(name[:200])
