"""How much an account may keep of files of releases: those of its products' releases, and what it uploaded for none yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from troth.artifacts.blobs import Blob
from troth.clock import now, stamp
from troth.errors import QuotaReached
from troth.registry import release_files
from troth.registry.database import Database


class ReleaseRoom:
    """Keeps count. `quota` is in bytes; 0: any number."""

    def __init__(self, database: Database, quota: int) -> None:
        self._database = database
        self._quota = quota

    def left(self, account_id: str, digest: str) -> int | None:
        """Bytes that an upload of this file may have; None for any number. Blocks."""
        if not self._quota:
            return None
        with self._database.read() as connection:
            kept = release_files.kept_files(connection, account_id)
        return max(0, self._quota - sum(size for one, size in kept.items() if one != digest))

    def noted(self, account_id: str, blob: Blob) -> None:
        """Writes down that somebody uploaded a file. Blocks."""
        moment = stamp(now())
        self._database.write_now(
            lambda connection: release_files.note_upload(connection, account_id, blob.digest, blob.size, moment)
        )

    def forgotten(self, digests: Collection[str]) -> None:
        """These files are gone. Blocks."""
        self._database.write_now(lambda connection: release_files.forget_uploads(connection, digests))

    def check(self, connection: Connection, owner_id: str, files: Mapping[str, int]) -> None:
        """Raises QuotaReached where the owner of a product would keep more than it may with the files of a release."""
        if not self._quota:
            return
        kept = release_files.kept_files(connection, owner_id)
        used, wanted = sum(kept.values()), sum(size for digest, size in files.items() if digest not in kept)
        if used + wanted > self._quota:
            raise self.reached(used, wanted)

    def reached(self, used: int, wanted: int | None = None) -> QuotaReached:
        """The refusal of more, with what was used and what is allowed."""
        more = "more" if wanted is None else f"{wanted} bytes more"
        return QuotaReached(
            f"files of releases of this account have {used} bytes, and may have {self._quota}; there is no room for {more}",
            why="releases stay, and their files with them; what was uploaded for no release yet counts for a week",
            repair="release less in it, or ask who runs this server for more (release_bytes)",
            asked=wanted,
            found={"used": used, "allowed": self._quota},
        )

    def allowed(self, left: int) -> QuotaReached:
        """The refusal of an upload that has more bytes than are left."""
        return self.reached(self._quota - left)
