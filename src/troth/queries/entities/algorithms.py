"""Algorithms, their versions and builds."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Column as TableColumn
from sqlalchemy import ColumnElement, and_, case, func, literal, null, or_, select

from troth.queries.entities.rows import NOW, Column, Entity, Sight, account, changing, column, subject
from troth.queries.language.fields import Kind
from troth.registry.deletions import deletions
from troth.registry.former_rows import FORMER
from troth.registry.lines import line_states
from troth.registry.tables import accounts, algorithms, builds, versions
from troth.versions.lifecycles.states import State

_PUBLISHER, _STARTER = accounts.alias("publisher"), accounts.alias("starter")
_OF_LINE = versions.alias("line_version")
_OF_ALGORITHM = algorithms.join(accounts, accounts.c.id == algorithms.c.owner_id)
_OWNED = (
    subject("algorithm", accounts.c.name, algorithms.c.name, "OWNER/NAME of the algorithm."),
    account("owner", accounts.c.name, "The account that owns the algorithm.", algorithms.c.owner_id),
    column("name", Kind.TEXT, algorithms.c.name, "Its name."),
)
_BY_ALGORITHM = ((algorithms.c.owner_id, False), (algorithms.c.folded, False))


def member(sight: Sight) -> ColumnElement[bool]:
    """Whether a member of the owner asks, with a key that is for the algorithm."""
    return sight.belongs(algorithms.c.owner_id, accounts.c.name, algorithms.c.name)


def stood(sight: Sight) -> ColumnElement[bool]:
    """Whether the algorithm was not deleted then."""
    of_row = deletions.c.algorithm_id == algorithms.c.id
    found = select(deletions.c.id).where(of_row, sight.held(deletions.c.valid_from, deletions.c.valid_to))
    return ~found.correlate(algorithms).exists()


def floats(published_at: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a public version answers to everybody now: `AlgorithmRow.floats` in SQL (8.5)."""
    of_row = deletions.c.algorithm_id == algorithms.c.id
    open_one = select(deletions.c.id).where(of_row, deletions.c.valid_to.is_(None)).correlate(algorithms).exists()
    returned = select(func.max(deletions.c.valid_to)).where(of_row).correlate(algorithms).scalar_subquery()
    return ~open_one & (published_at >= func.coalesce(returned, ""))


@cache  # what does not depend on who asks is built once: building takes longer than the database
def _public_version_now() -> ColumnElement[bool]:
    """Whether the algorithm has a version that everybody may call."""
    one = versions.alias("public_version")
    return _public(one, one.c.valid_to.is_(None), floats(one.c.valid_from))


def _public_version(sight: Sight) -> ColumnElement[bool]:
    """Whether the algorithm has a version that everybody may call, and had one then."""
    if sight.moment is None:
        return _public_version_now()
    then = versions.alias("version_public_then")
    ended = deletions.c.valid_to > then.c.valid_from, deletions.c.valid_to <= sight.moment
    returned = select(deletions.c.id).where(deletions.c.algorithm_id == algorithms.c.id, *ended)
    stays = ~returned.correlate(algorithms, then).exists()
    return and_(_public_version_now(), _public(then, sight.held(then.c.valid_from, then.c.valid_to), stays))


def _public(one: Any, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    found = select(one.c.id).where(one.c.algorithm_id == algorithms.c.id, one.c.visibility == "public", *conditions)
    return found.correlate(algorithms).exists()


def _of_members(name: str, kind: Kind, value: ColumnElement[Any], summary: str) -> Column:
    """A column that has a value for members of the owner only."""

    def shown(sight: Sight) -> tuple[ColumnElement[Any]]:
        return (case((member(sight), value), else_=null()),)

    def equal(sight: Sight, asked: str) -> ColumnElement[bool]:
        return and_(value == asked, member(sight))

    return column(name, kind, shown, f"{summary} For members of the owner.", nullable=True, equal=equal)


def _line_state(sight: Sight) -> ColumnElement[Any]:
    """The state of the version's line, if that has a public version: `troth.versions.lifecycles.lines.lines_of` in SQL."""
    return _line_state_now() if sight.moment is None else _line_state_at(sight)


@cache
def _line_state_now() -> ColumnElement[Any]:
    return _line_state_at(NOW)


def _line_state_at(sight: Sight) -> ColumnElement[Any]:
    one = _OF_LINE
    public = select(one.c.id).where(
        one.c.algorithm_id == versions.c.algorithm_id,
        one.c.major == versions.c.major,
        one.c.visibility == "public",
        sight.held(one.c.valid_from, one.c.valid_to),
        floats(one.c.valid_from),
    )
    return case(
        (~public.correlate(versions, algorithms).exists(), null()),
        (_line_was(sight, line_states.c.retired_at), literal(State.RETIRED.value)),
        (_line_was(sight, line_states.c.deprecated_at), literal(State.DEPRECATED.value)),
        (versions.c.major == 0, literal(State.EXPERIMENTAL.value)),
        else_=literal(State.CURRENT.value),
    )


def _line_was(sight: Sight, at: TableColumn[Any]) -> ColumnElement[bool]:
    """Whether this moment of the version's line had come."""
    of_line = line_states.c.algorithm_id == versions.c.algorithm_id, line_states.c.major == versions.c.major
    had_come = at.is_not(None) if sight.moment is None else at <= sight.moment
    return select(literal(1)).select_from(line_states).where(*of_line, had_come).correlate(versions).exists()


_FOR_EVERYBODY = and_(versions.c.visibility == "public", floats(versions.c.valid_from))
# What is looked up by a key is no join: each table more doubles the orders that PostgreSQL looks through before it begins.
_PUBLISHED_BY = select(_PUBLISHER.c.name).where(_PUBLISHER.c.id == versions.c.published_by)


ALGORITHMS = Entity(
    "algorithms",
    "Algorithms that are not deleted.",
    "Everybody sees those with a public version; members of the owner all of its own.",
    "query_algorithms",
    (
        *_OWNED,
        changing("summary", Kind.TEXT, algorithms.c.summary, "What its author says of it."),
        changing("details", Kind.DOCUMENT, algorithms.c.details, "Label and tagline."),
        changing("settings", Kind.DOCUMENT, algorithms.c.settings, "What its sources have where they declare nothing."),
        column("created_at", Kind.MOMENT, algorithms.c.created_at, "When it was made."),
    ),
    _OF_ALGORITHM,
    lambda sight: or_(member(sight), _public_version(sight)),
    lambda sight: and_(sight.happened(algorithms.c.created_at), stood(sight)),
    _BY_ALGORITHM,
    "by owner and name",
)  # fmt: skip

VERSIONS = Entity(
    "versions",
    "Published versions.",
    "Everybody sees public ones; members of the owner all of its own.",
    "query_versions",
    (
        *_OWNED,
        column("version", Kind.VERSION, (versions.c.major, versions.c.minor, versions.c.revision), "Its number."),
        column("visibility", Kind.TEXT, versions.c.visibility, "public or private."),
        column("state", Kind.TEXT, lambda sight: (_line_state(sight),),
               "State of its line: experimental, current, deprecated or retired; nothing where no version of it is public.",
               nullable=True),
        column("published_at", Kind.MOMENT, versions.c.valid_from, "When it was published."),
        _of_members("published_by", Kind.TEXT, _PUBLISHED_BY.correlate(versions).scalar_subquery(), "Who published it."),
        _of_members("hash", Kind.TEXT, builds.c.hash, "The commit that it was built from."),
        column("source", Kind.TEXT, builds.c.source, "Digest of its source.", nullable=True),
        column("environment", Kind.TEXT, builds.c.environment, "Digest of its libraries.", nullable=True),
        column("contract_digest", Kind.TEXT, versions.c.contract_digest, "Digest of what it promises."),
        column("policy_revision", Kind.INTEGER, versions.c.policy_revision, "The policy that it was judged under."),
        column("notes", Kind.TEXT, versions.c.notes, "What was said at publication."),
        column("permissions", Kind.DOCUMENT, versions.c.permissions, "What it may do.", large=True),
        column("verdict", Kind.DOCUMENT, versions.c.verdict, "What the policy said.", large=True),
        column("contract", Kind.DOCUMENT, versions.c.contract, "What it promises.", large=True),
    ),
    versions.join(algorithms, algorithms.c.id == versions.c.algorithm_id)
    .join(accounts, accounts.c.id == algorithms.c.owner_id)
    .join(builds, builds.c.id == versions.c.build_id, isouter=True),
    lambda sight: or_(member(sight), _FOR_EVERYBODY),
    lambda sight: and_(sight.held(versions.c.valid_from, versions.c.valid_to), stood(sight)),
    (*_BY_ALGORITHM, (versions.c.major, False), (versions.c.minor, False), (versions.c.revision, False)),
    "by algorithm and number",
)  # fmt: skip


def _status(sight: Sight) -> ColumnElement[Any]:
    if sight.moment is None:
        return builds.c.status
    ended = sight.was(builds.c.finished_at)
    return case((ended.is_(None) | (ended > sight.moment), literal("building")), else_=sight.was(builds.c.status))


def _ended(sight: Sight, value: TableColumn[Any]) -> ColumnElement[Any]:
    """The value, where the build had ended by then."""
    return sight.since(sight.was(builds.c.finished_at), sight.was(value))


def _starter(sight: Sight) -> ColumnElement[Any]:
    """Of a build that was begun anew since, another may have begun it then."""
    former = FORMER["builds"]
    if not sight.differs(former):
        return _STARTER.c.name
    then, beside = accounts.alias("starter_then"), former.then(sight.changed(former))
    found = select(then.c.name).where(then.c.id == beside.c.started_by).correlate(beside).scalar_subquery()
    return case((beside.c.valid_to.is_not(None), found), else_=_STARTER.c.name)


BUILDS = Entity(
    "builds",
    "Builds of commits.",
    "Members of the owner, with a key that manages.",
    "query_builds",
    (
        *_OWNED,
        column("hash", Kind.TEXT, builds.c.hash, "The commit."),
        column("status", Kind.TEXT, lambda sight: (_status(sight),), "building, succeeded or failed."),
        column("source", Kind.TEXT, lambda sight: (_ended(sight, builds.c.source),), "Digest of its source.", nullable=True),
        column("environment", Kind.TEXT, lambda sight: (_ended(sight, builds.c.environment),), "Digest of its libraries.",
               nullable=True),
        column("started_at", Kind.MOMENT, lambda sight: (sight.was(builds.c.started_at),), "When it began."),
        column("finished_at", Kind.MOMENT, lambda sight: (_ended(sight, builds.c.finished_at),), "When it ended.",
               nullable=True),
        column("started_by", Kind.TEXT, lambda sight: (_starter(sight),), "Who had it made.", nullable=True),
        column("log", Kind.TEXT, lambda sight: (_ended(sight, builds.c.log),), "Its log.", nullable=True, large=True),
    ),
    builds.join(algorithms, algorithms.c.id == builds.c.algorithm_id)
    .join(accounts, accounts.c.id == algorithms.c.owner_id)
    .join(_STARTER, _STARTER.c.id == builds.c.started_by, isouter=True),
    lambda sight: and_(sight.manages(algorithms.c.owner_id), member(sight)),
    lambda sight: and_(sight.happened(sight.was(builds.c.started_at)), stood(sight)),
    ((builds.c.started_at, True), (builds.c.id, False)),
    "the newest first",
    former=FORMER["builds"],
)  # fmt: skip
