"""The sites of a server: each in a read-only folder named by the digest of its bundle, made once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Final

from troth.contracts.path_patterns import matches
from troth.errors import Failed, Refused, TrothError, Unavailable
from troth.sites.entries import wrong
from troth.sites.making import FILES, INDEX, SITE, Made
from troth.sites.search import matching

#: seconds for the largest bundle that is taken
_SECONDS: Final = 300.0
_SHOWN: Final = 5
_SCRATCH: Final = ".new-"
_PROGRAM: Final = "from troth.sites.making import main; main()"


class Sites:
    """Sites in one folder. All of it can be made again from the bundles."""

    def __init__(self, folder: Path, bundle: Callable[[str], int], *, seconds: float = _SECONDS) -> None:
        """`bundle` gives a descriptor of the bundle with a digest, or raises FileNotFoundError."""
        self._folder = folder
        self._bundle = bundle
        self._seconds = seconds
        self._making = threading.Lock()
        #: what is in a site that was made; raises FileNotFoundError where it was not
        self.known = lru_cache(maxsize=256)(self._read)
        folder.mkdir(parents=True, exist_ok=True)

    def recover(self) -> None:
        """Removes what a server that was killed left half made. Nobody else may use the folder."""
        for scratch in self._folder.glob(f"{_SCRATCH}*"):
            _remove(scratch)

    def path(self, digest: str) -> Path:
        """Where the site of this bundle lies, if it does."""
        return self._folder / digest

    def files(self, digest: str) -> Path:
        """The folder with its files."""
        return self._folder / digest / FILES

    def index(self, digest: str) -> Path:
        """Its index."""
        return self._folder / digest / INDEX

    def ready(self, digest: str) -> Made:
        """The site of a bundle, made if it is not there. It blocks.

        Raises MalformedSource for a bundle that cannot be served, Unavailable, or FileNotFoundError where there is none.
        """
        if not self.path(digest).is_dir():
            with self._making:  # one at a time: each takes a processor
                if not self.path(digest).is_dir():
                    self._make(digest)
        return self.known(digest)

    def stored(self) -> list[str]:
        """The digests of all sites that are made."""
        return [path.name for path in self._folder.iterdir() if not path.name.startswith(_SCRATCH)]

    def remove(self, digest: str) -> None:
        """Takes a site off this disk, in one step: half of it would be taken for the whole."""
        room = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=self._folder))
        self.path(digest).chmod(0o755)
        os.rename(self.path(digest), room / "old")
        _remove(room)

    def matching(self, digest: str, patterns: Sequence[str]) -> list[str]:
        """Some of the files of a site that was made which these patterns mean, by their paths below its root."""
        if not patterns:
            return []
        root = self.known(digest).root
        found = matching(self.index(digest), lambda path: meant(patterns, path.removeprefix(root)), _SHOWN)
        return [path.removeprefix(root) for path in found]

    def refuse_retired(self, digest: str, patterns: Sequence[str]) -> None:
        """Raises Refused (PDB-39) where a site that was made has pages that these patterns mean."""
        if kept := self.matching(digest, patterns):
            raise Refused(
                f"the documentation has pages of what is retired: {', '.join(path[:100] for path in kept)}",
                why="at retirement the documentation is removed; that of earlier releases stays",
                repair="take them out, and what leads to them, and build it again",
                clauses=["PDB-39"],
                asked=list(patterns),
                found=kept,
            )

    def _read(self, digest: str) -> Made:
        return Made(**json.loads((self.path(digest) / SITE).read_bytes()))

    def _make(self, digest: str) -> None:
        room = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=self._folder))
        try:
            with os.fdopen(self._bundle(digest), "rb") as archive:
                _raise_for(_run(archive, room, self._seconds))
            for folder, _, files in os.walk(room, topdown=False):
                for name in files:
                    os.chmod(os.path.join(folder, name), 0o444)
                os.chmod(folder, 0o555)
            os.rename(room, self.path(digest))
        finally:
            _remove(room)


def meant(patterns: Sequence[str], path: str) -> bool:
    """Whether one of the patterns means the file at this path."""
    return any(matches(pattern, path) for pattern in patterns)


def _run(archive: IO[bytes], room: Path, seconds: float) -> dict[str, Any]:
    command = [sys.executable, "-I", "-c", _PROGRAM, str(room)]
    try:
        done = subprocess.run(
            command, stdin=archive, capture_output=True, env={}, cwd="/", timeout=seconds, start_new_session=True
        )
    except subprocess.TimeoutExpired:
        raise wrong("it takes too long to read", f"it has {seconds:.0f} s for that") from None
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise Failed("the documentation was not read to its end", why=" ".join(last)[:300]) from None
    return found


def _raise_for(said: dict[str, Any]) -> None:
    if "wrong" in said:
        raise TrothError.from_problem(said["wrong"])
    if "full" in said:
        raise Unavailable(
            f"the documentation cannot be unpacked: {said['full']}", repair="ask who runs this server to make room"
        )


def _remove(path: Path) -> None:
    if path.exists():
        for folder, _, _ in os.walk(path):
            os.chmod(folder, 0o755)
        shutil.rmtree(path)
