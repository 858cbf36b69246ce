"""Builds: what each found out, how it ended, and what of the disk they need."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select, tuple_, update

from troth.registry.former_rows import keep
from troth.registry.tables import builds, environments, sources, versions
from troth.versions.history import BuildStatus
from troth.versions.manifest import Manifest
from troth.versions.permissions import Permissions


@dataclass(frozen=True, slots=True)
class BuildRow:
    """One build. What it found out is empty while it is under way, and where it failed before."""

    id: str
    algorithm_id: str
    hash: str
    status: BuildStatus
    source: str
    entry: str
    environment: str
    #: digest of the files that the environment had when it was first built
    environment_content: str
    packages: tuple[str, ...]
    permissions: Permissions
    visibility_declared: bool
    contract: bytes
    log: str
    started_at: str
    finished_at: str | None


@dataclass(frozen=True, slots=True)
class BuildFacts:
    """How a build ended and what it found out."""

    status: BuildStatus
    log: str
    source: str | None = None
    entry: str = ""
    environment: EnvironmentFacts | None = None
    permissions: Permissions = field(default_factory=Permissions)
    visibility_declared: bool = False
    contract: bytes = b""


@dataclass(frozen=True, slots=True)
class EnvironmentFacts:
    """An environment: digests of its document and of its installed files, and its packages as `name==version`."""

    digest: str
    content: str
    packages: tuple[str, ...]


def find_build(connection: Connection, algorithm_id: str, commit: str) -> BuildRow | None:
    """The build of a commit."""
    row = connection.execute(_BUILD.where(builds.c.algorithm_id == algorithm_id, builds.c.hash == commit)).first()
    return build_of(row) if row else None


def all_builds(connection: Connection, algorithm_id: str, *, most: int | None = None) -> list[BuildRow]:
    """Every build of an algorithm, newest first, or the first so many."""
    newest = builds.c.started_at.desc(), builds.c.id.desc()
    rows = _BUILD.where(builds.c.algorithm_id == algorithm_id).order_by(*newest).limit(most)
    return [build_of(row) for row in connection.execute(rows)]


def find_build_by_id(connection: Connection, algorithm_id: str, build_id: str) -> BuildRow | None:
    """The build of the algorithm with this id."""
    row = connection.execute(_BUILD.where(builds.c.algorithm_id == algorithm_id, builds.c.id == build_id)).first()
    return build_of(row) if row else None


def builds_page(
    connection: Connection,
    algorithm_id: str,
    limit: int,
    *,
    after: tuple[str, str] | None = None,
    unpublished: bool = False,
    since: str = "",
) -> list[BuildRow]:
    """So many builds since a moment, newest first, behind the one with this (start, id); or the successful ones without a number."""
    rows = _BUILD.where(builds.c.algorithm_id == algorithm_id, builds.c.started_at >= since)
    if unpublished:
        published = select(versions.c.build_id).where(versions.c.algorithm_id == algorithm_id)
        rows = rows.where(builds.c.status == BuildStatus.SUCCEEDED.value, builds.c.id.not_in(published))
    if after is not None:
        rows = rows.where(tuple_(builds.c.started_at, builds.c.id) < after)
    rows = rows.order_by(builds.c.started_at.desc(), builds.c.id.desc()).limit(limit)
    return [build_of(row) for row in connection.execute(rows)]


def newest_build(connection: Connection, algorithm_id: str, *, since: str = "") -> BuildRow | None:
    """The successful build that was begun last, since a moment."""
    succeeded = (
        (builds.c.algorithm_id == algorithm_id)
        & (builds.c.status == BuildStatus.SUCCEEDED.value)
        & (builds.c.started_at >= since)
    )
    row = connection.execute(
        _BUILD.where(succeeded).order_by(builds.c.started_at.desc(), builds.c.id.desc()).limit(1)
    ).first()
    return build_of(row) if row else None


def start_build(connection: Connection, algorithm_id: str, actor_id: str, commit: str, now: str) -> None:
    """Records that a commit is being built; a build that failed before is begun anew."""
    begun = {"started_by": actor_id, "status": BuildStatus.IN_PROGRESS.value, "started_at": now, "finished_at": None,
             **_columns(BuildFacts(BuildStatus.IN_PROGRESS, ""))}  # fmt: skip
    known = (builds.c.algorithm_id == algorithm_id) & (builds.c.hash == commit)
    if (before := connection.execute(select(builds.c.id).where(known)).scalar()) is not None:
        keep(connection, builds, now, id=before)
        connection.execute(update(builds).where(known).values(**begun))
        return
    row = {"id": str(uuid.uuid4()), "algorithm_id": algorithm_id, "hash": commit, **begun}
    connection.execute(builds.insert().values(**row))


def finish_build(connection: Connection, algorithm_id: str, commit: str, facts: BuildFacts, now: str) -> None:
    """Records how a build ended. A success stays as it is, and a failure stays unless another build of it succeeded."""
    under_way = builds.c.status == BuildStatus.IN_PROGRESS.value
    if facts.status is BuildStatus.SUCCEEDED:
        under_way = builds.c.status != BuildStatus.SUCCEEDED.value
    if facts.environment is not None:
        _record_environment(connection, facts.environment, now)
    known = (builds.c.algorithm_id == algorithm_id) & (builds.c.hash == commit)
    ended = builds.c.finished_at.is_not(None)
    if (before := connection.execute(select(builds.c.id).where(known, under_way, ended)).scalar()) is not None:
        keep(connection, builds, now, id=before)
    connection.execute(update(builds).where(known, under_way).values(**_columns(facts), finished_at=now))


def _columns(facts: BuildFacts) -> dict[str, Any]:
    return {
        "status": facts.status.value,
        "log": facts.log,
        "source": facts.source,
        "entry": facts.entry,
        "environment": facts.environment.digest if facts.environment else None,
        "permissions": json.dumps(facts.permissions.as_dict(), sort_keys=True),
        "visibility_declared": facts.visibility_declared,
        "contract": facts.contract.decode(),
    }


def _record_environment(connection: Connection, facts: EnvironmentFacts, now: str) -> None:
    if not connection.execute(select(environments.c.digest).where(environments.c.digest == facts.digest)).first():
        values = {"digest": facts.digest, "content": facts.content, "packages": json.dumps(facts.packages)}
        connection.execute(environments.insert().values(**values, created_at=now))


def needed_environments(connection: Connection) -> set[str]:
    """The digests of environments that successful builds run in."""
    rows = select(builds.c.environment).where(builds.c.status == BuildStatus.SUCCEEDED.value).distinct()
    return {digest for digest in connection.execute(rows).scalars() if digest}


def needed_sources(connection: Connection) -> set[str]:
    """The digests of sources that were built, or are being built."""
    return set(connection.execute(select(builds.c.source).distinct()).scalars()) - {None}


def fail_interrupted_builds(connection: Connection, now: str) -> int:
    """Ends every build that nobody works on any more, as after a crash; how many there were."""
    done = connection.execute(
        update(builds)
        .where(builds.c.status == BuildStatus.IN_PROGRESS.value)
        .values(
            status=BuildStatus.FAILED.value,
            log="The server was stopped during this build. Compile again.",
            finished_at=now,
        )
    )
    return done.rowcount


def record_source(connection: Connection, digest: str, manifest: Manifest, now: str) -> None:
    """Remembers a source by its digest, once."""
    if not connection.execute(select(sources.c.digest).where(sources.c.digest == digest)).first():
        values = {"digest": digest, "files": len(manifest.entries), "bytes": manifest.size, "created_at": now}
        connection.execute(sources.insert().values(**values))


COLUMNS = [
    builds.c[name]
    for name in (
        "id", "algorithm_id", "hash", "status", "source", "entry", "environment", "permissions",
        "visibility_declared", "contract", "log", "started_at", "finished_at",
    )
]  # fmt: skip


COLUMNS += [environments.c.packages, environments.c.content]


_BUILD = select(*COLUMNS).join(environments, environments.c.digest == builds.c.environment, isouter=True)


def build_of(row: Any) -> BuildRow:
    """A build from the columns `COLUMNS`, in their order."""
    (identity, algorithm_id, commit, status, source, entry, environment, permissions, declared, contract, log,
     started_at, finished_at, packages, content) = row  # fmt: skip
    return BuildRow(
        id=identity,
        algorithm_id=algorithm_id,
        hash=commit,
        status=BuildStatus(status),
        source=source or "",
        entry=entry,
        environment=environment or "",
        environment_content=content or "",
        packages=tuple(json.loads(packages or "[]")),
        permissions=Permissions(**json.loads(permissions)),
        visibility_declared=bool(declared),
        contract=contract.encode(),
        log=log,
        started_at=started_at,
        finished_at=finished_at,
    )
