"""The files of an environment: what each of them is, and whether it still is that.

Files are linked, not copied, from uv's cache: a change of one of them changes the cache and other environments. And every
new link moves a file's change time, so that a new time alone says nothing.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
from packaging.utils import canonicalize_name

from troth.errors import BuildFailed

_MOST_FILES = 500_000
_LARGEST_RECORD = 32 << 20
#: files that uv writes about an installation, which tell more of the machine than of the distribution
_ABOUT_INSTALLING = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json")

#: inode, size, time of content and time of change: the same four for the same untouched file
Stamp = tuple[int, int, int, int]
#: of what is no regular file, and of a file that was not there yet; no file has it
UNKNOWN: Stamp = (0, 0, 0, 0)


class Known(NamedTuple):
    """One file as it was recorded."""

    sha256: str
    stamp: Stamp


class FileRecord(msgspec.Struct, frozen=True, kw_only=True):
    """All files of one environment. `compiled` is byte-code made for it here: it may be missing, and is never another."""

    content: str
    files: dict[str, Known]
    compiled: dict[str, Known] = {}
    format: Literal[1] = 1

    @classmethod
    def from_bytes(cls, document: bytes) -> FileRecord:
        """The record that `to_bytes` wrote. Raises msgspec.DecodeError for anything else."""
        return msgspec.json.decode(document, type=cls)

    def to_bytes(self) -> bytes:
        """The record as a file."""
        return msgspec.json.encode(self)


def seal(site: Path) -> FileRecord:
    """The record of a new environment, all of whose files and folders nobody can write to from now on.

    Raises BuildFailed for anything but regular files in folders, and for too many of them.
    """
    (site / ".lock").unlink(missing_ok=True)  # uv's own
    files: dict[str, Known] = {}
    content: list[list[str]] = []
    for path, stamp in _walk(site):
        if stamp == UNKNOWN or len(files) >= _MOST_FILES or _shown(path) != path:
            raise _not_kept(path, len(files))
        files[path], listed = _sealed(site, path)
        if listed and _is_content(path):
            content.append([path, files[path].sha256])
    set_writable(site, False)
    digest = hashlib.sha256(json.dumps(sorted(content), separators=(",", ":")).encode()).hexdigest()
    return FileRecord(content=digest, files=files)


def _not_kept(path: str, number: int) -> BuildFailed:
    if number >= _MOST_FILES:
        what, why = "the environment has too many files", f"at most {_MOST_FILES} are installed"
    else:
        what = f"{path[:120]!r} in the environment is no regular file with a readable name"
        why = "wheels hold files and folders only"
    return BuildFailed(what, why=why, repair="leave out the package that it belongs to")


def set_writable(site: Path, writable: bool) -> None:
    """Lets the owner write into the folders of an environment, or nobody."""
    for folder, _, _ in os.walk(site):
        os.chmod(folder, 0o755 if writable else 0o555)


def _sealed(site: Path, path: str) -> tuple[Known, bool]:
    """The file as it is recorded, and whether its content is the distribution's own: scripts name the interpreter's path."""
    with open(site / path, "rb", opener=_no_link) as file:
        mode = os.fstat(file.fileno()).st_mode
        sealed = 0o555 if mode & 0o111 else 0o444
        if stat.S_IMODE(mode) != sealed:  # else other environments with this file would see it change
            os.fchmod(file.fileno(), sealed)
        stamp = _stamp(os.fstat(file.fileno()))  # before the content is read: a later change moves it
        script = path.startswith("bin/") and file.read(2) == b"#!"
        file.seek(0)
        return Known(hashlib.file_digest(file, "sha256").hexdigest(), stamp), not script


def _is_content(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    return not (folder.endswith(".dist-info") and "/" not in folder and name in _ABOUT_INSTALLING)


@dataclass(slots=True)
class Examined:
    """An environment compared with its record."""

    #: `altered PATH`, `added PATH` and `removed PATH`
    differences: list[str]
    #: the record with the stamps of today, where there is no difference; None where it is as it was
    refreshed: FileRecord | None = None


def examine(site: Path, record: FileRecord) -> Examined:
    """Compares every file's stamp, and the content of those whose stamp is another."""
    found = dict(_walk(site))
    recorded = {**record.files, **record.compiled}
    differences = [f"added {path}" for path in found if path not in recorded]
    differences += [f"removed {path}" for path in record.files if path not in found]
    moved = [path for path, stamp in found.items() if path in recorded and recorded[path].stamp != stamp]
    fresh: dict[str, Known] = {}
    for path in moved:
        if (known := _now(site, path)) and known.sha256 == recorded[path].sha256:
            fresh[path] = known
        else:
            differences.append(f"altered {path}")
    if differences:
        return Examined(sorted(map(_shown, differences)))
    if not fresh and all(path in found for path in record.compiled):
        return Examined([])
    compiled = {path: fresh.get(path, known) for path, known in record.compiled.items() if path in found}
    files = {path: fresh.get(path, known) for path, known in record.files.items()}
    return Examined([], msgspec.structs.replace(record, files=files, compiled=compiled))


def _now(site: Path, path: str) -> Known | None:
    """The file as it is now; None for what is no regular file."""
    try:
        with open(site / path, "rb", opener=_no_link) as file:
            status = os.fstat(file.fileno())
            if stat.S_ISREG(status.st_mode):
                return Known(hashlib.file_digest(file, "sha256").hexdigest(), _stamp(status))
    except OSError:
        pass
    return None


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _walk(site: Path) -> Iterator[tuple[str, Stamp]]:
    """Path and stamp of everything but folders. What is no regular file has a stamp that nothing recorded has."""
    waiting = [(str(site), "")]
    while waiting:
        folder, prefix = waiting.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((entry.path, f"{prefix}{entry.name}/"))
                    continue
                status = entry.stat(follow_symlinks=False)
                yield prefix + entry.name, _stamp(status) if stat.S_ISREG(status.st_mode) else UNKNOWN


def _shown(path: str) -> str:
    """A path for messages: whoever altered an environment chose its names."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in path)


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def distributions(site: Path) -> Iterator[tuple[str, Path]]:
    """Name and `.dist-info` folder of every distribution that is installed."""
    for folder in sorted(site.glob("*.dist-info")):
        yield canonicalize_name(re.split(r"-", folder.name, maxsplit=1)[0]), folder


def unlike_their_wheels(site: Path, record: FileRecord) -> dict[str, list[str]]:
    """By distribution, the files that are not what its wheel says of them: then the cache was altered, or the wheel lies."""
    found: dict[str, list[str]] = {}
    for name, folder in distributions(site):
        for path, sha256 in _said_by_wheel(folder / "RECORD"):
            if path in record.files and record.files[path].sha256 != sha256 and _is_content(path):
                found.setdefault(name, []).append(path)
    return found


def _said_by_wheel(path: Path) -> Iterable[tuple[str, str]]:
    """Paths and SHA-256 that a RECORD lists. It comes from a stranger, so that what cannot be read says nothing."""
    try:
        with open(path, encoding="utf-8", opener=_no_link) as file:
            text = file.read(_LARGEST_RECORD)
        for row in csv.reader(text.splitlines()):
            if len(row) == 3 and row[1].startswith("sha256="):
                encoded = row[1].removeprefix("sha256=")
                yield row[0], base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).hex()
    except (OSError, ValueError, csv.Error):
        return
