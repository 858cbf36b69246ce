"""Many small writes in one transaction: what is asked while one is under way is written together by the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from troth.errors import Unavailable
from troth.registry.database import Database

Item = TypeVar("Item")
Said = TypeVar("Said")
_MOST = 512


class Gathering(Generic[Item, Said]):
    """Writes items by `write`, which says something of each. Nobody is told before the commit is durable."""

    def __init__(self, database: Database, write: Callable[[Connection, list[Item]], list[Said]]) -> None:
        self._database = database
        self._write = write
        self._waiting: list[tuple[Item, asyncio.Future[Said]]] = []
        self._writing: asyncio.Task[None] | None = None

    def put(self, item: Item) -> asyncio.Future[Said]:
        """What is said of the item, once it is durable. Raises Unavailable where the registry cannot take it."""
        future: asyncio.Future[Said] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._writing is None:
            self._writing = asyncio.ensure_future(self._all())
        return future

    async def settled(self) -> None:
        """Waits until everything that was asked is written."""
        while self._writing is not None:
            await asyncio.wait([self._writing])

    async def _all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                await self._together(batch)
        finally:
            self._writing = None

    async def _together(self, batch: list[tuple[Item, asyncio.Future[Said]]]) -> None:
        items = [item for item, _ in batch]
        try:
            said = await self._database.write(lambda connection: self._write(connection, items))
        except OperationalError as error:
            self._refuse(batch, error)
        except Exception as error:
            if len(batch) == 1:
                self._fail(batch, error)
            else:  # one of them is at fault
                for one in batch:
                    await self._together([one])
        else:
            for (_, future), what in zip(batch, said, strict=True):
                if not future.done():
                    future.set_result(what)

    def _refuse(self, batch: list[tuple[Item, asyncio.Future[Said]]], error: OperationalError) -> None:
        unavailable = Unavailable(
            "the registry cannot take it now",
            why=str(error.orig)[:200],
            repair="send it again with the same uuid; look at the disk and at who else uses the registry",
        )
        self._fail(batch, unavailable)

    @staticmethod
    def _fail(batch: list[tuple[Item, asyncio.Future[Said]]], error: Exception) -> None:
        for _, future in batch:
            if not future.done():
                future.set_exception(error)
