"""A count of steps, so that the work is bounded and every machine stops at the same place."""

from __future__ import annotations

#: What is left where nothing is counted.
UNBOUNDED = 1 << 62


class Exhausted(Exception):
    """The steps are used up; the answer is "cannot tell"."""


class Steps:
    """So many steps, and no more. Raises Exhausted."""

    def __init__(self, most: int = UNBOUNDED) -> None:
        self.left = most

    def take(self, count: int = 1) -> None:
        """Uses up some steps."""
        self.left -= count
        if self.left < 0:
            raise Exhausted
