"""A project's folder judged here as a publication is on a server: beside what git has of it, or beside published versions."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from troth import git
from troth.commands.judging import LEAST, evidence
from troth.contracts.comparison import interface
from troth.contracts.document import Contract, contract_of
from troth.contracts.project import Project
from troth.doors.cli.run import Say, contract_here
from troth.errors import MalformedReference, NotFound
from troth.sdk import Client
from troth.sdk.folder import read_project
from troth.settings import Settings
from troth.versions import references
from troth.versions.candidate import Candidate
from troth.versions.evidence import Judged
from troth.versions.history import History, Published
from troth.versions.numbers import Bump, Number
from troth.versions.permissions import Permissions, permissions_of
from troth.versions.policy import judge, least_number, next_number

#: Stands for what git has, which has no number; no algorithm comes so far.
_COMMITTED: Final = Number(2_000_000_000, 0, 0)


@dataclass(frozen=True, slots=True)
class Against:
    """What a candidate is compared with: versions, their contracts, and what numbers are called where they are none."""

    history: History
    contracts: Mapping[Number, Contract]
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """The number that somebody means to publish under: a bump, a complete number, or the lowest that is legal."""

    bump: str = LEAST
    number: Number | None = None
    confirmed: bool = False

    def of(self, history: History) -> Number | None:
        """The number; None for the lowest that is legal."""
        if self.number is not None:
            return self.number
        return None if self.bump == LEAST else next_number(history, Bump(self.bump))


class ProjectCheck:
    """Judges a project's folder. `tell` hears what takes a while."""

    def __init__(self, folder: Path, algorithm: str | None, settings: Settings, tell: Say) -> None:
        self.project = read_project(folder, algorithm)
        self._folder = folder
        self._algorithm = algorithm
        self._settings = settings
        self._tell = tell

    def verdict(self, against: Against, asked: Asked, seconds: float) -> dict[str, Any]:
        """The verdict on the folder's contract, as JSON. What cannot be compared within `seconds` counts as a break."""
        new = self._contract(self._folder, self.project)
        history = against.history
        number = asked.of(history)
        line = number.major if number else max(history.numbers()).major
        earlier = {one: contract for one, contract in against.contracts.items() if one.major == line}
        judged = Judged(evidence(new, earlier, seconds), interface(new))
        permissions = self._permissions(history)
        candidate = Candidate(number or max(history.numbers()), permissions, judged, asked.confirmed)
        if number is None:
            candidate = replace(candidate, number=least_number(candidate, history))
        return _called(judge(candidate, history).as_dict(), against.words)

    def committed(self, revision: str) -> Against:
        """What git has of the folder at a revision. Raises NotFound where git does not know of it."""
        with tempfile.TemporaryDirectory(prefix="troth-") as scratch:
            folder = Path(scratch) / "source"
            checked_out(self._folder, revision, folder, Path(scratch) / "index")
            project = read_project(folder, self._algorithm)
            contract = self._contract(folder, project)
        words = {
            str(_COMMITTED.raised(bump)): f"a {bump.value}" for bump in (Bump.REVISION, Bump.MINOR, Bump.MAJOR)
        } | {str(_COMMITTED): revision, f"{_COMMITTED.major}.0": revision, f"{_COMMITTED.major}.x": "this major"}
        history = History((Published(_COMMITTED, project.permissions, ""),))
        return Against(history, {_COMMITTED: contract}, words)

    def published(self, client: Client, reference: str) -> Against:
        """The versions of a server up to the major line of the one that `reference` means: without a version, all.

        Raises NotFound where there is none that the caller may know of.
        """
        named = references.parse(reference.removeprefix("algo://"))
        rows = client.versions(named.subject)["versions"]
        if named.version:
            chosen = Number.parse(client.contract(str(named))["version"])
            rows = [row for row in rows if _major(row) <= chosen.major]
        if not rows:
            raise NotFound(f"{named.subject} has no version yet", repair="any first number is legal; publish it")
        published = tuple(_published(row) for row in rows)
        known: dict[str, Contract] = {}
        contracts = {}
        for row in rows:
            if row["contract"] not in known:
                known[row["contract"]] = _contract_of(client.contract(f"{named.subject}/{row['version']}"))
            contracts[Number.parse(row["version"])] = known[row["contract"]]
        return Against(History(published), contracts, {})

    def _contract(self, folder: Path, project: Project) -> Contract:
        return contract_of(contract_here(folder, project, self._settings, self._tell))

    def _permissions(self, history: History) -> Permissions:
        """As declared; visibility that is left open is that of its line."""
        permissions = self.project.permissions
        if self.project.visibility_declared:
            return permissions
        highest = max(history.versions, key=lambda version: version.number)
        return replace(permissions, visibility=highest.permissions.visibility)


def is_revision(folder: Path, name: str) -> bool:
    """Whether git knows a commit by this name in the repository that the folder lies in."""
    if name.startswith(("-", "algo://")):
        return False
    try:
        git.run(None, "-C", str(folder), "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    except git.GitFailed:
        return False
    return True


def checked_out(folder: Path, revision: str, target: Path, index: Path) -> None:
    """Writes what git has of the folder at a revision into a new folder; the repository is left as it is."""
    try:
        prefix = git.run(None, "-C", str(folder), "rev-parse", "--show-prefix").decode().strip()
        top = git.run(None, "-C", str(folder), "rev-parse", "--show-toplevel").decode().rstrip("\n")
        beside = {"GIT_INDEX_FILE": str(index)}
        target.mkdir()
        git.run(None, "-C", top, "read-tree", f"{revision}:{prefix}", surroundings=beside)
        git.run(None, "-C", top, "checkout-index", "--all", f"--prefix={target}/", surroundings=beside)
    except git.GitFailed as error:
        raise NotFound(
            f"git has nothing of {folder} at {revision}",
            why=error.said.strip() or error.why,
            repair="name a commit that holds the folder; in CI, fetch the whole history",
        ) from None


def told_apart(folder: Path, against: str | None) -> str | None:
    """The revision of git that is meant; None where a published version is. Raises MalformedReference for neither."""
    name = against or "HEAD"
    if is_revision(folder, name):
        return name
    if against is None:
        raise MalformedReference(
            f"{folder} lies in no git repository with a commit",
            why="without --against it is compared with the last commit",
            repair="name a version with --against OWNER/NAME",
        )
    try:
        references.parse(against.removeprefix("algo://"))
    except MalformedReference:
        raise MalformedReference(
            f"{against!r} is neither a commit that git knows here nor a reference to an algorithm",
            why="--against takes a branch, tag or commit, or owner/name/version",
            repair="in CI, fetch the branch first (fetch-depth: 0)",
        ) from None
    return None


def _called(told: dict[str, Any], words: Mapping[str, str]) -> dict[str, Any]:
    """A verdict in which numbers that stand for something else are called what they are."""
    text = json.dumps(told)
    for number, name in sorted(words.items(), key=lambda one: -len(one[0])):
        text = text.replace(number, json.dumps(name)[1:-1])
    called: dict[str, Any] = json.loads(text)
    return called


def _major(row: Mapping[str, Any]) -> int:
    return Number.parse(row["version"]).major


def _published(row: Mapping[str, Any]) -> Published:
    return Published(Number.parse(row["version"]), permissions_of(row["permissions"]), row.get("hash", ""))


def _contract_of(found: Mapping[str, Any]) -> Contract:
    told = found["contract"]
    return Contract(told["input"], told["output"], tuple(told["examples"]))
