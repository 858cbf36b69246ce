"""Git repositories of algorithms: every build is a commit, whose full SHA is the version hash."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import structlog

from troth import git
from troth.errors import MalformedSource, NotFound
from troth.versions.manifest import MOST_FILES, Entry, Manifest, check_size

log = structlog.get_logger()

#: How often a commit of an upload is laid on a head that pushes keep moving.
_ATTEMPTS = 5
#: a lock that is older belongs to no git command that runs
_LOCKED_SECONDS = 2.0


class Repositories:
    """Bare repositories, one an algorithm, named by the algorithm's id."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, algorithm_id: str) -> Path:
        return self._folder / f"{algorithm_id}.git"

    def create(
        self, algorithm_id: str, template: Mapping[str, bytes], *, author: str, message: str = "Template"
    ) -> None:
        """Makes a repository whose first commit holds the files of `template`, unless there is one; one that a crash
        left half made is completed."""
        self.create_empty(algorithm_id)
        if self.head(algorithm_id) is None:
            with tempfile.TemporaryDirectory() as scratch:
                files = _written(Path(scratch), template)
                self.commit(algorithm_id, Path(scratch), files, author=author, message=message)

    def create_empty(self, algorithm_id: str) -> None:
        """Makes a repository without a commit, unless there is one.

        Where the server is root everybody may write to the files, because the git that serves pushes is another user.
        The home keeps everybody else out.
        """
        path = self.path(algorithm_id)
        if not all((path / part).exists() for part in ("HEAD", "config", "objects", "refs")):
            sharing = ["--shared=0666"] if os.geteuid() == 0 else []
            git.run(None, "init", "--quiet", "--bare", "-b", "master", "--template=", *sharing, str(path))
            _keep_from_others(path)

    def begin_anew(self, algorithm_id: str, deletion: str) -> None:
        """Takes every branch and tag away from a repository whose algorithm was deleted, once for each deletion.

        They are kept below `refs/troth/deleted`, because versions that were published still run from these commits.
        """
        path, kept = self.path(algorithm_id), f"refs/troth/deleted/{deletion}"
        if git.ask(path, "for-each-ref", "--count=1", kept):
            return
        lines = git.ask(path, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags")
        moves = [line.split() for line in lines.splitlines()]
        commands = [
            f"create {kept}/{name.removeprefix('refs/')} {found}\ndelete {name} {found}\n" for name, found in moves
        ]
        git.run(path, "update-ref", "--stdin", given="".join(commands).encode())

    def log(self, algorithm_id: str, most: int, *, since: str = "", until: str = "") -> list[dict[str, str]]:
        """The newest commits of the branch, newest first: id, author, short_message and message of each."""
        if self.head(algorithm_id) is None:
            return []
        bounds = [f"--{name}={value}" for name, value in (("since", since), ("until", until)) if value]
        form = "--format=%H%x00%an%x00%s%x00%B%x00"
        found = git.ask(self.path(algorithm_id), "log", "-z", f"--max-count={most}", form, *bounds, git.BRANCH)
        parts = [part.strip("\n") for part in found.split("\0")]
        names = ("id", "author", "short_message", "message")
        whole = [parts[at : at + 5] for at in range(0, len(parts) - 3, 5)]
        return [dict(zip(names, (part.strip() for part in one), strict=False)) for one in whole]

    def recover(self) -> None:
        """Takes away what git commands that were killed with the server left behind. Nobody else may use the folder."""
        for pattern in ("*.git/**/*.lock", "*.git/objects/tmp_objdir-*", "*.git/objects/**/tmp_*"):
            for left in self._folder.glob(pattern):
                log.warning("something was left behind by git", path=str(left))
                _remove(left)

    def clear_pushes(self, algorithm_id: str) -> None:
        """Takes away the objects and locks of pushes that were cut off. No push to this repository may be under way."""
        path = self.path(algorithm_id)
        old = time.time() - _LOCKED_SECONDS  # this server's own git may hold one just now
        locks = [lock for lock in (*path.glob("refs/**/*.lock"), *path.glob("*.lock")) if _written_at(lock) < old]
        for left in [*path.glob("objects/tmp_objdir-incoming-*"), *locks]:
            log.info("something was left behind by a push", path=str(left))
            _remove(left)

    def stored(self) -> list[str]:
        """The ids of algorithms that there are repositories of."""
        return [path.name.removesuffix(".git") for path in self._folder.glob("*.git")]

    def remove(self, algorithm_id: str) -> None:
        """Deletes a repository for good."""
        shutil.rmtree(self.path(algorithm_id))

    def size(self, algorithm_id: str) -> int:
        """Bytes on disk."""
        return sum(path.lstat().st_size for path in self.path(algorithm_id).rglob("*") if path.is_file())

    def head(self, algorithm_id: str) -> str | None:
        """The commit that the branch is at."""
        return git.head(self.path(algorithm_id))

    def reachable(self, algorithm_id: str, commit: str) -> bool:
        """Whether the branch holds this commit, as its head or before it."""
        try:
            git.run(self.path(algorithm_id), "merge-base", "--is-ancestor", commit, git.BRANCH)
        except git.GitFailed:
            return False
        return True

    def commit(self, algorithm_id: str, root: Path, manifest: Manifest, *, author: str, message: str) -> str:
        """The commit on the branch that holds exactly the files of `manifest`, read from `root`.

        The head itself where it holds them already; else a new commit on it.
        """
        repository = self.path(algorithm_id)
        tree = git.write_tree(
            repository, ((entry.path, entry.executable, root / entry.path) for entry in manifest.entries)
        )
        for attempt in range(_ATTEMPTS):
            head = git.head(repository)
            if head and git.tree_of(repository, head) == tree:
                return head
            made = git.write_commit(repository, tree, head, author=author, message=message)
            try:
                git.run(repository, "update-ref", git.BRANCH, made, head or "0" * 40)
            except git.GitFailed:
                if attempt + 1 == _ATTEMPTS:
                    raise
            else:
                return made
        raise AssertionError("unreachable")

    def files(self, algorithm_id: str, commit: str) -> Iterator[tuple[Entry, bytes]]:
        """Every file of a commit with its content.

        Raises MalformedSource for a tree that holds anything but files, too many or too much of them; NotFound where
        there is no such commit.
        """
        repository = self.path(algorithm_id)
        try:
            leaves = git.leaves(repository, commit, MOST_FILES)
        except git.GitFailed:
            raise NotFound(f"there is no commit {commit}", repair="push it first", asked=commit) from None
        for leaf in leaves:
            if leaf.mode not in (git.REGULAR, git.EXECUTABLE, "100664"):
                raise _no_file(leaf)
        check_size(len(leaves), sum(leaf.size for leaf in leaves))
        for leaf, content in zip(leaves, git.contents(repository, (leaf.id for leaf in leaves)), strict=True):
            digest = hashlib.sha256(content).hexdigest()
            yield Entry(leaf.path, leaf.mode == git.EXECUTABLE, digest, len(content)), content


def _keep_from_others(path: Path) -> None:
    """Keeps the git of pushes, which is another user where this server is root, from what decides how git reads a repository.

    It makes objects and refs. Configuration, hooks, alternates and grafts stay root's, in folders in which only the owner
    of a file may replace it.
    """
    if os.geteuid() != 0:
        return
    for name in ("hooks", "info", "objects/info"):
        (path / name).mkdir(exist_ok=True)
        (path / name).chmod(0o755)
    for name in ("config", "HEAD"):
        (path / name).chmod(0o644)
    for folder in (path, path / "objects", path / "refs"):
        folder.chmod(0o1777)


def _written(folder: Path, files: Mapping[str, bytes]) -> Manifest:
    entries = []
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        entries.append(Entry(path, False, hashlib.sha256(content).hexdigest(), len(content)))
    return Manifest.of(entries)


def _no_file(leaf: git.Leaf) -> MalformedSource:
    kind = {"120000": "a symbolic link", "160000": "a submodule"}.get(leaf.mode, "no file")
    return MalformedSource(
        f"{leaf.path[:120]!r} is {kind}",
        why="a source holds regular files only, so that its manifest says everything that can run (ALG-04)",
        repair="commit a copy of what it leads to in its place",
    )


def _written_at(path: Path) -> float:
    """When it was last written; never, where it is gone by now."""
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return float("inf")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
