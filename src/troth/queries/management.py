"""Questions of who manages algorithms: one algorithm, its versions and builds page by page, what can be published.

An algorithm is named `owner/name` or by its uuid. One without anything for the caller to see raises the same
NoSuchAlgorithm as one that does not exist (ALG-25).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.access.scopes import require_scope
from troth.errors import Forbidden, MalformedNumber, MalformedReference, NotFound, Refused
from troth.registry import build_records, catalog, scms
from troth.registry.build_records import BuildRow
from troth.registry.catalog import AlgorithmRow, VersionRow
from troth.registry.scms import Origin
from troth.versions import references
from troth.versions.numbers import Number

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}", re.ASCII)
#: The place of a build in a list: when it was started, and its id.
Place = tuple[str, str]


class NoSuchAlgorithm(NotFound):
    """There is no such algorithm, or none that the caller may know of."""


class NoSuchVersion(NotFound):
    """The algorithm has no such version for the caller."""


class NoSuchBuild(NotFound):
    """The algorithm has no such build."""


class NothingCompiled(Refused):
    """The algorithm has no successful build to publish."""


class AlreadyPublished(Refused):
    """The build has a number."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An algorithm that the caller may know of, and whether as a member of its owner."""

    algorithm: AlgorithmRow
    member: bool
    #: where others keep its source
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Described:
    """One version of an algorithm: published, only built, or with neither the algorithm alone."""

    seen: Seen
    build: BuildRow | None = None
    version: VersionRow | None = None


@dataclass(frozen=True, slots=True)
class VersionPage:
    """Some versions; `more` tells whether others follow."""

    results: list[Described]
    more: bool


@dataclass(frozen=True, slots=True)
class BuildPage:
    """Some builds with the numbers of those that were published; `more` tells whether others follow."""

    results: list[BuildRow]
    numbers: Mapping[str, Number]
    more: bool


def seen(connection: Connection, caller: Actor, name: str) -> Seen:
    """The algorithm, for members of its owner, and for everybody once a version of it is public."""
    algorithm = named(connection, name) or catalog.NO_ALGORITHM
    member = catalog.sees_private(connection, algorithm, caller)
    origin = scms.origin_of(connection, algorithm.id)
    if member or catalog.versions_page(connection, algorithm.id, 1, visibility="public", since=algorithm.returned_at):
        return Seen(algorithm, member, origin)
    raise NoSuchAlgorithm("No such algorithm", asked=name[:200])


def seen_by_member(connection: Connection, caller: Actor, name: str, what: str) -> Seen:
    """`seen`, or Forbidden for those who know the algorithm by its public versions only."""
    found = seen(connection, caller, name)
    if found.member:
        require_scope("read_private_builds", caller.scope)
        return found
    raise Forbidden(
        f"{what} of {found.algorithm.subject} are for members of its owner",
        why="others see what is published publicly",
        repair="use the key of a member",
    )


def newest(connection: Connection, caller: Actor, name: str) -> Described:
    """The algorithm with its highest public version, which is what its name alone means to everybody (ALG-19, ALG-24).

    Where none is public, members see the highest private one, if there is any.
    """
    found = seen(connection, caller, name)
    algorithm = found.algorithm
    for visibility in ("public", "private") if found.member else ("public",):
        if versions := catalog.versions_page(
            connection, algorithm.id, 1, visibility=visibility, since=algorithm.returned_at
        ):
            return _published(found, versions[0])
    return Described(found)


def version(connection: Connection, caller: Actor, name: str, which: str) -> Described:
    """One version by its complete number, or for members by the full hash of any build."""
    found = seen(connection, caller, name)
    described = _by_hash(connection, found, which.lower()) if found.member else None
    described = described or _by_number(connection, found, which)
    if described is not None:
        return described
    raise NoSuchVersion(
        f"there is no version {which[:80]} of {found.algorithm.subject}",
        why="a version is named by its complete number, or by members with the full hash of its commit",
        repair="look at its spelling",
    )


def versions(
    connection: Connection,
    caller: Actor,
    name: str,
    limit: int,
    *,
    after: Number | Place | None = None,
    published: bool | None = None,
    public: bool | None = None,
) -> VersionPage:
    """Versions in one order for everybody: the published ones, highest number first, then successful builds without a
    number, newest first. Others than members see public versions only.

    `published` and `public` leave those that are so, or with False those that are not; a build alone is not public.
    """
    found = seen(connection, caller, name)
    algorithm = found.algorithm
    results: list[Described] = []
    if published is not False and (found.member or public is not False) and not _is_place(after):
        visibility = "public" if public or not found.member else "private" if public is False else None
        below = after if isinstance(after, Number) else None
        rows = catalog.versions_page(
            connection, algorithm.id, limit + 1, below=below, visibility=visibility, since=algorithm.returned_at
        )
        results = [_published(found, row) for row in rows]
    if published is not True and not public and found.member and len(results) <= limit:
        place = None if isinstance(after, Number) else after
        rest = limit + 1 - len(results)
        builds = build_records.builds_page(
            connection, algorithm.id, rest, after=place, unpublished=True, since=algorithm.returned_at
        )
        results += [Described(found, build) for build in builds]
    return VersionPage(results[:limit], len(results) > limit)


def builds(connection: Connection, caller: Actor, name: str, limit: int, after: Place | None = None) -> BuildPage:
    """Builds, newest first, for members of the owner."""
    found = seen_by_member(connection, caller, name, "builds")
    algorithm = found.algorithm
    rows = build_records.builds_page(connection, algorithm.id, limit + 1, after=after, since=algorithm.returned_at)
    numbers = catalog.numbers_of_builds(connection, [row.id for row in rows])
    return BuildPage(rows[:limit], numbers, len(rows) > limit)


def build(connection: Connection, caller: Actor, name: str, build_id: str) -> tuple[BuildRow, Number | None]:
    """One build by its id, with its number if it was published, for members of the owner."""
    found = seen_by_member(connection, caller, name, "builds")
    identity = build_id.lower()
    row = build_records.find_build_by_id(connection, found.algorithm.id, identity) if UUID.fullmatch(identity) else None
    if row is not None:
        return row, catalog.numbers_of_builds(connection, [row.id]).get(row.id)
    raise NoSuchBuild(
        f"there is no build {build_id[:80]} of {found.algorithm.subject}",
        why="a build is named by its build_id",
        repair=f"GET /v1/algorithms/{found.algorithm.subject}/builds lists them",
    )


def publishable(connection: Connection, caller: Actor, name: str, commit: str = "") -> BuildRow | None:
    """The build of a commit, or without one the successful build that was begun last; None for a commit without a build.

    For members of the owner. Raises NothingCompiled, or AlreadyPublished, so that the same request sent again publishes
    nothing twice.
    """
    algorithm = seen_by_member(connection, caller, name, "publications").algorithm
    if commit:
        found = build_records.find_build(connection, algorithm.id, commit)
    else:
        found = build_records.newest_build(connection, algorithm.id, since=algorithm.returned_at)
    if found is None and not commit:
        raise NothingCompiled(
            f"nothing was compiled of {algorithm.subject}",
            why="a version is a successful build",
            repair="compile it first",
            clauses=["ALG-22"],
        )
    number = catalog.numbers_of_builds(connection, [found.id]).get(found.id) if found else None
    if found is None or number is None:
        return found
    raise AlreadyPublished(
        f"{found.hash} of {algorithm.subject} is published already, as {number}",
        why="a published version never changes, and the next one has a build of its own",
        repair="push a commit and compile it, then publish",
        found=str(number),
    )


def named(connection: Connection, name: str) -> AlgorithmRow | None:
    """The algorithm with this `owner/name` or uuid, whoever asks."""
    if UUID.fullmatch(name.lower()):
        return catalog.find_algorithm_by_id(connection, name.lower())
    try:
        reference = references.parse(name)
    except MalformedReference:
        return None
    return catalog.find_algorithm(connection, reference.owner, reference.name)


def _published(found: Seen, version: VersionRow) -> Described:
    return Described(found, version.build, version)


def _is_place(after: Number | Place | None) -> bool:
    return after is not None and not isinstance(after, Number)


def _by_hash(connection: Connection, found: Seen, commit: str) -> Described | None:
    build = build_records.find_build(connection, found.algorithm.id, commit) if _COMMIT.fullmatch(commit) else None
    if build is None:
        return None
    number = catalog.numbers_of_builds(connection, [build.id]).get(build.id)
    version = catalog.find_version(connection, found.algorithm.id, number) if number else None
    return Described(found, build, version)


def _by_number(connection: Connection, found: Seen, text: str) -> Described | None:
    try:
        number = Number.parse(text)
    except MalformedNumber:
        return None
    version = catalog.find_version(connection, found.algorithm.id, number)
    if version is None or not (found.member or version.permissions.public):
        return None
    return _published(found, version)
