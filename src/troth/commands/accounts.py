"""Commands on accounts, organisations, members and keys."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor, relations, require
from troth.commands.bus import Transaction
from troth.commands.formats import Payload
from troth.errors import NotFound, Refused
from troth.registry import accounts


class _Command:
    """A command without a slow part."""

    async def prepare(self, actor: Actor, payload: Payload) -> None:
        return None


class CreateAccount(_Command):
    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require("create_account", relations(actor), payload["name"])

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        administrator = payload.get("administrator", False)
        made = accounts.create_account(
            transaction.connection, payload["name"], "user", transaction.now, administrator=administrator
        )
        return {"account": made.name, "administrator": administrator}


class CreateOrganization(_Command):
    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require("create_organization", relations(actor), payload["name"])

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        connection, actor = transaction.connection, transaction.actor
        made = accounts.create_account(connection, payload["name"], "organization", transaction.now)
        accounts.set_member(connection, made.id, actor.id, "admin", transaction.now)
        transaction.changed_accounts.add(made.id)
        return {"organization": made.name, "admin": actor.name}


class AddMember(_Command):
    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        _require_on_organization("add_member", connection, actor, payload)

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        connection = transaction.connection
        organization = accounts.get_account(connection, payload["organization"])
        account = accounts.get_account(connection, payload["account"])
        if account.kind != "user":
            raise Refused(
                f"{account.name} is no user", why="members of an organisation are users", repair="name a user"
            )
        _keep_an_admin(connection, organization, account, payload["role"])
        accounts.set_member(connection, organization.id, account.id, payload["role"], transaction.now)
        transaction.changed_accounts.add(organization.id)
        return {"organization": organization.name, "account": account.name, "role": payload["role"]}


class RemoveMember(_Command):
    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        _require_on_organization("remove_member", connection, actor, payload)

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        connection = transaction.connection
        organization = accounts.get_account(connection, payload["organization"])
        account = accounts.get_account(connection, payload["account"])
        _keep_an_admin(connection, organization, account, None)
        accounts.set_member(connection, organization.id, account.id, None, transaction.now)
        transaction.changed_accounts.add(organization.id)
        return {"organization": organization.name, "account": account.name, "role": None}


class CreateKey(_Command):
    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        account = accounts.find_account(connection, payload["account"])
        require("create_key", relations(actor, account.id if account else None), f"for {payload['account']}")

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        account = accounts.get_account(transaction.connection, payload["account"])
        if account.kind != "user":
            raise Refused(
                f"{account.name} is no user", why="keys belong to users", repair="name a member of the organisation"
            )
        label = payload.get("label", "")
        key_id, key = accounts.mint_key(transaction.connection, account.id, label, transaction.now)
        transaction.secrets["key"] = key
        transaction.changed_accounts.add(account.id)
        return {"account": account.name, "key_id": key_id, "label": label}


class RevokeKey(_Command):
    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        owner = accounts.owner_of_key(connection, payload["key_id"])
        require("revoke_key", relations(actor, owner), payload["key_id"])

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        account_id = accounts.revoke_key(transaction.connection, payload["key_id"], transaction.now)
        if account_id is None:
            raise NotFound("there is no such key that is valid", repair="troth key list shows yours")
        transaction.changed_accounts.add(account_id)
        return {"key_id": payload["key_id"], "revoked_at": transaction.now}


def _require_on_organization(action: str, connection: Connection, actor: Actor, payload: Payload) -> None:
    """An organisation that does not exist is refused like one that the actor has no part in."""
    name = payload["organization"]
    found = accounts.find_account(connection, name)
    organization = found if found and found.kind == "organization" else None
    role = accounts.role_of(connection, organization.id, actor.id) if organization else None
    standing = relations(actor, None, role)
    require(action, standing, f"of {name}")
    if organization is None:
        raise NotFound(f"there is no organisation {name!r}", repair="troth account organization makes one")


def _keep_an_admin(connection: Connection, organization: Actor, account: Actor, role: str | None) -> None:
    admins = {member for member, held in accounts.members_of(connection, organization.id) if held == "admin"}
    if role != "admin" and admins == {account.id}:
        raise Refused(
            f"{account.name} is the last admin of {organization.name}",
            why="an organisation without an admin could never be changed again",
            repair="make somebody else an admin first",
        )
