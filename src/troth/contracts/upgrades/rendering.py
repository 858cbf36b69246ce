"""The plan of an upgrade in words: for a terminal, and as Markdown. Both are made of its JSON form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from troth.versions.escaping import plain, short

Told = Mapping[str, Any]
_MOST: Final = 200


def headline(told: Told) -> str:
    """The plan in a sentence."""
    count = len(told["releases"])
    if not count:
        return f"{told['product']} is {told['to']} already"
    behind = f"{count} release{'s' if count > 1 else ''}"
    pending = len(told["migrations"])
    moved = f"{pending} migration{'' if pending == 1 else 's'}"
    broken = f"{len(told['breaks'])} break{'' if len(told['breaks']) == 1 else 's'}"
    return f"{told['product']} from {told['from']} to {told['to']}: {behind}, {moved}, {broken}"


def advice(told: Told) -> str:
    """Where to stop, in a sentence."""
    if not told["releases"]:
        return "nothing is to do"
    if not told["stops"]:
        return f"upgrade in one step ({told['direct']})"
    return f"stop at {', '.join(told['stops'])}"


def as_text(told: Told) -> str:
    """The plan for a terminal."""
    lines = [headline(told), advice(told)]
    for title, entries in sections(told):
        lines += ["", title, *(f"  {line}" for line in entries)]
    lines += [f"  note: {one}" for one in told["warnings"]]
    return "\n".join(lines)


def as_markdown(told: Told) -> str:
    """The plan for a page or a ticket, in Markdown."""
    lines = [f"# {plain(headline(told))}", "", plain(advice(told))]
    for title, entries in sections(told):
        lines += ["", f"## {title}", "", *(f"- {plain(line)}" for line in entries)]
    if told["warnings"]:
        lines += ["", "## Look at this", "", *(f"- {plain(one)}" for one in told["warnings"])]
    return "\n".join(lines) + "\n"


def sections(told: Told) -> Iterator[tuple[str, list[str]]]:
    """Title and lines of each part that holds something, in the order in which an operator needs them."""
    parts = (
        ("The way", [_jump(one) for one in told["jumps"]]),
        ("What breaks, and what to do", [_break(one) for one in told["breaks"]]),
        ("Your configuration", [_setting(one) for one in told["settings"]]),
        ("Problems of your configuration", [_problem(one) for one in told.get("configuration", ())]),
        ("Migrations, in the order in which they run", [_migration(one) for one in told["migrations"]]),
        ("Times that were measured", [_measured(one) for one in told["measured"]]),
        ("Components", [_maturity(one) for one in told["maturities"]]),
    )
    for title, lines in parts:
        if lines:
            yield title, lines if len(lines) <= _MOST else [*lines[:_MOST], f"and {len(lines) - _MOST} more"]
    for component, kinds in told["notes"].items():
        for kind, notes in kinds.items():
            yield f"{component[0].upper()}{component[1:]}: {kind}", [_note(one) for one in notes]
    if told["releases"]:
        yield "Releases", [_release(one) for one in told["releases"]]


def _jump(one: Told) -> str:
    measured = f", {one['seconds']:.2f} s measured" if one["seconds"] is not None else ""
    return f"{one['from']} -> {one['to']}: {one['standing']}{measured}"


def _break(one: Told) -> str:
    component = f" ({one['component']})" if one["component"] else ""
    said = "" if one["to_do"].startswith(one["words"]) else f"{one['words']}: "
    return f"{one['release']}{component}: {said}{_line(one['to_do'])}"


def _setting(one: Told) -> str:
    changed = f", {short(one['old'])} -> {short(one['new'])}" if (one["old"], one["new"]) != (None, None) else ""
    return f"{one['where']}: {one['words']}{changed}: {one['to_do']}"


def _problem(one: Told) -> str:
    return f"{one['where']}: {one['words']}"


def _migration(one: Told) -> str:
    took = "" if one["seconds"] is None else f": {one['seconds']:.2f} s on {one['database']}"
    return f"{one['id']} ({', '.join(part for part in (one['release'], one['component'], one['path']) if part)}){took}"


def _measured(one: Told) -> str:
    held = "" if one["locked"] is None else f", writers waited {one['locked']:.2f} s"
    return f"{one['release']} from {one['from']} on {one['database']}: {one['seconds']:.2f} s{held}; {one['words']}"


def _maturity(one: Told) -> str:
    if one["from"] is None:
        return f"{one['component']} is new, and {one['to']}"
    return f"{one['component']} was {one['from']} and is {one['to'] or 'gone'}"


def _note(one: Told) -> str:
    return f"{_line(one['text'])} ({', '.join(one['releases'])})"


def _release(one: Told) -> str:
    marks = ["stable"] if one["stable"] else []
    marks += [f"taken back: {one['yanked']}"] if one["yanked"] else []
    return f"{one['number']} of {one['released'][:10]}, {one['occasion'] or 'no occasion'}{', ' if marks else ''}{', '.join(marks)}"


def _line(text: str) -> str:
    """A text of several lines in one."""
    return " ".join(text.split())
