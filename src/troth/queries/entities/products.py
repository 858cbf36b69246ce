"""Products and their releases."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, or_

from troth.queries.entities.rows import Entity, Sight, account, changing, column, subject
from troth.queries.language.fields import Kind
from troth.registry.former_rows import FORMER
from troth.registry.product_tables import products, releases
from troth.registry.tables import accounts

_CUTTER, _MARKER, _YANKER = (accounts.alias(name) for name in ("cutter", "marker", "yanker"))
_OWNED = (
    subject("product", accounts.c.name, products.c.name, "OWNER/NAME of the product."),
    account("owner", accounts.c.name, "The account that owns the product."),
    column("name", Kind.TEXT, products.c.name, "Its name."),
)


def _shown(sight: Sight) -> ColumnElement[bool]:
    """`troth.registry.products.shows` in SQL. What is said of a release is said of it for ever, so that is asked of now."""
    return or_(products.c.public, sight.administers, sight.manages(products.c.owner_id))


PRODUCTS = Entity(
    "products",
    "Products.",
    "Everybody sees public ones; members of the owner and administrators all.",
    "query_products",
    (
        *_OWNED,
        changing("summary", Kind.TEXT, products.c.summary, "What is said of it."),
        changing("public", Kind.BOOLEAN, products.c.public, "Whether everybody may know of it."),
        column("created_at", Kind.MOMENT, products.c.created_at, "When it was made."),
    ),
    products.join(accounts, accounts.c.id == products.c.owner_id),
    lambda sight: or_(sight.shown(products.c.public), sight.administers, sight.manages(products.c.owner_id)),
    lambda sight: sight.happened(products.c.created_at),
    ((products.c.owner_id, False), (products.c.folded, False)),
    "by owner and name",
    former=FORMER["products"],
)

RELEASES = Entity(
    "releases",
    "Releases of products, those that were yanked too.",
    "Who may know of the product.",
    "query_releases",
    (
        *_OWNED,
        column("number", Kind.RELEASE, (releases.c.order_key,), "Its number.", shown=(releases.c.number,)),
        column("prerelease", Kind.BOOLEAN, releases.c.prerelease, "Whether it is a prerelease."),
        column("former", Kind.TEXT, releases.c.former, "The release that it was judged beside.", nullable=True),
        column("commit", Kind.TEXT, releases.c.commit, "The commit that it was cut from."),
        column("tag", Kind.TEXT, releases.c.tag, "Its tag."),
        column("occasion", Kind.TEXT, releases.c.occasion, "What it was cut for."),
        column("policy_revision", Kind.INTEGER, releases.c.policy_revision, "The policy that it was judged under."),
        column("cut_by", Kind.TEXT, _CUTTER.c.name, "Who cut it.", nullable=True),
        column("cut_at", Kind.MOMENT, releases.c.cut_at, "When."),
        column("stable_by", Kind.TEXT, lambda sight: (sight.since(releases.c.stable_at, _MARKER.c.name),),
               "Who marked it stable.", nullable=True),
        column("stable_at", Kind.MOMENT, lambda sight: (sight.since(releases.c.stable_at, releases.c.stable_at),),
               "When.", nullable=True),
        column("yanked_by", Kind.TEXT, lambda sight: (sight.since(releases.c.yanked_at, _YANKER.c.name),),
               "Who yanked it.", nullable=True),
        column("yanked_at", Kind.MOMENT, lambda sight: (sight.since(releases.c.yanked_at, releases.c.yanked_at),),
               "When.", nullable=True),
        column("yank_reason", Kind.TEXT, lambda sight: (sight.since(releases.c.yanked_at, releases.c.yank_reason),),
               "Why.", nullable=True),
        column("evidence_digest", Kind.TEXT, releases.c.evidence_digest, "Digest of its evidence."),
        column("docs_digest", Kind.TEXT, releases.c.docs_digest, "Digest of its documentation.", nullable=True),
        column("verdict", Kind.DOCUMENT, releases.c.verdict, "What the policy said.", large=True),
    ),
    releases.join(products, products.c.id == releases.c.product_id)
    .join(accounts, accounts.c.id == products.c.owner_id)
    .join(_CUTTER, _CUTTER.c.id == releases.c.cut_by, isouter=True)
    .join(_MARKER, _MARKER.c.id == releases.c.stable_by, isouter=True)
    .join(_YANKER, _YANKER.c.id == releases.c.yanked_by, isouter=True),
    _shown,
    lambda sight: and_(sight.happened(releases.c.cut_at)),
    ((products.c.owner_id, False), (products.c.folded, False), (releases.c.order_key, False)),
    "by product and number",
)  # fmt: skip
