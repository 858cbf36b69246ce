"""One call under way, from when it is submitted until somebody is told what came of it."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from troth.errors import ParentEnded, TrothError
from troth.runtime.engine import CallRequest, CallResult, Items, Settle


class Holder(Protocol):
    """Where a call is: among those that wait, or with a worker."""

    def cancelled(self, call: Call) -> None:
        """Nobody wants the answer any more."""
        ...

    def resumed(self, call: Call) -> None:
        """More of its results can be taken."""
        ...

    def waits(self, call: Call) -> None:
        """The call waits for another that it made itself, and what runs it does nothing meanwhile."""
        ...


def _nobody(found: CallResult | TrothError) -> None:
    """Everybody was told."""


class Tree:
    """An outermost call and all that were made within it: how many are under way below it, and how many were made."""

    __slots__ = ("made", "reported", "under_way")

    def __init__(self) -> None:
        #: how many figures its calls reported, and their size, by request id
        self.reported: dict[str, tuple[int, int]] = {}
        self.under_way = 0
        self.made = 0


class Call:
    """A call, who is told what comes of it, and who holds it. It is settled once, or cancelled.

    The calls that it made end with it.
    """

    __slots__ = (
        "children", "done", "holder", "items", "number", "output", "request", "settle_with", "since", "tree", "within",
    )  # fmt: skip

    def __init__(self, request: CallRequest, settle: Settle, items: Items | None) -> None:
        self.request = request
        self.settle_with = settle
        self.items = items
        self.holder: Holder | None = None
        #: of the frames that are about it
        self.number = 0
        #: what is printed during it, where that is wanted
        self.output: asyncio.Future[str] | None = None
        #: since when it waits, by the monotonic clock; once it runs, when it has to have ended, by the loop's clock
        self.since = 0.0
        self.done = False
        #: calls that it made and that are under way; None before the first
        self.children: set[Call] | None = None
        #: where it was made by another call, or made one itself
        self.tree: Tree | None = None
        #: what those know of it who look up its key, so that they need not work it out each time
        self.within: Any = None

    def settle(self, found: CallResult | TrothError) -> None:
        """Tells what came of it, unless somebody was told before or nobody wants to know."""
        if not self.done:
            self.done = True
            self.holder = None
            settle, self.settle_with = self.settle_with, _nobody  # who is told holds this call, and a ring is garbage
            if self.tree is not None:
                self._leave()
            settle(found)

    def cancel(self) -> None:
        """Drops it; a worker that runs it is stopped."""
        if not self.done:
            self.done = True
            self.settle_with, self.request.origin = _nobody, None
            if self.tree is not None:
                self._leave()
            if self.holder is not None:
                self.holder.cancelled(self)

    def resume(self) -> None:
        """Lets more of its results come."""
        if not self.done and self.holder is not None:
            self.holder.resumed(self)

    def family(self) -> Tree:
        """The tree that it is in, or the root of."""
        if self.tree is None:
            self.tree = Tree()
        return self.tree

    def joins(self, parent: Call) -> bool:
        """Makes it a call that another one made and waits for; False where that one has ended meanwhile."""
        if parent.done:
            self._abandon()
            return False
        self.tree = parent.family()
        self.tree.under_way += 1
        first = not parent.children
        if parent.children is None:
            parent.children = set()
        parent.children.add(self)
        if first and parent.holder is not None:
            parent.holder.waits(parent)
        return True

    def _leave(self) -> None:
        """Takes it out of its tree, and ends what it made."""
        children, self.children, self.within = self.children, None, None
        for child in children or ():
            child._abandon()
        parent, self.request.parent = self.request.parent, None
        if parent is not None:
            assert self.tree is not None
            self.tree.under_way -= 1
            if parent.children is not None:
                parent.children.discard(self)

    def _abandon(self) -> None:
        """The call that made it is over."""
        holder = self.holder
        self.settle(ParentEnded("the call in which this one was made has ended, and this one with it"))
        if holder is not None:
            holder.cancelled(self)
