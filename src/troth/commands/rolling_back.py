"""The command that takes settings and states back to what they were at a position of the journal, by the ordinary commands."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.commands.accounts import Immediate
from troth.commands.algorithms import existing, require_for
from troth.commands.bus import Handler, Moved, Transaction
from troth.commands.formats import Payload
from troth.errors import NotFound, Refused
from troth.registry import catalog
from troth.registry.database import Database
from troth.registry.former_settings import difference, settings_at
from troth.registry.settable import SETTABLE, Named, Values, parts_of


@dataclass(frozen=True, slots=True)
class _Order:
    """The ordinary command that sets what was then, and its payload."""

    command: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class _Prepared:
    order: _Order | None
    by_ordinary: Any = None


class SetAlgorithm(Immediate):
    """Sets exactly these values, where the ordinary command leaves what is not named."""

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require_for("update_algorithm", connection, actor, payload["algorithm"])

    def handle(self, transaction: Transaction, payload: Payload, prepared: None) -> dict[str, Any]:
        algorithm = existing(transaction.connection, payload["algorithm"])
        catalog.update_algorithm(
            transaction.connection, algorithm, transaction.now, summary=payload.get("summary", ""), **parts_of(payload)
        )
        transaction.changed_algorithms.add(algorithm.id)
        return {"algorithm": algorithm.subject}


class RollBack:
    """Sets what `values` say, which has to be what the journal says of the position: so nobody sets what was not shown.

    An ordinary command does it, and refuses what it would refuse otherwise. `ordinary` are the handlers by their commands; also
    `return_api`, the move back to a former state, which nobody can ask for otherwise.
    """

    def __init__(self, database: Database, ordinary: Mapping[str, Handler], return_api: Handler) -> None:
        self._database = database
        self._ordinary = ordinary
        self._only_here: dict[str, Handler] = {"set_algorithm": SetAlgorithm(), "return_api": return_api}

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        named = SETTABLE[payload["kind"]].named(payload)
        require_for("roll_back", connection, actor, named.about)
        require_for(SETTABLE[named.kind].action, connection, actor, named.about)
        if order := _ordered(connection, payload):
            self._handler(order).authorise(connection, actor, order.payload)

    async def prepare(self, actor: Actor, payload: Payload) -> _Prepared:
        order = await asyncio.to_thread(self._read, payload)
        return _Prepared(order, await self._handler(order).prepare(actor, order.payload) if order else None)

    def handle(self, transaction: Transaction, payload: Payload, prepared: _Prepared) -> dict[str, Any]:
        connection, named = transaction.connection, SETTABLE[payload["kind"]].named(payload)
        now, then = _values(connection, named, payload["position"])
        if then != payload["values"]:
            raise Refused(
                f"these were not the settings of {named} at position {payload['position']}",
                why="what is set has to be what the journal says",
                repair="look at the difference again: troth rollback",
                asked=payload["values"],
                found=then,
            )
        order = _order(named, payload, now, then)
        if order != prepared.order:
            raise Moved
        told = {"kind": named.kind, **named.names, "position": payload["position"], "changed": difference(now, then)}
        if order is None:
            return told
        return {**told, "did": self._done(transaction, named, now, order, prepared)}

    def _done(
        self, transaction: Transaction, named: Named, now: Values, order: _Order, prepared: _Prepared
    ) -> dict[str, Any]:
        """The result of the ordinary command. Raises what it raises; where it refuses, with what is legal from here."""
        try:
            result = self._handler(order).handle(transaction, order.payload, prepared.by_ordinary)
        except Refused as refusal:
            if instead := SETTABLE[named.kind].instead(now):
                refusal.repair = f"{refusal.repair}; what is legal as it is: {instead}"
            raise
        return {"command": order.command, **result}

    def _handler(self, order: _Order) -> Handler:
        return self._only_here.get(order.command) or self._ordinary[order.command]

    def _read(self, payload: Payload) -> _Order | None:
        with self._database.read() as connection:
            return _ordered(connection, payload)


def _now_and_then(connection: Connection, named: Named, position: int) -> tuple[Values | None, Values | None]:
    return SETTABLE[named.kind].present(connection, named), settings_at(connection, named, position)


def _values(connection: Connection, named: Named, position: int) -> tuple[Values, Values]:
    """(now, then). Raises NotFound."""
    now, then = _now_and_then(connection, named, position)
    if now is None or then is None:
        raise NotFound(
            f"there is no {named.kind} {named} to be rolled back to position {position}",
            why="it is not there now, or was not made by then",
            repair=f"troth journal --about {named.about} shows its entries",
        )
    return now, then


def _ordered(connection: Connection, payload: Payload) -> _Order | None:
    """What is to be done; None also where it is not there, or was not."""
    named = SETTABLE[payload["kind"]].named(payload)
    now, then = _now_and_then(connection, named, payload["position"])
    return None if now is None or then is None else _order(named, payload, now, then)


def _order(named: Named, payload: Payload, now: Values, then: Values) -> _Order | None:
    """What is to be done; None where nothing differs, and where the values are not those of then."""
    if now == then or then != payload["values"]:
        return None
    row = SETTABLE[named.kind]
    command, values = row.order(now, then)
    names = named.members()
    if "command_version" in names:
        names["version"] = names.pop("command_version")
    also = {"reason": payload["reason"], "release": payload["release"]} if row.rides else {}
    return _Order(command, {**names, **also, **values})
