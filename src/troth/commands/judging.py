"""What is found out about a candidate before it is published: outside of any transaction, on a snapshot of its line.

It is done on the server for every publication, whatever a client did before (ALG-03).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.commands.comparing import compared
from troth.commands.excusing import Excusing
from troth.commands.formats import Payload
from troth.commands.replaying import Acting, Replaying
from troth.commands.reproducing import judged
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
from troth.versions.waivers import Considered

#: What stands in the place of a bump for the lowest legal number.
LEAST = "least"
#: Replays that a verdict tells of one by one.
_MOST_TOLD = 100
#: A replay, and what is told of it.
_Done: TypeAlias = "tuple[replays.Replay, dict[str, Any]]"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was judged, and the numbers that the algorithm had then: where it has others now, it is judged again."""

    numbers: frozenset[Number]
    judged: Judged = NOTHING_JUDGED


@dataclass(frozen=True, slots=True)
class _Question:
    """A candidate, the versions that it is compared with, and those among them whose examples are replayed."""

    actor: Actor
    subject: str
    numbers: frozenset[Number]
    build: build_records.BuildRow
    contract: Contract
    earlier: Mapping[Number, Contract]
    followed: tuple[catalog.VersionRow, ...]


class Judging:
    """Compares candidates with what was published before, a few at a time, and replays their examples."""

    def __init__(
        self,
        database: Database,
        readings: Readings,
        replaying: Replaying,
        acting: Acting,
        excusing: Excusing,
        *,
        seconds: float,
    ) -> None:
        self._database = database
        self._acting = acting
        self._excusing = excusing
        self._readings = readings
        self._replaying = replaying
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="judging")

    async def snapshot(self, actor: Actor, payload: Payload) -> Snapshot:
        """Everything that the policy has to know of a publication; what cannot be asked at all is left to it.

        Examples are replayed in the name of the actor: algorithms that they call are called for it.
        Raises Unavailable where there are examples and a version cannot be run.
        """
        question = await asyncio.to_thread(self._question, actor, payload)
        if isinstance(question, Snapshot):
            return question
        return Snapshot(question.numbers, await self._judged(question))

    def excuses(
        self, connection: Connection, payload: Payload, build: build_records.BuildRow, history: History, moment: str
    ) -> tuple[Considered, ...]:
        """The waivers that somebody may mean for a publication."""
        number = asked_number(payload, history)
        named = str(number) if number else None
        return self._excusing.waivers(connection, build.algorithm_id, build.hash, named, moment)

    def verdict(
        self,
        payload: Payload,
        build: build_records.BuildRow,
        history: History,
        judged: Judged,
        excuses: tuple[Considered, ...] = (),
    ) -> tuple[Verdict, Permissions]:
        """The policy's answer to a publication, and the permissions that the version would have."""
        number = asked_number(payload, history)
        line = number or max(history.numbers(), default=None) or next_number(history, Bump.MINOR)
        permissions = _permissions(build, history, line, payload.get("visibility"))
        confirmed = payload.get("confirm_permissions", False)
        candidate = Candidate(line, permissions, judged, confirmed, excuses)
        if number is None:
            candidate = replace(candidate, number=least_number(candidate, history, self._readings))
        return judge(candidate, history, self._readings), permissions

    def close(self) -> None:
        """Waits for what is being compared."""
        self._threads.shutdown(cancel_futures=True)

    def _question(self, actor: Actor, payload: Payload) -> _Question | Snapshot:
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
            line = number or max(history.numbers(), default=None)
            earlier = _contracts(connection, algorithm.id, line.major) if line else {}
            numbers = _followed(line, history) if line else ()
            followed = (catalog.find_version(connection, algorithm.id, one) for one in numbers)
            rows = tuple(row for row in followed if row is not None)
            contract = contract_of(build.contract)
            return _Question(actor, algorithm.subject, history.numbers(), build, contract, earlier, rows)

    async def _judged(self, question: _Question) -> Judged:
        new = question.contract
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, evidence, new, question.earlier, self._seconds
        )
        done, differences = await self._replayed(question)
        for number, more in differences.items():
            found[number] = Evidence.of(number, (*more, *found[number].differences))
        said = [difference for more in differences.values() for difference in more]
        told = tuple(one for _, one in done[:_MOST_TOLD])
        return Judged(found, interface(new), replays.behaviour([one for one, _ in done], said), told)

    async def _replayed(self, question: _Question) -> tuple[list[_Done], dict[Number, tuple[Difference, ...]]]:
        """Every replay, and what they say against each version that is followed.

        What the candidate declares of itself is held against the first; without one it is told, and nothing follows.
        """
        new, deadline = question.contract, self._replaying.deadline()
        candidate = self._acting(question.actor, question.subject, question.build)
        done: list[_Done] = []
        differences: dict[Number, tuple[Difference, ...]] = {}
        for row in question.followed:
            old = question.earlier[row.number]
            plan = replays.promised(old)
            if not done:
                plan += replays.own(new, plan)
            followed = self._acting(question.actor, question.subject, row.build)
            ran = await self._replaying.replayed(plan, candidate, followed, deadline)
            differences[row.number], told = await self._told(ran, old, new, str(row.number))
            done += told
        if not question.followed:
            ran = await self._replaying.replayed(replays.own(new), candidate, None, deadline)
            done += (await self._told(ran, None, new, ""))[1]
        return done, differences

    async def _told(
        self, ran: list[replays.Replay], old: Contract | None, new: Contract, against: str
    ) -> tuple[tuple[Difference, ...], list[_Done]]:
        """What replays show, and each with what is told of it."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, judged, ran, old, new, against, self._seconds)
        differences = tuple(one for more, _ in found for one in more)
        return differences, [(one, told) for one, (_, told) in zip(ran, found, strict=True)]


def _followed(number: Number, history: History) -> tuple[Number, ...]:
    """The version that this number would follow, and those that the next revision and the next minor would.

    Mostly these are one; their examples are promises to whoever gets the lowest legal number.
    """
    major = [version.number for version in history.major_line(number.major)]
    minor = [one for one in major if one.minor == number.minor]
    lower = [one for one in major if one < number]
    return tuple(dict.fromkeys(max(line) for line in (lower, minor, major) if line))


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
