"""Git's plumbing as functions: values in, values out, and no configuration read but the repository's own."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from troth.errors import Failed

#: The branch whose head is built (algorithmia-api, section 13).
BRANCH = "refs/heads/master"
REGULAR, EXECUTABLE = "100644", "100755"
_NOTHING: Mapping[str, str] = MappingProxyType({})
#: time that one command may take
_SECONDS = 300.0
_LONGEST_LINE = 1 << 20


@dataclass(frozen=True, slots=True)
class Leaf:
    """One entry of a commit's tree: mode and id as git has them, size in bytes (0 for what is no blob)."""

    path: str
    mode: str
    id: str
    size: int


class GitFailed(Failed):
    """A git command ended with an error; `said` is what it printed."""

    def __init__(self, command: str, said: str) -> None:
        super().__init__(
            f"git {command} failed", why=said.strip()[-500:] or "it said nothing", repair="look into the server's log"
        )
        self.said = said


def run(
    repository: Path | None,
    *arguments: str,
    given: bytes = b"",
    surroundings: Mapping[str, str] = _NOTHING,
    seconds: float = _SECONDS,
) -> bytes:
    """Standard output of one git command. Raises GitFailed."""
    command, process_environment = _command(repository, arguments, surroundings)
    try:
        done = subprocess.run(
            command, input=given, capture_output=True, env=process_environment, check=False, timeout=seconds
        )
    except FileNotFoundError:
        raise GitFailed(arguments[0], "git is not installed") from None
    except subprocess.TimeoutExpired:
        raise GitFailed(arguments[0], f"it took more than {seconds:g} seconds") from None
    if done.returncode:
        raise GitFailed(arguments[0], done.stderr.decode(errors="replace"))
    return done.stdout


def _command(
    repository: Path | None, arguments: Sequence[str], surroundings: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """The command line and the whole environment of one git command.

    A repository may have been written to by git as another user, on behalf of strangers: no hook of it is run, no file in it
    names another folder to read configuration from, and no ref of it makes one object stand for another.
    """
    process_environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "HOME": os.devnull,
        "LC_ALL": "C.UTF-8",
        "GIT_NO_REPLACE_OBJECTS": "1",
        **({"GIT_DIR": str(repository), "GIT_COMMON_DIR": str(repository)} if repository else {}),
        **surroundings,
    }
    # a version is not published before its source is on disk; and who pushed owns what was pushed, not this process
    settings = (
        "core.fsync=all",
        "core.fsyncMethod=batch",
        "safe.directory=*",
        "core.hooksPath=/dev/null",
        "core.fsmonitor=false",
    )
    return ["git", *(part for setting in settings for part in ("-c", setting)), *arguments], process_environment


def ask(repository: Path, *arguments: str) -> str:
    """What one git command prints, as a stripped text."""
    return run(repository, *arguments).decode(errors="replace").strip()


def write_tree(repository: Path, files: Iterable[tuple[str, bool, Path]]) -> str:
    """The id of a tree that holds exactly these (path in the tree, executable, file on disk), all written as blobs.

    Attributes and filters are not applied, so that what is stored is what lies on the disk.
    """
    listed = list(files)
    paths = "".join(f"{file}\n" for _, _, file in listed).encode(errors="surrogateescape")
    blobs = run(repository, "hash-object", "-w", "--no-filters", "--stdin-paths", given=paths).decode().split()
    lines = [
        f"{EXECUTABLE if executable else REGULAR} {blob}\t{path}\0"
        for (path, executable, _), blob in zip(listed, blobs, strict=True)
    ]
    with tempfile.TemporaryDirectory() as scratch:
        index = {"GIT_INDEX_FILE": os.path.join(scratch, "index")}
        run(repository, "update-index", "-z", "--index-info", given="".join(lines).encode(), surroundings=index)
        return run(repository, "write-tree", surroundings=index).decode().strip()


def write_commit(repository: Path, tree: str, parent: str | None, *, author: str, message: str) -> str:
    """The id of a new commit of `tree` by `author`, an account's name."""
    identity = {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER")
                for part, value in (("NAME", author), ("EMAIL", f"{author}@troth.invalid"))}  # fmt: skip
    parents = ["-p", parent] if parent else []
    made = run(repository, "commit-tree", tree, *parents, given=message.encode(), surroundings=identity)
    return made.decode().strip()


def head(repository: Path) -> str | None:
    """The commit that the built branch is at."""
    return ask(repository, "for-each-ref", "--format=%(objectname)", BRANCH) or None


def tree_of(repository: Path, commit: str) -> str:
    """The id of a commit's tree."""
    return ask(repository, "rev-parse", f"{commit}^{{tree}}")


def leaves(repository: Path, commit: str, most: int) -> list[Leaf]:
    """Every entry of a commit's tree, folders descended into, but no more than `most` and one.

    A few kilobytes of nested trees can name more files than there is memory for, so the listing is read as it comes.
    """
    command, surroundings = _command(repository, ("ls-tree", "-r", "-l", "-z", "--full-tree", commit), _NOTHING)
    found: list[Leaf] = []
    with subprocess.Popen(command, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        rest = b""
        while len(found) <= most and len(rest) < _LONGEST_LINE and (chunk := process.stdout.read(65536)):
            *lines, rest = (rest + chunk).split(b"\0")
            found += [_leaf(line) for line in lines]
        stopped = len(found) > most or len(rest) >= _LONGEST_LINE
        process.kill() if stopped else process.wait()
    if process.returncode and not stopped:
        raise GitFailed("ls-tree", f"{commit} cannot be read")
    return found[: most + 1]


def _leaf(line: bytes) -> Leaf:
    facts, path = line.split(b"\t", 1)
    mode, _, identity, size = facts.decode().split()
    return Leaf(path.decode(errors="surrogateescape"), mode, identity, int(size) if size != "-" else 0)


def contents(repository: Path, blobs: Iterable[str]) -> Iterable[bytes]:
    """The bytes of these blobs, in order. Raises Failed where one is not there."""
    wanted = list(blobs)
    found = run(repository, "cat-file", "--batch", given="".join(f"{blob}\n" for blob in wanted).encode())
    position = 0
    for blob in wanted:
        end = found.index(b"\n", position)
        facts = found[position:end].split()
        if len(facts) != 3:
            raise Failed(f"{blob} is gone from the algorithm's repository", repair="restore it from a backup")
        size = int(facts[2])
        yield found[end + 1 : end + 1 + size]
        position = end + size + 2
