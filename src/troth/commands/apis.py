"""Commands on APIs that move no version: making one, changing what it is about, and deciding what no clause says."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor, relations, require
from troth.commands.algorithms import require_for
from troth.commands.bus import Transaction
from troth.commands.formats import Payload
from troth.errors import Forbidden, NotFound
from troth.registry import accounts, apis, products
from troth.versions.clauses import policy
from troth.versions.lifecycles.gaps import check_gap
from troth.versions.lifecycles.numbers import parsed
from troth.versions.lifecycles.own import OWN
from troth.versions.lifecycles.table import version_name


def require_for_api(action: str, connection: Connection, actor: Actor, subject: str) -> None:
    """Raises Forbidden unless the actor may do this; troth's own APIs are kept by who administers the server."""
    if subject in OWN and actor.administrator:
        require(action, relations(actor, role="admin"), subject)
    else:
        require_for(action, connection, actor, subject)


class OnApi:
    """A command on an API, without a slow part. `action` is its name."""

    action = ""

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require_for_api(self.action, connection, actor, payload["api"])

    async def prepare(self, actor: Actor, payload: Payload) -> Any:
        return None


class CreateApi(OnApi):
    action = "create_api"

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        connection = transaction.connection
        owner_name, name = payload["api"].split("/")
        owner = accounts.get_account(connection, owner_name)
        start = parsed(payload["starting_point"]) if "starting_point" in payload else None
        apis.create_api(
            connection,
            owner.id,
            name,
            transaction.now,
            summary=payload.get("summary", ""),
            public=bool(payload.get("public")),
            product_id=_product(connection, transaction.actor, payload.get("product")),
            starting_point=start,
            documentation=payload.get("documentation"),
        )
        transaction.changed_apis.add(payload["api"])
        return {
            "api": payload["api"],
            "public": bool(payload.get("public")),
            "product": payload.get("product"),
            "starting_point": version_name(start) if start else None,
        }


class UpdateApi(OnApi):
    action = "update_api"

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        row = apis.existing(transaction.connection, payload["api"])
        values: dict[str, Any] = {key: payload[key] for key in ("summary", "public", "documentation") if key in payload}
        if values:
            apis.change_api(transaction.connection, row.id, transaction.now, revision=row.revision + 1, **values)
            transaction.changed_apis.add(row.subject)
        told = {"summary": row.summary, "public": row.public, "documentation": row.documentation}
        return {"api": row.subject, **told, **values}


class DecideApi(OnApi):
    """Where no clause speaks a person decides, and the decision stands beside the policy (PDB-04)."""

    action = "decide_api"

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        super().authorise(connection, actor, payload)
        if actor.kind != "user":
            raise Forbidden(
                f"{actor.name} may not decide what the policy leaves open",
                why="it is a person who answers for such a decision (PDB-04)",
                repair="use the key of a person",
                clauses=["PDB-04"],
            )

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        row = apis.existing(transaction.connection, payload["api"])
        check_gap(payload["about"], apis.subject_of(transaction.connection, row).versions)
        decision = {"about": payload["about"], "allowed": payload["allowed"], "reason": payload["reason"].strip()}
        revision = policy().revision
        apis.add_decision(
            transaction.connection,
            row.id,
            **decision,
            policy_revision=revision,
            decided_by=transaction.actor.id,
            decided_at=transaction.now,
        )
        return {"api": row.subject, **decision, "decided_by": transaction.actor.name, "policy_revision": revision}


def _product(connection: Connection, actor: Actor, subject: str | None) -> str | None:
    """The id of the product whose releases an API is to follow. Raises NotFound, also for one that the actor may not know of."""
    if subject is None:
        return None
    row = products.find_product(connection, subject)
    if row is None or not products.shows(connection, row, actor):
        raise NotFound(
            f"there is no product {subject}", repair=f"make it first: troth product create {subject}", asked=subject
        )
    # what follows a product can have its releases refused, so it is for those who may make APIs of its owner
    require_for("create_api", connection, actor, subject)
    return row.id
