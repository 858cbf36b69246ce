"""What pointer-like settings and states were at a position of the journal, by the commands that set them."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, select

from troth.registry.journal_facts import journal_facts
from troth.registry.settable import SETTABLE, Named, Payload, Values
from troth.registry.tables import journal

_BACK = "roll_back"


def settings_at(connection: Connection, named: Named, position: int) -> Values | None:
    """The values behind the entry at a position; None where what is named was not made by then."""
    row = SETTABLE[named.kind]
    entries = (
        select(journal_facts.c.command, journal.c.entry)
        .join(journal, journal.c.position == journal_facts.c.position)
        .where(
            journal_facts.c.subject == named.about,
            journal_facts.c.command.in_((row.creating, *row.changing, _BACK)),
            journal_facts.c.outcome == "done",
            journal_facts.c.position <= position,
        )
        .order_by(journal_facts.c.position)
    )
    found: Values | None = None
    for command, text in connection.execute(entries):
        entry = json.loads(text)
        payload, result = entry["payload"], entry["outcome"]["result"]
        if command == _BACK and is_for(named, payload):
            found = dict(payload["values"])
            continue
        if command == _BACK:  # of another kind or part, which may have moved this one too
            payload, result = {}, result.get("did", {})
        said = row.said(named, payload, result)
        if command == row.creating:
            found = {**row.unsaid, **said}
        elif said:
            found = {**(found or {}), **said}
    return found


def is_for(named: Named, payload: Payload) -> bool:
    """Whether the payload of a rollback, as it was sent, is about exactly this."""
    kind = payload.get("kind") or next(kind for kind in ("algorithm", "product") if kind in payload)
    return kind == named.kind and all(str(payload.get(name)) == value for name, value in named.names.items())


def difference(now: Values, then: Values) -> dict[str, dict[str, Any]]:
    """What differs, by name: `now` and `then`, None where nothing was said."""
    names = sorted({name for name in (*now, *then) if now.get(name) != then.get(name)})
    return {name: {"now": now.get(name), "then": then.get(name)} for name in names}
