"""The question what an upgrade of a product means, answered from what its releases recorded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.contracts.upgrades.plan import plan
from troth.contracts.upgrades.releases import PlannedRelease, Standing
from troth.queries.products import release_row, visible
from troth.registry import products
from troth.registry.products import ReleaseRow
from troth.versions.releases.numbers import ReleaseNumber


def upgrade(connection: Connection, caller: Actor, subject: str, start: str, target: str) -> dict[str, Any]:
    """The plan from one release to another, and the settings of the target, by which a configuration can be judged.

    `target` may be `latest` or `stable`. Raises NotFound, MalformedNumber, or Malformed for a way back.
    """
    row = visible(connection, caller, subject)
    begins, ends = release_row(connection, row, start), release_row(connection, row, target)
    every = products.all_releases(connection, row.id)
    concerned = [one for one in every if begins.number <= one.number <= ends.number]
    told = products.documents(connection, [one.id for one in concerned], "told")
    releases = [_planned(one, told.get(one.id)) for one in every]
    by_number: dict[ReleaseNumber, PlannedRelease] = {one.number: one for one in releases}
    standings = _standings(connection, (begins, ends))
    found = plan(row.subject, releases, by_number[begins.number], by_number[ends.number], *standings)
    return {**found.as_dict(), "wanted": [dict(one) for one in standings[1].settings]}


def _planned(row: ReleaseRow, document: str | None) -> PlannedRelease:
    told = json.loads(document) if document else {}
    return PlannedRelease(
        row.number,
        row.cut_at,
        row.occasion,
        row.state,
        stable=row.stable_at is not None,
        yanked=row.yank_reason or "",
        components=told.get("components", {}),
        facts=told.get("facts", ()),
        notes=told.get("notes", ()),
        paths=told.get("paths", ()),
    )


def _standings(connection: Connection, rows: Sequence[ReleaseRow]) -> list[Standing]:
    ids = [row.id for row in rows]
    migrations = products.documents(connection, ids, "migrations")
    settings = products.documents(connection, ids, "settings")
    return [Standing(json.loads(migrations[one]), json.loads(settings[one])) for one in ids]
