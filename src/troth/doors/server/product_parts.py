"""The parts of a server that keep releases, put together."""

from __future__ import annotations

import time

from troth.artifacts.blobs import BlobStore
from troth.commands import announcing, products
from troth.commands.bus import Handler
from troth.commands.cuts import Cuts
from troth.commands.cutting import CutRelease
from troth.commands.excusing import Excusing
from troth.commands.release_judging import ReleaseJudging
from troth.commands.release_room import ReleaseRoom
from troth.commands.staged_files import StagedFiles
from troth.commands.waiving_releases import RequestReleaseWaiver
from troth.home import Home
from troth.registry.database import Database
from troth.registry.products import needed_files
from troth.sites.store import Sites

#: how long a file waits for the release that it was uploaded for
_WAITING_SECONDS = 7 * 24 * 3600


def open_release_files(home: Home, database: Database, room: ReleaseRoom) -> BlobStore:
    """The files of releases. What uploads left that a crash cut off is removed, and what waited for no release."""
    files = BlobStore(home.release_files)
    files.recover()
    if waiting := list(files.stored_before(time.time() - _WAITING_SECONDS)):
        with database.read() as connection:
            files.collect(waiting, lambda digests: needed_files(connection, digests))
        room.forgotten([digest for digest in waiting if files.find(digest) is None])
    return files


def open_sites(home: Home, files: BlobStore, database: Database) -> Sites:
    """The documentation of releases as it is served. What was made for a release that never came goes with its bundle."""
    sites = Sites(home.sites, files.open)
    sites.recover()
    if waiting := [digest for digest in sites.stored() if files.find(digest) is None]:
        with database.read() as connection:
            needed = needed_files(connection, waiting)
        for digest in set(waiting) - needed:
            sites.remove(digest)
    return sites


def product_handlers(
    database: Database, files: BlobStore, sites: Sites, room: ReleaseRoom, excusing: Excusing, judging_seconds: float,
    cuts: Cuts,
) -> dict[str, Handler]:  # fmt: skip
    """Every command on products by its name."""
    staged = StagedFiles(files)
    judging = ReleaseJudging(database, staged, excusing, time.time, judging_seconds)
    return {
        "create_product": products.CreateProduct(),
        "update_product": products.UpdateProduct(),
        "cut_release": CutRelease(judging, staged, sites, room, cuts),
        "request_release_waiver": RequestReleaseWaiver(judging, cuts),
        "mark_stable": products.MarkStable(),
        "yank_release": products.YankRelease(),
        "plan_release": announcing.PlanRelease(),
        "cancel_planned_release": announcing.CancelPlannedRelease(),
        "create_calendar": announcing.CreateCalendar(),
        "revoke_calendar": announcing.RevokeCalendar(),
    }
