"""Where environments lie on disk, and what is swept away after a crash."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from troth.builds.environment_files import FileRecord
from troth.builds.trees import remove_tree
from troth.errors import MalformedSetting

_SCRATCH = ".new-"
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


class EnvironmentFolders:
    """In `folder`: `DIGEST/site`, libraries that nobody can write to; `DIGEST.json`, the record of their files, which outlives
    them so that what is built again can be compared. In `cache`, which servers may share: `uv`, uv's own; `new`, its targets.

    `owner` is the user that uv runs as, where it is another than the server's. Raises MalformedSetting where the two lie on
    different file systems.
    """

    def __init__(self, folder: Path, cache: Path, owner: int | None) -> None:
        self._folder = folder
        self._owner = owner
        self._targets = cache / "new"
        self._mark = hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:12]
        folder.mkdir(parents=True, exist_ok=True)
        for path in (cache, cache / "uv", self._targets):
            path.mkdir(parents=True, exist_ok=True)
            if path.name != "uv":
                self.hand_over(path)
        self._hand_over_all(cache / "uv")
        if folder.stat().st_dev != cache.stat().st_dev:
            raise MalformedSetting(
                f"the cache of packages, {cache}, is on another file system than {folder}",
                why="environments share their files with the cache, which takes links",
                repair="name a folder on the file system of the home in the setting package_cache",
            )

    def site(self, digest: str) -> Path:
        """Where the libraries of an environment lie, if they do."""
        return self._folder / digest / "site"

    def record(self, digest: str) -> FileRecord | None:
        """The record of an environment that was built here once. One that cannot be read is none."""
        try:
            return FileRecord.from_bytes(self._record_path(digest).read_bytes())
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def write_record(self, digest: str, record: FileRecord) -> None:
        """Replaces the record, whole or not at all."""
        scratch = self._folder / f"{_SCRATCH}{secrets.token_hex(8)}"
        try:
            with open(scratch, "wb") as file:
                file.write(record.to_bytes())
                file.flush()
                os.fsync(file.fileno())
            scratch.rename(self._record_path(digest))
        finally:
            scratch.unlink(missing_ok=True)

    def touch(self, digest: str) -> None:
        """Notes that an environment is in use now."""
        os.utime(self._record_path(digest))

    @contextmanager
    def room(self) -> Iterator[Path]:
        """A folder beside the environments, out of uv's reach; gone afterwards unless it was kept."""
        path = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=self._folder))
        try:
            yield path
        finally:
            remove_tree(path)

    @contextmanager
    def target(self) -> Iterator[Path]:
        """An empty folder below the cache that uv can write to; gone afterwards unless it was moved."""
        path = Path(tempfile.mkdtemp(prefix=f"{self._mark}-", dir=self._targets))
        try:
            self.hand_over(path)
            site = path / "site"
            site.mkdir()
            self.hand_over(site)
            yield site
        finally:
            remove_tree(path)

    def keep(self, digest: str, room: Path, record: FileRecord) -> None:
        """Makes `room` the environment. A crash in between leaves the record alone, or scratch."""
        self.write_record(digest, record)
        room.chmod(0o755)
        room.rename(self._folder / digest)

    def drop(self, digest: str) -> None:
        """Takes an environment away, but for its record; at once for who asks, even where removing it takes long."""
        path = self._folder / digest
        if path.exists():
            aside = self._folder / f"{_SCRATCH}{secrets.token_hex(8)}"
            path.rename(aside)
            remove_tree(aside)

    def forget(self, digest: str) -> None:
        """Takes an environment away with its record."""
        self.drop(digest)
        self._record_path(digest).unlink(missing_ok=True)

    def recover(self) -> None:
        """Takes away what a server that was killed left half made. Nobody else may use the folder."""
        for path in [*self._folder.glob(f"{_SCRATCH}*"), *self._targets.glob(f"{self._mark}-*")]:
            if path.is_dir():
                remove_tree(path)
            else:
                path.unlink()
        for digest in self._folder.iterdir():
            if _DIGEST.fullmatch(digest.name) and not self._record_path(digest.name).exists():
                remove_tree(digest)

    def stored(self) -> Iterator[tuple[str, float]]:
        """(digest, moment of its last use) of every environment here."""
        for path in self._folder.glob("*.json"):
            if _DIGEST.fullmatch(path.stem):
                yield path.stem, path.stat().st_mtime

    def size(self, digest: str) -> int:
        """Bytes on disk that only this environment has; what it shares with the cache and others is not counted."""
        total = self._record_path(digest).stat().st_blocks
        for folder, _, files in os.walk(self._folder / digest):
            total += os.lstat(folder).st_blocks
            statuses = (os.lstat(os.path.join(folder, name)) for name in files)
            total += sum(status.st_blocks for status in statuses if status.st_nlink == 1)
        return 512 * total

    def hand_over(self, path: Path) -> None:
        """Gives a folder to the user that uv runs as."""
        if self._owner is not None:
            os.chown(path, self._owner, self._owner)

    def _hand_over_all(self, path: Path) -> None:
        """The same for everything in it, where it belongs to somebody else: then another user was set before."""
        if self._owner is None or path.stat().st_uid == self._owner:
            return
        for folder, _, files in os.walk(path):
            for name in [folder, *(os.path.join(folder, name) for name in files)]:
                os.chown(name, self._owner, self._owner, follow_symlinks=False)

    def _record_path(self, digest: str) -> Path:
        return self._folder / f"{digest}.json"
