"""Commands on what becomes of algorithms: what is said of them, and their deletion."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.commands.algorithms import existing, require_for
from troth.commands.bus import Transaction
from troth.commands.formats import Payload
from troth.registry import catalog, deletions


class UpdateAlgorithm:
    """Says other things of an algorithm. Versions keep what they were published with, and builds what they were made with."""

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require_for("update_algorithm", connection, actor, payload["algorithm"])

    async def prepare(self, actor: Actor, payload: Payload) -> None:
        return None

    def handle(self, transaction: Transaction, payload: Payload, prepared: None) -> dict[str, Any]:
        algorithm = existing(transaction.connection, payload["algorithm"])
        catalog.update_algorithm(
            transaction.connection,
            algorithm,
            transaction.now,
            summary=payload.get("summary", algorithm.summary),
            details={**algorithm.details, **payload.get("details", {})},
            settings={**algorithm.settings, **payload.get("settings", {})},
        )
        transaction.changed_algorithms.add(algorithm.id)
        return {"algorithm": algorithm.subject}


class DeleteAlgorithm:
    """Hides an algorithm and stops every call but those of complete numbers, and of hashes by members.

    Its name stays with its owner, and its numbers stay used. One that everybody may call is deleted by administrators only.
    """

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        algorithm = catalog.find_algorithm(connection, *payload["algorithm"].split("/"))
        public = algorithm is not None and catalog.versions_page(
            connection, algorithm.id, 1, visibility="public", since=algorithm.returned_at
        )
        action = "delete_public_algorithm" if public else "delete_algorithm"
        require_for(action, connection, actor, payload["algorithm"])

    async def prepare(self, actor: Actor, payload: Payload) -> None:
        return None

    def handle(self, transaction: Transaction, payload: Payload, prepared: None) -> dict[str, Any]:
        algorithm = existing(transaction.connection, payload["algorithm"])
        deletions.delete_algorithm(transaction.connection, algorithm.id, transaction.actor.id, transaction.now)
        transaction.changed_algorithms.add(algorithm.id)
        return {"algorithm": algorithm.subject}
