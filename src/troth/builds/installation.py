"""From the pins of an environment to a sealed folder of libraries. A cache that was altered is noticed and filled anew."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import structlog

from troth.builds.environment_document import Pin
from troth.builds.environment_files import FileRecord, seal, unlike_their_wheels
from troth.builds.environment_folders import EnvironmentFolders
from troth.builds.trees import remove_tree
from troth.builds.uv import Say, Uv
from troth.builds.uv_troubles import Trouble, UvStopped

log = structlog.get_logger()

#: failures that trying again with the network does not mend
_FINAL = (Trouble.DISK_FULL, Trouble.TOO_LONG)


def install(
    uv: Uv, folders: EnvironmentFolders, pins: Sequence[Pin], room: Path, expected: str | None, say: Say
) -> FileRecord:
    """Puts the libraries into `room/site` and seals them; the record of their files.

    uv compares hashes when it downloads, and never again what it unpacked. So files that are not what their wheels say, or
    content that is not `expected`, are taken out of the cache and downloaded again, once. What then still is not as its
    wheel says was never. Raises UvStopped and BuildFailed.
    """
    record = _unpacked(uv, folders, pins, room, say)
    suspects = _suspects(room / "site", record, expected, pins)
    if suspects:
        log.warning("uv's cache was altered", packages=suspects)
        say(f"the cache of {', '.join(suspects)} was altered; downloading again")
        uv.forget(suspects, say)
        remove_tree(room / "site")
        record = _unpacked(uv, folders, pins, room, say)
        if liars := unlike_their_wheels(room / "site", record):
            log.warning("wheels tell wrong hashes of their files", packages=sorted(liars))
    return record


def _unpacked(uv: Uv, folders: EnvironmentFolders, pins: Sequence[Pin], room: Path, say: Say) -> FileRecord:
    try:
        _moved(uv, folders, pins, room, say, offline=True)
    except UvStopped as problem:
        if problem.trouble in _FINAL:
            raise
        _moved(uv, folders, pins, room, say, offline=False)
    return seal(room / "site")


def _moved(uv: Uv, folders: EnvironmentFolders, pins: Sequence[Pin], room: Path, say: Say, *, offline: bool) -> None:
    """Installs below the cache, where files can be linked, and moves the result out of uv's reach before anything reads it."""
    with folders.target() as target:
        uv.install(pins, target, say, offline=offline)
        os.rename(target, room / "site")


def _suspects(site: Path, record: FileRecord, expected: str | None, pins: Sequence[Pin]) -> list[str]:
    """Distributions to take out of the cache: those that are not as their wheels say, else, if anything is wrong, all."""
    names = [pin.name for pin in pins]
    unlike = unlike_their_wheels(site, record)
    if unlike or expected in (None, record.content):
        return [
            name for name in names if name in unlike
        ]  # a wheel may also speak of others, which were never asked for
    return names
