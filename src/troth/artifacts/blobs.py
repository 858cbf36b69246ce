"""Large bytes under their own digest: streamed in under the id of their upload, then named by their SHA-256.

The artifact store holds its content in memory; this one never does. A blob is there whole or not at all.
"""

from __future__ import annotations

import hashlib
import os
import threading
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from troth.errors import NotFound, Unavailable

#: pieces that one system call takes
_MOST_PIECES = 512
#: bytes that come before the disk is told to begin with them
_AHEAD = 8 << 20


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that are stored."""

    digest: str
    size: int


class Upload:
    """Bytes on their way in. Its methods block."""

    def __init__(self, folder: Path) -> None:
        self.id = str(uuid.uuid4())
        self.path = folder / self.id
        #: where the blob of the same digest is that was there before
        self.replaced = folder / f"{self.id}.replaced"
        self.size = 0
        self._begun = 0  # bytes that are on their way to the disk
        self._digest = hashlib.sha256()
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def write(self, pieces: Sequence[bytes | memoryview]) -> None:
        """Adds these pieces. Raises Unavailable where the disk takes no more."""
        try:
            for start in range(0, len(pieces), _MOST_PIECES):
                self._written(pieces[start : start + _MOST_PIECES])
        except OSError as error:
            raise Unavailable(
                f"the file cannot be stored: {error.strerror}", repair="ask who runs this server to make room"
            ) from None

    @property
    def digest(self) -> str:
        """SHA-256 of what was written so far."""
        return self._digest.hexdigest()

    def complete(self) -> Blob:
        """What was written, on disk for good."""
        os.fdatasync(self._file)
        self.close()
        return Blob(self._digest.hexdigest(), self.size)

    def close(self) -> None:
        """Ends writing; the scratch file stays."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _written(self, pieces: Sequence[bytes | memoryview]) -> None:
        for piece in pieces:
            self._digest.update(piece)
        whole = sum(map(len, pieces))
        written = os.writev(self._file, pieces)
        if written < whole:  # a full disk, or a signal
            rest = b"".join(pieces)[written:]
            while rest:
                rest = rest[os.write(self._file, rest) :]
        self.size += whole
        if self.size - self._begun >= _AHEAD:
            # the disk begins now, so that little is left to wait for at the end; this advice does not wait
            os.posix_fadvise(self._file, self._begun, self.size - self._begun, os.POSIX_FADV_DONTNEED)
            self._begun = self.size


class BlobStore:
    """Blobs in one folder. Those that somebody just stored are kept until the registry names them."""

    def __init__(self, folder: Path) -> None:
        self._blobs = folder / "blobs"
        self._uploads = folder / "uploads"
        for path in (self._blobs, self._uploads):
            path.mkdir(parents=True, exist_ok=True)
        self._kept: dict[str, Blob] = {}
        self._guard = threading.Lock()

    def recover(self) -> None:
        """Removes what uploads left behind that a crash cut off."""
        for path in self._uploads.iterdir():
            path.unlink()

    def begin(self) -> Upload:
        """A new upload."""
        return Upload(self._uploads)

    def keep(self, upload: Upload) -> Blob:
        """Names a complete upload by its digest. The registry is waited for until `settle`."""
        blob = upload.complete()
        target = self._path(blob.digest)
        target.parent.mkdir(exist_ok=True)
        with self._guard:
            self._kept[upload.id] = blob
            # the last name of a large file takes long to remove: one that was there already keeps one until `settle`,
            # where the file system gives a second one
            with suppress(OSError):
                os.link(target, upload.replaced)
            upload.path.replace(target)
        _sync_folder(target.parent)
        return blob

    def kept(self, upload_id: str) -> Blob:
        """What came of an upload that is not settled. Raises NotFound."""
        if found := self._kept.get(upload_id):
            return found
        raise NotFound("there is no such upload", why="it was stored already, or cut off", repair="send the file again")

    def settle(self, upload: Upload) -> None:
        """The registry names the blob of this upload by now, or never will. What is no blob is removed, which takes its time."""
        upload.close()
        with self._guard:
            self._kept.pop(upload.id, None)
        for path in (upload.path, upload.replaced):
            path.unlink(missing_ok=True)

    def open(self, digest: str) -> int:
        """A descriptor to read a blob from, which stays good when the blob is removed. Raises FileNotFoundError."""
        return os.open(self._path(digest), os.O_RDONLY | os.O_CLOEXEC)

    def collect(self, digests: Collection[str], needed: Callable[[Collection[str]], Collection[str]]) -> int:
        """Removes those of these blobs that nobody awaits and `needed` does not name; how many that were."""
        removed: list[Path] = []
        with self._guard:  # so that none is stored again between the question and its removal
            awaited = {blob.digest for blob in self._kept.values()}
            candidates = [digest for digest in digests if digest not in awaited]
            kept = needed(candidates) if candidates else ()
            for digest in set(candidates).difference(kept):
                with suppress(FileNotFoundError):
                    removed.append(self._path(digest).rename(self._uploads / str(uuid.uuid4())))
        for path in removed:  # what is large takes long, and nobody who stores something waits for it
            path.unlink()
        return len(removed)

    def stored(self) -> Iterator[str]:
        """The digests of all blobs."""
        for folder in self._blobs.iterdir():
            yield from (path.name for path in folder.iterdir())

    def stored_before(self, moment: float) -> Iterator[str]:
        """The digests of blobs that nobody stored since this moment, in seconds since 1970."""
        return (digest for digest in self.stored() if self._path(digest).stat().st_mtime < moment)

    def find(self, digest: str) -> Blob | None:
        """The blob of this digest, if it is there."""
        try:
            return Blob(digest, self._path(digest).stat().st_size)
        except FileNotFoundError:
            return None

    def _path(self, digest: str) -> Path:
        return self._blobs / digest[:2] / digest


def _sync_folder(folder: Path) -> None:
    """A new name is on disk only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
