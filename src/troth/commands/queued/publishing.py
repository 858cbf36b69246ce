"""Commands on commands: made, published version by version under the clauses PDB-40 to PDB-47, and retired (note N16)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.access.scopes import Scope
from troth.commands.accounts import Immediate
from troth.commands.algorithms import require_for
from troth.commands.bus import Moved, Transaction
from troth.commands.formats import Payload
from troth.commands.queued.book import CommandBook
from troth.commands.queued.converting import check_declared
from troth.commands.queued.handlers import OWN, SECRET, Definer, check_handler
from troth.commands.queued.proving import Candidate, Former, Golden, Proof, Proving
from troth.contracts.changes import Answer
from troth.contracts.commands.operations import parse_operations
from troth.contracts.commands.places import impossible
from troth.contracts.commands.pointers import ABSENT, at, parse
from troth.contracts.commands.wire_format import SERIALISATIONS, WireFormat
from troth.contracts.rules.table import rule
from troth.contracts.wire import compare
from troth.errors import Malformed, MalformedSchema, Refused
from troth.registry import accounts, command_subjects
from troth.registry.command_subjects import VersionRow
from troth.registry.database import Database
from troth.versions.commands.rules import Finding, Objection, Proposal, Standing, judge
from troth.versions.commands.states import Moving, State, objection, repair
from troth.versions.releases.numbers import ReleaseNumber

_FIRST_RELEASE = ReleaseNumber.of(1, 0, 0)
#: Commands of troth's own that say in whose name handlers run.
_OF_HANDLERS = frozenset({"publish_command_version"})
#: names of JSON Schema types whose values are serialised by the payload itself
_STRUCTURED = ("object", "array")
#: what may be published anew under a number, and what of it is told whole
_REPLACEABLE = ("handler", "ordered_by", "schema", "up_conversion", "golden", "handler_by", "handler_scope")
_SHORT = ("handler", "ordered_by")


class CreateCommand(Immediate):
    """Makes a command without a version."""

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require_for("create_command", connection, actor, payload["command"])

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        owner, name = payload["command"].split("/")
        summary, public = payload.get("summary", ""), bool(payload.get("public"))
        owner_id = accounts.get_account(transaction.connection, owner).id
        command_subjects.create(
            transaction.connection, owner_id, name, summary=summary, public=public, now=transaction.now
        )
        return {"command": payload["command"], "public": public}


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What was found out about a version, and the versions that there were then."""

    seen: dict[int, str]
    proof: Proof
    findings: tuple[Finding, ...]


class PublishCommandVersion:
    """Publishes a version, or publishes one anew that means the same under its number."""

    def __init__(self, database: Database, book: CommandBook, proving: Proving, *, tolerant: bool) -> None:
        self._database = database
        self._book = book
        self._proving = proving
        self._tolerant = tolerant

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require_for("publish_command_version", connection, actor, payload["command"])

    async def prepare(self, actor: Actor, payload: Payload) -> _Prepared:
        versions = await asyncio.to_thread(self._versions, payload["command"])
        check_handler(payload["handler"])
        if "up_conversion" in payload:
            check_declared(payload["up_conversion"])
        if "ordered_by" in payload:
            parse(payload["ordered_by"])
        findings = await asyncio.to_thread(self._findings, payload, versions.get(payload["version"]))
        refuse(payload, judge(command_subjects.standing_of(versions), _proposal(payload, versions, findings)))
        proof = await self._proof(actor, payload, versions)
        return _Prepared(_seen(versions), proof, findings)

    def handle(self, transaction: Transaction, payload: Payload, prepared: _Prepared) -> dict[str, Any]:
        connection = transaction.connection
        row = command_subjects.existing(connection, payload["command"])
        versions = command_subjects.versions_of(connection, row.id)
        if _seen(versions) != prepared.seen:
            raise Moved
        standing = command_subjects.standing_of(versions)
        proposal = _proposal(payload, versions, prepared.findings)
        refuse(payload, judge(standing, proposal))
        number, before = payload["version"], versions.get(payload["version"])
        values: dict[str, Any] = {
            "schema": payload["format"]["schema"],
            "serialisation": serialisation_of(payload),
            "ordered_by": payload.get("ordered_by"),
            "handler": check_handler(payload["handler"]),
            "handler_by": transaction.actor.id,
            "handler_scope": transaction.actor.scope.as_dict(),
            "up_conversion": payload.get("up_conversion"),
            "golden": payload["golden"],
            "proof": prepared.proof.as_dict(),
        }
        if before is None:
            values |= {"state": State.CURRENT.value, "release": str(proposal.release)}
            values |= {"published_by": transaction.actor.id, "published_at": transaction.now}
        command_subjects.put_version(connection, row.id, number, values, transaction.now)
        deprecated = self._deprecated(transaction, row.id, versions, proposal) if before is None else []
        transaction.afterwards.append(lambda: self._book.forget(row.subject))
        return {
            "command": row.subject,
            "version": number,
            "new": before is None,
            "changed": {} if before is None else _changed(before, values),
            "release": str(before.release if before else proposal.release),
            "deprecated": deprecated,
            "proof": prepared.proof.as_dict(),
        }

    @staticmethod
    def _deprecated(
        transaction: Transaction, command_id: str, versions: dict[int, VersionRow], proposal: Proposal
    ) -> list[int]:
        """A new version deprecates the former (note N16)."""
        found = [number for number, one in versions.items() if one.state is State.CURRENT]
        for number in found:
            command_subjects.set_state(
                transaction.connection, command_id, number, State.DEPRECATED, proposal.release, transaction.now
            )
        return found

    def _versions(self, subject: str) -> dict[int, VersionRow]:
        with self._database.read() as connection:
            return command_subjects.versions_of(connection, command_subjects.existing(connection, subject).id)

    def _findings(self, payload: Payload, before: VersionRow | None) -> tuple[Finding, ...]:
        if before is None or "schema" not in payload["format"]:
            return ()
        comparison = compare(
            before.schema, payload["format"]["schema"], tolerant=self._tolerant,
            old_serialisation=before.serialisation, new_serialisation=serialisation_of(payload),
        )  # fmt: skip
        if comparison.answer is Answer.INVALID:
            raise MalformedSchema("the schema cannot be compared", why=comparison.fault)
        found = []
        for change in comparison.breaking:
            words = f"{change.words.rstrip('.')} at {change.path or 'the top'}"
            row = rule(change.rule)
            inside = row.clauses == ("PDB-46",) or _wraps(change.old, change.new)
            found.append(Finding(words, serialisation=inside, undecided=row.clauses == ("PDB-44",)))
        return tuple(found)

    def _check_own(self, name: str) -> None:
        """Raises NotFound for what is no command of troth's own, and Refused for one with a secret."""
        self._proving.formats.newest(name)
        if name in SECRET or name in _OF_HANDLERS:
            raise Refused(
                f"{OWN}{name} cannot be a handler",
                why="it holds a secret, which is in no payload and no outcome that is kept"
                if name in SECRET
                else "who words it would have handlers run in the name of who sends it",
                repair="send it itself",
            )

    async def _proof(self, actor: Actor, payload: Payload, versions: dict[int, VersionRow]) -> Proof:
        number, by = payload["version"], Definer(actor.id, actor.scope)
        handler = check_handler(payload["handler"])
        if handler.startswith(OWN):
            self._check_own(handler.removeprefix(OWN))
        wire = WireFormat(payload["format"]["schema"], serialisation_of(payload))
        golden = [Golden(one.get("version", number), one["payload"], one.get("result")) for one in payload["golden"]]
        own = [one for one in golden if one.version == number]
        former = _former(payload, versions.get(number - 1), golden)
        if not own or (former is not None and not former.golden):
            missing = number if not own else number - 1
            raise Refused(
                f"version {number} comes without a golden payload of version {missing}",
                why="an up-conversion is proved by what handlers make of payloads whose results are declared",
                repair=f"give one with version {missing}, its payload and the handler's result",
            )
        if others := {one.version for one in golden} - {number, number - 1}:
            raise Malformed(f"golden payloads are of version {number} or {number - 1}, and not of {min(others)}")
        _check_order(payload, own)
        candidate = Candidate(payload["command"], number, wire, handler, by)
        return await self._proving.proof(candidate, own, former)


class SetCommandState(Immediate):
    """Deprecates or retires a version (note N16)."""

    def __init__(self, book: CommandBook) -> None:
        self._book = book

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require_for("set_command_state", connection, actor, payload["command"])

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        row = command_subjects.existing(transaction.connection, payload["command"])
        versions = command_subjects.versions_of(transaction.connection, row.id)
        number, end = payload["version"], State(payload["state"])
        version = versions.get(number)
        if version is None:
            raise Refused(f"{row.subject} has no version {number}", repair="name one that it has")
        release = ReleaseNumber.parse(payload["release"])
        newest = command_subjects.standing_of(versions).release
        why, helps = objection(version.state, end, Moving(release, version.deprecated_in)), repair(version.state, end)
        if why is None and newest is not None and release < newest:
            why, helps = f"{release} was before {newest}", f"name {newest}, or a later release"
        if why is not None:
            raise Refused(
                f"version {number} of {row.subject} cannot become {end.value} in {release}",
                why=f"{why} (note N16)",
                repair=helps,
                clauses=["PDB-40"],
                asked=str(release),
            )
        command_subjects.set_state(transaction.connection, row.id, number, end, release, transaction.now)
        transaction.afterwards.append(lambda: self._book.forget(row.subject))
        return {"command": row.subject, "version": number, "state": end.value, "release": str(release)}


def refuse(payload: Payload, objections: list[Objection]) -> None:
    """Raises Refused with everything that the clauses object to."""
    if objections:
        raise Refused(
            f"version {payload['version']} of {payload['command']} is refused: {objections[0].what}",
            why="; ".join(f"{one.clause}: {one.why}" for one in objections),
            repair=objections[0].repair,
            clauses=list(dict.fromkeys(one.clause for one in objections)),
            asked=payload["version"],
            found=[one.as_dict() for one in objections],
        )


def _check_order(payload: Payload, golden: list[Golden]) -> None:
    """Raises Refused where no payload can have what commands are to be kept in order by."""
    place = payload.get("ordered_by")
    if place is None or any(at(one.payload, parse(place)) is not ABSENT for one in golden):
        return
    if why := impossible(payload["format"]["schema"], parse(place)):
        raise Refused(
            f"no payload of version {payload['version']} has a value at {place}, the place of ordered_by",
            why=why,
            repair="name a place that payloads have, or leave ordered_by out",
            asked=place,
        )


def serialisation_of(payload: Payload) -> str:
    """The media type of a declared format."""
    return SERIALISATIONS[payload["format"].get("serialisation", "json")]


def _proposal(payload: Payload, versions: dict[int, VersionRow], findings: tuple[Finding, ...]) -> Proposal:
    standing: Standing = command_subjects.standing_of(versions)
    named = payload.get("release")
    return Proposal(
        version=payload["version"],
        format_version=payload["format"].get("version", payload["version"]),
        described="schema" in payload["format"],
        release=ReleaseNumber.parse(named) if named else standing.release or _FIRST_RELEASE,
        findings=findings,
        converts="up_conversion" in payload,
    )


def _former(payload: Payload, before: VersionRow | None, golden: list[Golden]) -> Former | None:
    if before is None or "up_conversion" not in payload:
        return None
    declared = [one for one in golden if one.version == before.version]
    known = [one.payload for one in declared]
    earlier = [
        Golden(before.version, one["payload"], one.get("result"))
        for one in before.golden
        if one.get("version", before.version) == before.version and one["payload"] not in known
    ]
    return Former(
        before.version,
        WireFormat(before.schema, before.serialisation),
        before.handler,
        Definer(before.handler_by, Scope.from_dict(before.handler_scope)),
        [*declared, *earlier],
        payload["up_conversion"],
        parse_operations(payload.get("expected_change", [])),
    )


def _changed(before: VersionRow, values: dict[str, Any]) -> dict[str, Any]:
    """What of a version was replaced, by its names; from what to what where that is short."""
    found: dict[str, Any] = {}
    for name in _REPLACEABLE:
        old, new = getattr(before, name), values[name]
        if old != new:
            found[name] = {"from": old, "to": new} if name in _SHORT else {}
    return found


def _seen(versions: dict[int, VersionRow]) -> dict[int, str]:
    return {number: f"{one.state}:{one.schema}:{one.handler}" for number, one in versions.items()}


def _wraps(old: Any, new: Any) -> bool:
    """Whether what was structured is text now, or the other way round: serialised inside of the payload (PDB-46)."""
    before, after = (one.get("type") if isinstance(one, dict) else None for one in (old, new))
    return (before in _STRUCTURED and after == "string") or (before == "string" and after in _STRUCTURED)
