"""The command that lists the rules of comparison. It needs no server."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter
from rich.markup import escape

from troth.contracts.rules.table import Kind, Rule
from troth.contracts.rules.table import rules as table
from troth.doors.cli.output import Common, say, show, show_json, show_table

Bump = Literal["major", "minor", "revision"]


def rules(
    prefix: str = "",
    /,
    *,
    kind: Annotated[Kind | None, Parameter(help="Only rules of this kind of document.")] = None,
    least: Annotated[Bump | None, Parameter(help="Only rules that ask for this bump.")] = None,
    common: Common = Common(),
) -> int:
    """Lists the rules by which contracts are compared: every finding that there can be, and the bump that it asks for.

    Parameters
    ----------
    prefix
        Only rules whose id begins so, e.g. input-.
    """
    rows = [
        row
        for row in table().values()
        if row.id.startswith(prefix.casefold()) and kind in (None, row.kind) and least in (None, row.least)
    ]
    if common.json:
        show_json([row.as_dict() for row in rows])
        return 0
    told = [[row.id, row.kind, row.level.value, row.least, row.purpose] for row in rows]
    show_table("", ["id", "kind", "level", "least bump", "purpose"], told)
    say(f"{len(rows)} rules; troth explain ID shows the example of one")
    return 0


def show_rule(row: Rule) -> None:
    """Prints one rule with its example."""
    undecided = ", nothing is proved either way" if row.undecided else ""
    show(f"[bold]{row.id}[/] ({row.kind}, {row.level.value}{undecided}): {escape(row.purpose)}")
    clauses = f" ({', '.join(row.clauses)})" if row.clauses else ""
    show(f"  asks for: {'a' if row.least != 'revision' else 'no more than a'} {row.least}{clauses}; side: {row.side}")
    for word, example in (("before", row.before), ("after", row.after)):
        text = example.strip("\n")
        show(f"  {word}: {escape(text)}" if "\n" not in text else f"  {word}:\n{escape(_indented(text))}")


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
