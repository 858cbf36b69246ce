"""The door's half of a submission: everything that is looked at before a command is accepted (PDB-12, PDB-42, PDB-46)."""

from __future__ import annotations

import asyncio
import hashlib
import json
import uuid as uuids
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from troth.access.roles import Actor, relations, require
from troth.access.scopes import Scope
from troth.clock import now, stamp
from troth.commands.bus import Bus, Envelope, check_uuid
from troth.commands.queued.accepting import Accepting, ordered_key
from troth.commands.queued.book import CommandBook, Definition
from troth.commands.queued.handlers import SECRET
from troth.contracts.commands.pointers import ABSENT, at, parse
from troth.contracts.wire import JSON
from troth.errors import Malformed, MalformedPayload, Refused, Unavailable
from troth.registry import command_subjects
from troth.registry.queue import Accepted
from troth.versions.commands.states import ACCEPTED, State

#: seconds that a sender may wait for an end at most
LONGEST_WAIT = 600
_DIGESTS = {64: ("SHA-256", hashlib.sha256), 40: ("SHA-1", hashlib.sha1)}
_MOST_URGENT, _LEAST_URGENT = -100, 100


@dataclass(frozen=True, slots=True)
class Submission:
    """A command as it came, unpacked."""

    command: str
    version: int
    payload: bytes
    serialisation: str
    actor: Actor
    uuid: str = ""
    checksum: str = ""
    priority: int = 0
    #: RFC 3339; empty: at once
    due_at: str = ""
    #: commands with one of these are processed in the order of their acceptance; troth's own, those of one sender
    subject: str = ""
    #: None: the answer says that it was accepted
    seconds: float | None = None

    @property
    def is_for_queue(self) -> bool:
        """Whether it asks for what only the queue gives."""
        return self.seconds is not None or bool(self.due_at or self.subject or self.priority)


class Submissions:
    """Takes submissions of commands of teams, and of troth's own that are to be queued."""

    def __init__(self, bus: Bus, book: CommandBook, accepting: Accepting) -> None:
        self._bus = bus
        self._book = book
        self._accepting = accepting
        self._scopes: dict[Scope, str] = {}

    async def submit(self, asked: Submission) -> dict[str, Any]:
        """The answer to the sender, once the command is durable; with its outcome where that was waited for.

        Raises NotFound, MalformedPayload, Malformed, UuidReused, Forbidden, Refused or Unavailable; then it is not accepted.
        """
        check_checksum(asked.checksum, asked.payload)
        identity = asked.uuid or str(uuids.uuid4())
        check_uuid(identity)
        if "/" in asked.command:
            found, deprecated = await self._of_team(asked, identity)
        else:
            found, deprecated = await self._own(asked, identity), None
        told = {"uuid": identity, **({"deprecated": deprecated} if deprecated else {})}
        if not asked.seconds:
            await self._accepting.accept(found)
            return told
        ended = await self._accepting.accept_and_wait(found, min(asked.seconds, LONGEST_WAIT))
        return {**told, "timed_out": ended is None, **(ended or {})}

    async def _of_team(self, asked: Submission, identity: str) -> tuple[Accepted, dict[str, Any] | None]:
        definition = self._book.known(asked.command) or await asyncio.to_thread(self._book.find, asked.command)
        actor = asked.actor
        member = definition is not None and self._book.member(actor.id, definition.row.owner_id)
        if definition is None or not _shown(definition, actor, member=member):
            raise command_subjects.missing(asked.command)
        _may_send(definition, actor, member=member)
        row = definition.accepted(asked.version)
        if definition.row.flow == command_subjects.DRAINING:
            raise Unavailable(
                f"{asked.command} takes no commands now",
                why="its owner lets what was accepted be processed first",
                repair=f"troth command resume {asked.command} ends that; send it again then",
            )
        wire = definition.format(asked.version)
        value = wire.decode(asked.payload, asked.serialisation)
        if fault := wire.fault(value):
            raise MalformedPayload(
                f"the payload does not fit version {asked.version} of {asked.command}",
                why=f"at {fault[0] or 'the top'}: {fault[1]}",
                repair=_other_version(definition, asked.version, value)
                or f"troth command show {asked.command} has the format",
                asked=fault[0],
            )
        subject: Any = asked.subject or (ABSENT if row.ordered_by is None else at(value, parse(row.ordered_by)))
        deprecated = None
        if row.state is State.DEPRECATED:
            deprecated = {"version": row.version, "in": str(row.deprecated_in), "send": definition.newest.version}
        return self._accepted(asked, identity, None if subject is ABSENT else ordered_key(subject)), deprecated

    async def _own(self, asked: Submission, identity: str) -> Accepted:
        if asked.serialisation != JSON:
            raise MalformedPayload("troth's own commands come as JSON", repair="send Content-Type: application/json")
        envelope = Envelope(asked.command, asked.version, asked.payload, asked.actor, identity)
        await self._bus.admit(envelope)
        if asked.command in SECRET:
            raise Refused(
                f"{asked.command} is not queued",
                why="it holds a secret, which is in no payload and no outcome that is kept",
                repair="leave secondsToWaitForCompletion, due, priority and subject out",
            )
        # with its sender: else anybody could hold back everybody's behind a word of theirs
        key = ordered_key([asked.actor.id, asked.subject]) if asked.subject else None
        return self._accepted(asked, identity, key)

    def _accepted(self, asked: Submission, identity: str, key: str | None) -> Accepted:
        if key is not None and asked.due_at:
            raise Refused(
                "a command that is kept in order cannot be put off",
                why="all that come behind it would wait for it",
                repair="leave due out",
            )
        if not _MOST_URGENT <= asked.priority <= _LEAST_URGENT:
            raise Malformed(f"a priority lies between {_MOST_URGENT} (sooner) and {_LEAST_URGENT}")
        moment = stamp(now())
        scope = self._scopes.get(asked.actor.scope)
        if scope is None:
            scope = self._scopes.setdefault(asked.actor.scope, json.dumps(asked.actor.scope.as_dict()))
        return Accepted(
            asked.actor.id,
            identity,
            scope,
            asked.command,
            asked.version,
            asked.serialisation,
            asked.payload,
            hashlib.sha256(asked.payload).hexdigest(),
            key,
            asked.priority,
            _due(asked.due_at) or moment,
            moment,
        )


def check_checksum(checksum: str, payload: bytes) -> None:
    """Raises Malformed unless the checksum is the payload's, by SHA-256 or SHA-1 as its length says, or there is none."""
    if not checksum:
        return
    name, digest = _DIGESTS.get(len(checksum), ("", None))
    if digest is None:
        raise Malformed(
            "the checksum is none", why="it is a SHA-256 or a SHA-1 in hexadecimal digits", asked=checksum[:100]
        )
    found = digest(payload).hexdigest()
    if found != checksum.lower():
        raise Malformed(
            f"the payload has another {name} than the checksum says",
            why="it was changed on its way, or the checksum is of something else",
            repair="send it again",
            asked=checksum,
            found=found,
        )


def _shown(definition: Definition, actor: Actor, *, member: bool) -> bool:
    belongs = member or actor.id == definition.row.owner_id
    return command_subjects.shown_to(definition.row, actor, belongs=belongs)


def _may_send(definition: Definition, actor: Actor, *, member: bool) -> None:
    row = definition.row
    if not row.public:
        require("send_command", relations(actor, row.owner_id, "member" if member else None), row.subject)


def _other_version(definition: Definition, sent: int, value: Any) -> str:
    """The newest version that is taken and that a payload fits which does not fit the one it was sent as."""
    for number, row in sorted(definition.versions.items(), reverse=True):
        if number != sent and row.state in ACCEPTED and definition.format(number).fault(value) is None:
            return f"it fits version {number}; send it as that"
    return ""


def _due(text: str) -> str:
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError
        return stamp(moment)
    except (ValueError, OverflowError):
        raise Malformed(
            f"{text[:60]!r} is not a moment",
            why="a moment is RFC 3339 with its offset",
            repair="write 2027-01-31T08:00:00Z",
        ) from None
