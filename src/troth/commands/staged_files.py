"""Files that were uploaded for a release, as the command reads them that cuts it."""

from __future__ import annotations

import os
from dataclasses import dataclass

from troth.artifacts.blobs import Blob, BlobStore
from troth.errors import NotFound, TooLarge


@dataclass(frozen=True, slots=True)
class StagedFiles:
    """The files of all releases, those that wait for one among them."""

    blobs: BlobStore

    def open(self, digest: str, what: str) -> int:
        """A descriptor to read a file from. Raises NotFound where it was not uploaded whole."""
        try:
            return self.blobs.open(digest)
        except FileNotFoundError:
            raise missing_file(what) from None

    def find(self, digest: str, what: str) -> Blob:
        """A file that is there. Raises NotFound."""
        if found := self.blobs.find(digest):
            return found
        raise missing_file(what)

    def read(self, digest: str, what: str, most: int) -> bytes:
        """A file whole. Raises NotFound, or TooLarge beyond `most` bytes."""
        with os.fdopen(self.open(digest, what), "rb") as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise TooLarge(
                f"too large: {what}", why=f"it has at most {most >> 20} MiB", repair="release in smaller steps"
            )
        return content


def missing_file(what: str) -> NotFound:
    """The refusal of a release that something is missing of."""
    return NotFound(
        f"{what} was not uploaded whole",
        why="a release is cut when everything that belongs to it is there",
        repair="upload it (PUT /api/v1/release-files/DIGEST), and cut again",
        asked=what,
    )
