"""A project's folder as a source: what it declares, which of its files belong to it, and the tar that uploads it."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

from troth.contracts.project import FILE, LEGACY_FILE, Project, parse_project, project_of
from troth.errors import MalformedReference, MalformedSource
from troth.versions import names
from troth.versions.manifest import LARGEST_SOURCE, MOST_FILES, Entry, Manifest

#: What tools leave in a project's folder, and what holds secrets; never part of a source.
IGNORED = frozenset(
    [
        ".git",
        ".hg",
        ".svn",
        ".venv",
        "venv",
        "__pycache__",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".hypothesis",
        ".tox",
        ".nox",
        ".idea",
        ".vscode",
        "node_modules",
        ".DS_Store",
        ".env",
        ".netrc",
    ]
)


def read_project(folder: Path, algorithm: str | None = None) -> Project:
    """What the folder declares: its troth.toml, or as the algorithm OWNER/NAME also an algorithmia.conf or nothing.

    Raises MalformedSource where it says too little, names another algorithm, or has no file for the algorithm.
    """
    files = {name: (folder / name).read_bytes() for name in (FILE, LEGACY_FILE) if (folder / name).is_file()}
    if algorithm is not None:
        if not folder.is_dir():
            raise MalformedSource(f"there is no folder {folder}", repair="name the project's folder")
        project = project_of(files, _subject(algorithm))
    elif FILE in files:
        project = parse_project(files[FILE])
    else:
        raise MalformedSource(
            f"there is no {FILE} in {folder}",
            why="it names the algorithm",
            repair="troth new NAME makes a working one; --algorithm OWNER/NAME names it for a folder without one",
        )
    root = folder.resolve()
    project.entry({path.relative_to(root).as_posix() for path in _files(root)})
    return project


def read_source(folder: Path) -> tuple[Manifest, bytes]:
    """The manifest of the folder's files, and an uncompressed tar of them. Refuses what `read_files` refuses."""
    entries: list[Entry] = []
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for entry, content in read_files(folder):
            entries.append(entry)
            member = tarfile.TarInfo(entry.path)
            member.size, member.mode = len(content), 0o755 if entry.executable else 0o644
            tar.addfile(member, io.BytesIO(content))
    return Manifest.of(entries), buffer.getvalue()


def read_files(folder: Path) -> Iterator[tuple[Entry, bytes]]:
    """Every file of the folder that belongs to its source, with its content.

    A link to a file inside the folder is read as that file; one that leaves it is refused, as are too many or too large
    files (MalformedSource).
    """
    root = folder.resolve()
    total = 0
    for number, path in enumerate(_files(root)):
        name = path.relative_to(root).as_posix()
        target = _inside(root, path, name)
        status = target.stat()
        total += status.st_size
        if total > LARGEST_SOURCE or number >= MOST_FILES:
            raise _too_large(number, total)
        content = target.read_bytes()
        executable = bool(status.st_mode & stat.S_IXUSR)
        yield Entry(name, executable, hashlib.sha256(content).hexdigest(), len(content)), content


def _subject(algorithm: str) -> str:
    """OWNER/NAME, checked. Raises MalformedName or MalformedReference."""
    owner, slash, name = algorithm.removeprefix("algo://").partition("/")
    if not slash:
        raise MalformedReference(
            f"{algorithm[:80]!r} names no algorithm", why="an algorithm is OWNER/NAME", repair="name its owner as well"
        )
    return f"{names.check_account(owner)}/{names.check_algorithm(name)}"


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        folders[:] = sorted(name for name in folders if name not in IGNORED and name not in links)
        for name in sorted(files + links):
            if name not in IGNORED and not name.endswith((".pyc", ".pyo")):
                yield Path(folder, name)


def _inside(root: Path, path: Path, name: str) -> Path:
    try:
        target = path.resolve()
    except RuntimeError:  # links in a circle
        target = path
    if path.is_symlink() and not (target.is_relative_to(root) and target.is_file()):
        raise MalformedSource(
            f"{name} is a link that leads out of the folder, or to no file",
            why="a source holds its own files and nothing else",
            repair="put a copy of the file in its place, or take the link away",
            asked=name,
        )
    if not target.is_file():
        raise MalformedSource(f"{name} is not a regular file", why="a source holds files only", repair="take it away")
    return target


def _too_large(files: int, size: int) -> MalformedSource:
    what = f"{size / 1e6:.0f} MB" if size > LARGEST_SOURCE else f"more than {files} files"
    return MalformedSource(
        f"the folder has {what}",
        why=f"at most {LARGEST_SOURCE / 1e6:.0f} MB in {MOST_FILES} files are published",
        repair="leave out what the algorithm does not need; large data belongs beside a version, not in it",
    )
