"""The move of published versions to a new version of troth's worker: their examples are replayed on it first.

All versions run on the worker that is installed, so a new one changes them all at once. What it makes of their examples is
found out before calls come, and written down; nothing is taken out of use by it, because exact numbers run for ever (ALG-13).
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection

from troth.access.roles import Actor, relations, require
from troth.access.scopes import Scope
from troth.commands.algorithms import existing
from troth.commands.bus import Envelope, Outcome, Transaction
from troth.commands.formats import Payload
from troth.commands.replaying import Acting, Replaying
from troth.commands.reproducing import judged
from troth.contracts import replays as examples
from troth.contracts.document import Contract, contract_of
from troth.errors import NotFound, TrothError
from troth.registry import accounts, catalog, replays
from troth.registry.database import Database
from troth.runtime.worker import WORKER_VERSION
from troth.versions.escaping import short
from troth.versions.evidence import Difference
from troth.versions.numbers import Number

log = structlog.get_logger()

_MOST_FAULTS = 20
_CALLS = Scope(algorithms=("algo://*",))


class RecordReplay:
    """Notes how a version answered its examples."""

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require("record_replay", relations(actor), payload["algorithm"])

    async def prepare(self, actor: Actor, payload: Payload) -> None:
        return None

    def handle(self, transaction: Transaction, payload: Payload, prepared: None) -> dict[str, Any]:
        connection = transaction.connection
        algorithm = existing(connection, payload["algorithm"])
        version = catalog.find_version(connection, algorithm.id, Number.parse(payload["number"]))
        if version is None:
            raise NotFound(f"there is no version {payload['number']} of {algorithm.subject}")
        faults = tuple(payload.get("faults", ()))
        replays.record(connection, version.id, payload["worker"], payload["outcome"], faults, transaction.now)
        return payload


@dataclass(frozen=True, slots=True)
class _Version:
    subject: str
    owner: Actor
    row: catalog.VersionRow
    contract: Contract


class Moving:
    """Replays what was not replayed on the installed worker yet."""

    def __init__(
        self,
        database: Database,
        replaying: Replaying,
        acting: Acting,
        submit: Callable[[Envelope], Awaitable[Outcome]],
        *,
        seconds: float,
    ) -> None:
        self._database = database
        self._replaying = replaying
        self._acting = acting
        self._submit = submit
        self._seconds = seconds

    async def replay(self, *, before: bool = False) -> list[dict[str, Any]]:
        """What was found of each version with examples that the worker is new to, as it was written down.

        `before` the server takes calls, versions that call others are left for later. They are called for their owner,
        with a key that calls and nothing else.
        """
        waiting = await asyncio.to_thread(self._waiting)
        waiting = [one for one in waiting if not (before and one.row.build.permissions.pipeline_enabled)]
        if waiting:
            log.info(
                "examples are replayed on a worker that is new to them", versions=len(waiting), worker=WORKER_VERSION
            )
        return [await self._moved(version) for version in waiting]

    async def behind(self) -> None:
        """The same while the server takes calls; what goes wrong is logged."""
        try:
            await self.replay()
        except Exception:
            log.exception("examples were not replayed")

    def _waiting(self) -> list[_Version]:
        with self._database.read() as connection:
            wanted: dict[str, set[str]] = {}
            for algorithm_id, version_id in replays.unknown(connection, WORKER_VERSION):
                wanted.setdefault(algorithm_id, set()).add(version_id)
            return [found for algorithm, ids in wanted.items() for found in _versions(connection, algorithm, ids)]

    async def _moved(self, version: _Version) -> dict[str, Any]:
        outcome, faults = await self._answered(version)
        number = str(version.row.number)
        payload = {"algorithm": version.subject, "number": number, "worker": WORKER_VERSION}
        payload |= {"outcome": outcome, "faults": faults[:_MOST_FAULTS]}
        content = json.dumps(payload).encode()
        await self._submit(Envelope("record_replay", 1, content, accounts.SYSTEM, str(uuid.uuid4())))
        if outcome != replays.REPRODUCED:
            log.warning("examples are not reproduced on this worker", **payload)
        return payload

    async def _answered(self, version: _Version) -> tuple[str, list[str]]:
        """How it answers its examples, and what differs."""
        plan = examples.promised(version.contract)
        try:
            run = self._acting(version.owner, version.subject, version.row.build)
            ran = await self._replaying.replayed(plan, run, None, self._replaying.deadline())
        except TrothError as error:
            return replays.NOT_RUN, [str(error)[:1000]]
        contract = version.contract
        found = await asyncio.to_thread(judged, ran, contract, contract, str(version.row.number), self._seconds)
        return _outcome([difference for differences, _ in found for difference in differences])


def _versions(connection: Connection, algorithm_id: str, wanted: set[str]) -> list[_Version]:
    algorithm = catalog.get_algorithm(connection, algorithm_id)
    owner = Actor(algorithm.owner_id, algorithm.owner, "", administrator=False, scope=_CALLS)
    rows = [row for row in catalog.all_versions(connection, algorithm_id) if row.id in wanted]
    contracts: dict[Number, bytes] = {}
    for major in {row.number.major for row in rows}:
        contracts |= catalog.contracts_of(connection, algorithm_id, major)
    return [_Version(algorithm.subject, owner, row, contract_of(contracts[row.number])) for row in rows]


def _outcome(found: Sequence[Difference]) -> tuple[str, list[str]]:
    faults = [f"{one.path}: {one.words}: was {short(one.old)}, is {short(one.new)}"[:1000] for one in found]
    if any(not one.undecided for one in found):
        return replays.DIFFERS, faults
    return (replays.NOT_RUN if found else replays.REPRODUCED), faults
