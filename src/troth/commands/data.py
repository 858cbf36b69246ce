"""Commands on collections and files. The bytes of a file come before its command, which names their upload.

They are for `troth.access.data_rights.DataActor` only, whom the data API makes: who may do what depends on the key and on the
call that a request comes from, and a command that came another way would not say.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from troth.access.data_paths import DataPath, no_such
from troth.access.data_rights import USUAL_ACL, DataActor, ReadAcl
from troth.access.roles import Actor, relations, require
from troth.artifacts.blobs import Blob, BlobStore
from troth.commands.bus import Transaction
from troth.commands.formats import Payload
from troth.errors import Forbidden, NameTaken, QuotaReached, Refused
from troth.registry import accounts, data, data_places
from troth.registry.data import CollectionRow, FileRow


class _Command:
    """A command without a slow part."""

    async def prepare(self, actor: Actor, payload: Payload) -> Any:
        return None


class CreateCollection(_Command):
    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        data_places.makeable(connection, _asking(actor), payload["account"])

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        connection, name = transaction.connection, payload["collection"]
        owner = data_places.makeable(connection, _asking(transaction.actor), payload["account"])
        acl = ReadAcl(payload.get("acl", USUAL_ACL))
        if data.find_collection(connection, owner.id, name) is not None:
            raise NameTaken(
                f"there is a directory data://{owner.name}/{name} already",
                why="names of an account's directories are different",
                repair="choose another name, or use the one that is there",
            )
        data.create_collection(connection, owner.id, name, acl, transaction.now)
        return {"collection": f"{owner.name}/{name}", "acl": acl.value}


class SetCollectionAcl(_Command):
    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        data_places.writable(connection, _asking(actor), _path(payload))

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        collection = _writable(transaction, payload)
        data.set_acl(transaction.connection, collection.id, ReadAcl(payload["acl"]))
        return {"collection": _path(payload).shown, "acl": payload["acl"], "earlier": collection.acl.value}


class DeleteCollection(_Command):
    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        data_places.writable(connection, _asking(actor), _path(payload))

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        connection, collection = transaction.connection, _writable(transaction, payload)
        if not payload["force"] and not data.is_empty(connection, collection.id):
            raise Refused(
                f"{_path(payload)} is not empty",
                why="a directory with files in it is deleted only by force",
                repair="delete its files first, or send force=true",
            )
        return {"collection": _path(payload).shown, "files": data.delete_collection(connection, collection)}


class StoreFile:
    """The file of an upload takes its place, whole and at once."""

    def __init__(self, blobs: BlobStore, usual_quota: int) -> None:
        self._blobs = blobs
        self._usual_quota = usual_quota

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        data_places.writable(connection, _asking(actor), _path(payload), storing=True)

    async def prepare(self, actor: Actor, payload: Payload) -> Blob:
        return self._blobs.kept(payload["upload"])

    def handle(self, transaction: Transaction, payload: Payload, prepared: Blob) -> dict[str, Any]:
        connection, path = transaction.connection, _path(payload)
        collection = data_places.writable(connection, _asking(transaction.actor), path, storing=True)
        if collection is None:
            acl = ReadAcl.PRIVATE  # of which nobody asks: what is troth's own has none
            now = transaction.now
            collection = data.create_collection(connection, transaction.actor.id, path.collection, acl, now)
        file = FileRow(payload["upload"], path.file, prepared.size, prepared.digest, transaction.now)
        earlier = data.put_file(connection, collection, file)
        self._check_quota(connection, collection)
        found = {"file": path.shown, "digest": prepared.digest, "bytes": prepared.size}
        return {**found, "earlier": earlier.digest if earlier else None}

    def _check_quota(self, connection: Connection, collection: CollectionRow) -> None:
        kept, quota = data.kept_bytes(connection, collection.owner_id)
        quota = self._usual_quota if quota is None else quota
        if quota and kept > quota:
            raise quota_reached(quota)


class DeleteFile(_Command):
    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        data_places.writable(connection, _asking(actor), _path(payload))

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        found = data.delete_file(transaction.connection, _writable(transaction, payload), payload["file"])
        if found is None:
            raise no_such(_path(payload))
        return {"file": _path(payload).shown, "digest": found.digest, "bytes": found.size}


class SetDataQuota(_Command):
    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require("set_data_quota", relations(actor), f"of {payload['account']}")

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        account = accounts.get_account(transaction.connection, payload["account"])
        data.set_quota(transaction.connection, account.id, payload["bytes"])
        kept, _ = data.kept_bytes(transaction.connection, account.id)
        return {"account": account.name, "quota": payload["bytes"], "bytes": kept}


class ExpireData(_Command):
    """Ends what is older than it was to become: temporary files of algorithms, and what is left of sessions."""

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require("expire_data", relations(actor), "")

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        passing = data.passing_files(transaction.connection, **payload)
        removed = [data.delete_file(transaction.connection, *one) for one in passing]
        return {"files": len(removed)}


class EndSession(_Command):
    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require("end_session", relations(actor), payload["session"])

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        ended = data.session_collections(transaction.connection, payload["session"])
        return {"files": sum(data.delete_collection(transaction.connection, one) for one in ended)}


def quota_reached(quota: int) -> QuotaReached:
    """The refusal of more data."""
    return QuotaReached(
        f"this account may keep {quota} bytes of data, and they are used",
        why="everything in its directories counts, and what algorithms keep for it",
        repair="delete files, or ask who runs this server for more (set_data_quota)",
    )


def _asking(actor: Actor) -> DataActor:
    if isinstance(actor, DataActor):
        return actor
    raise Forbidden(
        "data is not changed by this command alone",
        why="who may change it depends on the key, and on the call that a request comes from",
        repair="use /v1/data",
    )


def _path(payload: Payload) -> DataPath:
    account, collection, file = payload["account"], payload["collection"], payload.get("file", "")
    shown = "/".join(part for part in ("" if collection[0] == "." else account, collection, file) if part)
    return DataPath(shown, account, collection, file)


def _writable(transaction: Transaction, payload: Payload) -> CollectionRow:
    path = _path(payload)
    found = data_places.writable(transaction.connection, _asking(transaction.actor), path)
    if found is None:
        raise no_such(path)
    return found
