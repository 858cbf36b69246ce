"""Products and their releases. A release's row stays for good; marks are added to it, never taken away."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Collection, Mapping
from dataclasses import astuple, dataclass, replace
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from troth.access.roles import Actor
from troth.contracts.release_document import ToldMigration, chains_of
from troth.contracts.release_findings import Recorded, Records
from troth.errors import NameTaken, NotFound
from troth.registry.accounts import role_of
from troth.registry.former_rows import FORMER
from troth.registry.prepared import Change, Prepared
from troth.registry.product_tables import products, release_artifacts, releases
from troth.registry.release_files import release_evidence
from troth.registry.tables import accounts
from troth.versions import names
from troth.versions.releases.evidence import Maturity
from troth.versions.releases.numbers import ReleaseNumber
from troth.versions.releases.ordering import order_key


@dataclass(frozen=True, slots=True)
class ProductRow:
    """One product."""

    id: str
    owner_id: str
    owner: str
    name: str
    summary: str
    public: bool
    created_at: str

    @property
    def subject(self) -> str:
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file of a release."""

    name: str
    digest: str
    size: int

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "digest": self.digest, "bytes": self.size}


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """One release, without what only an upgrade plan reads. Marks that nobody gave are None."""

    id: str
    product_id: str
    number: ReleaseNumber
    former: str | None
    commit: str
    tag: str
    occasion: str
    policy_revision: int
    evidence_digest: str
    docs_digest: str | None
    state: str
    cut_by: str
    cut_at: str
    stable_by: str | None
    stable_at: str | None
    yanked_by: str | None
    yanked_at: str | None
    yank_reason: str | None

    def as_dict(self) -> dict[str, Any]:
        found = {name: getattr(self, name) for name in _SHOWN}
        return {**found, "number": str(self.number), "prerelease": self.number.is_prerelease}


_SHOWN = (
    "former", "commit", "tag", "occasion", "policy_revision", "evidence_digest", "docs_digest", "cut_by", "cut_at",
    "stable_by", "stable_at", "yanked_by", "yanked_at", "yank_reason",
)  # fmt: skip
_CUTTER, _MARKER, _YANKER = accounts.alias(), accounts.alias(), accounts.alias()
_PRODUCT = select(
    products.c.id, products.c.owner_id, accounts.c.name.label("owner"), products.c.name, products.c.summary,
    products.c.public, products.c.created_at,
).join(accounts, accounts.c.id == products.c.owner_id)  # fmt: skip
_NAMED = Prepared(_PRODUCT.where(accounts.c.name == bindparam("of"), products.c.name == bindparam("named")))
_CHANGE = Change(
    update(products)
    .where(products.c.id == bindparam("identity"))
    .values(summary=bindparam("new_summary"), public=bindparam("new_public")),
    row="identity",
    found_by=_NAMED,
)
_RELEASE = (
    select(
        releases.c.id, releases.c.product_id, releases.c.number, releases.c.former, releases.c.commit, releases.c.tag,
        releases.c.occasion, releases.c.policy_revision, releases.c.evidence_digest, releases.c.docs_digest,
        releases.c.state, _CUTTER.c.name.label("cut_by"), releases.c.cut_at, _MARKER.c.name.label("stable_by"),
        releases.c.stable_at, _YANKER.c.name.label("yanked_by"), releases.c.yanked_at, releases.c.yank_reason,
    )
    .join(_CUTTER, _CUTTER.c.id == releases.c.cut_by)
    .join(_MARKER, _MARKER.c.id == releases.c.stable_by, isouter=True)
    .join(_YANKER, _YANKER.c.id == releases.c.yanked_by, isouter=True)
)  # fmt: skip


def create_product(connection: Connection, owner_id: str, name: str, *, summary: str, public: bool, now: str) -> str:
    """The id of a new product. Raises NameTaken, also for a name that differs in letter case only."""
    folded = names.folded(names.check_product(name))
    twin = select(products.c.name).where(products.c.owner_id == owner_id, products.c.folded == folded)
    if (taken := connection.execute(twin).scalar()) is not None:
        raise NameTaken(
            f"there is a product {taken} already",
            why="the products of an account have different names, whatever the case of their letters",
            repair="choose another name",
            asked=name,
            found=taken,
        )
    identity = str(uuid.uuid4())
    connection.execute(
        products.insert().values(
            id=identity, owner_id=owner_id, name=name, folded=folded, summary=summary, public=public, created_at=now
        )
    )
    return identity


def change_product(connection: Connection, product: ProductRow, now: str, **values: Any) -> ProductRow:
    """The product, as this transaction found it, with another summary or `public` from now on. At each moment once."""
    changed = replace(product, **values)
    former = {"id": product.id, "summary": product.summary, "public": product.public}
    FORMER[products.name].keep_known(connection, now, former)
    given = {"identity": product.id, "new_summary": changed.summary, "new_public": changed.public}
    _CHANGE.change(connection, given, {"of": product.owner, "named": product.name}, astuple(changed))
    return changed


def find_product(connection: Connection, subject: str) -> ProductRow | None:
    """The product of exactly this owner/name."""
    owner, _, name = subject.partition("/")
    row = _NAMED.first(connection, {"of": owner, "named": name})
    return ProductRow(*row) if row else None


def all_products(connection: Connection) -> list[ProductRow]:
    """Every product, by name."""
    return [ProductRow(*row) for row in connection.execute(_PRODUCT.order_by(accounts.c.name, products.c.name))]


def shows(connection: Connection, product: ProductRow, actor: Actor) -> bool:
    """Whether the actor may know of the product: what is private is its owner's, with a key that manages."""
    return product.public or actor.administrator or (actor.scope.manage and belongs(connection, product, actor))


def belongs(connection: Connection, product: ProductRow, actor: Actor) -> bool:
    """Whether the actor is the owner, or a member of it now."""
    return actor.id == product.owner_id or role_of(connection, product.owner_id, actor.id) is not None


def existing(connection: Connection, subject: str) -> ProductRow:
    """The product of that name. Raises NotFound."""
    if found := find_product(connection, subject):
        return found
    raise NotFound(
        f"there is no product {subject[:130]}",
        why="it was never made, or you may not know of it",
        repair=f"make it: troth product create {subject[:130]}",
        asked=subject[:200],
    )


def all_releases(connection: Connection, product_id: str) -> list[ReleaseRow]:
    """The releases of a product, the highest first."""
    rows = connection.execute(_RELEASE.where(releases.c.product_id == product_id))
    return sorted(map(_row, rows), key=lambda row: row.number, reverse=True)


def numbers_of(connection: Connection, product_id: str) -> set[ReleaseNumber]:
    """Every number that was used."""
    rows = connection.execute(select(releases.c.number).where(releases.c.product_id == product_id))
    return {ReleaseNumber.parse(text) for text in rows.scalars()}


def find_release(connection: Connection, product_id: str, number: ReleaseNumber) -> ReleaseRow | None:
    """The release with this number, whatever its build metadata."""
    wanted = _RELEASE.where(releases.c.product_id == product_id, releases.c.precedence == precedence(number))
    row = connection.execute(wanted).first()
    return _row(row) if row else None


def get_release(connection: Connection, product: ProductRow, number: ReleaseNumber) -> ReleaseRow:
    """`find_release`, or NotFound."""
    if found := find_release(connection, product.id, number):
        return found
    raise NotFound(
        f"{product.subject} has no release {number}",
        why="it was not cut on this server",
        repair=f"troth release list {product.subject} shows those that there are",
        asked=str(number),
    )


def documents(connection: Connection, release_ids: Collection[str], column: str) -> dict[str, str]:
    """One of the documents of these releases, by their ids: `told`, `migrations`, `settings` or `verdict`."""
    found: dict[str, str] = {}
    wanted = sorted(release_ids)
    for start in range(0, len(wanted), 500):
        asked = select(releases.c.id, releases.c[column]).where(releases.c.id.in_(wanted[start : start + 500]))
        found.update((row[0], row[1]) for row in connection.execute(asked))
    return found


def artifacts_of(connection: Connection, release_id: str) -> list[Artifact]:
    """The files of a release, by name."""
    wanted = select(release_artifacts.c.name, release_artifacts.c.digest, release_artifacts.c.bytes)
    rows = connection.execute(
        wanted.where(release_artifacts.c.release_id == release_id).order_by(release_artifacts.c.name)
    )
    return [Artifact(*row) for row in rows]


def needed_files(connection: Connection, digests: Collection[str]) -> set[str]:
    """Those of these digests that a release names: evidence, what that rests on, documentation and artifacts."""
    found: set[str] = set()
    named = (releases.c.evidence_digest, releases.c.docs_digest, release_artifacts.c.digest, release_evidence.c.digest)
    for column in named:
        found.update(one for one in connection.execute(select(column)).scalars() if one in digests)
    return found


def records_of(connection: Connection, product_id: str, number: ReleaseNumber) -> Records:
    """What a release with this number is judged beside."""
    rows = all_releases(connection, product_id)
    final = [row for row in rows if not row.number.is_prerelease]
    former = next((row for row in final if row.number < number), None)
    recorded = None
    if former is not None:
        told = json.loads(documents(connection, [former.id], "told")[former.id])
        migrations = json.loads(documents(connection, [former.id], "migrations")[former.id])
        recorded = Recorded(
            former.number,
            former.commit,
            tuple(told["profiles"]),
            {name: Maturity(mark) for name, mark in told["components"].items() if mark},
            chains_of(migration_of(one) for one in migrations),
            former.evidence_digest,
        )
    return Records(tuple(row.number for row in rows), recorded, {row.number: row.state for row in final})


def migration_of(told: Mapping[str, Any]) -> ToldMigration:
    """A migration from its JSON form."""
    return ToldMigration(
        told["chain"],
        told["id"],
        told["path"],
        told["meaning"],
        told["component"],
        tuple(told["parents"]),
        told["position"],
    )


def state_of(migrations: Collection[ToldMigration]) -> str:
    """A name for these migrations: the same ones with the same meaning have the same."""
    listed = sorted((one.chain, one.id, one.meaning) for one in migrations)
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()


def precedence(number: ReleaseNumber) -> str:
    """A number without its build metadata, which counts for nothing (SemVer 10)."""
    return str(number).partition("+")[0]


def add_release(connection: Connection, values: Mapping[str, Any], artifacts: Collection[Artifact]) -> str:
    """The id of a new release, whose number nobody used."""
    identity = str(uuid.uuid4())
    key = order_key(ReleaseNumber.parse(values["number"]))
    connection.execute(releases.insert().values(id=identity, order_key=key, **values))
    for one in artifacts:
        row = {"release_id": identity, "name": one.name, "digest": one.digest, "bytes": one.size}
        connection.execute(release_artifacts.insert().values(**row))
    return identity


def mark(connection: Connection, release_id: str, **values: str) -> None:
    """Adds a mark to a release."""
    connection.execute(update(releases).where(releases.c.id == release_id).values(**values))


def _row(row: Any) -> ReleaseRow:
    values = dict(row._mapping)
    return ReleaseRow(**{**values, "number": ReleaseNumber.parse(values["number"])})
