"""What pointer-like settings were at a position of the journal, by the commands that set them.

Pointer-like is what says how something is to be from now on, and can be said anew: never what was published.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from troth.registry import catalog, products
from troth.registry.journal_facts import journal_facts
from troth.registry.tables import journal

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Settable:
    """A row: a kind of subject whose settings can be rolled back."""

    kind: str
    creating: str
    #: commands that say values anew
    changing: tuple[str, ...]
    #: the values that a payload says, by flat names
    said: Callable[[Mapping[str, Any]], Values]
    #: the values now; None where there is no such subject
    present: Callable[[Connection, str], Values | None]
    #: row of `troth.access.roles.GRANTS`
    action: str


def _algorithm_said(payload: Mapping[str, Any]) -> Values:
    nested = {
        f"{part}.{name}": value for part in ("details", "settings") for name, value in payload.get(part, {}).items()
    }
    return {**({"summary": payload["summary"]} if "summary" in payload else {}), **nested}


def _algorithm_now(connection: Connection, subject: str) -> Values | None:
    row = catalog.find_algorithm(connection, *subject.split("/"))
    if row is None:
        return None
    return _algorithm_said({"summary": row.summary, "details": row.details, "settings": row.settings})


def _product_said(payload: Mapping[str, Any]) -> Values:
    return {name: payload[name] for name in ("summary", "public") if name in payload}


def _product_now(connection: Connection, subject: str) -> Values | None:
    row = products.find_product(connection, subject)
    return None if row is None else {"summary": row.summary, "public": row.public}


SETTABLE: Mapping[str, Settable] = {
    row.kind: row
    for row in (
        Settable("algorithm", "create_algorithm", ("update_algorithm", "roll_back"), _algorithm_said, _algorithm_now,
                 "update_algorithm"),
        Settable("product", "create_product", ("update_product", "roll_back"), _product_said, _product_now,
                 "update_product"),
    )
}  # fmt: skip
#: what was not said when it was made
_UNSAID: Mapping[str, Values] = {"algorithm": {"summary": ""}, "product": {"summary": "", "public": False}}


def settings_at(connection: Connection, kind: str, subject: str, position: int) -> Values | None:
    """The values behind the entry at a position; None where the subject was not made by then."""
    row = SETTABLE[kind]
    wanted = (row.creating, *row.changing)
    entries = (
        select(journal_facts.c.command, journal.c.entry)
        .join(journal, journal.c.position == journal_facts.c.position)
        .where(
            journal_facts.c.subject == subject,
            journal_facts.c.command.in_(wanted),
            journal_facts.c.outcome == "done",
            journal_facts.c.position <= position,
        )
        .order_by(journal_facts.c.position)
    )
    found: Values | None = None
    for command, entry in connection.execute(entries):
        payload = json.loads(entry)["payload"]
        if payload.get(kind) != subject:
            continue
        if command == row.creating:
            found = {**_UNSAID[kind], **row.said(payload)}
        elif command == "roll_back":
            found = dict(payload["values"])
        else:
            found = {**(found or {}), **row.said(payload)}
    return found


def difference(now: Values, then: Values) -> dict[str, dict[str, Any]]:
    """What differs, by name: `now` and `then`, None where nothing was said."""
    names = sorted({name for name in (*now, *then) if now.get(name) != then.get(name)})
    return {name: {"now": now.get(name), "then": then.get(name)} for name in names}


def set_all(connection: Connection, kind: str, subject: str, values: Values, now: str) -> str:
    """Sets exactly these values from now on, and gives the id of the subject, which has to exist."""
    if kind == "product":
        product = products.existing(connection, subject)
        products.change_product(
            connection, product.id, now, summary=values.get("summary", ""), public=values.get("public", False)
        )
        return product.id
    algorithm = catalog.find_algorithm(connection, *subject.split("/"))
    assert algorithm is not None
    parts: dict[str, Values] = {"details": {}, "settings": {}}
    for name, value in values.items():
        part, _, inner = name.partition(".")
        if inner:
            parts[part][inner] = value
    catalog.update_algorithm(connection, algorithm, now, summary=values.get("summary", ""), **parts)
    return algorithm.id
