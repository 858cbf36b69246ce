"""Commands on products, and the marks that people give their releases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.commands.algorithms import require_for
from troth.commands.bus import Transaction
from troth.commands.formats import Payload
from troth.errors import Forbidden, Refused
from troth.registry import accounts, products
from troth.registry.products import ReleaseRow
from troth.versions.releases.numbers import ReleaseNumber


class _OnProduct:
    """A command on a product, without a slow part. `action` is its name."""

    action = ""

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require_for(self.action, connection, actor, payload["product"])

    async def prepare(self, actor: Actor, payload: Payload) -> Any:
        return None


class CreateProduct(_OnProduct):
    action = "create_product"

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        owner_name, name = payload["product"].split("/")
        owner = accounts.get_account(transaction.connection, owner_name)
        public = bool(payload.get("public"))
        products.create_product(
            transaction.connection,
            owner.id,
            name,
            summary=payload.get("summary", ""),
            public=public,
            now=transaction.now,
        )
        return {"product": payload["product"], "public": public}


class UpdateProduct(_OnProduct):
    action = "update_product"

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        product = products.existing(transaction.connection, payload["product"])
        values: dict[str, Any] = {key: payload[key] for key in ("summary", "public") if key in payload}
        if values:
            product = products.change_product(transaction.connection, product, transaction.now, **values)
        return {"product": product.subject, "summary": product.summary, "public": product.public}


class MarkStable(_OnProduct):
    """Stability is a mark that people give (PLX-05); no rule gives it, and no rule takes it away."""

    action = "mark_stable"

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        super().authorise(connection, actor, payload)
        if actor.kind != "user":
            raise Forbidden(
                f"{actor.name} may not mark releases as stable",
                why="it is a person who answers for such a mark (PLX-05)",
                repair="use the key of an admin of the organisation",
                clauses=["PLX-05"],
            )

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        row = _release(transaction, payload)
        if row.number.is_prerelease or row.yanked_at or row.stable_at:
            state = (
                "is marked stable already" if row.stable_at else "was yanked" if row.yanked_at else "is a prerelease"
            )
            raise Refused(
                f"{payload['product']} {row.number} {state}",
                why="what is marked stable is a release that people may rely on, once and for good",
                repair="mark another release",
                clauses=["PLX-05"],
            )
        products.mark(transaction.connection, row.id, stable_by=transaction.actor.id, stable_at=transaction.now)
        return {"product": payload["product"], **_release(transaction, payload).as_dict()}


class YankRelease(_OnProduct):
    """A yanked release keeps its number, its files and its documentation: who has it must be able to read of it."""

    action = "yank_release"

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        row = _release(transaction, payload)
        if row.yanked_at:
            raise Refused(
                f"{payload['product']} {row.number} was yanked already",
                why=f"on {row.yanked_at[:10]}, by {row.yanked_by}: {row.yank_reason}",
                repair="nothing is left to do",
            )
        reason = payload["reason"].strip()
        marks = {"yanked_by": transaction.actor.id, "yanked_at": transaction.now, "yank_reason": reason}
        products.mark(transaction.connection, row.id, **marks)
        return {"product": payload["product"], **_release(transaction, payload).as_dict()}


def _release(transaction: Transaction, payload: Payload) -> ReleaseRow:
    product = products.existing(transaction.connection, payload["product"])
    return products.get_release(transaction.connection, product, ReleaseNumber.parse(payload["number"]))
