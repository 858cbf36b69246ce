"""The releases of a product, told by the tags of its repository, or recorded in it; what is wrong with a tag is an error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from troth.contracts.product import FILE, Product, parse_product
from troth.errors import MalformedNumber, NotFound, Refused, TrothError
from troth.releases.repository import Repository, Snapshot, Tag
from troth.versions.releases.numbers import ReleaseNumber, lenient


@dataclass(frozen=True, slots=True)
class Release:
    """One release: its number, its tag, its commit, and whether that lies in the history of what is judged.

    One that is recorded has a folder in the place of a tag, and the commit that put it there.
    """

    number: ReleaseNumber
    tag: str
    commit: str
    made: int
    reached: bool
    recorded: str = ""


@dataclass(frozen=True, slots=True)
class Releases:
    """All releases, lowest first, the tags that look like releases and are none, and those that are spelled in another way."""

    releases: tuple[Release, ...]
    unread: tuple[str, ...] = ()
    respelled: tuple[str, ...] = ()

    @property
    def numbers(self) -> tuple[ReleaseNumber, ...]:
        """Every number that was used."""
        return tuple(one.number for one in self.releases)

    def last(self) -> Release | None:
        """The highest release in the history of what is judged; prereleases are none."""
        return max((one for one in self.releases if one.reached and not one.number.is_prerelease),
                   key=lambda one: one.number, default=None)  # fmt: skip

    def of(self, number: ReleaseNumber) -> Release | None:
        """The release with this number."""
        return next((one for one in self.releases if one.number == number), None)


def releases_of(repository: Repository, product: Product, commit: str, *, tolerant: bool = False) -> Releases:
    """The releases by the tags that the product names its releases with.

    Raises MalformedNumber (PDB-06) for a tag whose number is none, unless `tolerant`: then `1.0.0rc1` is read as it is
    meant, and what cannot be read is listed. Raises Refused (PDB-05) for tags that cannot lie where they were put.
    """
    before, after = map(re.escape, product.tags.split("{version}"))
    pattern = re.compile(f"{before}(\\d.*){after}", re.DOTALL)
    reached = repository.reached(commit)
    found: dict[ReleaseNumber, Release] = {}
    unread: list[str] = []
    for tag in repository.tags():
        if (named := pattern.fullmatch(tag.name)) is None:
            continue
        number = _number(tag.name, named[1], tolerant)
        if number is None:
            unread.append(tag.name)
            continue
        if number in found:
            raise _twice(found[number], tag)
        found[number] = Release(number, tag.name, tag.commit, tag.made, tag.name in reached)
        _check_name(tag)
    found = {one.number: one for one in _recorded(repository, product, commit)} | found
    listed = tuple(found[number] for number in sorted(found))
    odd = (one.tag for one in listed if (match := pattern.fullmatch(one.tag)) and match[1] != str(one.number))
    return Releases(listed, tuple(sorted(unread)), tuple(odd))


def _recorded(repository: Repository, product: Product, commit: str) -> Iterator[Release]:
    """The releases that are recorded at the commit itself. A clone without tags knows them, and a tag goes before its record."""
    for name in repository.folders(commit, product.recorded) if product.recorded else ():
        folder = f"{product.recorded}/{name}"
        try:
            number = ReleaseNumber.parse(name)
        except MalformedNumber as error:
            raise MalformedNumber(
                f"{folder} is no record of a release: {error.what}",
                why=error.why,
                repair="name the folder as the release is numbered",
                clauses=error.clauses,
                asked=folder,
            ) from None
        put = repository.last_change(commit, folder)
        yield Release(number, folder, put, repository.made(put), True, folder)


def _number(tag: str, text: str, tolerant: bool) -> ReleaseNumber | None:
    try:
        return ReleaseNumber.parse(text)
    except MalformedNumber as error:
        if tolerant:
            return lenient(text)
        raise MalformedNumber(
            f"the tag {tag[:60]} is named like a release, and {text[:40]!r} is no number of one",
            why=error.why,
            repair="rename the tag, or say lenient = true in [policy]: then it is read as it is meant, or left out and listed",
            clauses=error.clauses,
            asked=tag,
        ) from None


def _twice(one: Release, tag: Tag) -> Refused:
    return Refused(
        f"the tags {one.tag} and {tag.name} are the same release",
        why="a release is one commit, and never changes (SemVer 3)",
        repair="delete the one that is not the release",
        clauses=["PDB-05"],
    )


def _check_name(tag: Tag) -> None:
    """An annotated tag bears its name inside; another name outside shows that it was put there later."""
    if tag.bears and tag.bears != tag.name:
        raise Refused(
            f"the tag {tag.name} was made as {tag.bears}",
            why="a release is one commit, and never changes (SemVer 3)",
            repair=f"find out which release {tag.commit[:12]} is, and delete the wrong tag",
            clauses=["PDB-05"],
        )


def check_places(repository: Repository, releases: Releases) -> None:
    """Raises Refused (PDB-05) for tags that were moved: a lower number of a line lies behind a higher one of it.

    Each release of a history is compared with the next, so that a long history costs a look at each.
    """
    in_line = [one for one in releases.releases if one.reached and not one.recorded]
    for lower, higher in pairwise(in_line):
        if lower.commit != higher.commit and repository.is_ancestor(higher.commit, lower.commit):
            raise Refused(
                f"the tag {lower.tag} lies behind {higher.tag}, which is a later release",
                why="a release is one commit, and never changes (SemVer 3); one of the two tags was moved",
                repair=f"put the tag back: git tag -f {lower.tag} COMMIT, as it was released",
                clauses=["PDB-05"],
            )


def declared_at(repository: Repository, release: Release) -> Product | None:
    """What the product declared of itself at a release; None where it had no troth.toml, or none that is read today."""
    document = snapshot_of(repository, release).file(FILE)
    if document is None:
        return None
    try:
        return parse_product(document)
    except TrothError:
        return None


def snapshot_of(repository: Repository, release: Release) -> Snapshot:
    """What the product's folder held at a release, or as much of it as is recorded."""
    return repository.snapshot(release.commit, release.recorded)


def check_declared(release: Release, then: Product | None) -> None:
    """Raises Refused (PDB-05) where the commit of a release says that it is another one: its tag was moved."""
    if then is not None and then.version is not None and then.version.finished != release.number.finished:
        raise Refused(
            f"the tag {release.tag} lies on a commit whose {FILE} says version {then.version}",
            why="a release is one commit, and never changes (SemVer 3); the tag was moved, or the number was forgotten",
            repair="put the tag back where it was, or name what to compare with by --base",
            clauses=["PDB-05"],
            asked=release.tag,
            found=str(then.version),
        )


def base_of(repository: Repository, releases: Releases, named: str | None) -> tuple[Release | None, Snapshot | None]:
    """The former release, and what to compare with: that release, or the commit that is named.

    Raises NotFound where the history is cut off and nothing was named.
    """
    last = releases.last()
    if named is not None:
        release = next((one for one in releases.releases if named in (one.tag, str(one.number))), None)
        if release is not None and release.recorded:
            return release, snapshot_of(repository, release)
        return release or last, repository.snapshot(repository.resolve(named))
    if repository.is_shallow and last is None:
        raise NotFound(
            "this clone holds a part of the history, without the last release",
            why="what changed cannot be told without it",
            repair="fetch the whole history and its tags (fetch-depth: 0; git fetch --unshallow --tags)",
        )
    return last, snapshot_of(repository, last) if last else None
