"""Commands on places where others keep git repositories, for administrators, within what the operator allowed."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor, relations, require
from troth.builds.origins import Origins
from troth.commands.bus import Transaction
from troth.commands.formats import Payload
from troth.errors import NameTaken, NotFound, Refused
from troth.registry import scms
from troth.registry.database import Database
from troth.registry.scms import Scm

#: The id of troth's own repositories.
INTERNAL = "internal"


class NoSuchScm(NotFound):
    """There is no such place with repositories, or it is disabled."""


class ScmTaken(NameTaken):
    """There is such a place already."""


class ScmUsed(Refused):
    """Algorithms have their source there."""


class ScmPreferred(Refused):
    """It is the place that is taken where none is named."""


class ScmDisabled(Refused):
    """It is disabled."""


class KeptElsewhere(Refused):
    """The source of the algorithm is kept by others."""


class _Command:
    """A command of operators; what it cannot do is found in `prepare`, and again in `handle`."""

    action = ""

    def __init__(self, database: Database, origins: Origins) -> None:
        self._database = database
        self._origins = origins

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require(self.action, relations(actor), "")

    async def prepare(self, actor: Actor, payload: Payload) -> None:
        with self._database.read() as connection:
            self.check(connection, payload)

    def check(self, connection: Connection, payload: Payload) -> Scm | None:
        """The place that is meant. Raises what stands against it."""
        return found(connection, payload["scm"])


class CreateScm(_Command):
    action = "create_scm"

    def check(self, connection: Connection, payload: Payload) -> None:
        base = self._origins.checked(payload["base"])
        if any(one.base == base for one in scms.all_scms(connection)):
            raise ScmTaken(f"{base} is there already", why="each place is there once", repair="GET /v1/scms lists them")

    def handle(self, transaction: Transaction, payload: Payload, prepared: None) -> dict[str, Any]:
        self.check(transaction.connection, payload)
        made = Scm(str(uuid.uuid4()), payload["provider"], self._origins.checked(payload["base"]), True, False)
        scms.add_scm(transaction.connection, made, transaction.now)
        return {"scm": made.id, "base": made.base}


class UpdateScm(_Command):
    action = "update_scm"

    def check(self, connection: Connection, payload: Payload) -> Scm:
        scm = found(connection, payload["scm"])
        if scm.preferred and payload.get("enabled") is False:
            raise _preferred(scm, "disabled")
        return scm

    def handle(self, transaction: Transaction, payload: Payload, prepared: None) -> dict[str, Any]:
        scm = self.check(transaction.connection, payload)
        scms.change_scm(transaction.connection, scm.id, **{key: payload[key] for key in payload if key != "scm"})
        return {"scm": scm.id}


class PreferScm(_Command):
    action = "prefer_scm"

    def check(self, connection: Connection, payload: Payload) -> None:
        if payload["scm"] != INTERNAL and not found(connection, payload["scm"]).enabled:
            raise ScmDisabled(f"the SCM {payload['scm']} is disabled", repair="enable it first")

    def handle(self, transaction: Transaction, payload: Payload, prepared: None) -> dict[str, Any]:
        self.check(transaction.connection, payload)
        scms.prefer_scm(transaction.connection, payload["scm"])
        return {"scm": payload["scm"]}


class DeleteScm(_Command):
    action = "delete_scm"

    def check(self, connection: Connection, payload: Payload) -> Scm:
        scm = found(connection, payload["scm"])
        if scm.preferred:
            raise _preferred(scm, "deleted")
        if scms.is_used(connection, scm.id):
            raise ScmUsed(
                f"algorithms have their source at {scm.base}", why="they could not be compiled any more",
                repair="delete those algorithms first, or disable it",
            )  # fmt: skip
        return scm

    def handle(self, transaction: Transaction, payload: Payload, prepared: None) -> dict[str, Any]:
        scm = self.check(transaction.connection, payload)
        scms.change_scm(transaction.connection, scm.id, valid_to=transaction.now)
        return {"scm": scm.id}


def found(connection: Connection, scm_id: str) -> Scm:
    """The place with this id. Raises NoSuchScm."""
    if scm := scms.find_scm(connection, scm_id):
        return scm
    raise NoSuchScm(f"there is no SCM {scm_id[:80]!r}", why="it is named by its id", repair="GET /v1/scms lists them")


def _preferred(scm: Scm, what: str) -> ScmPreferred:
    return ScmPreferred(
        f"the default SCM cannot be {what}", why=f"{scm.base} is taken where none is named",
        repair="make another the default first",
    )  # fmt: skip
