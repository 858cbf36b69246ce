"""Collections of data and the files in them. A file's content is a blob, which its digest names."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select, update

from troth.access.data_rights import ReadAcl
from troth.registry.data_tables import data_accounts, data_collections, data_files

#: values that one statement of SQLite takes without asking
_MOST_VALUES = 500


@dataclass(frozen=True, slots=True)
class CollectionRow:
    """One collection."""

    id: str
    owner_id: str
    name: str
    acl: ReadAcl


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file; its id is that of the upload that brought it."""

    id: str
    name: str
    size: int
    digest: str
    modified_at: str


_COLLECTION = select(
    data_collections.c.id, data_collections.c.owner_id, data_collections.c.name, data_collections.c.acl
)
_FILE = select(
    data_files.c.id, data_files.c.name, data_files.c.bytes, data_files.c.digest, data_files.c.modified_at
)  # fmt: skip


def find_collection(connection: Connection, owner_id: str, name: str) -> CollectionRow | None:
    """The owner's collection of that name."""
    wanted = _COLLECTION.where(data_collections.c.owner_id == owner_id, data_collections.c.name == name)
    row = connection.execute(wanted).first()
    return CollectionRow(row.id, row.owner_id, row.name, ReadAcl(row.acl)) if row else None


def create_collection(connection: Connection, owner_id: str, name: str, acl: ReadAcl, now: str) -> CollectionRow:
    """A new collection; there must be none of that name."""
    made = CollectionRow(str(uuid.uuid4()), owner_id, name, acl)
    values = {"id": made.id, "owner_id": owner_id, "name": name, "acl": acl.value, "created_at": now}
    connection.execute(data_collections.insert().values(**values))
    return made


def set_acl(connection: Connection, collection_id: str, acl: ReadAcl) -> None:
    """Who may read it from now on."""
    changed = update(data_collections).where(data_collections.c.id == collection_id).values(acl=acl.value)
    connection.execute(changed)


def collections(
    connection: Connection, owner_id: str, acls: Collection[ReadAcl], after: str, limit: int
) -> list[CollectionRow]:
    """The owner's collections with one of these ACLs, by name, behind `after`; troth's own are left out."""
    wanted = (
        _COLLECTION.where(data_collections.c.owner_id == owner_id, data_collections.c.name > after)
        .where(data_collections.c.acl.in_([acl.value for acl in acls]), data_collections.c.name.not_like(".%"))
        .order_by(data_collections.c.name)
        .limit(limit)
    )
    return [CollectionRow(row.id, row.owner_id, row.name, ReadAcl(row.acl)) for row in connection.execute(wanted)]


def algorithm_collections(connection: Connection, owner_id: str, folder: str) -> list[str]:
    """The names of collections of algorithms that an account has below `folder`."""
    wanted = select(data_collections.c.name).where(
        data_collections.c.owner_id == owner_id, data_collections.c.name.like(".algo/%")
    )
    return sorted(name for name in connection.execute(wanted).scalars() if name.startswith(f"{folder}/"))


def delete_collection(connection: Connection, collection: CollectionRow) -> int:
    """Removes it with its files; how many those were."""
    inside = data_files.c.collection_id == collection.id
    count, size = connection.execute(select(func.count(), func.sum(data_files.c.bytes)).where(inside)).one()
    connection.execute(delete(data_files).where(inside))
    connection.execute(delete(data_collections).where(data_collections.c.id == collection.id))
    _weigh(connection, collection.owner_id, -int(size or 0))
    return int(count)


def is_empty(connection: Connection, collection_id: str) -> bool:
    """Whether it has no file."""
    return (
        connection.execute(select(data_files.c.id).where(data_files.c.collection_id == collection_id)).first() is None
    )


def find_file(connection: Connection, collection_id: str, name: str) -> FileRow | None:
    """The file of that name."""
    wanted = _FILE.where(data_files.c.collection_id == collection_id, data_files.c.name == name)
    row = connection.execute(wanted).first()
    return FileRow(*row) if row else None


def files(connection: Connection, collection_id: str, after: str, limit: int) -> list[FileRow]:
    """The files of a collection, by name, behind `after`."""
    wanted = (
        _FILE.where(data_files.c.collection_id == collection_id, data_files.c.name > after)
        .order_by(data_files.c.name)
        .limit(limit)
    )
    return [FileRow(*row) for row in connection.execute(wanted)]


def put_file(connection: Connection, collection: CollectionRow, file: FileRow) -> FileRow | None:
    """The file is there from now on; what it took the place of."""
    earlier = delete_file(connection, collection, file.name)
    values = {"id": file.id, "collection_id": collection.id, "name": file.name, "bytes": file.size}
    connection.execute(data_files.insert().values(**values, digest=file.digest, modified_at=file.modified_at))
    _weigh(connection, collection.owner_id, file.size)
    return earlier


def delete_file(connection: Connection, collection: CollectionRow, name: str) -> FileRow | None:
    """Removes the file of that name; what it was."""
    found = find_file(connection, collection.id, name)
    if found is not None:
        connection.execute(delete(data_files).where(data_files.c.id == found.id))
        _weigh(connection, collection.owner_id, -found.size)
    return found


def kept_bytes(connection: Connection, account_id: str) -> tuple[int, int | None]:
    """(bytes that an account keeps, its own quota)."""
    wanted = select(data_accounts.c.bytes, data_accounts.c.quota).where(data_accounts.c.account_id == account_id)
    row = connection.execute(wanted).first()
    return (int(row.bytes), row.quota) if row else (0, None)


def set_quota(connection: Connection, account_id: str, quota: int | None) -> None:
    """How many bytes the account may keep; None leaves it to the setting."""
    _weigh(connection, account_id, 0)
    changed = update(data_accounts).where(data_accounts.c.account_id == account_id).values(quota=quota)
    connection.execute(changed)


def needed_blobs(connection: Connection, digests: Collection[str]) -> set[str]:
    """Those of these digests that a file has."""
    found: set[str] = set()
    asked: Sequence[str] = sorted(digests)
    for start in range(0, len(asked), _MOST_VALUES):
        wanted = select(data_files.c.digest).where(data_files.c.digest.in_(asked[start : start + _MOST_VALUES]))
        found.update(connection.execute(wanted).scalars())
    return found


def passing_files(
    connection: Connection, temporary_before: str, session_before: str
) -> list[tuple[CollectionRow, str]]:
    """(collection, name) of files of algorithms and of sessions that were kept only for a while."""
    name, modified = data_collections.c.name, data_files.c.modified_at
    temporary = name.like(".algo/%/temp") & (modified < temporary_before)
    session = name.like(".session/%") & (modified < session_before)
    wanted = (
        _COLLECTION.add_columns(data_files.c.name.label("file"))
        .join(data_files, data_files.c.collection_id == data_collections.c.id)
        .where(temporary | session)
    )
    return [
        (CollectionRow(row.id, row.owner_id, row.name, ReadAcl(row.acl)), row.file)
        for row in connection.execute(wanted)
    ]


def session_collections(connection: Connection, session: str) -> list[CollectionRow]:
    """The collections of one session."""
    rows = connection.execute(_COLLECTION.where(data_collections.c.name == f".session/{session}"))
    return [CollectionRow(row.id, row.owner_id, row.name, ReadAcl(row.acl)) for row in rows]


def session_blobs(connection: Connection, session: str) -> set[str]:
    """The digests of what a session holds."""
    wanted = (
        select(data_files.c.digest)
        .join(data_collections, data_files.c.collection_id == data_collections.c.id)
        .where(data_collections.c.name == f".session/{session}")
    )
    return set(connection.execute(wanted).scalars())


def _weigh(connection: Connection, account_id: str, difference: int) -> None:
    mine = data_accounts.c.account_id == account_id
    changed = connection.execute(update(data_accounts).where(mine).values(bytes=data_accounts.c.bytes + difference))
    if not changed.rowcount:
        connection.execute(data_accounts.insert().values(account_id=account_id, bytes=max(0, difference)))
