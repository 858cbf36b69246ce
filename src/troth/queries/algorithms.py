"""Questions about algorithms: what a reference means, which versions and builds there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.access.scopes import within
from troth.contracts.document import contract_of
from troth.errors import MalformedReference, NotFound
from troth.registry import build_records, catalog, replays, scms
from troth.registry import lines as line_states
from troth.versions import references
from troth.versions.history import Readings
from troth.versions.lifecycles.lines import Line, lines_of
from troth.versions.resolution import Resolution, resolve

#: builds in one answer, and characters of the log of each
_MOST_BUILDS, _LONGEST_LOG = 200, 20_000


def resolution(connection: Connection, caller: Actor, text: str, readings: Readings) -> Resolution:
    """What a reference means to the caller (ALG-12 to ALG-26). Raises MalformedReference or NotFound."""
    reference = references.parse(text)
    algorithm = catalog.find_algorithm(connection, reference.owner, reference.name, even_deleted=True)
    asked = algorithm or catalog.NO_ALGORITHM
    history, member = catalog.history_of(connection, asked.id), catalog.sees_private(connection, asked, caller)
    return resolve(reference, history if algorithm else None, member=member, readings=readings)


def explained(connection: Connection, caller: Actor, text: str, readings: Readings) -> dict[str, Any]:
    """What a reference means to the caller and why, with the waivers by which that version got its number."""
    found = resolution(connection, caller, text, readings)
    waivers: list[dict[str, Any]] = []
    if found.number is not None:
        algorithm = catalog.find_algorithm(connection, found.reference.owner, found.reference.name)
        row = catalog.find_version(connection, algorithm.id, found.number) if algorithm else None
        waivers = row.verdict.get("waivers", []) if row else []
    return {**found.as_dict(), "waivers": waivers}


def versions(connection: Connection, caller: Actor, subject: str) -> dict[str, Any]:
    """The versions of an algorithm that the caller may know of, highest first, with what was promised at publication.

    An algorithm without a version for the caller is not found (ALG-25).
    """
    algorithm, member = visible(connection, caller, subject)
    rows = [
        row
        for row in catalog.all_versions(connection, algorithm.id)
        if member or (row.permissions.public and algorithm.floats(row.published_at))
    ]
    if not rows and not member:
        raise unknown(subject)
    replayed = replays.known(connection, algorithm.id)
    lines = lines_of(catalog.history_of(connection, algorithm.id), line_states.recorded(connection, algorithm.id))
    return {
        "algorithm": algorithm.subject,
        "summary": algorithm.summary,
        "versions": [_version(row, member, replayed.get(row.id, []), lines.get(row.number.major)) for row in rows],
    }


def contract(connection: Connection, caller: Actor, text: str, readings: Readings) -> dict[str, Any]:
    """What the version that a reference means to the caller promises: its schemas, examples and permissions.

    Raises MalformedReference, or NotFound for what is no published version to the caller.
    """
    found = resolution(connection, caller, text, readings)
    algorithm = catalog.find_algorithm(connection, found.reference.owner, found.reference.name, even_deleted=True)
    row = catalog.find_version(connection, algorithm.id, found.number) if algorithm and found.number else None
    if algorithm is None or row is None:
        raise NotFound(
            f"{found.reference} is no published version",
            why="; ".join(reason.text for reason in found.reasons),
            repair="troth versions lists those that there are",
            asked=text[:200],
        )
    document = catalog.contracts_of(connection, algorithm.id, row.number.major)[row.number]
    return {
        "algorithm": algorithm.subject,
        "version": str(row.number),
        "permissions": row.permissions.as_dict(),
        "digest": row.contract_digest,
        "contract": contract_of(document).as_dict(),
    }


def builds(connection: Connection, caller: Actor, subject: str) -> dict[str, Any]:
    """The last builds of an algorithm, newest first, for members of its owner; of their logs the ends."""
    algorithm, member = visible(connection, caller, subject)
    if not member:
        raise unknown(subject)
    return {
        "algorithm": algorithm.subject,
        "builds": [_build(row) for row in build_records.all_builds(connection, algorithm.id, most=_MOST_BUILDS)],
    }


def repository(connection: Connection, caller: Actor, owner: str, name: str) -> str | None:
    """The id of an algorithm whose repository the caller may clone and push to: members of the owner; else None.

    What others keep is cloned from them.
    """
    algorithm = catalog.find_algorithm(connection, owner, name)
    if (
        algorithm is None
        or not within("use_repository", caller.scope)
        or not catalog.sees_private(connection, algorithm, caller)
    ):
        return None
    return algorithm.id if scms.origin_of(connection, algorithm.id) is None else None


def member_build(connection: Connection, caller: Actor, subject: str, commit: str) -> build_records.BuildRow:
    """The build of a commit, for members of the owner. Raises NotFound."""
    algorithm, member = visible(connection, caller, subject)
    if not member:
        raise unknown(subject)
    found = build_records.find_build(connection, algorithm.id, commit)
    if found is not None:
        return found
    raise NotFound(
        f"there is no build {commit[:40]} of {subject}",
        why="a build is named by the whole hash of its commit",
        repair=f"push a commit to /git/{subject}.git, or look at its spelling",
        asked=commit[:100],
    )


def visible(connection: Connection, caller: Actor, subject: str) -> tuple[catalog.AlgorithmRow, bool]:
    """The algorithm of that name, and whether the caller belongs to its owner. Raises MalformedReference or NotFound."""
    reference = references.parse(subject)
    if reference.version:
        raise MalformedReference(
            f"{subject!r} names a version",
            why="the question is about an algorithm",
            repair=f"ask for {reference.subject}",
        )
    algorithm = catalog.find_algorithm(connection, reference.owner, reference.name)
    member = catalog.sees_private(connection, algorithm or catalog.NO_ALGORITHM, caller)
    if algorithm is None:
        raise unknown(subject)
    return algorithm, member


def unknown(subject: str) -> NotFound:
    """What everybody hears who may not know whether the algorithm exists."""
    return NotFound(
        f"algorithm algo://{subject} not found",
        repair="look at its spelling; what is private is found by members of its owner only",
        asked=subject,
    )


def _version(
    row: catalog.VersionRow, member: bool, replayed: Sequence[replays.Known], line: Line | None
) -> dict[str, Any]:
    return {
        "version": str(row.number),
        "permissions": row.permissions.as_dict(),
        # of its line; a line without public versions has none
        "state": line.state.value if line else None,
        "immutable": "source",
        "data": "not guaranteed",
        "source": row.build.source,
        "contract": row.contract_digest,
        "environment": row.build.environment,
        "verdict": row.verdict,
        "waivers": row.verdict.get("waivers", []),
        "replayed": [one.as_dict() for one in replayed],
        "policy_revision": row.policy_revision,
        "notes": row.notes,
        "published_at": row.published_at,
        **({"hash": row.build.hash, "published_by": row.published_by} if member else {}),
    }


def _build(row: build_records.BuildRow) -> dict[str, Any]:
    return {
        "hash": row.hash,
        "status": row.status.value,
        "source": row.source,
        "environment": row.environment,
        "packages": list(row.packages),
        "started_at": row.started_at,
        "finished_at": row.finished_at,
        "log": row.log[-_LONGEST_LOG:],
    }
