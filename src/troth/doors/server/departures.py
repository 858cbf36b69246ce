"""Tells of clients that leave while nothing is read from them.

Nothing is read from a client that has asked again before it was answered, and then the loop does not hear of its leaving. A
poll of its own does, which looks for ends of connections and for nothing else.
"""

from __future__ import annotations

import asyncio
import os
import select
from collections.abc import Callable

#: Either side's end of a connection; the last two are always looked for (epoll_ctl(2)).
_ENDS = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR


class Departures:
    """Watches connections of one loop."""

    def __init__(self) -> None:
        self._poll: select.epoll | None = None
        self._watched: dict[int, Callable[[bool], None]] = {}

    def watch(self, connection: int, left: Callable[[bool], None]) -> int:
        """Calls `left` when the other side is gone (True), or has only ended its sending (False); the number to `forget`.

        The number is a descriptor of this watch's own, so that nothing else has it until then.
        """
        if self._poll is None:
            self._poll = select.epoll()
        if not self._watched:
            asyncio.get_running_loop().add_reader(self._poll.fileno(), self._look, self._poll)
        number = os.dup(connection)
        try:
            self._poll.register(number, _ENDS)
        except OSError:
            os.close(number)
            raise
        self._watched[number] = left
        return number

    def forget(self, number: int) -> None:
        """Watches this one no longer. To be called once for each `watch`, at the latest when the connection ends."""
        assert self._poll is not None
        self._poll.unregister(number)
        os.close(number)
        del self._watched[number]
        if not self._watched:  # so that the loop ends with nothing left in it
            asyncio.get_running_loop().remove_reader(self._poll.fileno())

    def _look(self, poll: select.epoll) -> None:
        for number, ends in poll.poll(0):
            left = self._watched.get(number)  # who was called before may have forgotten it
            if left is not None:
                poll.modify(number, 0)  # what has ended does so at every look
                left(bool(ends & (select.EPOLLHUP | select.EPOLLERR)))
