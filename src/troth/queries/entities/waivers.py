"""Waivers of clauses, for algorithms and their lines, for products and for APIs."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, case, cast, literal, or_, select

from troth.clock import now, stamp
from troth.queries.entities.algorithms import floats, member, stood
from troth.queries.entities.rows import Entity, Sight, account, column
from troth.queries.language.fields import Kind
from troth.registry.api_tables import apis
from troth.registry.product_tables import products
from troth.registry.tables import accounts, algorithms, versions
from troth.registry.waivers import waivers

_REQUESTER, _APPROVER, _REVOKER = (accounts.alias(name) for name in ("requester", "approver", "revoker"))


def _state(sight: Sight) -> ColumnElement[Any]:
    """`WaiverRow.state` in SQL."""
    moment = sight.moment or stamp(now())
    return case(
        (and_(waivers.c.used_at.is_not(None), waivers.c.used_at <= moment), literal("used")),
        (and_(waivers.c.revoked_at.is_not(None), waivers.c.revoked_at <= moment), literal("revoked")),
        (waivers.c.expires_at <= moment, literal("expired")),
        (and_(waivers.c.approved_at.is_not(None), waivers.c.approved_at <= moment), literal("approved")),
        else_=literal("requested"),
    )


@cache
def _on_public_version() -> ColumnElement[bool]:
    """Whether the waiver is on the page of a version that everybody may see."""
    one = versions.alias("waived")
    number = cast(one.c.major, Text) + "." + cast(one.c.minor, Text) + "." + cast(one.c.revision, Text)
    found = select(one.c.id).where(
        one.c.algorithm_id == algorithms.c.id,
        one.c.visibility == "public",
        floats(one.c.valid_from),
        number == waivers.c.number,
    )
    return and_(waivers.c.used_at.is_not(None), found.correlate(algorithms, waivers).exists())


def _of_algorithm(sight: Sight) -> ColumnElement[bool]:
    return and_(waivers.c.kind == "algorithm", or_(member(sight), _on_public_version()))


def _of_product(sight: Sight) -> ColumnElement[bool]:
    """Who manages the owner sees all, others those by which something public was released."""
    released = and_(products.c.public, waivers.c.used_at.is_not(None))
    return and_(waivers.c.kind == "product", or_(sight.manages(products.c.owner_id), released))


def _of_api(sight: Sight) -> ColumnElement[bool]:
    """Who manages the owner sees all, others those by which something public was changed."""
    changed = and_(apis.c.public, waivers.c.used_at.is_not(None))
    return and_(waivers.c.kind == "api", or_(sight.manages(apis.c.owner_id), changed))


def _of_line(sight: Sight) -> ColumnElement[bool]:
    """Members of the owner see all, others those by which a line was retired, which is public."""
    return and_(waivers.c.kind == "line", or_(member(sight), waivers.c.used_at.is_not(None)))


WAIVERS = Entity(
    "waivers",
    "Waivers of clauses, as they were asked for, approved, revoked and used.",
    "Everybody sees those that a public version, release, API or retirement rests on; members of the owner and administrators all.",
    "query_waivers",
    (
        column("id", Kind.TEXT, waivers.c.id, "Its id."),
        column("kind", Kind.TEXT, waivers.c.kind, "algorithm, product, api or line."),
        column("subject", Kind.TEXT, waivers.c.subject, "OWNER/NAME of what it is about."),
        account("owner", accounts.c.name, "The account that owns it."),
        column("number", Kind.TEXT, waivers.c.number, "The number that it is for; of an API vN/RELEASE, of a line its major."),
        column("hash", Kind.TEXT, waivers.c.hash, "The build, commit, change or retirement that it is for."),
        column("clauses", Kind.DOCUMENT, waivers.c.clauses, "What it waives."),
        column("reason", Kind.TEXT, waivers.c.reason, "Why callers should bear it."),
        column("state", Kind.TEXT, lambda sight: (_state(sight),), "requested, approved, expired, revoked or used."),
        column("requested_by", Kind.TEXT, _REQUESTER.c.name, "Who asked for it.", nullable=True),
        column("requested_at", Kind.MOMENT, waivers.c.requested_at, "When."),
        column("expires_at", Kind.MOMENT, waivers.c.expires_at, "Until when it can be used."),
        column("approved_by", Kind.TEXT, lambda sight: (sight.since(waivers.c.approved_at, _APPROVER.c.name),),
               "Who approved it.", nullable=True),
        column("approved_at", Kind.MOMENT, lambda sight: (sight.since(waivers.c.approved_at, waivers.c.approved_at),),
               "When.", nullable=True),
        column("revoked_by", Kind.TEXT, lambda sight: (sight.since(waivers.c.revoked_at, _REVOKER.c.name),),
               "Who took it back.", nullable=True),
        column("revoked_at", Kind.MOMENT, lambda sight: (sight.since(waivers.c.revoked_at, waivers.c.revoked_at),),
               "When.", nullable=True),
        column("used_at", Kind.MOMENT, lambda sight: (sight.since(waivers.c.used_at, waivers.c.used_at),),
               "When something was published, released, changed or retired by it.", nullable=True),
    ),
    waivers.join(accounts, accounts.c.id == waivers.c.owner_id)
    .join(algorithms, algorithms.c.id == waivers.c.subject_id, isouter=True)
    .join(products, products.c.id == waivers.c.subject_id, isouter=True)
    .join(apis, apis.c.id == waivers.c.subject_id, isouter=True)
    .join(_REQUESTER, _REQUESTER.c.id == waivers.c.requested_by, isouter=True)
    .join(_APPROVER, _APPROVER.c.id == waivers.c.approved_by, isouter=True)
    .join(_REVOKER, _REVOKER.c.id == waivers.c.revoked_by, isouter=True),
    lambda sight: or_(sight.administers, _of_algorithm(sight), _of_product(sight), _of_api(sight), _of_line(sight)),
    lambda sight: and_(sight.happened(waivers.c.requested_at), or_(waivers.c.kind.not_in(("algorithm", "line")), stood(sight))),
    ((waivers.c.requested_at, True), (waivers.c.id, False)),
    "the newest first",
)  # fmt: skip
