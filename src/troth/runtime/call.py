"""One call under way, from when it is submitted until somebody is told what came of it."""

from __future__ import annotations

import asyncio
from typing import Protocol

from troth.errors import TrothError
from troth.runtime.engine import CallRequest, CallResult, Items, Settle


class Holder(Protocol):
    """Where a call is: among those that wait, or with a worker."""

    def cancelled(self, call: Call) -> None:
        """Nobody wants the answer any more."""
        ...

    def resumed(self, call: Call) -> None:
        """More of its results can be taken."""
        ...


def _nobody(found: CallResult | TrothError) -> None:
    """Everybody was told."""


class Call:
    """A call, who is told what comes of it, and who holds it. It is settled once, or cancelled."""

    __slots__ = ("done", "holder", "items", "number", "output", "request", "settle_with", "since")

    def __init__(self, request: CallRequest, settle: Settle, items: Items | None) -> None:
        self.request = request
        self.settle_with = settle
        self.items = items
        self.holder: Holder | None = None
        #: of the frames that are about it
        self.number = 0
        #: what is printed during it, where that is wanted
        self.output: asyncio.Future[str] | None = None
        #: since when it waits, by the loop's clock
        self.since = 0.0
        self.done = False

    def settle(self, found: CallResult | TrothError) -> None:
        """Tells what came of it, unless somebody was told before or nobody wants to know."""
        if not self.done:
            self.done = True
            self.holder = None
            settle, self.settle_with = self.settle_with, _nobody  # who is told holds this call, and a ring is garbage
            settle(found)

    def cancel(self) -> None:
        """Drops it; a worker that runs it is stopped."""
        if not self.done:
            self.done = True
            if self.holder is not None:
                self.holder.cancelled(self)

    def resume(self) -> None:
        """Lets more of its results come."""
        if not self.done and self.holder is not None:
            self.holder.resumed(self)
