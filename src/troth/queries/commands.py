"""Questions about commands with wire formats, and about those that were accepted."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.errors import NotFound
from troth.registry import command_subjects, queue
from troth.registry.command_subjects import CommandRow

LARGEST_PAGE = 200


def listed(connection: Connection, caller: Actor) -> dict[str, Any]:
    """The commands that the caller may send, with the number and state of each version."""
    found = []
    for row in command_subjects.every(connection):
        if _shows(connection, row, caller):
            versions = command_subjects.versions_of(connection, row.id).values()
            told = [{"version": one.version, "state": one.state.value} for one in versions]
            found.append({**row.as_dict(), "versions": told})
    return {"commands": found}


def one(connection: Connection, caller: Actor, subject: str) -> dict[str, Any]:
    """A command with its formats; for members of its owner with handlers, up-conversions and proofs. Raises NotFound."""
    row = command_subjects.find(connection, subject)
    if row is None or not _shows(connection, row, caller):
        raise command_subjects.missing(subject)
    whole = command_subjects.belongs(connection, row, caller)
    versions = command_subjects.versions_of(connection, row.id).values()
    return {**row.as_dict(), "versions": [one.whole() if whole else one.as_dict() for one in versions]}


def accepted(
    connection: Connection, caller: Actor, *, command: str, state: str, after: int, limit: int
) -> dict[str, Any]:
    """Accepted commands, the newest first: those that the caller sent, and those of commands that it owns."""
    names = None
    if not caller.administrator:
        rows = command_subjects.every(connection)
        names = [row.subject for row in rows if command_subjects.belongs(connection, row, caller)]
    rows_found = queue.listed(
        connection, commands=names, only=command, actor_id=caller.id, state=state, after=after, most=limit
    )
    following = rows_found[-1].position if len(rows_found) == limit else None
    return {"queue": [row.as_dict() for row in rows_found], "next": following}


def outcome(connection: Connection, caller: Actor, identity: str, sender: str) -> dict[str, Any]:
    """What became of an accepted command. Raises NotFound, also for one that the caller may not know of."""
    found = [row for row in queue.find(connection, identity) if sender in ("", row.actor)]
    found = [row for row in found if command_subjects.queued_shown_to(connection, row, caller)]
    mine = [row for row in found if row.actor_id == caller.id]
    for row in mine or found:
        return row.as_dict()
    raise NotFound(
        f"there is no command {identity[:40]} in the queue",
        why="it was never accepted, was forgotten since, or you may not know of it",
        repair="troth command queue shows those that you may see",
        asked=identity[:100],
    )


def _shows(connection: Connection, row: CommandRow, caller: Actor) -> bool:
    return command_subjects.shown_to(row, caller, belongs=command_subjects.belongs(connection, row, caller))
