"""Questions of operators."""

from __future__ import annotations

import base64
from typing import Any

from sqlalchemy import Connection, select

from troth.access.roles import Actor, relations, require
from troth.registry import journal
from troth.registry.tables import accounts as account_table
from troth.registry.tables import members as member_table

LARGEST_PAGE = 1000


def journal_entries(connection: Connection, caller: Actor, after: int, limit: int) -> dict[str, Any]:
    """Journal entries behind a position, each with its exact bytes (base64) and digests, for administrators."""
    require("read_journal", relations(caller), "")
    rows = journal.read(connection, after, min(limit, LARGEST_PAGE))
    return {
        "entries": [
            {
                "position": row.position,
                "entry": base64.b64encode(row.entry).decode(),
                "previous": row.previous,
                "digest": row.digest,
            }
            for row in rows
        ]
    }


def all_accounts(connection: Connection, caller: Actor) -> dict[str, Any]:
    """Every account, organisations with their present members, for administrators."""
    require("read_accounts", relations(caller), "")
    rows = connection.execute(
        select(account_table).where(account_table.c.kind != "system").order_by(account_table.c.name)
    )
    listed = []
    for row in rows:
        present = select(account_table.c.name, member_table.c.role).join(
            member_table, member_table.c.account_id == account_table.c.id
        )
        held = present.where(member_table.c.organization_id == row.id, member_table.c.valid_to.is_(None))
        members = {member.name: member.role for member in connection.execute(held)}
        listed.append(
            {
                "name": row.name,
                "kind": row.kind,
                "administrator": bool(row.administrator),
                "members": members,
                "since": row.created_at,
            }
        )
    return {"accounts": listed}
