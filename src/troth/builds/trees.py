"""Sources on this machine's disk: read-only folders named by the digest of their manifest, checked at every load (ALG-04)."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from troth.artifacts.store import ArtifactStore
from troth.errors import MalformedSource, NotFound, SourceAltered
from troth.versions.manifest import LARGEST_SOURCE, MOST_FILES, Entry, Manifest, check_path

_KIND = "manifests"
_SCRATCH = ".new-"


class Trees:
    """The sources that were uploaded or published, and their manifests."""

    def __init__(self, folder: Path, artifacts: ArtifactStore) -> None:
        self._folder = folder
        self._artifacts = artifacts
        folder.mkdir(parents=True, exist_ok=True)

    def recover(self) -> None:
        """Takes away what a server that was killed left half unpacked. Nobody else may use the folder."""
        for scratch in self._folder.glob(f"{_SCRATCH}*"):
            remove_tree(scratch)

    def path(self, digest: str) -> Path:
        """Where the source with this digest lies, if it does."""
        return self._folder / digest

    def has(self, digest: str) -> bool:
        """Whether the source is here."""
        return self.path(digest).is_dir()

    def manifest(self, digest: str) -> Manifest:
        """The manifest with this digest, checked. Raises NotFound or SourceAltered."""
        return Manifest.from_bytes(self._artifacts.get(_KIND, digest))

    def keep_archive(self, archive: IO[bytes], digest: str) -> Manifest:
        """Stores the source that `archive`, an uncompressed tar, holds.

        Its manifest must have `digest`. Raises MalformedSource for anything but regular files below the root, for too
        many or too large files and for another digest; nothing is kept then.
        """
        with self._room() as room:
            manifest = Manifest.of(_unpacked(archive, room))
            if manifest.digest != digest:
                raise MalformedSource(
                    "the upload is not the source that was announced",
                    why=f"its manifest has the digest {manifest.digest}",
                    repair="upload it under that digest",
                    asked=digest,
                    found=manifest.digest,
                )
            self._keep(room, manifest)
        return manifest

    def keep_files(self, files: Iterable[tuple[Entry, bytes]], digest: str | None = None) -> Manifest:
        """Stores a source read from elsewhere.

        Raises MalformedSource for one that cannot be published, SourceAltered where it is not the one with `digest`
        (ALG-04); nothing is kept then.
        """
        with self._room() as room:
            entries = []
            for entry, content in files:
                check_path(entry.path)
                entries.append(_written(room, entry.path, content, entry.executable))
            manifest = Manifest.of(entries)
            if digest is not None and manifest.digest != digest:
                raise _altered(digest, "the repository gives other files")
            self._keep(room, manifest)
        return manifest

    def stored(self) -> Iterable[tuple[str, float]]:
        """(digest, moment of its arrival) of every source on this disk."""
        for path in self._folder.iterdir():
            if not path.name.startswith(_SCRATCH):
                yield path.name, path.stat().st_mtime

    def remove(self, digest: str) -> None:
        """Takes a source off this disk, in one step: half of it would be taken for the whole."""
        with self._room() as room:
            self.path(digest).chmod(0o755)
            os.rename(self.path(digest), room / "old")

    def size(self, digest: str) -> int:
        """Bytes of a source on disk."""
        return sum(path.lstat().st_size for path in self.path(digest).rglob("*") if path.is_file())

    def verified(self, digest: str) -> Path:
        """The folder of the source, after every file in it was hashed and compared. Raises NotFound or SourceAltered."""
        root = self.path(digest)
        if not root.is_dir():
            raise NotFound(f"the source {digest} is not on this machine")
        expected = {entry.path: entry for entry in self.manifest(digest).entries}
        for path in _files(root):
            entry = expected.pop(path, None)
            if entry is None:
                raise _altered(digest, f"{path} was added")
            if _entry(root, path) != entry:
                raise _altered(digest, f"{path} is not what was published")
        for path in expected:
            raise _altered(digest, f"{path} is gone")
        return root

    def _room(self) -> _Room:
        return _Room(self._folder)

    def _keep(self, room: Path, manifest: Manifest) -> None:
        self._artifacts.put(_KIND, manifest.to_bytes())
        for folder, _, _ in os.walk(room, topdown=False):
            os.chmod(folder, 0o555)
        try:
            os.rename(room, self.path(manifest.digest))
        except OSError:
            if not self.has(manifest.digest):
                raise
            os.utime(self.path(manifest.digest))  # wanted again, so it is not old


class _Room:
    """A folder to prepare a source in, beside where it will lie; gone afterwards unless it was renamed."""

    def __init__(self, parent: Path) -> None:
        self._parent = parent

    def __enter__(self) -> Path:
        self._path = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=self._parent))
        return self._path

    def __exit__(self, *_: object) -> None:
        remove_tree(self._path)


def remove_tree(path: Path) -> None:
    """Removes a read-only tree, if it is there."""
    if path.exists():
        for folder, _, _ in os.walk(path):
            os.chmod(folder, 0o755)
        shutil.rmtree(path)


def _unpacked(archive: IO[bytes], room: Path) -> list[Entry]:
    entries: list[Entry] = []
    total = 0
    if not archive.read(1):
        return entries
    archive.seek(0)
    try:
        with tarfile.open(fileobj=archive, mode="r|") as tar:
            for member in tar:
                if not member.isreg() or member.issparse() or member.size < 0:
                    raise MalformedSource(
                        f"{member.name[:120]!r} is not a regular file",
                        why="a source holds regular files only: no links, folders or devices of their own",
                        repair="upload files only",
                    )
                check_path(member.name)
                total += member.size
                if total > LARGEST_SOURCE or len(entries) >= MOST_FILES:
                    raise MalformedSource(
                        "the upload is too large",
                        why=f"at most {LARGEST_SOURCE / 1e6:.0f} MB in {MOST_FILES} files are published",
                        repair="leave out what the algorithm does not need",
                    )
                content = tar.extractfile(member)
                assert content is not None
                entries.append(_written(room, member.name, content.read(), bool(member.mode & stat.S_IXUSR)))
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        raise MalformedSource(
            "the upload is not a tar archive of files",
            why=f"a source is uploaded as an uncompressed tar ({type(error).__name__} while reading it)",
            repair="publish with the troth command, which makes one",
        ) from None
    return entries


def _written(room: Path, path: str, content: bytes, executable: bool) -> Entry:
    target = room / path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "xb") as file:
            file.write(content)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise MalformedSource(
            f"the source has {path[:120]!r} twice, or a part of it as a file and as a folder",
            why="every file of a source has a place of its own",
            repair="leave one of them out",
        ) from None
    target.chmod(0o555 if executable else 0o444)
    return Entry(path, executable, hashlib.sha256(content).hexdigest(), len(content))


def _files(root: Path) -> Iterable[str]:
    for folder, folders, files in os.walk(root):
        for name in files + [name for name in folders if os.path.islink(os.path.join(folder, name))]:
            yield os.path.relpath(os.path.join(folder, name), root)


def _entry(root: Path, path: str) -> Entry | None:
    """The file as it is now; None for what is no regular file."""
    try:
        with open(root / path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW)) as file:
            status = os.fstat(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
    return Entry(path, bool(status.st_mode & stat.S_IXUSR), digest, status.st_size)


def _altered(digest: str, found: str) -> SourceAltered:
    return SourceAltered(
        f"the stored source is not what was published: {found}",
        why="immutability is guaranteed for the source of published algorithms, so altered source is not run",
        repair=f"move trees/{digest} away from the server's home; it is made again from the repository",
        clauses=["ALG-04"],
        asked=digest,
        found=found,
    )
