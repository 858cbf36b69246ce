"""A table in use: its markings, made anew when the clock crosses the edge of a brownout."""

from __future__ import annotations

from collections.abc import Callable

from troth.versions.lifecycles.headers import Address, Marking, Refusal, markings
from troth.versions.lifecycles.table import StateTable, version_name

_EVER = float("inf")


class LiveTable:
    """What replies of each version of a table say now. `clock` gives seconds since 1970 and may go backwards."""

    __slots__ = ("_address", "_clock", "_moves", "_named", "begins", "ends", "table")

    def __init__(self, table: StateTable, address: Address, clock: Callable[[], float]) -> None:
        self.table = table
        self._address = address
        self._clock = clock
        self._named: dict[str, Marking] = {}
        self._mark()

    def marking(self, name: str) -> Marking | None:
        """What holds for a version by its name, like `v4`; None for what the table does not have."""
        if self._moves and not self.begins <= self._clock() < self.ends:
            self._mark()
        return self._named.get(name)

    def refused(self, marking: Marking, *, production: bool) -> Refusal | None:
        """What is answered now instead of the API's own reply, if anything is."""
        if marking.gone is not None or not marking.windows:
            return marking.gone
        return marking.refused(self._clock(), production=production)

    def _mark(self) -> None:
        made = markings(self.table, self._address, self._clock())
        self._named = {version_name(number): marking for number, marking in made.versions.items()}
        self.begins, self.ends = made.begins, made.ends
        self._moves = made.begins != -_EVER or made.ends != _EVER
