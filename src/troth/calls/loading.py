"""Fills the routing table from the registry, whole at the start and entry by entry after each commit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import Connection, select

from troth.calls.line_headers import NOTHING, headers_of_lines, stopped_lines
from troth.calls.routing import EXTERNAL, AlgorithmRoutes, Caller, Route, RoutingTable, VersionFact, algorithm_routes
from troth.registry import build_records, catalog, key_records, secret_records
from troth.registry.lines import recorded
from troth.registry.tables import accounts as account_table
from troth.registry.tables import members as member_table
from troth.runtime.engine import VersionSpec
from troth.versions.history import BuildStatus, Readings
from troth.versions.lifecycles.lines import lines_of


class TableLoader:
    """Keeps one routing table equal to the registry."""

    def __init__(self, table: RoutingTable, readings: Readings) -> None:
        self._table = table
        self._readings = readings
        #: what each account is found by in the table's `accounts`
        self._names: dict[str, list[str]] = {}

    def load(self, connection: Connection) -> None:
        """Reads everything."""
        with self._table.algorithms.mutate() as algorithms, self._table.subjects.mutate() as subjects:
            states = secret_records.states(connection)
            for row in catalog.all_algorithms(connection):
                algorithms[row.subject] = self._routes(connection, row, states)
                subjects[row.id] = row.subject
            self._table.algorithms, self._table.subjects = algorithms.finish(), subjects.finish()
        everybody = connection.execute(select(account_table.c.id)).scalars()
        self._refresh_accounts(connection, set(everybody))

    def refresh(self, connection: Connection, algorithms: set[str], accounts: set[str]) -> None:
        """Reads the named algorithms, and the keys and members of the named accounts, anew."""
        states = secret_records.states(connection) if algorithms else {}
        for algorithm_id in algorithms:
            row = catalog.get_algorithm(connection, algorithm_id)
            self._table.algorithms = self._table.algorithms.set(row.subject, self._routes(connection, row, states))
            self._table.subjects = self._table.subjects.set(row.id, row.subject)
        if accounts:
            self._refresh_accounts(connection, accounts)

    def _refresh_accounts(self, connection: Connection, changed: set[str]) -> None:
        members: dict[str, set[str]] = defaultdict(set)
        present = select(member_table.c.organization_id, member_table.c.account_id).where(
            member_table.c.valid_to.is_(None)
        )
        for row in connection.execute(present):
            members[row.organization_id].add(row.account_id)
        with self._table.members.mutate() as table:
            for account_id in changed:
                table[account_id] = frozenset(members[account_id])
            self._table.members = table.finish()
        found = key_records.callable_keys(connection, changed)
        with self._table.callers.mutate() as callers:
            for key in found:
                if key.valid:
                    callers[key.digest] = caller_with(key)
                elif key.digest in callers:
                    del callers[key.digest]
            self._table.callers = callers.finish()
        with self._table.accounts.mutate() as accounts:
            for account in key_records.signing_accounts(connection, changed):
                for name in self._names.pop(account.id, ()):
                    del accounts[name]
                if account.valid:
                    external = [f"{EXTERNAL}{account.external_id}"] if account.external_id else []
                    self._names[account.id] = [account.name, *external]
                    caller = Caller(account.id, account.name, account.administrator, kind=account.kind)
                    accounts.update(dict.fromkeys(self._names[account.id], caller))
            self._table.accounts = accounts.finish()

    def _routes(self, connection: Connection, row: catalog.AlgorithmRow, states: Mapping[str, str]) -> AlgorithmRoutes:
        secrets = "".join(f":{states[one]}" for one in (row.owner_id, row.id) if one in states)
        told = recorded(connection, row.id)
        lines = lines_of(catalog.history_of(connection, row.id), told) if told else {}
        headers = headers_of_lines(row.subject, lines)
        published = [
            VersionFact(
                version.number,
                version.permissions.public,
                _route(row, version.build, version, secrets),
                row.floats(version.published_at),
                headers.get(version.number.major, NOTHING),
            )
            for version in catalog.all_versions(connection, row.id)
        ]
        built = {
            build.hash: _route(row, build, None, secrets)
            for build in build_records.all_builds(connection, row.id)
            if build.status is BuildStatus.SUCCEEDED
        }
        latest_private, stopped = self._readings.latest_private, stopped_lines(row.subject, lines)
        return algorithm_routes(row.owner_id, published, built, latest_private=latest_private, stopped=stopped)


def caller_with(key: key_records.HeldKey) -> Caller:
    """The caller that a key stands for."""
    scope = key.scope
    return Caller(
        key.account_id,
        key.account,
        key.administrator and scope.administrator,
        key.id,
        scope,
        key.expires,
        kind=key.kind,
    )


def _route(
    algorithm: catalog.AlgorithmRow, build: build_records.BuildRow, version: catalog.VersionRow | None, secrets: str
) -> Route:
    """Where a version or build runs. Other `secrets`, of which only their state is known here, take other workers."""
    permissions = version.permissions if version else build.permissions
    spec = VersionSpec(
        id=f"{algorithm.id}:{build.hash}:{permissions.network_access}{secrets}",
        algorithm_id=algorithm.id,
        hash=build.hash,
        manifest=build.source,
        entry=build.entry,
        environment=build.environment,
        network_access=permissions.network_access,
        environment_content=build.environment_content,
    )
    exact = str(version.number) if version else build.hash
    source_open = permissions.source_visibility == "open"
    return Route(exact, build.source, spec, permissions.pipeline_enabled, source_open)
