"""What is done about data by itself: temporary files end, sessions end with their calls, and blobs that no file has go."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Collection, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection

from troth.artifacts.blobs import BlobStore, Upload
from troth.clock import now, stamp
from troth.commands.bus import Bus, Envelope
from troth.registry import data
from troth.registry.accounts import SYSTEM
from troth.registry.database import Database

log = structlog.get_logger()

Found = TypeVar("Found")
_INTERVAL = 600.0
_AT_ONCE = 8


class DataKeeping:
    """Ends what was to be kept for a while, and removes blobs behind it."""

    def __init__(
        self, database: Database, blobs: BlobStore, bus: Bus, *, temporary_seconds: float, session_seconds: float
    ) -> None:
        self.blobs = blobs
        #: where bytes are written, read and removed, apart from what questions to the registry wait for
        self.threads = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="data")
        self._database = database
        self._bus = bus
        self._temporary = timedelta(seconds=temporary_seconds)
        self._session = timedelta(seconds=session_seconds)
        #: sessions that hold something
        self.sessions: set[str] = set()
        self._work: set[asyncio.Task[Any]] = set()

    def start(self) -> None:
        """From now on, every few minutes. Begins with what an earlier run of the server left."""
        self._behind(self._regularly())

    async def close(self) -> None:
        """Ends this, when what is under way has ended."""
        for task in list(self._work):
            task.cancel()
        await asyncio.to_thread(self.threads.shutdown, wait=True, cancel_futures=True)

    def end_session(self, session: str) -> None:
        """A call has ended that no other made, so what it and its children kept in `.session` goes. Cheap without any."""
        if session in self.sessions:
            self.sessions.discard(session)
            self._behind(self._end_session(session))

    def freed(self, digests: Collection[str] | None = None) -> None:
        """Files are gone that had these blobs, or, where that is not known, any."""
        self._behind(self._run(lambda: self.collect(digests)))

    def settled(self, upload: Upload, freed: str | None) -> None:
        """The registry has been asked to name this upload. What has no file since is removed, for which nobody waits."""
        self._behind(self._run(lambda: self._settle(upload, freed)))

    def collect(self, digests: Collection[str] | None = None) -> int:
        """Removes those of these blobs, or of all, that no file has; how many. Blocks."""
        return self.blobs.collect(list(self.blobs.stored()) if digests is None else digests, self._needed)

    async def expire(self) -> None:
        """Ends what is too old, if there is any."""
        moment = now()
        limits = {
            "temporary_before": stamp(moment - self._temporary),
            "session_before": stamp(moment - self._session),
        }

        if await self._run(lambda: self._ask(lambda c: data.passing_files(c, **limits))):
            await self._submit("expire_data", limits)

    def _settle(self, upload: Upload, freed: str | None) -> None:
        self.blobs.settle(upload)
        if freed:
            self.collect([freed])

    async def _end_session(self, session: str) -> None:
        digests = await self._run(lambda: self._ask(lambda c: data.session_blobs(c, session)))
        await self._submit("end_session", {"session": session})
        await self._run(lambda: self.collect(digests))

    async def _submit(self, command: str, payload: dict[str, str]) -> None:
        await self._bus.submit(Envelope(command, 1, json.dumps(payload).encode(), SYSTEM, str(uuid.uuid4())))

    async def _regularly(self) -> None:
        while True:
            try:
                await self.expire()
                await self._run(self.collect)
            except Exception:
                log.exception("data was not looked after")
            await asyncio.sleep(_INTERVAL)

    def _ask(self, question: Callable[[Connection], Found]) -> Found:
        with self._database.read() as connection:
            return question(connection)

    def _needed(self, digests: Collection[str]) -> set[str]:
        return self._ask(lambda connection: data.needed_blobs(connection, digests))

    async def _run(self, work: Callable[[], Found]) -> Found:
        return await asyncio.get_running_loop().run_in_executor(self.threads, work)

    def _behind(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work)
        self._work.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._work.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("data was not looked after", why=str(error))
