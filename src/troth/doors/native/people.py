"""Operations on keys, users and organisations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from sqlalchemy import Connection

from troth.clock import now
from troth.doors.native.operations import Asked, Operation
from troth.errors import Forbidden, NotFound
from troth.queries import people
from troth.registry.database import Database
from troth.registry.people import Person

_MOST_MEMBERS = 1000
_MOST_DAYS = 3650


class _Keys(msgspec.Struct):
    account: str = ""


class _Days(msgspec.Struct):
    days: Annotated[int, msgspec.Meta(ge=1, le=_MOST_DAYS)] = 30


class _User(msgspec.Struct):
    account: str = ""


class _Organization(msgspec.Struct):
    organization: str


class PeopleApi:
    """Handlers of the rows below."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def operations(self) -> list[Operation]:
        """The rows."""
        return [
            Operation("GET", "/api/v1/query/keys", "query_keys",
                      "The keys of the caller, or of an organisation that it is an admin of: masked, with scope and last use.",
                      self._query(lambda c, asked: people.keys(c, asked.actor, asked.query.account)),
                      query=_Keys, errors=(NotFound,)),
            Operation("GET", "/api/v1/query/floating", "query_floating_calls",
                      "What production keys called by references that float (ALG-14, ALG-20), those of most calls first.",
                      self._query(lambda c, asked: people.floating(c, asked.actor, asked.query.days, now())), query=_Days),
            Operation("GET", "/api/v1/query/account", "query_account",
                      "What is known of a user, for itself and administrators.",
                      self._query(lambda c, asked: _described(people.user(c, asked.actor, asked.query.account or asked.caller.name))),
                      query=_User, errors=(NotFound,)),
            Operation("GET", "/api/v1/query/organization", "query_organization",
                      "What is known of an organisation, with its members, for these and administrators.",
                      self._query(_organization), query=_Organization, errors=(NotFound, Forbidden)),
        ]  # fmt: skip

    def _query(self, ask: Callable[[Connection, Asked], dict[str, Any]]) -> Callable[[Asked], Any]:
        def read(asked: Asked) -> dict[str, Any]:
            with self._database.read() as connection:
                return ask(connection, asked)

        async def answer(asked: Asked) -> dict[str, Any]:
            return await asyncio.to_thread(read, asked)

        return answer


def _described(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "name": person.name,
        "kind": person.kind,
        "administrator": person.administrator,
        "since": person.created_at,
        "details": dict(person.details),
    }


def _organization(connection: Connection, asked: Asked) -> dict[str, Any]:
    found = people.organization(connection, asked.actor, asked.query.organization)
    listed = people.members(connection, asked.actor, found.name, _MOST_MEMBERS)
    members = [{"account": row.name, "role": row.role, "since": row.since} for row in listed.results]
    return {**_described(found), "members": members, "more": listed.more}
