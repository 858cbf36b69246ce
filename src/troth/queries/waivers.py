"""Questions about waivers, and about how versions answered their examples on the installed worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor, relations, require
from troth.clock import now, stamp
from troth.errors import NotFound
from troth.queries.algorithms import unknown, visible
from troth.queries.apis import visible as apis_visible
from troth.queries.products import visible as products_visible
from troth.registry import apis, catalog, products, replays, waivers
from troth.versions.numbers import Number


def of_algorithm(connection: Connection, caller: Actor, subject: str) -> dict[str, Any]:
    """The waivers of an algorithm, the newest first: all for members, for others those of versions that they see."""
    algorithm, member = visible(connection, caller, subject)
    found = _shown(connection, caller, algorithm.id)
    if not found and not member and not caller.administrator:
        _check_known(connection, algorithm, subject)
    return {"algorithm": algorithm.subject, "waivers": found}


def of_product(connection: Connection, caller: Actor, subject: str) -> dict[str, Any]:
    """The waivers of a product, the newest first: all for members, for others those by which something was released."""
    product = products_visible(connection, caller, subject)
    return {"product": product.subject, "waivers": _shown(connection, caller, product.id)}


def of_api(connection: Connection, caller: Actor, subject: str) -> dict[str, Any]:
    """The waivers of an API, the newest first: all for members, for others those by which something was changed."""
    api = apis_visible(connection, caller, subject)
    return {"api": api.subject, "waivers": _shown(connection, caller, api.id)}


def one(connection: Connection, caller: Actor, identity: str) -> dict[str, Any]:
    """One waiver, to whom the lists would show it. Raises NotFound."""
    row = waivers.find(connection, identity)
    if row is not None and _sees(connection, caller, row):
        return row.as_dict(stamp(now()))
    raise NotFound(
        f"there is no waiver {identity[:60]}",
        why="it was never asked for, or is of something that you may not know of",
        repair="troth waiver list OWNER/NAME shows those of an algorithm, a product or an API",
        asked=identity[:100],
    )


def worker(connection: Connection, caller: Actor, version: int) -> dict[str, Any]:
    """How every version with examples answered them on a version of the worker, for administrators."""
    require("read_engine", relations(caller), "")
    found = replays.on_worker(connection, version)
    counts = {outcome: sum(row["outcome"] == outcome for row in found) for outcome in replays.OUTCOMES}
    return {
        "worker": version,
        "counts": {**counts, "waiting": len(replays.unknown(connection, version))},
        "versions": found,
    }


def _shown(connection: Connection, caller: Actor, subject_id: str) -> list[dict[str, Any]]:
    moment = stamp(now())
    rows = waivers.of_subject(connection, subject_id)
    return [row.as_dict(moment) for row in rows if _sees(connection, caller, row)]


def _sees(connection: Connection, caller: Actor, row: waivers.WaiverRow) -> bool:
    """Who belongs to the owner sees every waiver; others those that are on a page which they may see."""
    return caller.administrator or _SEES[row.subject.kind](connection, caller, row)


def _sees_of_algorithm(connection: Connection, caller: Actor, row: waivers.WaiverRow) -> bool:
    if catalog.sees_private(connection, catalog.get_algorithm(connection, row.subject.id), caller):
        return True
    version = catalog.find_version(connection, row.subject.id, Number.parse(row.number)) if row.used_at else None
    return version is not None and version.permissions.public


def _sees_of_line(connection: Connection, caller: Actor, row: waivers.WaiverRow) -> bool:
    """A line that was retired is public."""
    algorithm = catalog.get_algorithm(connection, row.subject.id)
    return row.used_at is not None or catalog.sees_private(connection, algorithm, caller)


def _sees_of_product(connection: Connection, caller: Actor, row: waivers.WaiverRow) -> bool:
    product = products.find_product(connection, row.subject.name)
    if product is None or not products.shows(connection, product, caller):
        return False
    return row.used_at is not None or (caller.scope.manage and products.belongs(connection, product, caller))


def _sees_of_api(connection: Connection, caller: Actor, row: waivers.WaiverRow) -> bool:
    api = apis.find_api(connection, row.subject.name)
    if api is None or not apis.shows(connection, api, caller):
        return False
    return row.used_at is not None or apis.belongs(connection, api, caller)


#: Whether somebody sees a waiver, by the kind of its subject.
_SEES: Mapping[str, Callable[[Connection, Actor, waivers.WaiverRow], bool]] = {
    "algorithm": _sees_of_algorithm,
    "product": _sees_of_product,
    "api": _sees_of_api,
    "line": _sees_of_line,
}


def _check_known(connection: Connection, algorithm: catalog.AlgorithmRow, subject: str) -> None:
    """Raises NotFound, as of what never existed, where strangers know of no version (ALG-25)."""
    if not any(row.permissions.public for row in catalog.all_versions(connection, algorithm.id)):
        raise unknown(subject)
