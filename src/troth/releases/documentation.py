"""The documentation of a release: built as its product says, packed as one tar.gz, and read as a server would."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shlex
import signal
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from troth.contracts.product import FILE, Product
from troth.errors import Failed, Malformed, MalformedSource
from troth.releases.check import Subject
from troth.sites.making import Made
from troth.sites.store import Sites

_PIECE = 1 << 20
#: in the place of a digest, for a bundle that is the only one
_HERE = "here"


def built(subject: Subject, seconds: float) -> Path:
    """The folder of the documentation, built now by the command that troth.toml names, in the product's folder.

    Raises MalformedSource where it is not told how, Malformed where another commit lies in the folder, and Failed where the
    command fails or takes longer.
    """
    product, folder = subject.product, subject.repository.folder
    if not product.documentation_build or not product.documentation_built:
        missing = "built" if product.documentation_build else "build"
        example = '"site"' if product.documentation_build else '["mkdocs", "build"]'
        raise MalformedSource(
            f"{FILE}: [documentation] {missing} is missing",
            why="build is the command that builds the documentation, and built is the folder that it writes",
            repair=f"write {missing} = {example}, or build it yourself and say --docs FOLDER",
        )
    if subject.repository.resolve("HEAD") != subject.now.commit:
        raise Malformed(
            f"the documentation of {subject.now.commit[:12]} cannot be built",
            why="it is built of what lies in the folder, and that is another commit",
            repair=f"git switch --detach {subject.now.commit[:12]}, or build it yourself and say --docs FOLDER",
        )
    _run(product.documentation_build, folder, seconds)
    target = folder / product.documentation_built
    if not target.is_dir():
        raise Failed(
            f"the build of the documentation wrote nothing to {product.documentation_built}",
            why=f"{FILE} says that it is there",
            repair="mend built in [documentation]",
        )
    return target


def _run(command: Sequence[str], folder: Path, seconds: float) -> None:
    """Runs the build as any other program, and ends it with all that it started when its time is over."""
    words = shlex.join(command)
    try:
        process = subprocess.Popen(
            list(command), cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise MalformedSource(
            f"the documentation cannot be built: {words}", why=f"{command[0]}: {error.strerror}", repair="install it, or mend build"
        ) from None
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise Failed(f"the build of the documentation took longer than {seconds:g} s: {words}", repair="give it more: --seconds") from None
    if process.returncode:
        last = output.decode(errors="replace").strip().splitlines()[-1:]
        raise Failed(
            f"the documentation could not be built: {words}",
            why=f"it ended with {process.returncode}: {' '.join(last)[:300]}",
            repair=f"run it in {folder}, and mend what it says",
        )


def followed(source: Path, product: Product, seconds: float) -> Made:
    """What is in the documentation at `source`, a folder or a tar.gz, read here as a server reads it.

    Raises MalformedSource (PLX-06) for links that leave the version or lead to nothing, and for what cannot be served, and
    Refused (PDB-39) for pages of what is retired.
    """
    with tempfile.TemporaryDirectory(prefix="troth-") as scratch, tempfile.TemporaryFile() as bundle:
        pack(source, bundle)
        bundle.flush()
        bundle.seek(0)
        sites = Sites(Path(scratch), lambda digest: os.dup(bundle.fileno()), seconds=seconds)
        try:
            made = sites.ready(_HERE)
            sites.refuse_retired(_HERE, product.documentation_retired)
        finally:
            if _HERE in sites.stored():
                sites.remove(_HERE)  # its folders are read-only
    return made


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
