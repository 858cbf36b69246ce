"""Commands on keys: create, rotate, revoke."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor, relations, require
from troth.access.scopes import EVERYTHING, DataAccess, Scope, check_origin, check_patterns
from troth.clock import stamp
from troth.commands.accounts import Immediate
from troth.commands.bus import Transaction
from troth.commands.formats import Payload
from troth.errors import Forbidden, Malformed, NotFound, Refused
from troth.registry import accounts, key_records
from troth.registry.key_records import KeyRow

_LATEST_YEAR = 9998


class CreateKey(Immediate):
    """Makes a key, which may do no more than its account and than the key that makes it."""

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        account = accounts.find_account(connection, payload["account"])
        _require("create_key", connection, actor, account, f"for {payload['account']}")
        _keep_within(actor, scope_of(payload["scope"], payload["account"]))

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        connection = transaction.connection
        account = accounts.get_account(connection, payload["account"])
        if account.kind == "system":
            raise Refused(f"{account.name} is no user", why="keys belong to users and organisations")
        scope = scope_of(payload["scope"], account.name)
        if payload["scope"] is not None:
            _check_administrator(account, scope)
        expires = _expiry(payload.get("expires_at"), transaction.now)
        label = payload.get("label", "")
        key_id, key = key_records.mint_key(connection, account.id, label, transaction.now, scope, expires_at=expires)
        return _made(transaction, account, key_id, key, {"label": label, "scope": scope, "expires_at": expires})


class RotateKey(Immediate):
    """Makes a new secret with the scope of a key, which ends at once or after a while."""

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        row = key_records.find_key(connection, payload["key_id"])
        owner = accounts.account_by_id(connection, row.account_id) if row else None
        _require("rotate_key", connection, actor, owner, payload["key_id"])
        if row is not None:
            _keep_within(actor, row.scope)

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        connection, now = transaction.connection, transaction.now
        row = _valid(connection, payload["key_id"], now)
        if key_records.was_replaced(connection, row.id):
            raise Refused(
                f"the key {row.id} was rotated already",
                why="it has one successor, and ends when its grace does",
                repair="rotate the new key: troth key list shows it",
            )
        account = accounts.account_by_id(connection, row.account_id)
        assert account is not None
        key_id, key = key_records.mint_key(
            connection, row.account_id, row.label, now, row.scope, expires_at=row.expires_at, replaces=row.id
        )
        ends = _later(now, payload.get("grace_seconds", 0))
        if ends == now:
            key_records.revoke_key(connection, row.id, now)
        else:
            key_records.expire_key(connection, row, ends)
            ends = min(ends, row.expires_at or ends)
        made = {"label": row.label, "scope": row.scope, "expires_at": row.expires_at, "replaces": row.id}
        return _made(transaction, account, key_id, key, {**made, "replaced_ends_at": ends})


class RevokeKey(Immediate):
    """Ends a key, from now on. A key that may manage may end any key of its account: that gives nobody more."""

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        row = key_records.find_key(connection, payload["key_id"])
        owner = accounts.account_by_id(connection, row.account_id) if row else None
        _require("revoke_key", connection, actor, owner, payload["key_id"])

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        account_id = key_records.revoke_key(transaction.connection, payload["key_id"], transaction.now)
        if account_id is None:
            raise _no_such_key()
        transaction.changed_accounts.add(account_id)
        return {"key_id": payload["key_id"], "revoked_at": transaction.now}


def scope_of(asked: dict[str, Any] | None, account: str) -> Scope:
    """The scope that a payload asks for; None is everything that the account may do. `.my` stands for the account.

    Raises Malformed.
    """
    if asked is None:
        return EVERYTHING
    patterns = [pattern.replace("algo://.my/", f"algo://{account}/", 1) for pattern in asked.get("algorithms", ())]
    return Scope(
        check_patterns(patterns),
        DataAccess(asked.get("data", "none")),
        manage=asked.get("manage", False),
        administrator=asked.get("administrator", False),
        production=asked.get("production", False),
        origin=check_origin(asked.get("origin", "")),
    )


def _made(transaction: Transaction, account: Actor, key_id: str, key: str, facts: dict[str, Any]) -> dict[str, Any]:
    transaction.secrets["key"] = key
    transaction.changed_accounts.add(account.id)
    return {"account": account.name, "key_id": key_id, **facts, "scope": facts["scope"].as_dict()}


def _require(action: str, connection: Connection, actor: Actor, account: Actor | None, about: str) -> None:
    """Whether the account or the key exists is not told to who may not."""
    role = accounts.role_of(connection, account.id, actor.id) if account else None
    require(action, relations(actor, account.id if account else None, role), about)


def _keep_within(actor: Actor, wanted: Scope) -> None:
    if not actor.scope.covers(wanted):
        raise Forbidden(
            "this key cannot make one that may do more than itself",
            why="else a key with limits would be a key without",
            repair="ask for a part of this key's scope, or use a key without limits",
        )


def _check_administrator(account: Actor, scope: Scope) -> None:
    if scope.administrator and not account.administrator:
        raise Refused(
            f"{account.name} is no administrator",
            why="a key never gives more than its account has",
            repair="leave out administrator, or make the key for an administrator",
        )


def _valid(connection: Connection, key_id: str, now: str) -> KeyRow:
    row = key_records.find_key(connection, key_id)
    if row is None or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
        raise _no_such_key()
    return row


def _no_such_key() -> NotFound:
    return NotFound("there is no such key that is valid", repair="troth key list shows yours")


def _expiry(text: str | None, now: str) -> str | None:
    """The moment at which a key ends, in the registry's form. Raises Malformed."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        found = stamp(moment)
    except (ValueError, OverflowError):
        found = ""
    if not now < found < f"{_LATEST_YEAR}":
        raise Malformed(
            f"a key cannot end at {text[:40]!r}",
            why="it is a moment in RFC 3339 that is yet to come",
            repair="write 2027-12-31T00:00:00Z",
            asked=text[:100],
        )
    return found


def _later(now: str, seconds: int) -> str:
    return stamp(datetime.fromisoformat(now) + timedelta(seconds=seconds)) if seconds else now
