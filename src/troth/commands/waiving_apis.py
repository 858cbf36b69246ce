"""The command that asks for a waiver of a change of an API: whether a version may change as the comparing clauses refuse."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from troth.commands.api_moves import Compared, MoveApi, digest_of
from troth.commands.bus import Transaction
from troth.commands.excusing import Excusing
from troth.commands.formats import Payload
from troth.commands.waiving import asked, check_that_it_helps, supposed, waivable
from troth.registry import apis
from troth.registry.database import Database
from troth.registry.waivers import Subject
from troth.versions.lifecycles.judging import judge
from troth.versions.lifecycles.subject import Move


class RequestApiWaiver(MoveApi):
    """Keeps the question. It is judged as the change itself is: without any waiver, and as if this one held."""

    def __init__(self, database: Database, excusing: Excusing) -> None:
        super().__init__("request_api_waiver", Move.CHANGE, database, excusing)

    def handle(self, transaction: Transaction, payload: Payload, prepared: Compared) -> dict[str, Any]:
        connection = transaction.connection
        clauses = waivable("api", payload["clauses"])
        row = apis.existing(connection, payload["api"])
        change = self.asked(transaction, row, payload, prepared)
        changed, before = digest_of(change.number, payload, prepared), apis.subject_of(connection, row)
        without = judge(replace(change, waivers=()), before)
        held = supposed("api", row.subject, change.numbered, changed, clauses)
        by = judge(replace(change, waivers=(held,)), before)
        against = {"clauses": [one.clause for one in without.objections], "number": change.numbered, "least": None}
        check_that_it_helps("api", clauses, against, {one.clause: one.text for one in by.objections})
        subject = Subject("api", row.id, row.subject, row.owner_id)
        return asked(transaction, subject, change.numbered, changed, clauses, payload, without.as_dict())
