"""Threads of their own for what is read of releases before they are recorded: strangers' bundles take minutes.

The shared threads take commands and most questions; releases that are cut at once would leave none of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar
from weakref import WeakValueDictionary

from troth.commands.formats import Payload

Result = TypeVar("Result")
_AT_ONCE: Final = 2


class Cuts:
    """Runs a few at a time, and those of one account one after the other."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="cuts")
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def run(self, account: str, work: Callable[[Payload], Result], payload: Payload) -> Result:
        """What `work` returns, or raises. An account's turn lasts as long as its work, whether or not it is still awaited."""
        turn = self._turns.setdefault(account, asyncio.Lock())
        await turn.acquire()
        try:
            running = asyncio.wrap_future(self._threads.submit(work, payload))
        except BaseException:
            turn.release()
            raise
        running.add_done_callback(lambda _: turn.release())
        return await asyncio.shield(running)

    def close(self) -> None:
        """Waits for what is being read."""
        self._threads.shutdown(cancel_futures=True)
