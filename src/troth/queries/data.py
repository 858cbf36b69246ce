"""Questions about data: what lies in a directory, where the bytes of a file are, and how much more an account may keep."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection

from troth.access.data_paths import DataPath, no_such
from troth.access.data_rights import DataActor, ReadAcl
from troth.registry import data, data_places
from troth.registry.accounts import find_account
from troth.registry.data import CollectionRow, FileRow


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a directory. `more` says whether others come behind the last of it."""

    folders: list[str] = field(default_factory=list)
    files: list[FileRow] = field(default_factory=list)
    more: bool = False
    acl: ReadAcl | None = None


def listing(connection: Connection, actor: DataActor, path: DataPath, after: str, limit: int) -> Listing:
    """The entries of a directory behind `after`. Raises NoSuchData or Forbidden."""
    if path.collection:
        return _of_collection(connection, actor, path, after, limit)
    data_places.allow("read_data", actor, path)
    if path.folder:
        return _of_algorithms(connection, actor, path.folder)
    if path.account:
        return _of_account(connection, actor, path, after, limit)
    others = [] if actor.within else data_places.organizations_of(connection, actor.id)
    return Listing([name for name in (actor.name, *others) if name])


def file(connection: Connection, actor: DataActor, path: DataPath) -> FileRow:
    """The file that a path names. Raises NoSuchData or Forbidden."""
    collection = data_places.readable(connection, actor, path)
    found = data.find_file(connection, collection.id, path.file) if collection else None
    if found is None:
        raise no_such(path)
    return found


def room(connection: Connection, actor: DataActor, path: DataPath, usual_quota: int) -> int | None:
    """Bytes that the file of this path may have now; None for any number. Raises NoSuchData or Forbidden where the actor
    may not store it."""
    collection = data_places.writable(connection, actor, path, storing=True)
    owner = collection.owner_id if collection else actor.id
    kept, quota = data.kept_bytes(connection, owner)
    quota = usual_quota if quota is None else quota
    if quota == 0:
        return None
    earlier = data.find_file(connection, collection.id, path.file) if collection else None
    return max(0, quota - kept + (earlier.size if earlier else 0))


def own_collections(connection: Connection, actor: DataActor) -> list[CollectionRow]:
    """The collections of the actor's account. Raises Forbidden."""
    data_places.allow("read_data", actor, DataPath(""))
    owner = find_account(connection, actor.name)
    if owner is None:
        return []
    acls = data_places.readable_acls(data_places.standing(connection, actor, owner))
    return data.collections(connection, owner.id, acls, "", _MOST_COLLECTIONS)


_MOST_COLLECTIONS = 10_000


def _of_collection(connection: Connection, actor: DataActor, path: DataPath, after: str, limit: int) -> Listing:
    collection = data_places.readable(connection, actor, path)
    if collection is None:
        return Listing()
    found = data.files(connection, collection.id, after, limit + 1)
    return Listing([], found[:limit], len(found) > limit, None if path.special else collection.acl)


def _of_account(connection: Connection, actor: DataActor, path: DataPath, after: str, limit: int) -> Listing:
    owner = find_account(connection, path.account)
    if owner is None:
        raise no_such(path)
    acls = data_places.readable_acls(data_places.standing(connection, actor, owner))
    found = [row.name for row in data.collections(connection, owner.id, acls, after, limit + 1)]
    if not found and not after and not data_places.belongs(connection, actor, owner):
        raise no_such(path)  # as for an account that is not there
    return Listing(found[:limit], [], len(found) > limit)


def _of_algorithms(connection: Connection, actor: DataActor, folder: str) -> Listing:
    depth = len(folder.split("/"))
    names = data.algorithm_collections(connection, actor.id, folder)
    if actor.within is not None:
        names = [name for name in names if name.startswith(f".algo/{actor.within.algorithm}/")]
    return Listing(list(dict.fromkeys(name.split("/")[depth] for name in names)))
