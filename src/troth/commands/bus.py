"""The one way to write: every change of the registry is a command that passes through here.

In order: wire format, up-conversion, authority, slow preparation outside any transaction, then one transaction that
judges, writes the rows, the journal entry and the outcome; then the routing table. The same actor and uuid get the same
outcome; the same uuid with another payload is refused.
"""

from __future__ import annotations

import asyncio
import json
import uuid as uuids
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

import structlog
from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.access.scopes import require_scope
from troth.clock import now
from troth.commands.formats import Formats, Payload
from troth.errors import Malformed, Refused, TrothError, UuidReused
from troth.registry import journal
from troth.registry.database import Database
from troth.registry.prepared import Prepared
from troth.registry.tables import commands

log = structlog.get_logger()

_ADD = Prepared(commands.insert(), waits=True)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A command as it arrives: `payload` is kept byte for byte, but for what is secret in it."""

    command: str
    version: int
    payload: bytes
    actor: Actor
    uuid: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a command. `secrets` are in the first reply only: they are neither journalled nor stored."""

    uuid: str
    command: str
    version: int
    result: dict[str, Any]
    secrets: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {"uuid": self.uuid, "command": self.command, "version": self.version, "outcome": "done",
                "result": {**self.result, **self.secrets}}  # fmt: skip


@dataclass(slots=True)
class Transaction:
    """What a handler works with: the connection, the moment, and notes of what others must hear of afterwards."""

    connection: Connection
    actor: Actor
    now: str
    #: ids of algorithms, accounts (their members) and digests-of-keys' accounts whose routing entries changed
    changed_algorithms: set[str] = field(default_factory=set)
    changed_accounts: set[str] = field(default_factory=set)
    #: OWNER/API of those whose versions or states changed
    changed_apis: set[str] = field(default_factory=set)
    secrets: dict[str, str] = field(default_factory=dict)
    #: done once it is durable
    afterwards: list[Callable[[], None]] = field(default_factory=list)


class Handler(Protocol):
    """One command of troth's own. `authorise` and `handle` run in a transaction; a refusal is raised before any write."""

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        """Raises Forbidden unless the actor may do this."""
        ...

    async def prepare(self, actor: Actor, payload: Payload) -> Any:
        """The slow part, outside any transaction; what it returns is handed to `handle`."""
        ...

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        """Judges, then writes, and returns the result. May run again, so it has no effect but on the connection.

        Raises Moved where what was prepared no longer holds.
        """
        ...


class Moved(Exception):
    """What was prepared no longer holds, because others wrote meanwhile: it is prepared again."""


class Listener(Protocol):
    """Who keeps a copy of the registry in memory."""

    def refresh(self, connection: Connection, algorithms: set[str], accounts: set[str]) -> None:
        """Reads the named entries anew."""
        ...


class ApiListener(Protocol):
    """Who keeps the states of APIs in memory."""

    def refresh_apis(self, connection: Connection, apis: set[str]) -> None:
        """Reads the states of these (OWNER/API) anew."""
        ...


class Bus:
    """Takes commands and answers with their outcomes."""

    def __init__(
        self, database: Database, formats: Formats, handlers: Mapping[str, Handler], listener: Listener
    ) -> None:
        self._database = database
        self._formats = formats
        self._handlers = handlers
        self._listener = listener
        self._api_listeners: list[ApiListener] = []

    def tell_of_apis(self, listener: ApiListener) -> None:
        """From now on the listener hears of every change of a state, before who made it does."""
        self._api_listeners.append(listener)

    async def submit(self, envelope: Envelope) -> Outcome:
        """The outcome, once it is durable and in force. Raises the refusal where it was refused, also when repeated."""
        payload = self._formats.decode(envelope.command, envelope.version, envelope.payload)
        envelope = replace(
            envelope, payload=self._formats.without_secrets(envelope.command, envelope.version, envelope.payload)
        )
        check_uuid(envelope.uuid)
        require_scope(envelope.command, envelope.actor.scope)
        handler = self._handlers[envelope.command]
        payload = self._formats.up_converted(envelope.command, envelope.version, payload)
        if earlier := await asyncio.to_thread(self._earlier, handler, envelope, payload):
            return _replayed(envelope, earlier)
        recorded, transaction = await self._written(handler, envelope, payload)
        outcome = _replayed(envelope, recorded)
        log.info("command done", command=envelope.command, uuid=envelope.uuid, actor=envelope.actor.name)
        return Outcome(outcome.uuid, outcome.command, outcome.version, outcome.result, transaction.secrets)

    async def process(self, envelope: Envelope, *, again: bool) -> dict[str, Any]:
        """The result of a command that the queue hands over, once it is durable: what is new is looked up nowhere.

        `again` where an earlier attempt may have done it. Raises the refusal where it was refused.
        """
        payload = self._formats.decode(envelope.command, envelope.version, envelope.payload)
        require_scope(envelope.command, envelope.actor.scope)
        payload = self._formats.up_converted(envelope.command, envelope.version, payload)
        recorded = await asyncio.to_thread(self._known, envelope) if again else None
        if recorded is None:
            try:
                recorded, _ = await self._written(self._handlers[envelope.command], envelope, payload, new=not again)
            except Exception:  # also what cannot be prepared because it was done before
                if again or (recorded := await asyncio.to_thread(self._known, envelope)) is None:
                    raise
        return _replayed(envelope, recorded).result

    async def admit(self, envelope: Envelope) -> None:
        """Raises what `submit` would, as far as format, scope and authority go, and does nothing."""
        payload = self._formats.decode(envelope.command, envelope.version, envelope.payload)
        require_scope(envelope.command, envelope.actor.scope)
        payload = self._formats.up_converted(envelope.command, envelope.version, payload)

        def authorise() -> None:
            with self._database.read() as connection:
                self._handlers[envelope.command].authorise(connection, envelope.actor, payload)

        await asyncio.to_thread(authorise)

    async def rehearse(self, command: str, actor: Actor, payload: Payload) -> dict[str, Any]:
        """`result` or `refusal`, as `submit` would come to it for a payload of the newest version, with nothing done or journalled.

        Raises what is no refusal by the command itself.
        """
        handler, payload = self._handlers[command], self._formats.check(command, self.newest(command), payload)
        require_scope(command, actor.scope)
        while True:
            prepared = await handler.prepare(actor, payload)

            def undone(connection: Connection, prepared: Any = prepared) -> dict[str, Any]:
                transaction = Transaction(connection, actor, journal.next_moment(connection, now()))
                handler.authorise(connection, actor, payload)
                point = connection.begin_nested()
                try:
                    return _outcome(handler, transaction, payload, prepared)
                finally:
                    point.rollback()

            try:
                return await self._database.write(undone)
            except Moved:
                log.info("prepared again", command=command)

    def newest(self, command: str) -> int:
        """The newest version of a command. Raises NotFound."""
        return self._formats.newest(command)

    async def _written(
        self, handler: Handler, envelope: Envelope, payload: Payload, *, new: bool = False
    ) -> tuple[dict[str, Any], Transaction]:
        """The outcome and its transaction; prepared anew as long as others are faster."""
        while True:
            prepared = await handler.prepare(envelope.actor, payload)
            try:
                return await self._once(handler, envelope, payload, prepared, new=new)
            except Moved:
                log.info("prepared again", command=envelope.command, uuid=envelope.uuid)

    async def _once(
        self, handler: Handler, envelope: Envelope, payload: Payload, prepared: Any, *, new: bool
    ) -> tuple[dict[str, Any], Transaction]:
        """One transaction. What is `new` is done unasked, for its uuid can be recorded once only, together with what it did;
        whatever fails then is looked up first, and done as if it were not new."""

        def commit(connection: Connection, new: bool = new) -> tuple[dict[str, Any], Transaction]:
            return self._commit(connection, handler, envelope, payload, prepared, new=new)

        def tell(done: tuple[dict[str, Any], Transaction]) -> None:
            self._tell(done[1])

        if new:
            try:
                return await self._database.write(commit, after=tell)
            except Moved:
                raise
            except Exception as error:
                log.debug("looked up", command=envelope.command, uuid=envelope.uuid, error=type(error).__name__)
        return await self._database.write(partial(commit, new=False), after=tell)

    def _known(self, envelope: Envelope) -> dict[str, Any] | None:
        """The outcome of the same command before, if there is one."""
        with self._database.read() as connection:
            return _recorded(connection, envelope)

    def _earlier(self, handler: Handler, envelope: Envelope, payload: Payload) -> dict[str, Any] | None:
        """The outcome of the same command before; authority is asked for where there is none."""
        with self._database.read() as connection:
            recorded = _recorded(connection, envelope)
            if recorded is None:
                handler.authorise(connection, envelope.actor, payload)
        return recorded

    def _commit(
        self,
        connection: Connection,
        handler: Handler,
        envelope: Envelope,
        payload: Payload,
        prepared: Any,
        *,
        new: bool,
    ) -> tuple[dict[str, Any], Transaction]:
        transaction = Transaction(connection, envelope.actor, journal.next_moment(connection, now()))
        if not new and (recorded := _recorded(connection, envelope)):
            return recorded, transaction
        handler.authorise(connection, envelope.actor, payload)
        outcome = _outcome(handler, transaction, payload, prepared)
        _record(connection, envelope, outcome, transaction.now)
        return outcome, transaction

    def _tell(self, transaction: Transaction) -> None:
        for hear in transaction.afterwards:
            hear()
        if transaction.changed_algorithms or transaction.changed_accounts:
            with self._database.read() as connection:
                self._listener.refresh(connection, transaction.changed_algorithms, transaction.changed_accounts)
        if transaction.changed_apis and self._api_listeners:
            with self._database.read() as connection:
                for listener in self._api_listeners:
                    listener.refresh_apis(connection, transaction.changed_apis)


def _recorded(connection: Connection, envelope: Envelope) -> dict[str, Any] | None:
    """The outcome of the same command before, if there is one. Raises UuidReused where it was another command."""
    found = journal.recorded_outcome(connection, envelope.actor.id, envelope.uuid)
    if found is None:
        return None
    name, version, payload, outcome = found
    if (name, version, payload) != (envelope.command, envelope.version, envelope.payload):
        raise UuidReused(
            f"the uuid {envelope.uuid} was used for another command",
            why=f"a uuid belongs to one command and payload, and this one to {name} version {version}",
            repair="send a new command with a new uuid",
            asked=envelope.command,
            found=name,
        )
    return outcome


def _outcome(handler: Handler, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
    try:
        return {"result": handler.handle(transaction, payload, prepared)}
    except Refused as refusal:
        return {"refusal": refusal.as_problem()}


def _replayed(envelope: Envelope, recorded: dict[str, Any]) -> Outcome:
    if problem := recorded.get("refusal"):
        raise TrothError.from_problem(problem)
    return Outcome(envelope.uuid, envelope.command, envelope.version, recorded["result"])


def _record(connection: Connection, envelope: Envelope, outcome: dict[str, Any], moment: str) -> None:
    position = journal.append(
        connection,
        {
            "at": moment,
            "actor": envelope.actor.name,
            "actor_id": envelope.actor.id,
            "command": envelope.command,
            "version": envelope.version,
            "uuid": envelope.uuid,
            "payload": json.loads(envelope.payload),
            "outcome": outcome,
        },
    )
    row = {
        "actor_id": envelope.actor.id,
        "uuid": envelope.uuid,
        "name": envelope.command,
        "version": envelope.version,
        "payload": envelope.payload,
        "outcome": json.dumps(outcome),
        "position": position,
    }
    _ADD.run(connection, row)


def check_uuid(text: str) -> None:
    """Raises Malformed unless it is a uuid in its usual form."""
    try:
        legal = str(uuids.UUID(text)) == text
    except ValueError:
        legal = False
    if not legal:
        raise Malformed(
            f"{text[:60]!r} is not a uuid",
            why="a command is identified by a uuid in its usual form, lower case with dashes",
            repair="leave it out, and one is made",
            asked=text[:200],
        )
