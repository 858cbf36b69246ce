"""`/v1/users` and `/v1/organizations`: people, their roles and keys (algorithmia-api, sections 11 and 15)."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection

from troth.clock import now, stamp
from troth.commands.bus import Bus, Envelope
from troth.doors.algorithmia import people_bodies as bodies
from troth.doors.algorithmia.endpoints import Asked, Row
from troth.doors.algorithmia.objects import failure_object, moment
from troth.doors.algorithmia.paging import limit_of, page, place_of
from troth.doors.algorithmia.refusals import (
    MALFORMED_ORGANIZATION,
    ORGANIZATION_EXISTS,
    OTHER_EMAIL,
    OTHER_USERNAME,
    USERNAME_TAKEN,
    Numbered,
)
from troth.errors import NameTaken
from troth.queries import people
from troth.registry import accounts, failures
from troth.registry.database import Database
from troth.registry.failures import Failure
from troth.registry.people import Membership, Person

Found = TypeVar("Found")
_USER, _ORGANIZATION = "/v1/users/{user}", "/v1/organizations/{organization}"
_MEMBER = _ORGANIZATION + "/members/{user}"
_ORGANIZATION_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}", re.ASCII)
_ROLES = {"admin": "owner", "member": "member"}
_USER_FIELDS = ("email", "fullname", "company_name", "company_role")
#: An organisation's kind means nothing to troth; clients look its id up before they make one.
TYPES = {name: str(uuid.uuid5(uuid.NAMESPACE_URL, f"troth:organization-type:{name}")) for name in ("basic", "legacy", "pro")}  # fmt: skip


class PeopleRows:
    """Handlers of the rows below."""

    def __init__(self, bus: Bus, database: Database) -> None:
        self._bus = bus
        self._database = database

    def rows(self) -> list[Row]:
        """The table."""
        return [
            Row("POST", "/v1/users", self._create_user, body=bodies.User),
            Row("GET", "/v1/users", self._users),
            Row("GET", _USER, self._user),
            Row("PUT", _USER, self._update_user, body=bodies.UserUpdate),
            Row("DELETE", _USER, self._delete_user, status=204),
            Row("GET", _USER + "/errors", self._user_errors),
            Row("POST", _USER + "/keys", self._create_user_key, body=bodies.Key),
            Row("GET", "/v1/organization/types", self._types),
            Row("POST", "/v1/organizations", self._create_organization, body=bodies.Organization),
            Row("GET", "/v1/organizations", self._organizations),
            Row("GET", "/v1/organizations/externalId/{external}", self._external),
            Row("GET", _ORGANIZATION, self._organization),
            Row("PUT", _ORGANIZATION, self._update_organization, status=204, body=bodies.OrganizationUpdate),
            Row("DELETE", _ORGANIZATION, self._delete_organization, status=204),
            Row("GET", _ORGANIZATION + "/errors", self._organization_errors),
            Row("POST", _ORGANIZATION + "/keys", self._create_organization_key, body=bodies.Key),
            Row("GET", _ORGANIZATION + "/members", self._members),
            Row("PUT", _MEMBER, self._put_member, body=bodies.Role),
            Row("DELETE", _MEMBER, self._delete_member, status=204),
            Row("POST", _MEMBER + "/keys", self._create_member_key, body=bodies.Key),
        ]

    async def _create_user(self, asked: Asked) -> dict[str, Any]:
        body = bodies.user(asked.body)
        try:
            await self._submit(asked, "create_account", 2, name=body.username, details=body.details())
        except NameTaken as error:
            raise Numbered(USERNAME_TAKEN, error.what, why=error.why, repair=error.repair) from None
        return await self._user_object(asked, body.username)

    async def _users(self, asked: Asked) -> dict[str, Any]:
        limit, after = limit_of(asked), place_of(asked)
        found = await self._read(lambda c: people.users(c, asked.actor, limit, after))
        return _page(asked, found, user_object)

    async def _user(self, asked: Asked) -> dict[str, Any]:
        return await self._user_object(asked, asked.path("user"))

    async def _update_user(self, asked: Asked) -> dict[str, Any]:
        user = await self._read(lambda c: people.user(c, asked.actor, asked.path("user")))
        body = bodies.user_update(asked.body)
        if body.username not in (None, user.name):
            raise Numbered(
                OTHER_USERNAME, "the username in the body is not that of the path", why="a name never changes"
            )
        if body.email not in (None, user.details.get("email", "")):
            raise Numbered(
                OTHER_EMAIL,
                "the email of a user cannot be changed here",
                why="clients of Algorithmia know it as fixed",
                repair=f"troth account update {user.name} --email ADDRESS",
            )
        await self._submit(asked, "update_account", 1, account=user.name, details=body.details())
        return await self._user_object(asked, user.name)

    async def _delete_user(self, asked: Asked) -> None:
        user = await self._read(lambda c: people.user(c, asked.actor, asked.path("user")))
        await self._submit(asked, "delete_account", 1, account=user.name)

    async def _user_errors(self, asked: Asked) -> list[Any]:
        """The last calls of the user that failed."""
        user = await self._read(lambda c: people.user(c, asked.actor, asked.path("user")))
        return await self._failed(lambda c: failures.failures_of_caller(c, user.name))

    async def _create_user_key(self, asked: Asked) -> dict[str, Any]:
        user = await self._read(lambda c: people.user(c, asked.actor, asked.path("user")))
        return await self._create_key(asked, user)

    async def _types(self, asked: Asked) -> list[Any]:
        return [{"id": identity, "name": name} for name, identity in TYPES.items()]

    async def _create_organization(self, asked: Asked) -> dict[str, Any]:
        body = bodies.organization(asked.body)
        if not _ORGANIZATION_NAME.fullmatch(body.org_name):
            raise Numbered(
                MALFORMED_ORGANIZATION,
                f"{body.org_name[:80]!r} cannot be the name of an organisation",
                why="it begins with a letter; letters, digits and underscores follow, 63 at most",
            )
        try:
            await self._submit(asked, "create_organization", 2, name=body.org_name, details=_typed(body.details()))
        except NameTaken as error:
            raise Numbered(ORGANIZATION_EXISTS, error.what, why=error.why, repair=error.repair) from None
        return await self._organization_object(asked, body.org_name)

    async def _organizations(self, asked: Asked) -> dict[str, Any]:
        limit, after = limit_of(asked), place_of(asked)
        found = await self._read(lambda c: people.organizations(c, asked.actor, limit, after))
        return _page(asked, found, organization_object)

    async def _external(self, asked: Asked) -> dict[str, Any]:
        found = await self._read(lambda c: people.external_organization(c, asked.actor, asked.path("external")))
        return organization_object(found, asked.server)

    async def _organization(self, asked: Asked) -> dict[str, Any]:
        return await self._organization_object(asked, asked.path("organization"))

    async def _update_organization(self, asked: Asked) -> None:
        found = await self._found(asked)
        body = bodies.organization_update(asked.body)
        if body.org_name not in (None, "", found.name):
            raise Numbered(MALFORMED_ORGANIZATION, "the name of an organisation cannot be changed")
        await self._submit(asked, "update_organization", 1, organization=found.name, details=_typed(body.details()))

    async def _delete_organization(self, asked: Asked) -> None:
        found = await self._found(asked)
        await self._submit(asked, "delete_organization", 1, organization=found.name)

    async def _organization_errors(self, asked: Asked) -> list[Any]:
        """The last calls of the organisation's algorithms that failed, for its members."""
        found = await self._found(asked)
        member = await self._read(lambda c: accounts.role_of(c, found.id, asked.actor.id))
        return await self._failed(lambda c: failures.failures_of_owner(c, found.name)) if member else []

    async def _failed(self, ask: Callable[[Connection], list[Failure]]) -> list[Any]:
        return [failure_object(one) for one in await self._read(ask)]

    async def _create_organization_key(self, asked: Asked) -> dict[str, Any]:
        return await self._create_key(asked, await self._found(asked))

    async def _members(self, asked: Asked) -> dict[str, Any]:
        limit, after = limit_of(asked), place_of(asked)
        found = await self._read(lambda c: people.members(c, asked.actor, asked.path("organization"), limit, after))
        results = [_member_object(row, asked.server) for row in found.results]
        last = found.results[-1] if found.more else None
        return page(asked, results, (last.since, last.id) if last else None)

    async def _put_member(self, asked: Asked) -> None:
        """Whoever belongs to it keeps the role that the body does not name; who is new becomes a member."""
        found = await self._found(asked)
        role = bodies.role(asked.body) or await self._read(lambda c: people.role(c, found.id, asked.path("user")))
        await self._submit(
            asked, "add_member", 1, organization=found.name, account=asked.path("user"), role=role or "member"
        )

    async def _delete_member(self, asked: Asked) -> None:
        found = await self._found(asked)
        await self._submit(asked, "remove_member", 1, organization=found.name, account=asked.path("user"))

    async def _create_member_key(self, asked: Asked) -> dict[str, Any]:
        """A key of the member's own, for the organisation's algorithms only: it is good for these as long as the membership."""
        found = await self._found(asked)
        user = await self._read(lambda c: people.member(c, found.id, asked.path("user")))
        body = bodies.key(asked.body)
        body.permissions.algo_acl = bodies.below(found.name, body.permissions.algo_acl)
        return {**await self._create_key(asked, user, body), "owner_name": found.name, "username": user.name}

    async def _create_key(self, asked: Asked, owner: Person, body: bodies.Key | None = None) -> dict[str, Any]:
        body = body or bodies.key(asked.body)
        made = await self._submit(
            asked, "create_key", 2, account=owner.name, label=body.key_label, scope=bodies.scope(body)
        )
        return {
            "key_label": body.key_label,
            "key_type": body.key_type,
            "permissions": bodies.permissions(made["scope"]),
            "username": asked.caller.name,
            "created_at": moment(stamp(now())),
            "api_key_mask": f"{made['key'][:6]}...",
            "api_key": made["key"],
            "owner_name": owner.name,
        }

    async def _found(self, asked: Asked) -> Person:
        return await self._read(lambda c: people.organization(c, asked.actor, asked.path("organization")))

    async def _user_object(self, asked: Asked, name: str) -> dict[str, Any]:
        return user_object(await self._read(lambda c: people.user(c, asked.actor, name)), asked.server)

    async def _organization_object(self, asked: Asked, name: str) -> dict[str, Any]:
        found = await self._read(lambda c: people.organization(c, asked.actor, name))
        return organization_object(found, asked.server)

    async def _read(self, ask: Callable[[Connection], Found]) -> Found:
        def answer() -> Found:
            with self._database.read() as connection:
                return ask(connection)

        return await asyncio.to_thread(answer)

    async def _submit(self, asked: Asked, command: str, version: int, /, **payload: Any) -> dict[str, Any]:
        content = json.dumps(payload).encode()
        outcome = await self._bus.submit(Envelope(command, version, content, asked.actor, str(uuid.uuid4())))
        return {**outcome.result, **outcome.secrets}


def user_object(person: Person, server: str) -> dict[str, Any]:
    """A user as clients read it."""
    details = {field: person.details.get(field, "") for field in _USER_FIELDS}
    return {
        "id": person.id,
        "username": person.name,
        **details,
        "self_link": f"{server}/v1/users/{person.name}",
        "resource_type": "user",
    }


def organization_object(person: Person, server: str) -> dict[str, Any]:
    """An organisation as clients read it."""
    return {
        "id": person.id,
        "org_name": person.name,
        "org_label": person.name,
        "org_contact_name": "",
        "org_email": "",
        "type_id": TYPES["basic"],
        **person.details,
        "org_created_at": moment(person.created_at),
        "self_link": f"{server}/v1/organizations/{person.name}",
        "resource_type": "organization",
    }


def _member_object(row: Membership, server: str) -> dict[str, Any]:
    return {
        "username": row.name,
        "role": _ROLES[row.role],
        "user_link": f"{server}/v1/users/{row.name}",
        "resource_type": "organization_member",
    }


def _page(asked: Asked, found: people.PersonPage, render: Callable[[Person, str], dict[str, Any]]) -> dict[str, Any]:
    last = found.results[-1] if found.more else None
    results = [render(person, asked.server) for person in found.results]
    return page(asked, results, (last.created_at, last.id) if last else None)


def _typed(details: dict[str, str]) -> dict[str, str]:
    """The details, with a kind that exists or none: clients that do not find one send an empty text."""
    kind = details.get("type_id")
    if kind and kind not in TYPES.values():
        raise Numbered(
            MALFORMED_ORGANIZATION,
            f"{kind[:40]!r} is no type of organisations",
            why="GET /v1/organization/types lists them",
        )
    return details
