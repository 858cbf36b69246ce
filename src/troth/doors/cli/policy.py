"""Commands about the policy: clauses, explain. They need no server."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape

from troth.doors.cli.output import Common, say, show, show_json, show_table
from troth.versions.clauses import clause, policy


def clauses(
    prefix: str = "",
    /,
    *,
    status: Annotated[str | None, Parameter(help="Only those that are enforced, shown or planned.")] = None,
    common: Common = Common(),
) -> int:
    """Lists the clauses of the policy: every promise that the machine answers for.

    Parameters
    ----------
    prefix
        Only clauses whose id begins so, e.g. ALG.
    """
    rows = [
        row
        for row in policy().clauses.values()
        if row.id.startswith(prefix.upper()) and (status is None or row.status == status)
    ]
    if common.json:
        show_json([row.as_dict() for row in rows])
        return 0
    show_table("", ["id", "kind", "status", "sentence"], [[row.id, row.kind, row.status, row.sentence] for row in rows])
    say(f"policy revision {policy().revision}; troth explain ID tells more")
    return 0


def explain(clause_id: str, /, *, common: Common = Common()) -> int:
    """Prints one clause: its sentence, what the machine does for it, and how unclear words in it are read.

    Parameters
    ----------
    clause_id
        For instance ALG-10.
    """
    row = clause(clause_id)
    notes = [policy().notes[name] for name in row.notes]
    if common.json:
        show_json({**row.as_dict(), "readings": {note.id: note.reading for note in notes}})
        return 0
    show(f"[bold]{row.id}[/] ({row.kind}, {row.status}): {escape(row.sentence)}")
    show(f"  the machine: {escape(row.enforcement)}")
    show(f"  affects: {escape(row.affects)}; source: {escape(row.source)}; policy revision {row.revision}")
    for note in notes:
        show(f"  {note.id}: {escape(note.reading)}")
    return 0
