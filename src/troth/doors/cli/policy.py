"""Commands about the policy: policy, clauses, explain. They need no server."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape

from troth.contracts.rules.table import rule, rules
from troth.doors.cli.output import Common, Remote, say, show, show_json, show_table
from troth.doors.cli.rules import show_rule
from troth.errors import NotFound
from troth.versions.clauses import clause, policy
from troth.versions.policy_document import policy_document


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


def explain(name: str, /, *, common: Common = Common()) -> int:
    """Prints one clause or rule: what it says, what the machine does for it, and how unclear words or an example of it read.

    Parameters
    ----------
    name
        A clause, for instance ALG-10, or a rule of comparison, for instance input-property-required.
    """
    if name.casefold() in rules():
        found = rule(name)
        show_json(found.as_dict()) if common.json else show_rule(found)
        return 0
    if _looks_like_a_rule(name):
        raise NotFound(
            f"there is no clause and no rule {name[:80]!r}",
            why="clauses are statements of the policy, rules are what can differ between contracts",
            repair="troth clauses and troth rules list them",
        )
    row = clause(name)
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


def policy_in_force(*, remote: Remote = Remote()) -> int:
    """Prints the policy in force: its revision, from where subjects are judged, and what was decided where it is silent.

    With --server it is that of a server, with the decisions recorded there. With --json it is the whole document: clauses,
    readings of unclear words, and the rules that keep them.
    """
    if remote.server is None:
        found = policy_document()
    else:
        with remote.client() as client:
            found = client.policy()
    if remote.json:
        show_json(found)
        return 0
    counts = Counter(row["status"] for row in found["clauses"])
    told = ", ".join(f"{number} {status}" for status, number in counts.items())
    show(f"policy revision {found['revision']}: {len(found['clauses'])} clauses ({told})")
    for subject, start in {**found["judged_from"], **found["starting_points"]}.items():
        show(escape(f"  {subject} is judged from {start}"))
    for one in found["decisions"]:
        may = "allowed" if one["allowed"] else "forbidden"
        show(
            escape(
                f"  decided for {one['api']} by {one['decided_by']}: {one['about']} is {may}, because {one['reason']}"
            )
        )
    say("troth clauses lists them, troth explain ID tells more")
    return 0


def _looks_like_a_rule(name: str) -> bool:
    """Whether it is written as the ids of rules are: in small letters, where clauses have a number."""
    return name == name.casefold() and not any(character.isdigit() for character in name)
