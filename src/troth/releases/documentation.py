"""The documentation of a release as one tar.gz, the same bytes for the same files."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from troth.errors import MalformedSource
from troth.releases.check import Subject

_PIECE = 1 << 20


def pack(source: Path, target: IO[bytes]) -> None:
    """Writes the files of a folder into `target` as a tar.gz; one that is packed already is taken as it is.

    Raises MalformedSource where there is nothing, or something that is no plain file.
    """
    if source.is_file():
        with source.open("rb") as packed:
            while piece := packed.read(_PIECE):
                target.write(piece)
        return
    if not source.is_dir():
        raise MalformedSource(
            f"there is no documentation at {source}", repair="build it, and name its folder: --docs FOLDER"
        )
    with _archive(target) as archive:
        for path in sorted(source.rglob("*")):
            if path.is_symlink():
                raise MalformedSource(
                    f"{path} is a link", why="a bundle holds plain files", repair="put the file there"
                )
            if path.is_file():
                with path.open("rb") as content:
                    archive.addfile(_member(path.relative_to(source).as_posix(), path.stat().st_size), content)


def pack_committed(subject: Subject, target: IO[bytes]) -> int:
    """The same of what `[documentation] paths` names at the commit; how many files that were."""
    files = subject.now.read(subject.now.matching(subject.product.documentation))
    with _archive(target) as archive:
        for path, content in sorted(files.items()):
            archive.addfile(_member(path, len(content)), io.BytesIO(content))
    return len(files)


def digest_of(file: IO[bytes]) -> str:
    """SHA-256 of a file from its beginning; it is left at its beginning."""
    file.seek(0)
    found = hashlib.sha256()
    for piece in pieces(file):
        found.update(piece)
    file.seek(0)
    return found.hexdigest()


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """What is left of a file, piece by piece."""
    while piece := file.read(_PIECE):
        yield piece


@contextmanager
def _archive(target: IO[bytes]) -> Iterator[tarfile.TarFile]:
    """A tar.gz to write into, without anything in it that depends on when and by whom it is made."""
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=target, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        yield archive


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o644, 0
    return member
