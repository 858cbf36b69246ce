"""Hands counts of who calls APIs to the registry, in the steps of `troth.calls.bookkeeping`."""

from __future__ import annotations

from sqlalchemy import Connection

from troth.calls.api_uses import ApiUses
from troth.calls.apis import Apis
from troth.clock import stamp
from troth.registry import alerts
from troth.registry.api_callers import Series, add_callers, forget_callers
from troth.versions.lifecycles.states import State
from troth.versions.lifecycles.table import version_name

_DAY = 86400
#: what was told today is remembered for so many, so that nobody asks the registry for it each second
_MOST = 50_000


class ApiLedger:
    """The counts, and the alerts that follow from them: an account hears once a day that its keys use what will go."""

    def __init__(self, uses: ApiUses, apis: Apis) -> None:
        self.uses = uses
        self._apis = apis
        self._taken: dict[Series, int] = {}
        self._told: set[tuple[str, str, int, int]] = set()

    def settle(self, now: int) -> None:
        """Puts what was gathered since the last time under the present day."""
        self.uses.settle(now)

    def take(self) -> bool:
        """Takes what waits; whether there is anything."""
        self._taken = dict(self.uses.take())
        return bool(self._taken)

    def write(self, connection: Connection) -> list[tuple[str, str, int, int]]:
        """Writes what was taken, and the alerts that are new: who was told of what. May run again."""
        add_callers(connection, self._taken)
        told = []
        for day, api, version, caller in sorted({(s[0], s[1], s[2], s[5]) for s in self._taken}):
            known = (caller, api, version, day)
            if caller and known not in self._told and (document := self._leaving(api, version)):
                alerts.add_alert(connection, caller, api, version, day, document, stamp(self._apis.now()))
                told.append(known)
        return told

    def done(self, told: list[tuple[str, str, int, int]]) -> None:
        """What was taken is written."""
        self._taken = {}
        if len(self._told) > _MOST:
            self._told.clear()
        self._told.update(told)

    def give_back(self) -> None:
        """What was taken is not written, and waits on."""
        self.uses.give_back(self._taken)
        self._taken = {}

    def forget(self, connection: Connection, oldest: int) -> None:
        """Deletes what is older than this second."""
        forget_callers(connection, oldest // _DAY)

    def _leaving(self, subject: str, number: int) -> dict[str, object] | None:
        """What is said of a version that will go; None of any other."""
        api = self._apis.served.get(subject)
        version = api.live.table.versions.get(number) if api is not None else None
        if version is None or version.state is not State.DEPRECATED:
            return None
        found = {
            "kind": "deprecated-version-used",
            "api": subject,
            "version": version.name,
            "state": version.state.value,
            "retires_in": version.retires_in,
            "sunset": version.sunset,
            "successor": version_name(version.successor) if version.successor else None,
            "documentation": version.documentation,
        }
        return {name: value for name, value in found.items() if value is not None}
