"""What was kept in rows that are changed in place, until it was changed.

A row of `former_X` is what one of X was until `valid_to`, so at a moment the first that ends behind it tells, and where none does, X itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
    String,
    Table,
    and_,
    bindparam,
    case,
    exists,
    func,
    select,
)

from troth.registry.access_tables import account_details
from troth.registry.api_tables import api_versions, apis
from troth.registry.column_types import MOMENT as _MOMENT
from troth.registry.command_tables import command_subjects, command_versions, queued_commands
from troth.registry.prepared import Prepared
from troth.registry.product_tables import products
from troth.registry.tables import algorithms, builds, metadata

#: the moment that is asked about: a parameter of what is `joined`
MOMENT: Final = bindparam("moment_asked_about", type_=_MOMENT)


@dataclass(frozen=True)
class Former:
    """A table, and the one beside it that has what its rows were."""

    source: Table
    table: Table

    def keep(self, connection: Connection, now: str, **identity: Any) -> None:
        """Keeps what the row is, which is about to change; a row that is not there, and one that was kept at that moment, is not."""
        self._keeping.run(connection, {"ends": now, **{f"of_{name}": value for name, value in identity.items()}})

    def keep_known(self, connection: Connection, now: str, row: Mapping[str, Any]) -> None:
        """`keep` for who knows what the row is: its columns, by name. At each moment once."""
        self._adding.run(connection, {**row, "valid_to": now})

    @cached_property
    def _adding(self) -> Prepared:
        return Prepared(self.table.insert(), waits=True)

    @cached_property
    def _keeping(self) -> Prepared:
        ends = bindparam("ends", type_=_MOMENT)
        keys = [column.name for column in self.source.primary_key]
        kept = [column.name for column in self.table.columns if column.name != "valid_to"]
        of_row = [self.source.c[name] == bindparam(f"of_{name}", type_=self.source.c[name].type) for name in keys]
        before = exists().where(*self._same(self.table, self.source), self.table.c.valid_to >= ends)
        found = select(*(self.source.c[name] for name in kept), ends).where(*of_row, ~before.correlate(self.source))
        return Prepared(self.table.insert().from_select([*kept, "valid_to"], found))

    def forget(self, connection: Connection, name: str, values: Iterable[Any]) -> None:
        """Forgets all that rows were which are no more."""
        connection.execute(self.table.delete().where(self.table.c[name].in_(values)))

    def joined(self, source: FromClause) -> FromClause:
        """The rows with what they were at `MOMENT` beside them, which is nothing where they still are that."""
        return source.outerjoin(self.table, self._at_moment)

    def was(self, name: str) -> ColumnElement[Any]:
        """What a column held at the moment, in what is `joined`."""
        return self._was[name]

    # built once: what is built for each question costs more than the question

    @cached_property
    def _at_moment(self) -> ColumnElement[bool]:
        later = self.table.alias(f"later_{self.source.name}")
        ends = select(func.min(later.c.valid_to)).where(*self._same(later, self.source), later.c.valid_to > MOMENT)
        of_moment = self.table.c.valid_to == ends.correlate(self.source).scalar_subquery()
        return and_(*self._same(self.table, self.source), of_moment)

    @cached_property
    def _was(self) -> dict[str, ColumnElement[Any]]:
        changed = self.table.c.valid_to.is_not(None)
        return {one.name: case((changed, one), else_=self.source.c[one.name]) for one in self.table.columns
                if one.name != "valid_to"}  # fmt: skip

    def _same(self, one: Any, two: Any) -> list[Any]:
        return [one.c[column.name] == two.c[column.name] for column in self.source.primary_key]


def _former(source: Table, *names: str) -> Former:
    """With these columns, under the names that they have."""
    keys = [Column(one.name, one.type, primary_key=True, autoincrement=False) for one in source.primary_key]
    kept = [Column(name, source.c[name].type, nullable=source.c[name].nullable) for name in names]
    ends = Column("valid_to", _MOMENT, primary_key=True)
    return Former(source, Table(f"former_{source.name}", metadata, *keys, ends, *kept))


FORMER: Final[Mapping[str, Former]] = {
    row.source.name: row
    for row in (
        _former(account_details, "external_id"),
        _former(algorithms, "summary", "details", "settings"),
        _former(api_versions, "state", "since", "deprecated_at", "extended", "sunset", "dropped_in", "contract_digest"),
        _former(apis, "public"),
        _former(builds, "status", "source", "environment", "log", "started_by", "started_at", "finished_at"),
        _former(command_subjects, "flow"),
        _former(command_versions, "state", "deprecated_in", "retired_in", "handler", "schema", "serialisation"),
        _former(products, "summary", "public"),
        _former(queued_commands, "state", "attempts", "finished_at", "seconds", "outcome"),
    )
}

#: Since when former rows are complete, where that is not since ever: what was changed before, nobody could tell.
history_beginnings = Table(
    "history_beginnings",
    metadata,
    Column("name", String(63), primary_key=True),
    Column("valid_from", _MOMENT, nullable=False),
)


def keep(connection: Connection, source: Table, now: str, **identity: Any) -> None:
    """Keeps what a row is before it is changed at a moment. `identity` is its primary key."""
    FORMER[source.name].keep(connection, now, **identity)


def beginnings(connection: Connection) -> dict[str, str]:
    """Since when the history of a table is known, by its name; a table that is not named has all of it."""
    if _BEGINNING.first(connection, {}) is None:
        return {}
    return {row.name: row.valid_from for row in connection.execute(select(history_beginnings))}


_BEGINNING = Prepared(select(history_beginnings.c.name))
