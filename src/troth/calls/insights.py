"""Figures that algorithms report of the calls that run, gathered in bounded memory and written about once a second."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from troth.calls.within import Within
from troth.errors import Malformed, Refused, TooLarge
from troth.registry.insights import Insight, add_insights

#: figures that one call may report, and bytes of all of them (algorithmia-api, section 12.4)
MOST_OF_A_CALL, BYTES_OF_A_CALL = 25, 25 * 1024
#: what is known of a call anyway
RESERVED = frozenset(
    ["request_id", "timestamp", "duration_milliseconds", "algorithm_owner", "algorithm_name", "algorithm_version"]
)
_LONGEST_KEY = 100
#: figures that may wait for the registry, and that one transaction takes
_MOST_WAITING, AT_ONCE = 50_000, 5_000


class Insights:
    """The figures that were not handed to the registry yet."""

    def __init__(self, most_waiting: int = _MOST_WAITING) -> None:
        self._most = most_waiting
        self._waiting: list[Insight] = []
        self._under_way: list[Insight] = []
        #: figures that were given up, because the registry did not keep up
        self.lost = 0

    def report(self, within: Within, body: Any, now: int) -> None:
        """Takes what a call reports: objects with `insight_key` and `insight_value`. All of it or nothing.

        Raises Malformed for what is no such list, Refused where the call reported too much, and TooLarge.
        """
        figures = [_figure(one) for one in body] if isinstance(body, list) else None
        if figures is None:
            raise Malformed(
                "insights are a list of objects with insight_key and insight_value", repair="send such a list"
            )
        origin, reported = within.origin, within.call.family().reported
        count, size = reported.get(origin.request_id, (0, 0))
        count, size = count + len(figures), size + sum(len(key) + len(value.encode()) for key, value in figures)
        if count > MOST_OF_A_CALL:
            raise Refused(f"a call reports at most {MOST_OF_A_CALL} insights", repair="report fewer")
        if size > BYTES_OF_A_CALL:
            raise TooLarge(f"the insights of a call have at most {BYTES_OF_A_CALL} bytes", repair="report less")
        reported[origin.request_id] = count, size
        owner, _, name = origin.subject.partition("/")
        version = origin.route.version if origin.route else ""
        self.add([Insight(now, origin.request_id, owner, name, version, *one) for one in figures])

    def add(self, found: Sequence[Insight]) -> None:
        """Takes figures that were reported, here or to another process; those that find no room are lost."""
        room = max(0, self._most - len(self._waiting) - len(self._under_way))
        self.lost += max(0, len(found) - room)
        self._waiting += found[:room]

    def take(self) -> Sequence[Insight]:
        """The oldest that wait, as many as one transaction takes; `done` or `give_back` follows."""
        self._under_way, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
        return self._under_way

    def done(self) -> None:
        """What was taken is in the registry."""
        self._under_way = []

    def give_back(self) -> None:
        """What was taken waits again."""
        self._waiting, self._under_way = [*self._under_way, *self._waiting], []

    def write(self, connection: Connection) -> None:
        """Adds what was taken to the registry."""
        add_insights(connection, self._under_way)


def _figure(one: Any) -> tuple[str, str]:
    """Key and value, as JSON. Raises Malformed."""
    if not isinstance(one, dict) or "insight_key" not in one or "insight_value" not in one:
        raise Malformed("an insight has insight_key and insight_value", repair="send both")
    key = one["insight_key"]
    if not isinstance(key, str) or not 1 <= len(key) <= _LONGEST_KEY or not key.isprintable():
        raise Malformed(
            "an insight's key cannot be this",
            why=f"it is text of 1 to {_LONGEST_KEY} characters",
            repair="take another",
        )
    if key in RESERVED:
        raise Malformed(f"{key} is known of every call", why="no insight may have its name", repair="take another")
    return key, json.dumps(one["insight_value"], separators=(",", ":"))
