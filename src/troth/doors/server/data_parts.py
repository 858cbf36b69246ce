"""The parts of a server that keep data, put together."""

from __future__ import annotations

from troth.artifacts.blobs import BlobStore
from troth.commands import data as data_commands
from troth.commands.bus import Bus, Handler
from troth.commands.data_keeping import DataKeeping
from troth.home import Home
from troth.registry.database import Database
from troth.settings import Settings


def open_data(settings: Settings, home: Home, database: Database, bus: Bus) -> DataKeeping:
    """What looks after data, over the folder of it; what uploads left there that a crash cut off is removed."""
    blobs = BlobStore(home.data)
    blobs.recover()
    return DataKeeping(
        database,
        blobs,
        bus,
        temporary_seconds=settings.data_temporary_seconds,
        session_seconds=2 * settings.longest_call_seconds,
    )


def data_handlers(blobs: BlobStore, usual_quota: int) -> dict[str, Handler]:
    """Every command on data by its name."""
    return {
        "create_collection": data_commands.CreateCollection(),
        "set_collection_acl": data_commands.SetCollectionAcl(),
        "delete_collection": data_commands.DeleteCollection(),
        "store_file": data_commands.StoreFile(blobs, usual_quota),
        "delete_file": data_commands.DeleteFile(),
        "set_data_quota": data_commands.SetDataQuota(),
        "expire_data": data_commands.ExpireData(),
        "end_session": data_commands.EndSession(),
    }
