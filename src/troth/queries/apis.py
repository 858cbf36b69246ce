"""Questions about APIs, their versions and states, and about the policy that they are under."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.clock import now
from troth.errors import NotFound
from troth.registry import apis, upstreams
from troth.registry.apis import ApiRow
from troth.versions.lifecycles.numbers import parsed
from troth.versions.lifecycles.own import OWN
from troth.versions.lifecycles.states import State
from troth.versions.lifecycles.table import StateTable, version_name
from troth.versions.policy_document import policy_document


def own_tables(connection: Connection) -> dict[str, StateTable]:
    """The states of troth's own APIs, as far as somebody moved them."""
    found = {row.subject: row for subject in OWN if (row := apis.find_api(connection, subject))}
    return {
        subject: upstreams.with_brownouts(
            connection, row.id, apis.state_table(row, apis.versions_of(connection, row.id)), now()
        )
        for subject, row in found.items()
    }


def listed(connection: Connection, caller: Actor) -> dict[str, Any]:
    """Every API that the caller may know of."""
    found = [row for row in apis.all_apis(connection) if apis.shows(connection, row, caller)]
    return {"apis": [_described(connection, row) for row in found]}


def one(connection: Connection, caller: Actor, subject: str) -> dict[str, Any]:
    """One API whole: versions with the waivers they rest on, moves with their verdicts, and decisions. Raises NotFound."""
    row = visible(connection, caller, subject)
    moves = [{**one, "version": version_name(one.pop("number"))} for one in apis.moves_of(connection, row.id)]
    told = {**_described(connection, row), "moves": moves, "decisions": apis.decisions_of(connection, row.id)}
    for version in told["versions"]:
        mine = [one["verdict"] for one in moves if one["version"] == version["version"]]
        version["waivers"] = [waiver for verdict in mine for waiver in verdict.get("waivers", ())]
    return told


def states(connection: Connection, caller: Actor, subject: str) -> dict[str, Any]:
    """The table of states of an API, as doors, the gateway and middleware go by it. Raises NotFound."""
    if subject in OWN and apis.find_api(connection, subject) is None:
        return OWN[subject].as_dict()
    row = visible(connection, caller, subject)
    table = apis.state_table(row, apis.versions_of(connection, row.id))
    return upstreams.with_brownouts(connection, row.id, table, now()).as_dict()


def contract(connection: Connection, caller: Actor, subject: str, version: str) -> dict[str, Any]:
    """The OpenAPI document of a version. Raises NotFound."""
    row = visible(connection, caller, subject)
    _, text = apis.contract_of(connection, row.id, parsed(version))
    if text is None:
        raise NotFound(
            f"{row.subject} {version} has no contract here",
            why="nobody recorded its OpenAPI document",
            repair=f"troth api change {row.subject} {version} --contract FILE records it",
            asked=version,
        )
    document: dict[str, Any] = json.loads(text)
    return document


def visible(connection: Connection, caller: Actor, subject: str) -> ApiRow:
    """The API of that name. Raises NotFound, also for one that the caller may not know of."""
    row = apis.find_api(connection, subject)
    if row is None or not apis.shows(connection, row, caller):
        raise NotFound(
            f"there is no API {subject[:130]}",
            why="it was never made, or you may not know of it",
            repair="troth api list shows those that there are",
            asked=subject[:200],
        )
    return row


def policy(connection: Connection, caller: Actor) -> dict[str, Any]:
    """The policy in force: clauses, readings, rules, starting points, and what was decided beside it (PDB-01, PLX-01)."""
    seen = [row for row in apis.all_apis(connection) if apis.shows(connection, row, caller)]
    decisions = [{"api": row.subject, **each} for row in seen for each in apis.decisions_of(connection, row.id)]
    starting = {row.subject: version_name(row.starting_point) for row in seen if row.starting_point}
    return policy_document(starting, decisions)


def _described(connection: Connection, row: ApiRow) -> dict[str, Any]:
    rows = apis.versions_of(connection, row.id)
    served = {version["number"]: version for version in apis.state_table(row, rows).as_dict()["versions"]}
    return {
        "api": row.subject,
        "summary": row.summary,
        "public": row.public,
        "product": row.product,
        "starting_point": version_name(row.starting_point) if row.starting_point else None,
        "documentation": row.documentation,
        "newest": str(row.newest) if row.newest else None,
        "created_at": row.created_at,
        "current": next((version_name(one.number) for one in rows if one.state is State.CURRENT), None),
        "versions": [
            {
                "version": version_name(one.number),
                **served.get(one.number, {"number": one.number, "state": one.state.value}),
                "dropped_in": str(one.dropped_in) if one.dropped_in else None,
                "contract": one.contract_digest,
            }
            for one in rows
        ],
    }
