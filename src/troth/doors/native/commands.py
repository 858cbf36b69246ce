"""Commands over HTTP: submitted at `/api/v1/cmd`, which carries the version of the API and not theirs (PDB-12), and looked at.

A name with an owner is a team's command, accepted durably and processed behind. The others are troth's own: their outcome is the
answer, unless the sender asks for what only the queue gives: to wait, to be put off, a priority, an order.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request

from troth.access.roles import Actor
from troth.commands.bus import Bus, Envelope
from troth.commands.queued.submission import LONGEST_WAIT, Submission, Submissions, check_checksum
from troth.contracts.commands.wire_format import MSGPACK, SERIALISATIONS, decoded
from troth.contracts.wire import JSON
from troth.doors.gzip_bodies import gunzipped
from troth.doors.native.operations import Asked, Operation, body_of
from troth.errors import (
    Forbidden,
    Malformed,
    MalformedPayload,
    NotFound,
    Refused,
    TooLarge,
    Unavailable,
)
from troth.queries import commands as queries
from troth.registry.database import Database

_Version = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
_Priority = Annotated[int, msgspec.Meta(ge=-100, le=100)]
_Seconds = Annotated[int, msgspec.Meta(ge=0, le=LONGEST_WAIT)]
_STATES = ("waiting", "leased", "done", "failed", "discarded")


class _Command(msgspec.Struct):
    """Without `command`, the body is an envelope."""

    command: str = ""
    version: _Version | None = None
    uuid: str = ""
    checksum: str = ""
    seconds_to_wait: _Seconds | None = msgspec.field(default=None, name="secondsToWaitForCompletion")
    priority: str = "0"
    due: str = ""
    subject: str = ""


class _Enclosed(msgspec.Struct, forbid_unknown_fields=True):
    """One envelope: what else stands in the query, and the payload as a value."""

    command: str
    version: _Version
    payload: msgspec.Raw
    uuid: str = ""
    priority: _Priority = 0
    due: str = ""
    subject: str = ""


class _Queue(msgspec.Struct):
    command: str = ""
    state: str = ""
    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=queries.LARGEST_PAGE)] = queries.LARGEST_PAGE


class _Sender(msgspec.Struct):
    submitted_by: str = ""


class CommandApi:
    """Handlers of the rows below."""

    def __init__(self, bus: Bus, submissions: Submissions, database: Database, *, largest: int) -> None:
        self._bus = bus
        self._submissions = submissions
        self._database = database
        self._largest = largest

    def operations(self) -> list[Operation]:
        """The rows."""
        faults = (MalformedPayload, Forbidden, NotFound, Refused, TooLarge, Unavailable)
        return [
            Operation("POST", "/api/v1/cmd", "submit_command",
                      "Submits a command: a team's is accepted durably and answered with its uuid, troth's own with its outcome.",
                      self._submit, query=_Command, body="application/json", errors=faults),
            Operation("GET", "/api/v1/commands", "list_commands", "The commands that the caller may send.",
                      self._query(lambda c, asked: queries.listed(c, asked.actor))),
            Operation("GET", "/api/v1/commands/{owner}/{name}", "read_command", "A command with its wire formats.",
                      self._query(lambda c, asked: queries.one(c, asked.actor, _subject(asked))), errors=(NotFound,)),
            Operation("GET", "/api/v1/queue", "list_queued", "Accepted commands, the newest first.",
                      self._list, query=_Queue, errors=(Malformed,)),
            Operation("GET", "/api/v1/queue/{uuid}", "read_queued", "What became of an accepted command.",
                      self._query(lambda c, asked: queries.outcome(c, asked.actor, asked.path["uuid"], asked.query.submitted_by)),
                      query=_Sender, errors=(NotFound,)),
        ]  # fmt: skip

    async def _submit(self, asked: Asked) -> dict[str, Any]:
        query: _Command = asked.query
        body = unpacked(asked.request, await body_of(asked.request, self._largest), self._largest)
        serialisation = serialisation_of(asked.request)
        given = _enclosed(query, body, serialisation, asked.actor)
        if "/" not in given.command and not given.is_for_queue:
            return await self._own(given)
        return await self._submissions.submit(given)

    async def _own(self, given: Submission) -> dict[str, Any]:
        check_checksum(given.checksum, given.payload)
        if given.serialisation != JSON:
            raise MalformedPayload("troth's own commands come as JSON", repair="send Content-Type: application/json")
        envelope = Envelope(given.command, given.version, given.payload, given.actor, given.uuid or str(uuid.uuid4()))
        return (await self._bus.submit(envelope)).as_dict()

    async def _list(self, asked: Asked) -> dict[str, Any]:
        query: _Queue = asked.query
        if query.state not in ("", *_STATES):
            raise Malformed(f"there is no state {query.state[:40]!r}", why=f"the states are {', '.join(_STATES)}")
        return await self._read(
            lambda c: queries.accepted(
                c, asked.actor, command=query.command, state=query.state, after=query.after, limit=query.limit
            )
        )

    def _query(self, ask: Callable[[Connection, Asked], dict[str, Any]]) -> Callable[[Asked], Any]:
        async def answer(asked: Asked) -> dict[str, Any]:
            return await self._read(lambda connection: ask(connection, asked))

        return answer

    async def _read(self, ask: Callable[[Connection], dict[str, Any]]) -> dict[str, Any]:
        def read() -> dict[str, Any]:
            with self._database.read() as connection:
                return ask(connection)

        return await asyncio.to_thread(read)


def unpacked(request: Request, body: bytes, largest: int) -> bytes:
    """The body without its gzip, of which no more than `largest` bytes are ever unpacked. Raises Malformed and TooLarge."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip"):
        raise Malformed(f"the Content-Encoding {encoding[:40]!r} is not taken", repair="send it as it is, or by gzip")
    return gunzipped(body, largest)


def serialisation_of(request: Request) -> str:
    """The media type that the body has. Raises Malformed. Without one, and with the one of forms, it is JSON as curl sends it."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("", "application/x-www-form-urlencoded", "text/plain", "application/octet-stream"):
        return JSON
    if kind not in SERIALISATIONS or "/" not in kind:
        raise Malformed(f"the Content-Type {kind[:60]!r} is not taken", why=f"it is {JSON} or {MSGPACK}")
    return SERIALISATIONS[kind]


def _enclosed(query: _Command, body: bytes, serialisation: str, actor: Actor) -> Submission:
    """The submission in a request, whose parameters are in the query, or in the envelope that the body is."""
    if query.command:
        if query.version is None:
            raise Malformed(
                "the version of the command is missing",
                why="each version has a format of its own, and none is guessed",
                repair="add version=N, a whole number from 1 on",
            )
        return Submission(
            query.command, query.version, body, serialisation, actor, query.uuid, query.checksum, _priority(query),
            query.due, query.subject, query.seconds_to_wait,
        )  # fmt: skip
    check_checksum(query.checksum, body)
    decoded(body, serialisation)
    decode = msgspec.json.decode if serialisation == JSON else msgspec.msgpack.decode
    try:
        found = decode(body, type=_Enclosed)
    except msgspec.DecodeError as error:
        raise Malformed(
            f"the body is no envelope: {error}",
            why="without a command in the query, the body has command, version and payload",
            repair="name the command in the query, or send an envelope",
        ) from None
    return Submission(
        found.command, found.version, bytes(found.payload), serialisation, actor, found.uuid or query.uuid, "",
        found.priority, found.due, found.subject, query.seconds_to_wait,
    )  # fmt: skip


def _priority(query: _Command) -> int:
    try:
        return int(query.priority[:10])
    except ValueError:
        raise Malformed(
            f"{query.priority[:40]!r} is no priority",
            why="a priority is a whole number from -100 (sooner) to 100",
            repair="leave it out, or send one",
            asked=query.priority[:40],
        ) from None


def _subject(asked: Asked) -> str:
    return f"{asked.path['owner']}/{asked.path['name']}"
