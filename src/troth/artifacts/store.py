"""Content-addressed bytes: written once under their own digest, never changed.

Backed by obstore, so that a folder of this machine and an object store are one thing to the rest of troth.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore

from troth.errors import NotFound, SourceAltered


class ArtifactStore:
    """Bytes by the SHA-256 of their content, in name spaces called kinds (`manifests` ...)."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._store = LocalStore(folder)

    def put(self, kind: str, content: bytes) -> str:
        """Stores `content` unless it is there, and returns its digest."""
        digest = hashlib.sha256(content).hexdigest()
        try:
            self._store.put(_key(kind, digest), content, mode="create")
        except AlreadyExistsError:
            if bytes(self._store.get(_key(kind, digest)).bytes()) != content:  # torn by a crash of the machine
                self._store.put(_key(kind, digest), content)
        return digest

    def get(self, kind: str, digest: str) -> bytes:
        """The content with this digest, checked. Raises NotFound, or SourceAltered where it is no longer that (ALG-04)."""
        try:
            content = bytes(self._store.get(_key(kind, digest)).bytes())
        except FileNotFoundError:
            raise NotFound(f"there is no artifact {digest} among the {kind}") from None
        if hashlib.sha256(content).hexdigest() != digest:
            raise SourceAltered(
                f"the stored artifact {digest[:12]} is not what was stored under that digest",
                why="immutability is guaranteed for the source of published algorithms, so altered source is not run",
                repair="restore the artifact store from a backup",
                clauses=["ALG-04"],
            )
        return content


def _key(kind: str, digest: str) -> str:
    return f"{kind}/{digest[:2]}/{digest}"
