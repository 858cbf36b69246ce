"""The command that gives a build its number, and the question whether it would."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor, relations, require
from troth.clock import now, stamp
from troth.commands.algorithms import existing, publishable, require_for
from troth.commands.bus import Moved, Transaction
from troth.commands.formats import Payload
from troth.commands.judging import LEAST, Judging, Snapshot
from troth.commands.lines import deprecate_superseded
from troth.errors import Refused
from troth.registry import build_records, catalog, replays, waivers
from troth.registry.database import Database
from troth.runtime.worker import WORKER_VERSION
from troth.versions.permissions import Permissions
from troth.versions.verdict import Outcome as Answer
from troth.versions.verdict import Verdict


class PublishVersion:
    """Gives a successful build a number, if the policy allows it."""

    def __init__(self, judging: Judging) -> None:
        self._judging = judging

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require_for("publish_version", connection, actor, payload["algorithm"])

    async def prepare(self, actor: Actor, payload: Payload) -> Snapshot:
        return await self._judging.snapshot(actor, payload)

    def handle(self, transaction: Transaction, payload: Payload, prepared: Snapshot) -> dict[str, Any]:
        connection = transaction.connection
        algorithm = existing(connection, payload["algorithm"])
        catalog.lock_algorithm(connection, algorithm.id)
        build, verdict, permissions = _verdict(connection, self._judging, algorithm, payload, prepared, transaction.now)
        _require_public(connection, transaction.actor, algorithm, permissions)
        self.check(connection, algorithm, verdict)
        version_id = catalog.add_version(
            connection,
            build,
            permissions,
            verdict,
            notes=payload.get("notes", ""),
            details=self.details(payload),
            actor_id=transaction.actor.id,
            now=transaction.now,
        )
        waivers.use(connection, verdict.used, transaction.now)
        _note_replays(connection, version_id, verdict, transaction.now)
        deprecated = deprecate_superseded(transaction, algorithm)
        transaction.changed_algorithms.add(algorithm.id)
        return {
            "algorithm": algorithm.subject,
            "version": str(verdict.number),
            "hash": build.hash,
            "source": build.source,
            "permissions": permissions.as_dict(),
            "verdict": verdict.as_dict(),
            "warnings": _warnings(verdict),
            "deprecated": deprecated,
        }

    def check(self, connection: Connection, algorithm: catalog.AlgorithmRow, verdict: Verdict) -> None:
        """Raises the refusal of what the policy does not allow."""
        if verdict.outcome is not Answer.ALLOWED:
            raise verdict.refusal()

    def details(self, payload: Payload) -> dict[str, Any]:
        """What else is kept with the version."""
        return dict(payload.get("details", {}))


class ImportVersion(PublishVersion):
    """Takes a version over that was published elsewhere, whatever the policy objects to, which stays part of its verdict.

    It is for operators, and for algorithms that nothing was published on otherwise: whoever relies on troth's promises never
    gets a version that the policy did not allow. That a number is used once holds for everybody (ALG-02).
    """

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require("import_version", relations(actor), payload["algorithm"])
        require_for("publish_version", connection, actor, payload["algorithm"])

    def check(self, connection: Connection, algorithm: catalog.AlgorithmRow, verdict: Verdict) -> None:
        if _UNIQUE in verdict.clauses:
            raise verdict.refusal()
        own = [row for row in catalog.all_versions(connection, algorithm.id) if not row.details.get(_IMPORTED)]
        if own:
            raise Refused(
                f"nothing is imported into {algorithm.subject} any more",
                why=f"{own[0].number} was published here, and callers rely on what the policy promises of it",
                repair="publish further versions with troth publish --number",
                clauses=[_UNIQUE],
                asked=str(verdict.number),
                found=str(own[0].number),
            )

    def details(self, payload: Payload) -> dict[str, Any]:
        return {_IMPORTED: True}


#: The clause that holds for imports too, and the mark of versions that came by one.
_UNIQUE, _IMPORTED = "ALG-02", "imported"


class Checking:
    """Answers whether a publication would be allowed, and changes nothing."""

    def __init__(self, database: Database, judging: Judging) -> None:
        self._database = database
        self._judging = judging

    async def verdict(self, actor: Actor, payload: Payload) -> dict[str, Any]:
        """The verdict on what `payload` of `publish_version` asks for. Raises what publishing it would, but for refusals."""
        await asyncio.to_thread(self._authorised, actor, payload)
        while True:
            snapshot = await self._judging.snapshot(actor, payload)
            try:
                return await asyncio.to_thread(self._answered, actor, payload, snapshot)
            except Moved:
                continue

    def _authorised(self, actor: Actor, payload: Payload) -> None:
        with self._database.read() as connection:
            require_for("publish_version", connection, actor, payload["algorithm"])

    def _answered(self, actor: Actor, payload: Payload, snapshot: Snapshot) -> dict[str, Any]:
        with self._database.read() as connection:
            algorithm = existing(connection, payload["algorithm"])
            build, verdict, permissions = _verdict(
                connection, self._judging, algorithm, payload, snapshot, stamp(now())
            )
            _require_public(connection, actor, algorithm, permissions)
        told = {"algorithm": algorithm.subject, "hash": build.hash, "permissions": permissions.as_dict()}
        return {**told, "verdict": verdict.as_dict(), "warnings": _warnings(verdict)}


def lowest(payload: Payload) -> Payload:
    """The same question, for the lowest legal number where it names neither a bump nor a number."""
    return payload if {"bump", "number"} & set(payload) else {**payload, "bump": LEAST}


def _verdict(
    connection: Connection,
    judging: Judging,
    algorithm: catalog.AlgorithmRow,
    payload: Payload,
    snapshot: Snapshot,
    moment: str,
) -> tuple[build_records.BuildRow, Verdict, Permissions]:
    """The build, the verdict on it and its permissions. Raises Moved where others were published since the snapshot."""
    build = publishable(connection, algorithm, payload["hash"])
    history = catalog.history_of(connection, algorithm.id)
    if history.numbers() != snapshot.numbers:
        raise Moved
    excuses = judging.excuses(connection, payload, build, history, moment)
    return build, *judging.verdict(payload, build, history, snapshot.judged, excuses)


def _require_public(
    connection: Connection, actor: Actor, algorithm: catalog.AlgorithmRow, permissions: Permissions
) -> None:
    """Raises Forbidden where a member of an organisation, who is no admin of it, would publish for everybody."""
    if permissions.public:
        require_for("publish_publicly", connection, actor, algorithm.subject)


def _note_replays(connection: Connection, version_id: str, verdict: Verdict, moment: str) -> None:
    """That all examples hold on the worker of today.

    Where they do not, what differs may be what the version before promised, which a major need not keep; and not all may
    have been run. Its own are then asked again later.
    """
    if verdict.behaviour == "checked" and verdict.replays:
        replays.record(connection, version_id, WORKER_VERSION, replays.REPRODUCED, (), moment)


def _warnings(verdict: Verdict) -> list[str]:
    """What the author should know though it is allowed."""
    waived = [f"by a waiver, {finding.clause} notwithstanding: {finding.text}" for finding in verdict.waived]
    return [*(f"{finding.clause}: {finding.text}" for finding in verdict.warnings), *waived]
