"""The APIs that a server knows, in memory, as doors go by them while they answer: states, upstreams, operations.

Each change of the registry replaces the entry of one API. Readers never lock and never see half of a change.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from troth.calls.operations import Operations, operations_of
from troth.calls.own_apis import OwnApis
from troth.calls.routing import Caller, RoutingTable
from troth.registry import apis as api_rows
from troth.registry import upstreams
from troth.registry.upstreams import EVERY_VERSION, Upstream
from troth.versions.lifecycles.headers import prefix_address
from troth.versions.lifecycles.live import LiveTable
from troth.versions.lifecycles.own import OWN
from troth.versions.lifecycles.table import StateTable, version_name

#: Below which the gateway serves OWNER/API.
GATEWAY = "/gateway/"


@dataclass(frozen=True, slots=True)
class ServedApi:
    """One API in force."""

    subject: str
    owner_id: str
    public: bool
    live: LiveTable
    upstreams: Mapping[int, Upstream]
    operations: Mapping[int, Operations]

    def upstream(self, version: int) -> Upstream | None:
        """Where a version runs, if anybody said so."""
        return self.upstreams.get(version) or self.upstreams.get(EVERY_VERSION)

    def shown_to(self, caller: Caller | None, table: RoutingTable) -> bool:
        """Whether somebody may know of it: everybody, or members of the owner with a key that is not for other things."""
        if self.public:
            return True
        if caller is None or not (caller.scope.manage or caller.reach is None):
            return False
        return table.belongs(caller, self.owner_id) or caller.administrator


class Apis:
    """All of them by OWNER/API. It hears of each commit that changed one before who made it does."""

    def __init__(self, own: OwnApis, clock: Callable[[], float] = time.time) -> None:
        self.served: dict[str, ServedApi] = {}
        self.own = own
        self._clock = clock
        #: by the id of an API and the number of a version, with the digest of the document that they are of
        self._operations: dict[str, dict[int, tuple[str | None, Operations]]] = {}

    def now(self) -> datetime:
        """The present moment, by the clock that these go by."""
        return datetime.fromtimestamp(self._clock(), UTC)

    def load(self, connection: Connection) -> None:
        """Reads everything."""
        self._take({row.subject: self._served(connection, row) for row in api_rows.all_apis(connection)})

    def refresh_apis(self, connection: Connection, apis: set[str]) -> None:
        """Reads these anew."""
        served = dict(self.served)
        for subject in apis:
            row = api_rows.find_api(connection, subject)
            if row is None:
                served.pop(subject, None)
            else:
                served[subject] = self._served(connection, row)
        self._take(served)

    def _take(self, served: dict[str, ServedApi]) -> None:
        own = {name: served[name] for name in OWN if name in served}
        moved = any(self.served.get(name) is not one for name, one in own.items())
        self.served = served
        if moved:
            self.own.take({name: one.live.table for name, one in own.items()})

    def _served(self, connection: Connection, row: api_rows.ApiRow) -> ServedApi:
        versions = api_rows.versions_of(connection, row.id)
        table = self._states(connection, row, versions)
        live = LiveTable(table, prefix_address(f"{GATEWAY}{row.subject}/"), self._clock)
        found = upstreams.upstreams_of(connection, row.id)
        return ServedApi(row.subject, row.owner_id, row.public, live, found, self._described(connection, row, versions))

    def _described(
        self, connection: Connection, row: api_rows.ApiRow, versions: list[api_rows.VersionRow]
    ) -> Mapping[int, Operations]:
        """The operations of each version; only documents that are new are read, because a commit waits for it."""
        known, found = self._operations.get(row.id, {}), {}
        for version in [one for one in versions if one.dropped_in is None]:
            number, digest = version.number, version.contract_digest
            if number in known and known[number][0] == digest:
                found[number] = known[number]
            else:
                text = api_rows.contract_of(connection, row.id, number)[1]
                found[number] = (digest, operations_of(text, version_name(number)))
        self._operations[row.id] = found
        return {number: operations for number, (_, operations) in found.items()}

    def _states(self, connection: Connection, row: api_rows.ApiRow, versions: list[api_rows.VersionRow]) -> StateTable:
        table = api_rows.state_table(row, versions)
        return upstreams.with_brownouts(connection, row.id, table, self.now())
