"""The command that asks for a waiver of a release: whether a commit may have a number that the comparing clauses refuse."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.commands.algorithms import require_for
from troth.commands.bus import Transaction
from troth.commands.cuts import Cuts
from troth.commands.formats import Payload
from troth.commands.release_judging import Beside, ReleaseJudging, check_base, check_declared
from troth.commands.waiving import asked, check_that_it_helps, supposed, waivable
from troth.contracts.product import Product, parse_product
from troth.contracts.release_document import ReleaseDocument
from troth.registry import products
from troth.registry.waivers import Subject
from troth.versions.releases.numbers import ReleaseNumber
from troth.versions.releases.verdict import ReleaseVerdict


@dataclass(frozen=True, slots=True)
class _Judged:
    """The evidence, what it was judged beside, and the verdicts: without any waiver, and with the one that is asked for."""

    document: ReleaseDocument
    product: Product
    beside: Beside
    without: ReleaseVerdict
    by: ReleaseVerdict


class RequestReleaseWaiver:
    """Keeps the question. What only a whole release must have is not asked for yet, so the evidence alone is enough.

    What it claims of contracts is believed here; they are compared when the release is cut.
    """

    def __init__(self, judging: ReleaseJudging, cuts: Cuts) -> None:
        self._judging = judging
        self._cuts = cuts

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require_for("request_release_waiver", connection, actor, payload["product"])

    async def prepare(self, actor: Actor, payload: Payload) -> _Judged:
        return await self._cuts.run(actor.id, self._judged, payload)

    def handle(self, transaction: Transaction, payload: Payload, prepared: _Judged) -> dict[str, Any]:
        connection, number = transaction.connection, ReleaseNumber.parse(payload["number"])
        clauses = waivable("product", payload["clauses"])
        row = products.existing(connection, payload["product"])
        check_declared(prepared.document, prepared.product, payload, number)
        self._judging.check_still(connection, prepared.beside, row.id, payload["commit"], number, transaction.now)
        check_base(prepared.document, prepared.beside.records, number)
        verdict = prepared.without.as_dict()
        check_that_it_helps("product", clauses, verdict, _left(prepared.by))
        subject = Subject("product", row.id, row.subject, row.owner_id)
        return asked(transaction, subject, products.precedence(number), payload["commit"], clauses, payload, verdict)

    def _judged(self, payload: Payload) -> _Judged:
        document = self._judging.claimed(payload["evidence"])
        product = parse_product(document.declared.encode())
        number = ReleaseNumber.parse(payload["number"])
        beside = self._judging.beside(payload["product"], payload["commit"], number)
        found = []
        held = supposed(
            "product", payload["product"], products.precedence(number), payload["commit"], payload["clauses"]
        )
        compared = self._judging.uncompared(beside.records)
        for waivers in ((), (held,)):
            given = replace(beside, waivers=waivers)
            found.append(
                self._judging.verdict(document, product, given, compared, number, documented=True, complete=False)
            )
        return _Judged(document, product, beside, *found)


def _left(verdict: ReleaseVerdict) -> dict[str, str]:
    """The clauses by which the release would be refused all the same, each with what it objects to."""
    told = verdict.as_dict()
    found = {one["clause"]: one["text"] for one in told["objections"]}
    found |= {one["clause"]: f"{one['facts'][0]['words']}: {one['purpose']}" for one in told["asked"] if one["refuses"]}
    if told["not_regulated"]:
        found["PDB-04"] = told["not_regulated"][0]["question"]
    return found
