"""Questions about products and their releases."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.contracts.changelog import changelog
from troth.errors import NotFound
from troth.registry import planned_releases, products, waivers
from troth.registry.products import ProductRow, ReleaseRow
from troth.versions.releases.numbers import ReleaseNumber


def listed(connection: Connection, caller: Actor) -> dict[str, Any]:
    """Every product that the caller may know of, with its newest and its stable release."""
    found = [row for row in products.all_products(connection) if products.shows(connection, row, caller)]
    return {"products": [_described(connection, row) for row in found]}


def one(connection: Connection, caller: Actor, subject: str) -> dict[str, Any]:
    """One product, with what is planned. Raises NotFound."""
    row = visible(connection, caller, subject)
    planned = [plan.as_dict() for plan in planned_releases.of_product(connection, row.id) if plan.open]
    return {**_described(connection, row), "planned": planned}


def releases(connection: Connection, caller: Actor, subject: str) -> dict[str, Any]:
    """The releases of a product, the highest first; those that were yanked too, with the reason, and what was waived."""
    row = visible(connection, caller, subject)
    waived = _waived(connection, row)
    every = products.all_releases(connection, row.id)
    listed = [{**one.as_dict(), "waivers": waived.get(products.precedence(one.number), [])} for one in every]
    return {"product": row.subject, "releases": listed}


def release(connection: Connection, caller: Actor, subject: str, text: str) -> dict[str, Any]:
    """A release whole: who cut it, under which verdict, what it says of itself, and its files."""
    row = visible(connection, caller, subject)
    found = release_row(connection, row, text)
    told = json.loads(products.documents(connection, [found.id], "told")[found.id])
    verdict = json.loads(products.documents(connection, [found.id], "verdict")[found.id])
    files = [one.as_dict() for one in products.artifacts_of(connection, found.id)]
    of_verdict = {"waivers": verdict.get("waivers", []), "artifacts": files, "verdict": verdict}
    return {"product": row.subject, **found.as_dict(), **told, **of_verdict}


def log(connection: Connection, caller: Actor, subject: str, text: str) -> dict[str, Any]:
    """The change log of a release, or of all of them where `text` is empty, as Markdown."""
    row = visible(connection, caller, subject)
    found = [release_row(connection, row, text)] if text else products.all_releases(connection, row.id)
    told = products.documents(connection, [one.id for one in found], "told")
    waived = _waived(connection, row)
    listed = [
        {
            **one.as_dict(),
            "notes": json.loads(told[one.id])["notes"],
            "waivers": waived.get(products.precedence(one.number), []),
        }
        for one in found
    ]
    return {"product": row.subject, "changelog": changelog(listed)}


def file_digest(connection: Connection, caller: Actor, subject: str, text: str, name: str) -> str:
    """The digest of a file of a release: `documentation`, `evidence`, or one of its artifacts by name. Raises NotFound."""
    found = release_row(connection, visible(connection, caller, subject), text)
    named = {"evidence": found.evidence_digest, "documentation": found.docs_digest}
    named |= {one.name: one.digest for one in products.artifacts_of(connection, found.id)}
    digest = named.get(name)
    if digest is None:
        raise NotFound(
            f"{subject} {found.number} has no file {name[:100]!r}",
            why=f"it has {', '.join(sorted(key for key, value in named.items() if value))}",
            repair="name one of them",
            asked=name[:255],
        )
    return digest


def volumes(connection: Connection, row: ProductRow) -> list[tuple[ReleaseNumber, str, bool, str | None]]:
    """(number, digest of the bundle, whether it is stable, why it was yanked) of every release with documentation."""
    every = products.all_releases(connection, row.id)
    return [
        (one.number, one.docs_digest, one.stable_at is not None, one.yank_reason if one.yanked_at else None)
        for one in every
        if one.docs_digest
    ]


def visible(connection: Connection, caller: Actor, subject: str) -> ProductRow:
    """The product of that name. Raises NotFound, also for one that the caller may not know of."""
    row = products.find_product(connection, subject)
    if row is None or not products.shows(connection, row, caller):
        raise NotFound(
            f"there is no product {subject[:130]}",
            why="it was never made, or you may not know of it",
            repair="troth product list shows those that there are",
            asked=subject[:200],
        )
    return row


def release_row(connection: Connection, row: ProductRow, text: str) -> ReleaseRow:
    """The release that is meant: by its number, or `latest` or `stable`. Raises NotFound."""
    if text not in ("latest", "stable"):
        return products.get_release(connection, row, ReleaseNumber.parse(text))
    for one in products.all_releases(connection, row.id):
        if not one.number.is_prerelease and not one.yanked_at and (text == "latest" or one.stable_at):
            return one
    raise NotFound(
        f"{row.subject} has no {text} release", repair=f"troth release list {row.subject} shows what there is"
    )


def _waived(connection: Connection, row: ProductRow) -> dict[str, list[dict[str, Any]]]:
    """The signed waivers by which a product was released, by number."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in waivers.of_subject(connection, row.id):
        if one.used_at is not None and one.signed is not None:
            found.setdefault(one.number, []).append(one.signed.as_dict())
    return found


def _described(connection: Connection, row: ProductRow) -> dict[str, Any]:
    every = products.all_releases(connection, row.id)
    standing = [one for one in every if not one.number.is_prerelease and not one.yanked_at]
    return {
        "product": row.subject,
        "summary": row.summary,
        "public": row.public,
        "created_at": row.created_at,
        "releases": len(every),
        "latest": str(standing[0].number) if standing else None,
        "stable": next((str(one.number) for one in standing if one.stable_at), None),
    }
