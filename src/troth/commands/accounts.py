"""Commands on users, organisations and members."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor, relations, require
from troth.commands.bus import Transaction
from troth.commands.formats import Payload
from troth.errors import LastAdmin, NameTaken, NotFound, Refused
from troth.registry import accounts, key_records, people


class Immediate:
    """A command without a slow part."""

    async def prepare(self, actor: Actor, payload: Payload) -> None:
        return None


class CreateAccount(Immediate):
    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require("create_account", relations(actor), payload["name"])

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        administrator = payload.get("administrator", False)
        made = accounts.create_account(
            transaction.connection, payload["name"], "user", transaction.now, administrator=administrator
        )
        _described(transaction, made.id, payload.get("details", {}))
        transaction.changed_accounts.add(made.id)
        return {"account": made.name, "administrator": administrator}


class UpdateAccount(Immediate):
    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        account = accounts.find_account(connection, payload["account"])
        standing = relations(actor, account.id if account else None)
        require("update_account", standing, payload["account"])
        if "external_id" in payload["details"]:  # who has somebody else's would be signed in to by their tokens
            require("set_external_id", standing, f"of {payload['account']}")

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        user = _user(transaction.connection, payload["account"])
        transaction.changed_accounts.add(user.id)
        return {"account": user.name, "details": _described(transaction, user.id, payload["details"])}


class DeleteAccount(Immediate):
    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require("delete_account", relations(actor), payload["account"])

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        connection = transaction.connection
        user = _user(connection, payload["account"])
        if accounts.administrators(connection) == [user.name]:
            raise LastAdmin(
                f"{user.name} is the last administrator",
                why="a server without one could never be managed again",
                repair="make another administrator first: troth account create --administrator",
            )
        for organization in people.organizations_of(connection, user.id):
            _keep_an_admin(connection, organization, user, None)
            accounts.set_member(connection, organization.id, user.id, None, transaction.now)
            transaction.changed_accounts.add(organization.id)
        return _ended(transaction, user, "account")


class CreateOrganization(Immediate):
    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require("create_organization", relations(actor), payload["name"])

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        connection, actor = transaction.connection, transaction.actor
        made = accounts.create_account(connection, payload["name"], "organization", transaction.now)
        people.describe(connection, made.id, payload.get("details", {}), transaction.now)
        accounts.set_member(connection, made.id, actor.id, "admin", transaction.now)
        transaction.changed_accounts.add(made.id)
        return {"organization": made.name, "admin": actor.name}


class UpdateOrganization(Immediate):
    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        _require_on_organization("update_organization", connection, actor, payload)

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        organization = accounts.get_account(transaction.connection, payload["organization"])
        details = people.describe(transaction.connection, organization.id, payload["details"], transaction.now)
        return {"organization": organization.name, "details": details}


class DeleteOrganization(Immediate):
    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        _require_on_organization("delete_organization", connection, actor, payload)

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        connection = transaction.connection
        organization = accounts.get_account(connection, payload["organization"])
        for account_id, _ in accounts.members_of(connection, organization.id):
            accounts.set_member(connection, organization.id, account_id, None, transaction.now)
        return _ended(transaction, organization, "organization")


class AddMember(Immediate):
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


class RemoveMember(Immediate):
    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        _require_on_organization("remove_member", connection, actor, payload)

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        connection = transaction.connection
        organization = accounts.get_account(connection, payload["organization"])
        account = accounts.get_account(connection, payload["account"])
        if accounts.role_of(connection, organization.id, account.id) is None:
            raise NotFound(
                f"{account.name} is no member of {organization.name}", repair="troth account members lists them"
            )
        _keep_an_admin(connection, organization, account, None)
        accounts.set_member(connection, organization.id, account.id, None, transaction.now)
        transaction.changed_accounts.add(organization.id)
        return {"organization": organization.name, "account": account.name, "role": None}


def _require_on_organization(action: str, connection: Connection, actor: Actor, payload: Payload) -> None:
    """An organisation that does not exist is refused like one that the actor has no part in."""
    name = payload["organization"]
    found = accounts.find_account(connection, name)
    organization = found if found and found.kind == "organization" else None
    role = accounts.role_of(connection, organization.id, actor.id) if organization else None
    leaving = payload["account"] == actor.name if action == "remove_member" and role else False
    standing = relations(actor, actor.id if leaving else None, role)
    require(action, standing, f"of {name}")
    if organization is None:
        raise NotFound(f"there is no organisation {name!r}", repair="troth account organization makes one")


def _user(connection: Connection, name: str) -> Actor:
    account = accounts.get_account(connection, name)
    if account.kind == "user":
        return account
    raise Refused(f"{account.name} is no user", why=f"it is of the kind {account.kind}", repair="name a user")


def _described(transaction: Transaction, account_id: str, details: dict[str, str]) -> dict[str, str]:
    """The user's details after these changes. Raises NameTaken where another user has the external id."""
    external = details.get("external_id", "")
    if external and people.external_users(transaction.connection, external) - {account_id}:
        raise NameTaken(
            f"another user has the external id {external[:80]!r}",
            why="a token that names it could sign in to either",
            repair="take it away there first",
            asked=external,
        )
    return people.describe(transaction.connection, account_id, details, transaction.now)


def _ended(transaction: Transaction, account: Actor, word: str) -> dict[str, Any]:
    """Ends an account with its keys; a name is never given to somebody else."""
    key_records.revoke_keys(transaction.connection, account.id, transaction.now)
    people.end(transaction.connection, account.id, transaction.now)
    transaction.changed_accounts.add(account.id)
    return {word: account.name, "deleted_at": transaction.now}


def _keep_an_admin(connection: Connection, organization: Actor, account: Actor, role: str | None) -> None:
    admins = {member for member, held in accounts.members_of(connection, organization.id) if held == "admin"}
    if role != "admin" and admins == {account.id}:
        raise LastAdmin(
            f"{account.name} is the last admin of {organization.name}",
            why="an organisation without an admin could never be changed again",
            repair="make somebody else an admin first",
        )
