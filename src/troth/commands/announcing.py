"""Commands that announce releases, and those of the calendars in which they stand (PLX-14)."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from sqlalchemy import Connection

from troth.access.roles import Actor, relations, require
from troth.commands.algorithms import require_for
from troth.commands.bus import Transaction
from troth.commands.formats import Payload
from troth.errors import Malformed, NotFound, Refused
from troth.registry import planned_releases, products
from troth.versions.releases.numbers import ReleaseNumber

#: how far from today a release can be announced
_MOST_YEARS: Final = 100


class _Command:
    """A command without a slow part."""

    async def prepare(self, actor: Actor, payload: Payload) -> Any:
        return None


class PlanRelease(_Command):
    """An announcement obliges nobody: that it is late is shown, and nothing is refused."""

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require_for("plan_release", connection, actor, payload["product"])

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        connection = transaction.connection
        product = products.existing(connection, payload["product"])
        values: dict[str, Any] = {key: payload[key] for key in ("due", "occasion", "note") if key in payload}
        _check_day(payload["due"], transaction.now)
        if "number" in payload:
            number = ReleaseNumber.parse(payload["number"])
            if products.find_release(connection, product.id, number) is not None:
                raise Refused(f"{number} is released already", why="a number is used once", repair="name a later one")
            values["number"] = str(number)
        row = planned_releases.add(connection, product.id, values, transaction.actor.id, transaction.now)
        return {"product": product.subject, **row.as_dict()}


class CancelPlannedRelease(_Command):
    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        row = planned_releases.find(connection, payload["plan"])
        require_for(
            "cancel_planned_release",
            connection,
            actor,
            _subject(connection, row.product_id) if row else "nobody/nothing",
        )

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        row = planned_releases.find(transaction.connection, payload["plan"])
        if row is None or not row.open:
            raise Refused(
                "this release is not planned any more", why="it came, or was cancelled", repair="nothing is left to do"
            )
        planned_releases.cancel(transaction.connection, row.id, transaction.now)
        return {**row.as_dict(), "cancelled_at": transaction.now}


class CreateCalendar(_Command):
    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require("create_calendar", relations(actor), "")

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        row, token = planned_releases.create_calendar(
            transaction.connection, transaction.actor.id, payload.get("label", ""), transaction.now
        )
        transaction.secrets["token"] = token
        return row.as_dict()


class RevokeCalendar(_Command):
    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        row = planned_releases.find_calendar(connection, payload["calendar"])
        require("revoke_calendar", relations(actor, row.account_id if row else None), f"{payload['calendar']}")

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        row = planned_releases.find_calendar(transaction.connection, payload["calendar"])
        if row is None:
            raise NotFound("there is no such calendar", repair="troth calendar list shows yours")
        if row.revoked_at is None:
            planned_releases.revoke_calendar(transaction.connection, row.id, transaction.now)
        return {**row.as_dict(), "revoked_at": row.revoked_at or transaction.now}


def _subject(connection: Connection, product_id: str) -> str:
    found = next((one for one in products.all_products(connection) if one.id == product_id), None)
    return found.subject if found else "nobody/nothing"


def _check_day(text: str, moment: str) -> None:
    """Raises Malformed for what is no day or nobody plans for, and Refused for what has passed, by the clock of `moment`."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Malformed(
            f"there is no day {text}", why="days are written as 2026-11-30", repair="write one that there is"
        ) from None
    if abs(day.year - int(moment[:4])) > _MOST_YEARS:
        raise Malformed(
            f"{text} is more than {_MOST_YEARS} years from today",
            why="nobody plans that far, and calendars do not read every day that can be written",
            repair="announce a day that is nearer",
        )
    if day < date.fromisoformat(moment[:10]):
        raise Refused(
            f"{text} has passed", why="a release is announced before it comes", repair="name a day to come", asked=text
        )
