"""Commands with wire formats and their versions, as rows."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update

from troth.access.roles import Actor
from troth.access.scopes import reach_of
from troth.errors import NameTaken, NotFound
from troth.registry.accounts import role_of
from troth.registry.command_tables import command_subjects, command_versions
from troth.registry.former_rows import keep
from troth.registry.queue import QueuedRow
from troth.registry.tables import accounts
from troth.versions import names
from troth.versions.commands.rules import Standing
from troth.versions.commands.states import State
from troth.versions.releases.numbers import ReleaseNumber

RUNNING, PAUSED, DRAINING = "running", "paused", "draining"


@dataclass(frozen=True, slots=True)
class CommandRow:
    """One command."""

    id: str
    owner_id: str
    owner: str
    name: str
    summary: str
    public: bool
    flow: str
    created_at: str

    @property
    def subject(self) -> str:
        return f"{self.owner}/{self.name}"

    def as_dict(self) -> dict[str, Any]:
        shown = ("summary", "public", "flow", "created_at")
        return {"command": self.subject, **{name: getattr(self, name) for name in shown}}


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of a command."""

    version: int
    schema: Any
    serialisation: str
    state: State
    release: ReleaseNumber
    deprecated_in: ReleaseNumber | None
    retired_in: ReleaseNumber | None
    ordered_by: str | None
    handler: str
    handler_by: str
    handler_scope: dict[str, Any]
    up_conversion: Any
    golden: list[dict[str, Any]]
    proof: dict[str, Any]
    published_at: str

    def as_dict(self) -> dict[str, Any]:
        """The version as its senders may see it."""
        told = {name: str(getattr(self, name) or "") or None for name in ("release", "deprecated_in", "retired_in")}
        return {
            "version": self.version,
            "state": self.state.value,
            **told,
            "format": {"version": self.version, "schema": self.schema, "serialisation": self.serialisation},
            "ordered_by": self.ordered_by,
            "published_at": self.published_at,
        }

    def whole(self) -> dict[str, Any]:
        """The version as members of its owner see it."""
        names = ("handler", "up_conversion", "golden", "proof")
        return {**self.as_dict(), **{name: getattr(self, name) for name in names}}


_COMMAND = select(
    command_subjects.c.id, command_subjects.c.owner_id, accounts.c.name.label("owner"), command_subjects.c.name,
    command_subjects.c.summary, command_subjects.c.public, command_subjects.c.flow, command_subjects.c.created_at,
).join(accounts, accounts.c.id == command_subjects.c.owner_id)  # fmt: skip


def create(connection: Connection, owner_id: str, name: str, *, summary: str, public: bool, now: str) -> None:
    """A new command. Raises MalformedName, and NameTaken, also for a name that differs in letter case only."""
    folded = names.folded(names.check_algorithm(name))
    of_owner = (command_subjects.c.owner_id == owner_id, command_subjects.c.folded == folded)
    if connection.execute(select(command_subjects.c.id).where(*of_owner)).scalar() is not None:
        raise NameTaken(
            f"the name {name!r} is taken",
            why="its owner has a command of that name, whatever the case of its letters",
            repair="choose another name, or publish a version of that one",
            asked=name,
        )
    connection.execute(
        command_subjects.insert().values(
            id=str(uuid.uuid4()), owner_id=owner_id, name=name, folded=folded, summary=summary, public=public,
            flow=RUNNING, created_at=now,
        )
    )  # fmt: skip


def find(connection: Connection, subject: str) -> CommandRow | None:
    """The command `owner/name`."""
    owner, _, name = subject.partition("/")
    row = connection.execute(_COMMAND.where(accounts.c.name == owner, command_subjects.c.name == name)).first()
    return CommandRow(*row) if row else None


def existing(connection: Connection, subject: str) -> CommandRow:
    """The same. Raises NotFound."""
    if found := find(connection, subject):
        return found
    raise missing(subject)


def missing(subject: str) -> NotFound:
    """What is said where there is no such command, or none that the caller may know of."""
    return NotFound(
        f"there is no command {subject[:130]!r}",
        why="it was never made, or you may not know of it",
        repair="troth command list shows those that you may send",
        asked=subject[:200],
    )


def every(connection: Connection) -> list[CommandRow]:
    """All commands, by name."""
    return [CommandRow(*row) for row in connection.execute(_COMMAND.order_by(accounts.c.name, command_subjects.c.name))]


def paused(connection: Connection) -> frozenset[str]:
    """The subjects of all commands that are not processed now."""
    found = connection.execute(_COMMAND.where(command_subjects.c.flow == PAUSED))
    return frozenset(CommandRow(*row).subject for row in found)


def belongs(connection: Connection, row: CommandRow, actor: Actor) -> bool:
    """Whether the actor is the owner of a command, or a member of it."""
    return row.owner_id == actor.id or role_of(connection, row.owner_id, actor.id) is not None


def shown_to(row: CommandRow, actor: Actor, *, belongs: bool) -> bool:
    """Whether the actor, to whose organisations its owner belongs or not, may know of a command (the key's reach counts)."""
    reach = reach_of(actor.scope.algorithms)
    within = actor.scope.manage or reach is None or reach.allows(row.subject)
    return within and (row.public or belongs or actor.administrator)


def queued_shown_to(connection: Connection, row: QueuedRow, actor: Actor) -> bool:
    """Whether the actor may know of an accepted command: it sent it, owns its command, or administers the server."""
    if row.actor_id == actor.id or actor.administrator:
        return True
    found = find(connection, row.command) if "/" in row.command else None
    return found is not None and belongs(connection, found, actor)


def set_flow(connection: Connection, command_id: str, flow: str, now: str) -> None:
    """Lets commands be processed, waits with them, or takes no more of them, from now on."""
    keep(connection, command_subjects, now, id=command_id)
    connection.execute(update(command_subjects).where(command_subjects.c.id == command_id).values(flow=flow))


def versions_of(connection: Connection, command_id: str) -> dict[int, VersionRow]:
    """The versions of a command by their number, the lowest first."""
    wanted = select(command_versions).where(command_versions.c.command_id == command_id)
    rows = connection.execute(wanted.order_by(command_versions.c.version))
    return {row.version: _version(row) for row in rows}


def standing_of(versions: Mapping[int, VersionRow]) -> Standing:
    """What the rules need to know of the versions that there are."""
    named = [row.release for row in versions.values()]
    named += [one for row in versions.values() for one in (row.deprecated_in, row.retired_in) if one is not None]
    return Standing(tuple(versions), max(named, default=None))


def put_version(connection: Connection, command_id: str, version: int, values: Mapping[str, Any], now: str) -> None:
    """Adds a version, or writes what may change of it; `values` are columns, documents as values."""
    stored = {name: json.dumps(value) if name in _DOCUMENTS else value for name, value in values.items()}
    known = _kept(connection, command_id, version, now)
    if known is None:
        row = {"id": str(uuid.uuid4()), "command_id": command_id, "version": version, **stored}
        connection.execute(command_versions.insert().values(**row))
    else:
        connection.execute(update(command_versions).where(command_versions.c.id == known).values(**stored))


def set_state(
    connection: Connection, command_id: str, version: int, state: State, release: ReleaseNumber, now: str
) -> None:
    """Moves a version to another state, in a release."""
    column = {State.DEPRECATED: "deprecated_in", State.RETIRED: "retired_in"}[state]
    known = _kept(connection, command_id, version, now)
    values = {"state": state.value, column: str(release)}
    connection.execute(update(command_versions).where(command_versions.c.id == known).values(**values))


def _kept(connection: Connection, command_id: str, version: int, now: str) -> str | None:
    """The id of a version, if there is one; what it is until now is kept."""
    of_version = (command_versions.c.command_id == command_id, command_versions.c.version == version)
    found: str | None = connection.execute(select(command_versions.c.id).where(*of_version)).scalar()
    if found is not None:
        keep(connection, command_versions, now, id=found)
    return found


_DOCUMENTS = frozenset({"schema", "handler_scope", "up_conversion", "golden", "proof"})


def _version(row: Any) -> VersionRow:
    def number(text: str | None) -> ReleaseNumber | None:
        return ReleaseNumber.parse(text) if text else None

    return VersionRow(
        version=row.version,
        schema=json.loads(row.schema),
        serialisation=row.serialisation,
        state=State(row.state),
        release=ReleaseNumber.parse(row.release),
        deprecated_in=number(row.deprecated_in),
        retired_in=number(row.retired_in),
        ordered_by=row.ordered_by,
        handler=row.handler,
        handler_by=row.handler_by,
        handler_scope=json.loads(row.handler_scope),
        up_conversion=json.loads(row.up_conversion) if row.up_conversion else None,
        golden=json.loads(row.golden),
        proof=json.loads(row.proof),
        published_at=row.published_at,
    )
