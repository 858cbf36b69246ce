"""A project's folder judged here as a publication is on a server: beside what git has of it, or beside published versions."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from troth import git
from troth.commands.judging import LEAST, evidence
from troth.contracts import replays
from troth.contracts.comparison import interface
from troth.contracts.document import Contract, contract_of
from troth.contracts.project import FILE, Project
from troth.doors.cli.run import contract_here, replayed_here
from troth.errors import BuildFailed, MalformedReference, NotFound, Unavailable
from troth.sdk import Client
from troth.sdk.folder import read_project
from troth.settings import Settings
from troth.versions import references
from troth.versions.candidate import Candidate
from troth.versions.evidence import Difference, Evidence, Judged
from troth.versions.history import History, Published, Readings
from troth.versions.numbers import Bump, Number
from troth.versions.permissions import Permissions, permissions_of
from troth.versions.policy import judge, least_number, next_number

#: Stands for what git has, which has no number; no algorithm comes so far.
_COMMITTED: Final = Number(2_000_000_000, 0, 0)


@dataclass(frozen=True, slots=True)
class Against:
    """What a candidate is compared with: versions, their contracts, and what numbers are called where they are none.

    `source` is the folder of the version that is followed, and what it declares, where that is here.
    """

    history: History = field(default_factory=History)
    contracts: Mapping[Number, Contract] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    source: tuple[Path, Project] | None = None


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
    """Judges a project's folder. Used in a `with` block, because what git has is written out meanwhile."""

    def __init__(self, folder: Path, algorithm: str | None, settings: Settings, readings: Readings) -> None:
        self.project = read_project(folder, algorithm)
        #: what the author should know beside the verdict
        self.said: list[str] = []
        self._folder = folder
        self._algorithm = algorithm
        self._settings = settings
        self._readings = readings
        self._scratch = tempfile.TemporaryDirectory(prefix="troth-")

    def __enter__(self) -> ProjectCheck:
        return self

    def __exit__(self, *_: object) -> None:
        self._scratch.cleanup()

    def verdict(self, against: Against, asked: Asked, seconds: float) -> dict[str, Any]:
        """The verdict on the folder's contract, as JSON. What cannot be compared within `seconds` counts as a break."""
        new = self._contract(self._folder, self.project)
        history = against.history
        number = asked.of(history)
        line = number or max(history.numbers(), default=None) or next_number(history, Bump.MINOR)
        earlier = {one: contract for one, contract in against.contracts.items() if one.major == line.major}
        judged = self._judged(new, earlier, line, against.source, seconds)
        candidate = Candidate(line, self._permissions(history), judged, asked.confirmed)
        if number is None:
            candidate = replace(candidate, number=least_number(candidate, history, self._readings))
        return _called(judge(candidate, history, self._readings).as_dict(), against.words)

    def committed(self, revision: str) -> Against:
        """What git has of the folder at a revision; nothing where it has no project there, of which everything is new."""
        folder = Path(self._scratch.name) / "source"
        if not checked_out(self._folder, revision, folder, Path(self._scratch.name) / "index") or not (
            self._algorithm or (folder / FILE).is_file()
        ):
            self.said.append(f"git has no project there at {revision}, so everything is new")
            return Against()
        project = read_project(folder, self._algorithm)
        contract = self._contract(folder, project)
        words = {
            str(_COMMITTED.raised(bump)): f"a {bump.value}" for bump in (Bump.REVISION, Bump.MINOR, Bump.MAJOR)
        } | {str(_COMMITTED): revision, f"{_COMMITTED.major}.0": revision, f"{_COMMITTED.major}.x": "this major"}
        history = History((Published(_COMMITTED, project.permissions, ""),))
        return Against(history, {_COMMITTED: contract}, words, (folder, project))

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
        return Against(History(published), contracts)

    def _contract(self, folder: Path, project: Project) -> Contract:
        return contract_of(contract_here(folder, project, self._settings, _silent))

    def _judged(
        self,
        new: Contract,
        earlier: Mapping[Number, Contract],
        line: Number,
        source: tuple[Path, Project] | None,
        seconds: float,
    ) -> Judged:
        """What the contracts show, and the examples of the candidate and of the version that it follows."""
        found = evidence(new, earlier, seconds)
        followed = max((number for number in earlier if number <= line), default=None)
        plan = replays.promised(earlier[followed]) if followed else []
        plan += replays.own(new, plan)
        ran = self._replayed(plan, source if followed else None)
        differences: tuple[Difference, ...] = ()
        if followed is None:
            return Judged(found, interface(new), replays.behaviour(ran, ()), _told(ran, new, new, ""))
        old = earlier[followed]
        if ran:
            differences = replays.differences(ran, old, new)
            found[followed] = Evidence.of(followed, (*differences, *found[followed].differences))
        return Judged(found, interface(new), replays.behaviour(ran, differences), _told(ran, old, new, str(followed)))

    def _replayed(self, plan: list[replays.Replay], source: tuple[Path, Project] | None) -> list[replays.Replay]:
        """The examples with their answers; none where they cannot be run here, which the verdict says."""
        if not plan:
            return []
        try:
            return replayed_here(plan, (self._folder, self.project), source, self._settings, _silent)
        except (Unavailable, BuildFailed) as error:
            self.said.append(f"examples were not replayed: {error}")
            return []

    def _permissions(self, history: History) -> Permissions:
        """As declared; visibility that is left open is that of its line."""
        permissions = self.project.permissions
        if self.project.visibility_declared or not history.versions:
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


def checked_out(folder: Path, revision: str, target: Path, index: Path) -> bool:
    """Writes what git has of the folder at a revision into a new folder; the repository is left as it is.

    False where that revision has no such folder. Raises NotFound where git fails otherwise.
    """
    try:
        prefix = git.run(None, "-C", str(folder), "rev-parse", "--show-prefix").decode().strip()
        top = git.run(None, "-C", str(folder), "rev-parse", "--show-toplevel").decode().rstrip("\n")
        if not _has_folder(top, revision, prefix):
            return False
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
    return True


def _has_folder(top: str, revision: str, prefix: str) -> bool:
    """Whether the tree of a commit that git has holds the folder; in a shallow clone the commit is there with all of it."""
    if not prefix:
        return True
    listed = git.run(None, "-C", top, "ls-tree", "-d", revision, "--", prefix.rstrip("/"))
    return bool(listed.strip())


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


def _told(ran: list[replays.Replay], old: Contract, new: Contract, against: str) -> tuple[dict[str, Any], ...]:
    return tuple(replays.as_dict(one, old if one.whose == "followed" else new, against) for one in ran)


def _silent(words: str) -> None:
    pass


def _major(row: Mapping[str, Any]) -> int:
    return Number.parse(row["version"]).major


def _published(row: Mapping[str, Any]) -> Published:
    return Published(Number.parse(row["version"]), permissions_of(row["permissions"]), row.get("hash", ""))


def _contract_of(found: Mapping[str, Any]) -> Contract:
    told = found["contract"]
    return Contract(told["input"], told["output"], tuple(told["examples"]))
