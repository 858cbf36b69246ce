"""Both sides of each API that troth api check compares: the branch, and what was released as git or a server has it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from troth.contracts.apis.branch import Side
from troth.contracts.apis.declared import FILE, DeclaredApi, DeclaredVersion, declared_apis
from troth.contracts.apis.recorded import completed, recorded_api
from troth.contracts.product import FILE as PRODUCT
from troth.contracts.product import is_product, parse_product
from troth.errors import Malformed, NotFound
from troth.sdk import Client
from troth.versions.lifecycles.numbers import parsed
from troth.versions.lifecycles.states import FIRST, State
from troth.versions.lifecycles.subject import Standing
from troth.versions.lifecycles.table import version_name
from troth.versions.releases.numbers import ReleaseNumber

if TYPE_CHECKING:
    from troth.releases.repository import Repository, Snapshot

#: what a release is that goes before the first one
START = ReleaseNumber.of(1, 0, 0)
_LARGEST_FILE = 16 << 20
#: of a release, where no product says how its tags are named
_TAG = re.compile(r"v?([0-9]+\.[0-9]+\.[0-9]+)")


@dataclass(frozen=True, slots=True)
class Pair:
    """Both sides of one API, where its documents lie, and what of it nobody can compare."""

    old: Side
    new: Side
    files: Mapping[str, str]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is compared, and the number of the last release, where one is known."""

    pairs: list[Pair]
    former: ReleaseNumber | None = None


@dataclass(frozen=True, slots=True)
class _Released:
    """What git has of the last release. `apis` is None where it did not declare any."""

    snapshot: Snapshot
    number: ReleaseNumber | None
    apis: Mapping[str, DeclaredApi] | None


class Records:
    """APIs as a server has them. `former` is the highest release that any of those that were asked for knows of."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.former: ReleaseNumber | None = None

    def side(self, name: str, subject: str) -> Side:
        """The released side of an API: states, and the documents that are recorded. Raises NotFound, also for what is hidden."""
        told = self._client.api(subject)
        declared = recorded_api(name, told)
        kept = [one for one in told["versions"] if one["contract"] and not one["dropped_in"]]
        documents = {
            parsed(one["version"]): json.dumps(self._client.api_contract(subject, one["version"]))
            for one in kept
            if one["state"] != State.RETIRED
        }
        known = [declared.newest, self._released(told["product"]), self.former]
        self.former = max((one for one in known if one is not None), default=None)
        return Side(declared, documents)

    def _released(self, product: str | None) -> ReleaseNumber | None:
        """The highest release of the product that an API follows, where the caller may know of it."""
        try:
            listed = self._client.releases(product) if product else []
        except NotFound:
            return None
        numbers = [ReleaseNumber.parse(str(one["number"])) for one in listed]
        return max((one for one in numbers if not one.is_prerelease), default=None)


def of_documents(old: Path, new: Path, version: str, state: str, security: str, subject: str) -> Gathered:
    """Two documents of one version."""
    if state not in list(State):
        raise Malformed(f"{state!r} is no state", repair=f"write one of {', '.join(State)}")
    number = parsed(version)
    declared = DeclaredVersion(Standing(number, State(state), START), str(new), security)
    api = DeclaredApi(subject or "api", {number: declared}, subject=subject)
    sides = [Side(api, {number: _text(path)}) for path in (old, new)]
    return Gathered([Pair(sides[0], sides[1], {f"{api.name} {version}": str(new)})])


def of_record(new: Path, version: str, security: str, subject: str, records: Records) -> Gathered:
    """One document, beside the one that the server has of that version."""
    number, old = parsed(version), records.side(subject, subject)
    known = old.declared.versions.get(number)
    standing = known.standing if known else Standing(number, FIRST)
    versions = {**old.declared.versions, number: DeclaredVersion(standing, str(new), security)}
    branch = completed(DeclaredApi(subject, versions, subject=subject), old.declared)
    side = Side(branch, {**old.documents, number: _text(new)})
    notes = _unrecorded(number) if known and number not in old.documents else ()
    return Gathered([Pair(old, side, {f"{subject} {version}": str(new)}, notes)], records.former)


def of_repository(project: Path, against: str | None, records: Records | None) -> Gathered:
    """Every API that the branch or the release declares; with `records` those that name their subject as the server has them."""
    content = _bytes(project / FILE)
    if content is None:
        raise NotFound(
            f"there is no {project / FILE}",
            why="it declares versions, states and documents",
            repair="write one (docs/life-cycle.md), or name two documents",
        )
    after = declared_apis(content)
    if records is not None and not any(one.subject for one in after.values()):
        raise Malformed(
            f"no API in {project / FILE} says which one it is on a server",
            why="--recorded takes states and documents from there",
            repair='write subject = "OWNER/API" into its table',
        )
    everywhere = records is not None and bool(after) and all(one.subject for one in after.values())
    released = _released(project, against, needed=not everywhere)
    # what is declared for the first time was there before, as far as anybody can tell
    before = after if released is None or released.apis is None else released.apis
    pairs = []
    for name in sorted({*before, *after}):
        old, new = before.get(name, DeclaredApi(name)), after.get(name, DeclaredApi(name))
        subject = (after.get(name) or old).subject
        if records is not None and subject:
            pairs.append(_beside_record(project, new, records.side(name, subject), released))
        else:
            pairs.append(_beside_git(project, old, new, released))
    known = [released.number if released else None, records.former if records else None]
    return Gathered(pairs, max((one for one in known if one is not None), default=None))


def _beside_git(project: Path, old: DeclaredApi, new: DeclaredApi, released: _Released | None) -> Pair:
    assert released is not None, "it was needed"
    for number, one in [*old.versions.items(), *new.versions.items()]:
        if not one.stated:
            raise Malformed(
                f"{FILE} says no state of {new.name} {version_name(number)}",
                why="a server may have it, and none was asked",
                repair='write state = "current", or take it from the server: --recorded',
            )

    def former(path: str) -> bytes | None:
        kept = released.snapshot.file(path)
        return kept if kept is not None or released.apis is not None else _bytes(project / path)

    return Pair(_side(old, former), _side(new, lambda path: _bytes(project / path)), _files(project, new))


def _beside_record(project: Path, declared: DeclaredApi, recorded: Side, released: _Released | None) -> Pair:
    """What the server has no document of is compared with the one in the last release. What the branch names none of stays."""
    branch = completed(declared, recorded.declared)
    new = _side(branch, lambda path: _bytes(project / path))
    documents: dict[int, str] = {}
    notes: list[str] = []
    for number in new.documents:
        path = branch.versions[number].document
        if number in recorded.documents:
            documents[number] = recorded.documents[number]
        elif number not in recorded.declared.versions:
            continue
        elif released is not None and (kept := released.snapshot.file(path)) is not None:
            documents[number] = kept.decode("utf-8-sig", "replace")
        else:
            notes += _unrecorded(number)
    return Pair(Side(recorded.declared, documents), new, _files(project, branch), tuple(notes))


def _unrecorded(number: int) -> tuple[str, ...]:
    return (f"nobody recorded a document of {version_name(number)}, so nothing says what changes in it",)


def _files(project: Path, api: DeclaredApi) -> dict[str, str]:
    return {f"{api.name} {one.standing.name}": str(project / one.document) for one in api.versions.values()}


def _side(api: DeclaredApi, read: Callable[[str], bytes | None]) -> Side:
    documents = {}
    for number, one in api.versions.items():
        if not one.document or one.standing.state is State.RETIRED:
            continue
        content = read(one.document)
        if content is None:
            raise Malformed(
                f"there is no {one.document}", why=f"{FILE} names it for v{number}", repair="commit it, or name another"
            )
        documents[number] = content.decode("utf-8-sig", "replace")
    return Side(api, documents)


def _released(project: Path, against: str | None, *, needed: bool) -> _Released | None:
    """What git has of the last release; None where nothing of it is needed, and nothing is there."""
    from troth.releases.repository import Repository

    try:
        repository = Repository(project)
        name, number = _last(repository, against)
    except NotFound:
        if needed or against is not None:
            raise
        return None
    snapshot = repository.snapshot(repository.resolve(name))
    then = snapshot.file(FILE)
    return _Released(snapshot, number, None if then is None else declared_apis(then))


def _last(repository: Repository, against: str | None) -> tuple[str, ReleaseNumber | None]:
    """What was released, by a name that git knows, and its number; where that is no release, the highest number there is."""
    releases = _releases(repository)
    highest = max(releases.items(), key=lambda one: one[1], default=None)
    if against is not None:
        return against, releases.get(repository.resolve(against), highest[1] if highest else None)
    if highest is None:
        raise NotFound(
            "nothing was released yet",
            why="no tag is a number like v1.2.3",
            repair="name what to compare with: --against",
        )
    return highest


def _releases(repository: Repository) -> dict[str, ReleaseNumber]:
    """The numbers of releases by their commits: as the product says that they are told, else by tags like v1.2.3."""
    from troth.releases.history import releases_of

    declared = _bytes(repository.folder / PRODUCT)
    if declared is None or not is_product(declared):
        named = ((tag.commit, _TAG.fullmatch(tag.name)) for tag in repository.tags())
        listed = [(commit, ReleaseNumber.parse(found[1])) for commit, found in named if found]
    else:
        product = parse_product(declared)
        found_releases = releases_of(repository, product, repository.resolve("HEAD"), tolerant=product.lenient)
        listed = [(one.commit, one.number) for one in found_releases.releases if not one.number.is_prerelease]
    return dict(sorted(listed, key=lambda one: one[1]))


def _bytes(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_FILE + 1)
    except OSError:
        return None


def _text(path: Path) -> str:
    content = _bytes(path)
    if content is None:
        raise Malformed(f"{path} cannot be read", repair="name another file")
    return content.decode("utf-8-sig", "replace")
