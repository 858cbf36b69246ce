"""Commands on secrets: set and delete. Values are sealed before anything is written, and are in no journal and no outcome."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Connection, select

from troth.access.roles import Actor
from troth.commands.accounts import Immediate
from troth.commands.algorithms import existing, require_for
from troth.commands.bus import Transaction
from troth.commands.formats import Payload
from troth.errors import Malformed, NotFound, Refused
from troth.registry import accounts, catalog, secret_records
from troth.registry.sealing import Sealing
from troth.registry.tables import algorithms

#: how many an algorithm or account has at most, and bytes of a value: both are in the environment of each worker
MOST_SECRETS, LARGEST_VALUE = 100, 32 * 1024
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)
#: variables that say how the worker itself works
_RESERVED = frozenset(
    ["PATH", "HOME", "LANG", "PWD", "TMPDIR", "ALGORITHMIA_API", "ALGORITHMIA_API_KEY", "ALGORITHMIA_BEARER_TOKEN",
     "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "TRACEPARENT", "TRACESTATE"]
)  # fmt: skip
_RESERVED_BEGINNINGS = ("LD_", "PYTHON", "TROTH_")


class SetSecret(Immediate):
    """Makes a secret of an algorithm or of an account, or gives it another value."""

    def __init__(self, sealing: Sealing) -> None:
        self._sealing = sealing

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require_for("set_secret", connection, actor, payload["of"])

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        connection, name = transaction.connection, check_name(payload["name"])
        value = _check_value(payload.get("value"))
        owner_id, touched = _owner(connection, payload["of"])
        known = {row.name for row in secret_records.secrets_of(connection, [owner_id])}
        if name not in known and len(known) >= MOST_SECRETS:
            raise Refused(
                f"{payload['of']} has {MOST_SECRETS} secrets",
                why="each is in the environment of every worker, so there are no more",
                repair="delete one that is not used",
            )
        row = secret_records.put_secret(
            connection,
            owner_id,
            name,
            self._sealing.sealed(value, secret_records.place_of(owner_id, name)),
            label=payload.get("label", ""),
            description=payload.get("description", ""),
            now=transaction.now,
        )
        transaction.changed_algorithms |= touched
        return {"of": payload["of"], "name": name, "id": row.id, "modified_at": row.modified_at}


class DeleteSecret(Immediate):
    """Forgets a secret. Workers that have it end once they have nothing to do."""

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require_for("delete_secret", connection, actor, payload["of"])

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        owner_id, touched = _owner(transaction.connection, payload["of"])
        if not secret_records.delete_secret(transaction.connection, owner_id, payload["name"]):
            raise NotFound(
                f"{payload['of']} has no secret {payload['name']}",
                repair=f"troth secret list {payload['of']} shows them",
            )
        transaction.changed_algorithms |= touched
        return {"of": payload["of"], "name": payload["name"]}


def check_name(name: str) -> str:
    """The name of a variable that a secret may have. Raises Malformed."""
    upper = name.upper()
    if not _NAME.fullmatch(name) or upper in _RESERVED or upper.startswith(_RESERVED_BEGINNINGS):
        why = "it is the name of a variable: letters, digits and underscores, no digit first"
        if _NAME.fullmatch(name):
            why = "this variable says how the worker itself works"
        raise Malformed(
            f"{name[:100]!r} cannot be the name of a secret", why=why, repair="take another", asked=name[:200]
        )
    return name


def _check_value(value: str | None) -> str:
    """A value that a variable can have. Raises Malformed, which does not repeat it."""
    if value is None:
        raise Malformed("the secret has no value", repair="send it as value")
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        size = 0
    if not size or size > LARGEST_VALUE or "\0" in value:
        raise Malformed(
            "the value cannot be that of a secret",
            why=f"it is text of 1 to {LARGEST_VALUE} bytes without a null",
            repair="encode it, in base64 perhaps",
        )
    return value


def _owner(connection: Connection, of: str) -> tuple[str, set[str]]:
    """The id of the algorithm or account that is named, and the ids of the algorithms that get its secrets."""
    if "/" in of:
        found: catalog.AlgorithmRow = existing(connection, of)
        return found.id, {found.id}
    account = accounts.get_account(connection, of)
    owned = connection.execute(select(algorithms.c.id).where(algorithms.c.owner_id == account.id)).scalars()
    return account.id, set(owned)
