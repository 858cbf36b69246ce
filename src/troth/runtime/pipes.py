"""Ends of pipes for the event loop."""

from __future__ import annotations

import asyncio
import os


class PipeEnd:
    """A descriptor that belongs to the loop's transport from now on.

    uvloop closes the descriptor itself and then the object that it came with. A file would close the same number again,
    which by then may be what another thread just opened; so this object leaves it to uvloop, and closes for other loops.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._loop_closes = type(asyncio.get_running_loop()).__module__.startswith("uvloop")

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def close(self) -> None:
        """Closes it where the loop does not."""
        if not self._loop_closes:
            os.close(self._descriptor)
            self._loop_closes = True
