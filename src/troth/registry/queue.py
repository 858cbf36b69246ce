"""The queue of accepted commands, as rows: accept, lease, end, and what people do with those that failed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, bindparam, exists, func, insert, select, text, tuple_, update
from sqlalchemy import delete as remove
from sqlalchemy.exc import IntegrityError

from troth.registry.command_tables import queued_commands as queue
from troth.registry.former_rows import FORMER, keep
from troth.registry.prepared import Prepared
from troth.registry.tables import accounts


class QueueState(StrEnum):
    """Where an accepted command is."""

    WAITING = "waiting"
    LEASED = "leased"
    DONE = "done"
    #: a dead letter: nobody tries it again by themselves
    FAILED = "failed"
    DISCARDED = "discarded"


#: States of commands that are still to be processed.
OPEN = (QueueState.WAITING.value, QueueState.LEASED.value)
_ENDED = (QueueState.DONE.value, QueueState.DISCARDED.value)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A command that passed the door."""

    actor_id: str
    uuid: str
    scope: str
    command: str
    version: int
    serialisation: str
    payload: bytes
    digest: str
    ordered_key: str | None
    priority: int
    due_at: str
    accepted_at: str


class Acceptance(StrEnum):
    """What came of it."""

    ACCEPTED = "accepted"
    #: the same command was accepted before
    REPEATED = "repeated"
    #: its uuid belongs to another command
    REUSED = "reused"


@dataclass(frozen=True, slots=True)
class Leased:
    """A command that is handed out to be processed."""

    position: int
    actor_id: str
    uuid: str
    scope: str
    command: str
    version: int
    serialisation: str
    payload: bytes
    #: this one included
    attempts: int
    accepted_at: str
    #: what came of earlier attempts
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of an attempt: its state, when it may be tried again, and the outcome as JSON."""

    position: int
    state: QueueState
    due_at: str
    finished_at: str | None
    seconds: float | None
    outcome: str
    #: whether the attempt does not count
    returned: bool = False


@dataclass(frozen=True, slots=True)
class QueuedRow:
    """A command in the queue, as it is shown."""

    position: int
    uuid: str
    actor_id: str
    actor: str
    command: str
    version: int
    state: QueueState
    priority: int
    attempts: int
    bytes: int
    digest: str
    due_at: str
    accepted_at: str
    finished_at: str | None
    seconds: float | None
    outcome: dict[str, Any] | None

    def as_dict(self) -> dict[str, Any]:
        """The row as JSON."""
        names = ("uuid", "command", "version", "priority", "attempts", "bytes", "digest", "due_at", "accepted_at",
                 "finished_at", "seconds", "outcome")  # fmt: skip
        found = {name: getattr(self, name) for name in names}
        return {**found, "state": self.state.value, "submitted_by": self.actor}


# --- the door


def accept(connection: Connection, items: Sequence[Accepted]) -> list[Acceptance]:
    """Puts commands into the queue, in this order; says for each whether it is new."""
    try:
        with connection.begin_nested():
            _ADD.many(connection, [_row(one) for one in items])
    except IntegrityError:  # some were sent before
        return _accept_new(connection, items)
    return [Acceptance.ACCEPTED] * len(items)


def _accept_new(connection: Connection, items: Sequence[Accepted]) -> list[Acceptance]:
    names = [(one.actor_id, one.uuid) for one in items]
    known: dict[tuple[str, str], tuple[str, int, str]] = {}
    found = select(queue.c.actor_id, queue.c.uuid, queue.c.command, queue.c.version, queue.c.digest)
    for row in connection.execute(found.where(tuple_(queue.c.actor_id, queue.c.uuid).in_(names))):
        known[row.actor_id, row.uuid] = (row.command, row.version, row.digest)
    rows, said = [], []
    for one in items:
        name, content = (one.actor_id, one.uuid), (one.command, one.version, one.digest)
        before = known.setdefault(name, content)
        if before is content:
            rows.append(_row(one))
        said.append(
            Acceptance.ACCEPTED
            if before is content
            else Acceptance.REPEATED
            if before == content
            else Acceptance.REUSED
        )
    if rows:
        _ADD.many(connection, rows)
    return said


_ADD = Prepared(insert(queue).inline(), [*Accepted.__slots__, "state", "attempts"])


def _row(one: Accepted) -> dict[str, Any]:
    row = {name: getattr(one, name) for name in one.__slots__}
    return {**row, "state": QueueState.WAITING.value, "attempts": 0}


# --- processing

_EARLIER = queue.alias("earlier")
#: What may be handed out: of commands with one key in common only the first, until it has ended.
_READY = (queue.c.state == QueueState.WAITING.value) & (
    queue.c.ordered_key.is_(None)
    | ~exists().where(
        _EARLIER.c.command == queue.c.command,
        _EARLIER.c.ordered_key == queue.c.ordered_key,
        _EARLIER.c.position < queue.c.position,
        _EARLIER.c.state.in_(OPEN),
    )
)


def lease(connection: Connection, *, now: str, lease: str, most: int, held: Collection[str]) -> list[Leased]:
    """At most `most` commands that are due, the most urgent first; none of the commands named in `held`."""
    wanted = (
        select(queue.c.position, queue.c.actor_id, queue.c.uuid, queue.c.scope, queue.c.command, queue.c.version,
               queue.c.serialisation, queue.c.payload, queue.c.attempts, queue.c.accepted_at, queue.c.outcome)
        .where(_READY, queue.c.due_at <= now)
        .order_by(queue.c.priority, queue.c.position)
        .limit(most)
    )  # fmt: skip
    if held:
        wanted = wanted.where(queue.c.command.not_in(held))
    if connection.dialect.name == "postgresql":
        # else it sorts all that wait, as long as it does not know how many they are
        connection.execute(text("SET LOCAL enable_bitmapscan = off"))
    rows = connection.execute(wanted).all()
    if rows:
        taken = update(queue).where(queue.c.position.in_([row.position for row in rows]))
        leased = {"state": QueueState.LEASED.value, "lease": lease, "attempts": queue.c.attempts + 1}
        connection.execute(taken.values(leased))
    return [_leased(row) for row in rows]


def _leased(row: Any) -> Leased:
    return Leased(
        row.position, row.actor_id, row.uuid, row.scope, row.command, row.version, row.serialisation, row.payload,
        row.attempts + 1, row.accepted_at, row.outcome,
    )  # fmt: skip


_END = Prepared(
    update(queue)
    .where(queue.c.position == bindparam("at"), queue.c.lease == bindparam("by"))
    .values(state=bindparam("to"), due_at=bindparam("due"), finished_at=bindparam("done"), seconds=bindparam("took"),
            outcome=bindparam("came"), attempts=queue.c.attempts - bindparam("back"), lease=None)
)  # fmt: skip


def end(connection: Connection, lease: str, ended: Sequence[Ended]) -> None:
    """Writes down what came of attempts; of one whose lease was taken back, nothing."""
    rows = [
        {"at": one.position, "to": one.state.value, "due": one.due_at, "done": one.finished_at, "took": one.seconds,
         "came": one.outcome, "back": int(one.returned), "by": lease}
        for one in ended
    ]  # fmt: skip
    _END.many(connection, rows)


def give_back(connection: Connection, kept: Collection[int] = ()) -> int:
    """Makes leased commands wait again, as after a crash, but for the positions in `kept`. Their number."""
    taken = update(queue).where(queue.c.state == QueueState.LEASED.value, queue.c.position.not_in(kept))
    return connection.execute(taken.values(state=QueueState.WAITING.value, lease=None)).rowcount


def next_due(connection: Connection, held: Collection[str]) -> str | None:
    """When the next command is due that may be handed out."""
    wanted = select(func.min(queue.c.due_at)).where(_READY)
    if held:
        wanted = wanted.where(queue.c.command.not_in(held))
    found: str | None = connection.execute(wanted).scalar()
    return found


# --- what people see and do

_SHOWN = select(
    queue.c.position, queue.c.uuid, queue.c.actor_id, accounts.c.name, queue.c.command, queue.c.version, queue.c.state,
    queue.c.priority, queue.c.attempts, func.length(queue.c.payload), queue.c.digest, queue.c.due_at,
    queue.c.accepted_at, queue.c.finished_at, queue.c.seconds, queue.c.outcome,
).join(accounts, accounts.c.id == queue.c.actor_id)  # fmt: skip

#: the place of the state in such a row
_STATE = 6


def find(connection: Connection, identity: str) -> list[QueuedRow]:
    """The commands of this uuid: at most one of each sender."""
    return [_shown(row) for row in connection.execute(_SHOWN.where(queue.c.uuid == identity))]


def listed(
    connection: Connection,
    *,
    commands: Iterable[str] | None,
    only: str,
    actor_id: str,
    state: str,
    after: int,
    most: int,
) -> list[QueuedRow]:
    """The newest first: those of `commands` (None: all) and those that the actor sent; `only` one command, and in one
    state, where these are named.

    `after` is the position that the page before ended with; 0 for the first.
    """
    wanted = _SHOWN
    if commands is not None:
        wanted = wanted.where(queue.c.command.in_(list(commands)) | (queue.c.actor_id == actor_id))
    if only:
        wanted = wanted.where(queue.c.command == only)
    if state:
        wanted = wanted.where(queue.c.state == state)
    if after:
        wanted = wanted.where(queue.c.position < after)
    return [_shown(row) for row in connection.execute(wanted.order_by(queue.c.position.desc()).limit(most))]


def payload_of(connection: Connection, position: int) -> Accepted:
    """A command as it was accepted."""
    row = connection.execute(select(queue).where(queue.c.position == position)).one()
    return Accepted(**{name: getattr(row, name) for name in Accepted.__slots__})


def change(connection: Connection, position: int, state: QueueState, now: str, outcome: dict[str, Any] | None) -> None:
    """Makes a command wait from the beginning, or ends it."""
    ended = None if state is QueueState.WAITING else now
    values: dict[str, Any] = {"state": state.value, "due_at": now, "finished_at": ended, "lease": None}
    if state is QueueState.WAITING:
        values["attempts"] = 0
    if outcome is not None:
        values["outcome"] = json.dumps(outcome)
    keep(connection, queue, now, position=position)
    connection.execute(update(queue).where(queue.c.position == position).values(**values))


def depths(connection: Connection) -> list[tuple[str, str, int, str]]:
    """(command, state, how many, when the oldest was accepted) of what is not done."""
    open_states = (*OPEN, QueueState.FAILED.value)
    grouped = select(queue.c.command, queue.c.state, func.count(), func.min(queue.c.accepted_at))
    rows = connection.execute(grouped.where(queue.c.state.in_(open_states)).group_by(queue.c.command, queue.c.state))
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def waiting_before(connection: Connection, command: str, version: int) -> int:
    """How many commands of a version are still to be processed."""
    of_version = (queue.c.command == command, queue.c.version == version, queue.c.state.in_(OPEN))
    return connection.execute(select(func.count()).where(*of_version)).scalar_one()


def forget(connection: Connection, before: str, most: int) -> int:
    """Removes at most so many commands that ended before a moment. Their number."""
    old = select(queue.c.position).where(queue.c.state.in_(_ENDED), queue.c.finished_at < before).limit(most)
    positions = connection.execute(old).scalars().all()
    FORMER[queue.name].forget(connection, "position", positions)
    return connection.execute(remove(queue).where(queue.c.position.in_(positions))).rowcount


def _shown(row: Any) -> QueuedRow:
    plain = list(row)
    plain[_STATE], plain[-1] = QueueState(plain[_STATE]), json.loads(plain[-1]) if plain[-1] else None
    return QueuedRow(*plain)
