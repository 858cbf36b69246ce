"""Finds collections for who asks: what they may not know of is answered as what is not there."""

from __future__ import annotations

from sqlalchemy import Connection, select

from troth.access.data_paths import DataPath, no_such
from troth.access.data_rights import (
    READERS,
    WRITERS,
    DataActor,
    Position,
    ReadAcl,
    may_use_collection_of,
    position_of,
)
from troth.access.roles import Actor
from troth.access.scopes import require_scope
from troth.errors import Forbidden
from troth.registry import data
from troth.registry.accounts import find_account, role_of
from troth.registry.data import CollectionRow
from troth.registry.tables import accounts, members


def allow(action: str, actor: DataActor, path: DataPath) -> None:
    """Raises Forbidden where the key is not for this: asked first of all, so that it tells nothing of what there is.

    A session belongs to its call, whatever key that was made with.
    """
    if not path.collection.startswith(".session/"):
        require_scope(action, actor.scope)


def readable(connection: Connection, actor: DataActor, path: DataPath) -> CollectionRow | None:
    """The collection of a path, if the actor may read it; None where one of troth's own holds nothing yet.

    Raises NoSuchData or Forbidden.
    """
    allow("read_data", actor, path)
    owner = _owner(connection, path)
    found = data.find_collection(connection, owner.id, path.collection)
    if path.special:
        _check_special(actor, path, storing=False)
        return found
    if found is None or standing(connection, actor, owner) not in READERS[found.acl]:
        raise no_such(path)
    return found


def writable(
    connection: Connection, actor: DataActor, path: DataPath, *, storing: bool = False
) -> CollectionRow | None:
    """The same, if the actor may change what is in it. What it may only read is Forbidden."""
    allow("write_data", actor, path)
    if path.special:
        _check_special(actor, path, storing=storing)
        return data.find_collection(connection, _owner(connection, path).id, path.collection)
    found = readable(connection, actor, path)
    if standing(connection, actor, _owner(connection, path)) not in WRITERS:
        raise Forbidden(
            f"you may not change {str(path)[:300]}",
            why="a directory is written to by its owner, and by the owner's algorithms when the owner calls them",
            repair="write to a directory of your own",
        )
    return found


def makeable(connection: Connection, actor: DataActor, account: str) -> Actor:
    """The account, if the actor may make collections in it. Raises Forbidden, whether or not there is such an account."""
    require_scope("write_data", actor.scope)
    owner = find_account(connection, account)
    if owner is None or standing(connection, actor, owner) not in WRITERS:
        raise Forbidden(
            f"you may not make directories in data://{account[:63]}",
            why="an account's directories are made by itself, and by its own algorithms when it calls them",
            repair="make one in data://.my",
        )
    return owner


def standing(connection: Connection, actor: DataActor, owner: Actor) -> Position:
    """How the actor stands to an account at this moment."""
    return position_of(actor, owner.id, belongs=belongs(connection, actor, owner))


def belongs(connection: Connection, actor: DataActor, owner: Actor) -> bool:
    """Whether the actor's account is this one, or a member of it now."""
    return actor.id == owner.id or role_of(connection, owner.id, actor.id) is not None


def readable_acls(position: Position) -> list[ReadAcl]:
    """The ACLs of collections that show from there."""
    return [acl for acl in ReadAcl if position in READERS[acl]]


def organizations_of(connection: Connection, account_id: str) -> list[str]:
    """The names of the organisations that an account is a member of now."""
    wanted = (
        select(accounts.c.name)
        .join(members, members.c.organization_id == accounts.c.id)
        .where(members.c.account_id == account_id, members.c.valid_to.is_(None))
        .order_by(accounts.c.name)
    )
    return list(connection.execute(wanted).scalars())


def _owner(connection: Connection, path: DataPath) -> Actor:
    owner = find_account(connection, path.account)
    if owner is None:
        raise no_such(path)
    return owner


def _check_special(actor: DataActor, path: DataPath, *, storing: bool) -> None:
    if path.algorithm and not may_use_collection_of(path.algorithm, actor, storing=storing):
        raise no_such(path)
