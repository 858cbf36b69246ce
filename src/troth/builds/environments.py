"""Environments of versions: immutable folders of libraries, one for each digest, built by uv and checked before each use."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import structlog
from obstore.exceptions import GenericError

from troth.artifacts.store import ArtifactStore
from troth.builds import byte_code
from troth.builds.bill_of_materials import bill_of_materials, licences_in
from troth.builds.dependencies import Dependencies
from troth.builds.environment_document import KIND, EnvironmentDocument, Pin
from troth.builds.environment_files import UNKNOWN, FileRecord, Known, examine, set_writable
from troth.builds.environment_folders import EnvironmentFolders
from troth.builds.installation import install
from troth.builds.uv import Say, Uv
from troth.builds.uv_troubles import Trouble, UvStopped
from troth.errors import BuildFailed, EnvironmentAltered, NotFound
from troth.sandbox.launcher import Launcher

log = structlog.get_logger()

#: time that one run of uv may take unless told otherwise
SECONDS = 600.0
_MOST_NAMED = 50
_FULL = (errno.ENOSPC, errno.EDQUOT)
#: content digest of the bare interpreter, which has no files of its own
_NO_CONTENT = hashlib.sha256(b"[]").hexdigest()


class Environments:
    """Every environment of one server. All methods block, and may be called from any thread.

    `altered` is called with a digest and `altered PATH`, `added PATH` and `removed PATH` when an environment on disk no longer
    was what was built; it is built again then. Of `surroundings`, the server's environment variables, uv is given those that
    name package indexes, proxies and certificates.
    """

    def __init__(
        self,
        folder: Path,
        cache: Path,
        artifacts: ArtifactStore,
        launcher: Launcher,
        *,
        seconds: float = SECONDS,
        altered: Callable[[str, list[str]], None] | None = None,
        surroundings: Mapping[str, str] | None = None,
    ) -> None:
        self._folders = EnvironmentFolders(folder, cache, launcher.service_uid)
        self._artifacts = artifacts
        self._launcher = launcher
        self._altered = altered
        self._uv = Uv(
            launcher, cache, seconds=seconds, surroundings=os.environ if surroundings is None else surroundings
        )
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def recover(self) -> None:
        """Takes away what a server that was killed left half built. Nobody else may use the folder."""
        self._folders.recover()

    def lock(self, dependencies: Dependencies, say: Say) -> EnvironmentDocument:
        """Exact versions and hashes that fulfil the dependencies on this machine, stored under their digest.

        `say` hears what happens. Raises BuildFailed where nothing fulfils them, where no wheel has a hash that the author
        allows, and where neither the package index nor the cache knows; Failed on a full disk.
        """
        pins = self._resolved(dependencies, say) if dependencies.requirements else []
        document = EnvironmentDocument.here([_allowed(pin, dependencies) for pin in pins])
        with _room_on_disk():
            self._artifacts.put(KIND, document.to_bytes())
        if pins:
            say(f"locked {', '.join(document.packages)}")
        return document

    def document(self, digest: str) -> EnvironmentDocument:
        """What the environment with this digest is made of. Raises NotFound or SourceAltered."""
        return EnvironmentDocument.from_bytes(self._artifacts.get(KIND, digest))

    def ready(self, digest: str, say: Say | None = None, *, content: str = "") -> Path | None:
        """The folder of libraries of an environment, complete, unaltered and read-only; None for the bare interpreter.

        It is built if need be, and built again where files on disk are not what was built. `content` is what building it
        gave the first time, where the caller knows; an environment that comes out otherwise is not used. Raises NotFound,
        EnvironmentUnavailable for one of another machine, EnvironmentAltered where building does not give the same files
        again, BuildFailed and Failed.
        """
        document = self.document(digest)
        if not document.check_fits():
            log.info(
                "an environment of another patch of the interpreter", environment=digest, made=document.interpreter
            )
        if not document.requirements:
            return None
        with self._held(digest), _room_on_disk():
            record, site = self._folders.record(digest), self._folders.site(digest)
            if record is None or not site.is_dir() or self._is_altered(digest, site, record):
                self._build(document, record, say or _silence, content or (record.content if record else ""))
            self._folders.touch(digest)
        return site

    def content(self, digest: str) -> str:
        """SHA-256 over the paths and contents of the files that were built, the same on every machine of the kind.

        Raises NotFound for an environment that was never built here.
        """
        if not self.document(digest).requirements:
            return _NO_CONTENT
        return self._recorded(digest).content

    def rebuild(self, digest: str) -> str:
        """The content that building the environment now gives, to be compared with `content`; nothing is kept of it."""
        document = self.document(digest)
        document.check_fits()
        if not document.requirements:
            return _NO_CONTENT
        with _room_on_disk(), self._folders.room() as room:
            return self._installed(document, room, None, _silence).content

    def warm(self, digest: str, modules: Iterable[str]) -> int:
        """Compiles these modules, by their paths in the environment, so that the next worker starts sooner; their number.

        `modules` may come from a worker: what is no module of the environment is left out.
        """
        if not self.document(digest).requirements:
            return 0
        with self._held(digest), _room_on_disk():
            return self._compile(digest, self._recorded(digest), modules)

    def bill_of_materials(
        self, digest: str, subject: str, commit: str = "", *, timestamp: str | None = None
    ) -> dict[str, Any]:
        """What `subject`, built from `commit`, needs, as CycloneDX 1.6; with licences where the environment is on this disk."""
        licences = licences_in(self._folders.site(digest))
        return bill_of_materials(self.document(digest), subject, licences, commit=commit, timestamp=timestamp)

    def garbage(self, needed: Collection[str], *, older_than: float = 0.0) -> list[tuple[str, int]]:
        """(digest, bytes that removing it frees) of environments on disk that are not needed and rested for so many seconds."""
        recent = time.time() - older_than
        return sorted(
            (digest, self._folders.size(digest))
            for digest, used in self._folders.stored()
            if digest not in needed and used <= recent
        )

    def remove(self, digest: str) -> None:
        """Takes an environment off this disk; its document stays, so that it can be built again."""
        with self._held(digest):
            self._folders.forget(digest)

    def _resolved(self, dependencies: Dependencies, say: Say) -> list[Pin]:
        say(f"resolving {len(dependencies.requirements)} requirements")
        try:
            return self._uv.resolve(dependencies.requirements, say, offline=False)
        except UvStopped as problem:
            if problem.trouble is not Trouble.UNREACHABLE:
                raise problem.as_error() from None
            unreachable = problem
        log.warning("the package index cannot be reached", said=unreachable.said)
        say("the package index cannot be reached; trying with what was downloaded before")
        try:
            return self._uv.resolve(dependencies.requirements, say, offline=True)
        except UvStopped:
            raise unreachable.as_error() from None

    def _is_altered(self, digest: str, site: Path, record: FileRecord) -> bool:
        examined = examine(site, record)
        if examined.refreshed is not None:
            try:
                self._folders.write_record(digest, examined.refreshed)
            except OSError as error:  # the environment is what it was; looking takes longer next time, no more
                log.warning("the record of an environment cannot be written", environment=digest, said=str(error))
        if examined.differences:
            named = examined.differences[:_MOST_NAMED]
            log.warning("an environment was altered on disk; building it again", environment=digest, files=named)
            if self._altered is not None:
                self._altered(digest, named)
        return bool(examined.differences)

    def _build(self, document: EnvironmentDocument, before: FileRecord | None, say: Say, expected: str) -> None:
        digest = document.digest
        self._folders.drop(digest)
        with self._folders.room() as room:
            record = self._installed(document, room, expected or None, say)
            if expected and record.content != expected:
                raise _other_content(digest, expected, before, record)
            self._folders.keep(digest, room, record)
        if before and before.compiled:
            self._compile(digest, record, byte_code.modules_of(before))

    def _installed(self, document: EnvironmentDocument, room: Path, expected: str | None, say: Say) -> FileRecord:
        say(f"installing {len(document.requirements)} packages")
        try:
            return install(self._uv, self._folders, document.requirements, room, expected, say)
        except UvStopped as problem:
            raise problem.as_error() from None

    def _compile(self, digest: str, record: FileRecord, modules: Iterable[str]) -> int:
        """Adds byte-code. The record comes first, so that a crash in between leaves nothing that it does not know."""
        site = self._folders.site(digest)
        wanted = byte_code.uncompiled(modules, record) if site.is_dir() else []
        if not wanted:
            return 0
        with self._folders.room() as room:
            output = room / "output"
            output.mkdir()
            self._folders.hand_over(output)
            made = byte_code.compiled(self._launcher, site, wanted, output)
            added = {place: Known(hashlib.sha256(content).hexdigest(), UNKNOWN) for place, content in made.items()}
            planned = msgspec.structs.replace(record, compiled={**record.compiled, **added})
            self._folders.write_record(digest, planned)
            _place(site, made, room)
        if stamped := examine(site, planned).refreshed:
            self._folders.write_record(digest, stamped)
        return len(made)

    def _recorded(self, digest: str) -> FileRecord:
        record = self._folders.record(digest)
        if record is None:
            raise NotFound(f"the environment {digest} was not built on this machine")
        return record

    @contextmanager
    def _held(self, digest: str) -> Iterator[None]:
        with self._guard:
            lock = self._locks.setdefault(digest, threading.Lock())
        with lock:
            yield


def _silence(_: str) -> None:
    pass


def _allowed(pin: Pin, dependencies: Dependencies) -> Pin:
    """The pin with those of its hashes that the author allows. Raises BuildFailed where none is left."""
    allowed = dependencies.hashes.get(pin.name)
    if allowed is None:
        return pin
    left = tuple(digest for digest in pin.hashes if digest in allowed)
    if not left:
        raise BuildFailed(
            f"{pin} is a package whose hash changed",
            why=f"{dependencies.origin} allows other files for it than the package index has for this machine",
            repair="find out why the index has other files; if it is meant to be so, lock its new hashes",
            asked=sorted(allowed)[:_MOST_NAMED],
            found=list(pin.hashes),
        )
    return Pin(pin.name, pin.version, left)


def _place(site: Path, made: Mapping[str, bytes], room: Path) -> None:
    """Puts byte-code into the environment, each file whole or not at all."""
    set_writable(site, True)
    try:
        for number, (place, content) in enumerate(made.items()):
            scratch = room / f"made-{number}"
            scratch.write_bytes(content)
            scratch.chmod(0o444)
            (site / place).parent.mkdir(mode=0o755, exist_ok=True)
            scratch.rename(site / place)
    finally:
        set_writable(site, False)


def _other_content(digest: str, expected: str, before: FileRecord | None, now: FileRecord) -> EnvironmentAltered:
    paths = before.files.keys() | now.files.keys() if before else ()
    others = sorted(path for path in paths if before and _sha256(before, path) != _sha256(now, path))[:_MOST_NAMED]
    return EnvironmentAltered(
        f"the environment {digest[:12]} cannot be built again as it was",
        why="versions run with the libraries that they were built with, and what is installed for it now has other files",
        repair="compile and publish anew, or restore the environment from a backup",
        asked=expected,
        found=others or now.content,
    )


def _sha256(record: FileRecord, path: str) -> str | None:
    return known.sha256 if (known := record.files.get(path)) else None


@contextmanager
def _room_on_disk() -> Iterator[None]:
    """Says of a full disk what it means."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        said = f"{error.strerror}: {error.filename or 'a file of the environment'}"
    except GenericError as error:  # of the artifact store, which passes the system's words on
        if not any(f"(os error {number})" in str(error) for number in _FULL):
            raise
        said = "a document cannot be stored"
    else:
        return
    raise UvStopped(Trouble.DISK_FULL, said).as_error()
