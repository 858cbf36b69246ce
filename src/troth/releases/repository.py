"""A product's repository, read by git's plumbing: commits as listings of blobs, and only those blobs that are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from troth import git
from troth.contracts.path_patterns import matches
from troth.errors import Malformed, NotFound

_MOST_FILES: Final = 1_000_000
_LARGEST: Final = 16 << 20
_SEPARATED: Final = "%(refname:strip=2)%00%(objectname)%00%(*objectname)%00%(*objecttype)%00%(objecttype)%00%(creatordate:unix)%00%(tag)"


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag: its name, the commit that it means, when it was made, and the name that an annotated one bears inside."""

    name: str
    commit: str
    made: int
    bears: str


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit since a release: its subject and its body."""

    id: str
    subject: str
    body: str


@dataclass(frozen=True)
class Snapshot:
    """What a product's folder holds at a commit. Files are read when they are asked for."""

    repository: Path
    commit: str
    leaves: Mapping[str, git.Leaf]
    #: the folder that a release is recorded in; what is missing there may have been in the release
    recorded: str = ""
    _known: dict[str, bytes] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether everything is there that was in the folder."""
        return not self.recorded

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """The content of those of the paths that are files. Raises Malformed for one that is too large to be read."""
        wanted = [path for path in dict.fromkeys(paths) if path in self.leaves and self.leaves[path].mode != "160000"]
        for path in wanted:
            if self.leaves[path].size > _LARGEST:
                raise Malformed(
                    f"{path} is larger than {_LARGEST >> 20} MiB",
                    why="no more is read of one file",
                    repair="name another file",
                )
        missing = [path for path in wanted if self.leaves[path].id not in self._known]
        found = git.contents(self.repository, [self.leaves[path].id for path in missing]) if missing else ()
        for path, content in zip(missing, found, strict=True):
            self._known[self.leaves[path].id] = bytes(content)
        return {path: self._known[self.leaves[path].id] for path in wanted}

    def file(self, path: str) -> bytes | None:
        """The content of one file; None where there is none."""
        return self.read([path]).get(path)

    def identity(self, path: str) -> str:
        """The id of a file's blob; empty where there is no such file."""
        return self.leaves[path].id if path in self.leaves else ""

    def size(self, path: str) -> int:
        """Bytes of a file."""
        return self.leaves[path].size

    def below(self, folder: str) -> list[str]:
        """The paths of all files in a folder, or of the file of that name."""
        return [path for path in self.leaves if not folder or path == folder or path.startswith(f"{folder}/")]

    def matching(self, patterns: Iterable[str]) -> list[str]:
        """The paths of all files that one of the patterns means."""
        listed = list(patterns)
        return [path for path in self.leaves if any(matches(pattern, path) for pattern in listed)]


def changed(old: Snapshot, new: Snapshot) -> list[str]:
    """The paths of all files that differ, by the ids of their blobs; beside a recorded release, of those that it holds."""
    both = {**old.leaves, **new.leaves} if old.whole else old.leaves
    return sorted(path for path in both if _identity(old, path) != _identity(new, path))


def _identity(snapshot: Snapshot, path: str) -> tuple[str, str] | None:
    leaf = snapshot.leaves.get(path)
    return (leaf.id, leaf.mode) if leaf else None


class Repository:
    """The repository that a product's folder lies in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            # as git tells it where the folder is a work tree of its own
            self.top = Path(self._ask("rev-parse", "--show-toplevel"))
            self.prefix = self._ask("rev-parse", "--show-prefix")
            self.objects = Path(self._ask("rev-parse", "--path-format=absolute", "--git-common-dir"))
        except git.GitFailed as error:
            raise NotFound(
                f"{folder} lies in no git repository",
                why=error.why,
                repair="name the product's folder with --project",
            ) from None

    def _ask(self, *arguments: str) -> str:
        return git.run(None, "-C", str(self.folder), *arguments).decode(errors="surrogateescape").strip()

    @cached_property
    def is_shallow(self) -> bool:
        """Whether the history is cut off, as a checkout in CI often is."""
        return self._ask("rev-parse", "--is-shallow-repository") == "true"

    @cached_property
    def uncommitted(self) -> int:
        """How many files below the folder differ from what was committed; they are not judged."""
        listed = self._ask("status", "--porcelain", "-z", "--untracked-files=normal", "--", ".")
        return sum(1 for entry in listed.split("\0") if entry.strip())

    def resolve(self, name: str) -> str:
        """The commit that a name means. Raises NotFound."""
        try:
            if name.startswith("-"):
                raise git.GitFailed("rev-parse", "a name does not begin with a dash")
            return self._ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        except git.GitFailed as error:
            if name == "HEAD":
                raise NotFound(
                    "nothing is committed here yet",
                    why="what is judged and released is what was committed",
                    repair='commit first: git add --all, then git commit -m "first"',
                ) from None
            raise NotFound(
                f"git knows no commit {name!r} here",
                why=error.said.strip() or "neither a branch, a tag nor an id is called so",
                repair="name one that there is; in CI, fetch the whole history (fetch-depth: 0)",
            ) from None

    def tags(self) -> list[Tag]:
        """All tags that mean commits."""
        lines = git.run(self.objects, "for-each-ref", f"--format={_SEPARATED}", "refs/tags").decode(
            errors="surrogateescape"
        )
        return [tag for line in lines.splitlines() if (tag := _tag(line.split("\0"))) is not None]

    def reached(self, commit: str) -> set[str]:
        """The names of the tags whose commits are in the history of `commit`."""
        listed = git.run(self.objects, "tag", "--merged", commit).decode(errors="surrogateescape")
        return set(listed.splitlines())

    def made(self, commit: str) -> int:
        """When a commit was made, in seconds since 1970."""
        return int(git.run(self.objects, "show", "--no-patch", "--format=%ct", commit))

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether one commit lies in the history of the other."""
        try:
            git.run(self.objects, "merge-base", "--is-ancestor", older, newer)
        except git.GitFailed:
            return False
        return True

    def snapshot(self, commit: str, recorded: str = "") -> Snapshot:
        """What the folder holds at a commit, or what is recorded in a folder of it. Raises NotFound where it is not there."""
        try:
            found = git.leaves(self.objects, self._tree(commit, recorded), _MOST_FILES)
        except git.GitFailed:
            raise NotFound(
                f"{self.folder} is not there at {commit[:12]}", repair="name a later commit with --base"
            ) from None
        if len(found) > _MOST_FILES:
            raise Malformed(
                f"it has more than {_MOST_FILES} files", why="no more are compared", repair="name a folder below it"
            )
        return Snapshot(self.objects, commit, {leaf.path: leaf for leaf in found}, recorded)

    def folders(self, commit: str, path: str) -> list[str]:
        """The names of the folders that lie in a folder at a commit; none where it is not there."""
        try:
            listed = git.run(self.objects, "ls-tree", "-d", "-z", "--name-only", self._tree(commit, path))
        except git.GitFailed:
            return []
        return [name for name in listed.decode(errors="surrogateescape").split("\0") if name]

    def last_change(self, commit: str, path: str) -> str:
        """The commit, at or before `commit`, that changed something in a folder last."""
        found = git.run(self.objects, "log", "-1", "--format=%H", commit, "--", f"{self.prefix}{path}")
        return found.decode().strip() or commit

    def _tree(self, commit: str, below: str = "") -> str:
        """The name that git has for a folder at a commit."""
        path = f"{self.prefix}{below}".strip("/")
        return f"{commit}:{path}" if path else commit

    def commits(self, older: str, newer: str) -> Iterator[Commit]:
        """The commits of the folder that came since `older`, newest first; merges are left out."""
        paths = ["--", self.prefix] if self.prefix else []
        listed = git.run(
            self.objects, "log", "--no-merges", "--format=%H%x00%s%x00%b%x1e", f"{older}..{newer}", *paths
        ).decode(errors="replace")
        for entry in listed.split("\x1e"):
            if entry.strip():
                identity, subject, body = entry.strip("\n").split("\0", 2)
                yield Commit(identity, subject, body)

    def check_out(self, commit: str, target: Path, scratch: Path, recorded: str = "") -> None:
        """Writes what `snapshot` lists into `target`, which is made; the repository is left as it is."""
        index = {"GIT_INDEX_FILE": str(scratch / f"index-{target.name}")}
        target.mkdir(parents=True)
        git.run(self.objects, "read-tree", self._tree(commit, recorded), surroundings=index)
        work = {**index, "GIT_WORK_TREE": str(target)}
        git.run(self.objects, "checkout-index", "--all", f"--prefix={target}/", surroundings=work)


def _tag(parts: list[str]) -> Tag | None:
    name, identity, behind, kind_behind, kind, made, bears = parts
    commit = behind if kind == "tag" else identity
    if (kind_behind if kind == "tag" else kind) != "commit":
        return None
    return Tag(name, commit, int(made or 0), bears)
