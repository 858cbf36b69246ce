"""What is found out about a candidate before it is published: outside of any transaction, on a snapshot of its line.

It is done on the server for every publication, whatever a client did before (ALG-03).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from troth.commands.comparing import compared
from troth.commands.formats import Payload
from troth.commands.replaying import Replaying
from troth.contracts import replays
from troth.contracts.comparison import interface
from troth.contracts.document import Contract, contract_of
from troth.errors import MalformedNumber
from troth.registry import build_records, catalog
from troth.registry.database import Database
from troth.versions.candidate import Candidate
from troth.versions.evidence import NOTHING_JUDGED, Difference, Evidence, Judged
from troth.versions.history import History, Readings
from troth.versions.numbers import Bump, Number
from troth.versions.permissions import Permissions
from troth.versions.policy import judge, least_number, next_number
from troth.versions.verdict import Verdict

#: What stands in the place of a bump for the lowest legal number.
LEAST = "least"
#: Replays that a verdict tells of one by one.
_MOST_TOLD = 100


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was judged, and the numbers that the algorithm had then: where it has others now, it is judged again."""

    numbers: frozenset[Number]
    judged: Judged = NOTHING_JUDGED


@dataclass(frozen=True, slots=True)
class _Question:
    """A candidate, the versions that it is compared with, and the one among them that it follows."""

    numbers: frozenset[Number]
    build: build_records.BuildRow
    contract: Contract
    earlier: Mapping[Number, Contract]
    followed: catalog.VersionRow | None
    bump: Bump


class Judging:
    """Compares candidates with what was published before, a few at a time, and replays their examples."""

    def __init__(self, database: Database, readings: Readings, replaying: Replaying, *, seconds: float) -> None:
        self._database = database
        self._readings = readings
        self._replaying = replaying
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="judging")

    async def snapshot(self, payload: Payload) -> Snapshot:
        """Everything that the policy has to know of a publication; what cannot be asked at all is left to it.

        Raises Unavailable where there are examples and a version cannot be run.
        """
        question = await asyncio.to_thread(self._question, payload)
        if isinstance(question, Snapshot):
            return question
        return Snapshot(question.numbers, await self._judged(question))

    def verdict(
        self, payload: Payload, build: build_records.BuildRow, history: History, judged: Judged
    ) -> tuple[Verdict, Permissions]:
        """The policy's answer to a publication, and the permissions that the version would have."""
        number = asked_number(payload, history)
        line = number or max(history.numbers(), default=None) or next_number(history, Bump.MINOR)
        permissions = _permissions(build, history, line, payload.get("visibility"))
        confirmed = payload.get("confirm_permissions", False)
        candidate = Candidate(line, permissions, judged, confirmed)
        if number is None:
            candidate = replace(candidate, number=least_number(candidate, history, self._readings))
        return judge(candidate, history, self._readings), permissions

    def close(self) -> None:
        """Waits for what is being compared."""
        self._threads.shutdown(cancel_futures=True)

    def _question(self, payload: Payload) -> _Question | Snapshot:
        with self._database.read() as connection:
            algorithm = catalog.find_algorithm(connection, *payload["algorithm"].split("/"))
            if algorithm is None:
                return Snapshot(frozenset())
            history = catalog.history_of(connection, algorithm.id)
            build = build_records.find_build(connection, algorithm.id, payload["hash"])
            if build is None or not build.contract:
                return Snapshot(history.numbers())
            try:
                number = asked_number(payload, history)
            except MalformedNumber:
                return Snapshot(history.numbers())
            highest = max(history.numbers(), default=None)
            line = number or highest
            earlier = _contracts(connection, algorithm.id, line.major) if line else {}
            lower = [one for one in earlier if number is None or one < number]
            followed = catalog.find_version(connection, algorithm.id, max(lower)) if lower else None
            contract = contract_of(build.contract)
            return _Question(history.numbers(), build, contract, earlier, followed, _bump(number, history))

    async def _judged(self, question: _Question) -> Judged:
        new = question.contract
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, evidence, new, question.earlier, self._seconds
        )
        followed = question.followed
        old = question.earlier[followed.number] if followed else None
        plan = replays.planned(old, new, question.bump)
        done = await self._replaying.replayed(plan, question.build, followed.build if followed else None)
        differences = replays.differences(done, old, new)
        if followed and differences:
            known = found[followed.number].differences
            found[followed.number] = Evidence(followed.number, (*differences, *known))
        return Judged(
            found,
            interface(new),
            replays.behaviour(done, differences),
            tuple(replays.as_dict(one, old if old and one.whose == "followed" else new) for one in done[:_MOST_TOLD]),
        )


def _bump(number: Number | None, history: History) -> Bump:
    """What a number promises; the most, where it is left open."""
    if number is None or history.minor_line(number.major, number.minor):
        return Bump.REVISION
    return Bump.MINOR if history.major_line(number.major) else Bump.MAJOR


def evidence(new: Contract, earlier: Mapping[Number, Contract], seconds: float) -> dict[Number, Evidence]:
    """What was found against each earlier version. Equal contracts are compared once, and not at all with themselves."""
    different: dict[str, Contract] = {}
    for contract in earlier.values():
        if (contract.input, contract.output) != (new.input, new.output):
            different.setdefault(repr(contract.as_dict()), contract)
    found: dict[str, tuple[Difference, ...]] = {}
    if different:
        found = dict(zip(different, compared(list(different.values()), new, seconds), strict=True))
    return {number: Evidence(number, found.get(repr(one.as_dict()), ())) for number, one in earlier.items()}


def asked_number(payload: Payload, history: History) -> Number | None:
    """The number that a publication asks for; None where it takes the lowest legal one. Raises MalformedNumber."""
    if "number" in payload:
        return Number.parse(payload["number"])
    bump = payload.get("bump", LEAST)
    return None if bump == LEAST else next_number(history, Bump(bump))


def _contracts(connection: Connection, algorithm_id: str, major: int) -> dict[Number, Contract]:
    stored = catalog.contracts_of(connection, algorithm_id, major)
    return {number: contract_of(document) for number, document in stored.items()}


def _permissions(build: build_records.BuildRow, history: History, number: Number, asked: str | None) -> Permissions:
    """What the candidate would have: visibility as asked, else as the source declares, else as its line has, else private."""
    line = history.minor_line(number.major, number.minor) or history.major_line(number.major)
    if asked is None and not build.visibility_declared and line:
        asked = line[0].permissions.visibility
    return replace(build.permissions, visibility=asked) if asked else build.permissions  # type: ignore[arg-type]
