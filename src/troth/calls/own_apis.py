"""What replies of troth's own APIs say of the state that these are in, ready for the call path."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from troth.versions.lifecycles.headers import Marking, prefix_address
from troth.versions.lifecycles.live import LiveTable
from troth.versions.lifecycles.own import ALGORITHMIA, NATIVE, OWN, PREFIXES, STARTING_POINT
from troth.versions.lifecycles.table import StateTable, version_name

_SERVED = version_name(STARTING_POINT)


class OwnApis:
    """Both tables in force. Of calls, which have no time for more, there are the lines that every reply has."""

    __slots__ = ("_algorithmia", "_clock", "_native", "call_lines", "guarded")

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.take(OWN)

    def take(self, tables: Mapping[str, StateTable]) -> None:
        """Goes by these tables from now on; what is not among them is as it was made."""
        self._algorithmia, self._native = (
            LiveTable(tables.get(name, OWN[name]), prefix_address(PREFIXES[name]), self._clock)
            for name in (ALGORITHMIA, NATIVE)
        )
        calls = self._algorithmia.marking(_SERVED)
        #: whether a call may have to be refused for its version's state, so that it has to be looked at
        self.guarded = calls is not None and (calls.gone is not None or bool(calls.windows))
        #: header lines of every reply to a call; none for a current version
        self.call_lines = b"".join(b"%b: %b\r\n" % pair for pair in calls.headers) if calls is not None else b""

    def marking(self, path: str) -> tuple[LiveTable, Marking] | None:
        """The table that a path is under, and what holds for replies to it, where that is anything at all."""
        if path.startswith("//"):  # which doors take for one slash
            path = "/" + path.lstrip("/")
        if path.startswith("/v1") and path[3:4] in ("", "/"):
            live = self._algorithmia
        elif path.startswith("/api/v1") and path[7:8] in ("", "/"):
            live = self._native
        else:
            return None
        marking = live.marking(_SERVED)
        return (live, marking) if marking is not None and (marking.headers or marking.windows) else None
