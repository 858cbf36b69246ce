"""Which files releases rest on beside their artifacts, which wait for a release, and what an account keeps with both."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Column, Connection, ForeignKey, Table, delete, select, union_all

from troth.registry.column_types import DIGEST, LONG, MOMENT, UUID
from troth.registry.product_tables import products, release_artifacts, releases
from troth.registry.tables import metadata

# Evidence, documentation, files of contracts and records of tests. They stay as long as their release.
release_evidence = Table(
    "release_evidence",
    metadata,
    Column("release_id", UUID, ForeignKey("releases.id"), primary_key=True),
    Column("digest", DIGEST, primary_key=True, index=True),
    Column("bytes", LONG, nullable=False),
)

# What somebody uploaded for a release that is not cut yet.
release_uploads = Table(
    "release_uploads",
    metadata,
    Column("account_id", UUID, ForeignKey("accounts.id"), primary_key=True),
    Column("digest", DIGEST, primary_key=True, index=True),
    Column("bytes", LONG, nullable=False),
    Column("uploaded_at", MOMENT, nullable=False),
)


def add_evidence(connection: Connection, release_id: str, files: Mapping[str, int]) -> None:
    """What a release rests on: bytes by digest."""
    for digest, size in files.items():
        connection.execute(release_evidence.insert().values(release_id=release_id, digest=digest, bytes=size))


def note_upload(connection: Connection, account_id: str, digest: str, size: int, now: str) -> None:
    """Somebody uploaded this file; once more is the same."""
    mine = (release_uploads.c.account_id == account_id) & (release_uploads.c.digest == digest)
    connection.execute(delete(release_uploads).where(mine))
    row = {"account_id": account_id, "digest": digest, "bytes": size, "uploaded_at": now}
    connection.execute(release_uploads.insert().values(**row))


def forget_uploads(connection: Connection, digests: Collection[str]) -> None:
    """These files wait no more: a release has them now, or they are gone."""
    listed = sorted(digests)
    for start in range(0, len(listed), 500):
        connection.execute(delete(release_uploads).where(release_uploads.c.digest.in_(listed[start : start + 500])))


def kept_files(connection: Connection, account_id: str) -> dict[str, int]:
    """Bytes of every file that releases of the account's products have, and of what it uploaded for none, by digest."""
    mine = releases.join(products, products.c.id == releases.c.product_id)
    parts = [
        select(part.c.digest, part.c.bytes)
        .select_from(part.join(mine, releases.c.id == part.c.release_id))
        .where(products.c.owner_id == account_id)
        for part in (release_evidence, release_artifacts)
    ]
    waiting = select(release_uploads.c.digest, release_uploads.c.bytes)
    every = union_all(*parts, waiting.where(release_uploads.c.account_id == account_id))
    return {row[0]: int(row[1]) for row in connection.execute(every)}
