"""What people do with the queue: pause and resume a command, and retry, discard or replay what was accepted."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.commands.accounts import Immediate
from troth.commands.algorithms import require_for
from troth.commands.bus import Transaction
from troth.commands.formats import Payload
from troth.commands.queued.accepting import Accepting
from troth.commands.queued.book import CommandBook
from troth.errors import NotFound, Refused
from troth.registry import command_subjects, queue
from troth.registry.command_subjects import DRAINING, PAUSED, RUNNING
from troth.registry.queue import QueuedRow, QueueState


class SetFlow(Immediate):
    """Pauses, drains or resumes a command. `action` is the name of the command that does."""

    def __init__(self, action: str, book: CommandBook, accepting: Accepting) -> None:
        self._action = action
        self._book = book
        self._accepting = accepting

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require_for(self._action, connection, actor, payload["command"])

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        row = command_subjects.existing(transaction.connection, payload["command"])
        flow = RUNNING if self._action == "resume_command" else DRAINING if payload.get("drain") else PAUSED
        command_subjects.set_flow(transaction.connection, row.id, flow, transaction.now)
        transaction.afterwards.append(lambda: self._tell(row.subject))
        return {"command": row.subject, "flow": flow}

    def _tell(self, subject: str) -> None:
        self._book.forget(subject)
        self._accepting.wake_from_thread()


class ChangeQueued(Immediate):
    """Retries, discards or replays one accepted command. `action` is the name of the command that does."""

    def __init__(self, action: str, accepting: Accepting) -> None:
        self._action = action
        self._accepting = accepting

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        row = _queued(connection, actor, payload)
        if "/" in row.command:
            require_for(self._action, connection, actor, row.command)
        elif not (actor.administrator or row.actor_id == actor.id):
            raise _missing(payload["uuid"])

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        connection, moment = transaction.connection, transaction.now
        row = _queued(connection, transaction.actor, payload)
        if row.state not in _LEGAL[self._action]:
            raise Refused(
                f"the command {row.uuid} is {row.state.value}",
                why=f"it takes one that is {' or '.join(sorted(_LEGAL[self._action]))}",
                repair=f"troth command show {row.uuid} tells what became of it",
            )
        told = {"uuid": row.uuid, "command": row.command, "submitted_by": row.actor}
        transaction.afterwards.append(self._accepting.wake_from_thread)
        if self._action == "retry_queued_command":
            queue.change(connection, row.position, QueueState.WAITING, moment, None)
            return {**told, "state": QueueState.WAITING.value}
        if self._action == "discard_queued_command":
            by = {"discarded_by": transaction.actor.name, "reason": payload["reason"]}
            queue.change(connection, row.position, QueueState.DISCARDED, moment, {**(row.outcome or {}), **by})
            return {**told, "state": QueueState.DISCARDED.value}
        again = str(uuid.uuid5(uuid.UUID(row.uuid), transaction.now))
        accepted = queue.payload_of(connection, row.position)
        scope = json.dumps(transaction.actor.scope.as_dict())  # it is who replays it that sends it now
        anew = replace(
            accepted, uuid=again, actor_id=transaction.actor.id, scope=scope, due_at=moment, accepted_at=moment
        )
        queue.accept(connection, [anew])
        return {**told, "submitted_by": transaction.actor.name, "state": row.state.value, "replayed_as": again}


_LEGAL = {
    "retry_queued_command": frozenset({QueueState.FAILED, QueueState.WAITING}),
    "discard_queued_command": frozenset({QueueState.FAILED, QueueState.WAITING}),
    "replay_queued_command": frozenset({QueueState.DONE, QueueState.DISCARDED, QueueState.FAILED}),
}


def _queued(connection: Connection, actor: Actor, payload: Payload) -> QueuedRow:
    sender = payload.get("submitted_by")
    rows = [row for row in queue.find(connection, payload["uuid"]) if sender in (None, row.actor)]
    rows = [row for row in rows if command_subjects.queued_shown_to(connection, row, actor)]
    if len(rows) == 1:
        return rows[0]
    if rows:
        raise Refused("several senders used that uuid", repair="say whose is meant: submitted_by")
    raise _missing(payload["uuid"])


def _missing(identity: str) -> NotFound:
    return NotFound(
        f"there is no command {identity} in the queue",
        why="it was never accepted, was forgotten since, or you may not know of it",
        repair="troth command queue shows those that you may see",
    )
