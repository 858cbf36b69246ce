"""What was kept in rows that are changed in place, until it was changed.

A row of `former_X` is what one of X was until `valid_to`, so at a moment the first that ends behind it tells, and where none does, X itself.
Which rows changed since is looked up first (`Changes`): few did as a rule, and where none did, X is asked as it is asked now.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Index,
    Select,
    String,
    Table,
    and_,
    any_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    tuple_,
)
from sqlalchemy.sql.visitors import iterate, replacement_traverse

from troth.registry.access_tables import account_details
from troth.registry.api_tables import api_versions, apis
from troth.registry.column_types import MOMENT as _MOMENT
from troth.registry.command_tables import command_subjects, command_versions, queued_commands
from troth.registry.prepared import Prepared
from troth.registry.product_tables import products
from troth.registry.tables import algorithms, builds, metadata

#: how many rows that changed are named one by one, where a question is asked
FEW: Final = 500
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

    def joined(self, source: FromClause, keys: Sequence[Any] | None) -> FromClause:
        """The rows with what they were at `MOMENT` beside them, which is nothing where they still are that.

        `keys` are of the rows that changed since, where they are few: then what those were is read once, not looked up for each row.
        """
        return source.outerjoin(self.then(keys), self._at_moment if keys is None else self._of_few)

    def then(self, keys: Sequence[Any] | None) -> FromClause:
        """What stands beside the rows in what is `joined`."""
        return self.table if keys is None else self._few

    def was(self, name: str, keys: Sequence[Any] | None) -> ColumnElement[Any]:
        """What a column held at the moment, in what is `joined`."""
        return (self._was if keys is None else self._few_was)[name]

    def held_at_most(
        self, present: ColumnElement[bool], keys: Sequence[Any] | None, *, postgresql: bool
    ) -> ColumnElement[bool]:
        """Rows of which a condition on columns of the source holds now, and those that changed since of which it held before.

        `keys` are of the rows that changed, where they are known. No other row can have met it at `MOMENT`, and indexes find these.
        """
        mine = [self.source.c[one.name] for one in self.source.primary_key]
        changed: ColumnElement[bool]
        if len(mine) > 1:
            changed = tuple_(*mine).in_(self._changed_of_which(present))
        elif keys is None:
            changed = mine[0].in_(self._changed_of_which(present))
        else:
            changed = _one_of(mine[0], keys, postgresql=postgresql)
        # what is joined from outside is there then, which SQLite does not see by itself
        return and_(mine[0].is_not(None), or_(present, changed))

    def _changed_of_which(self, present: ColumnElement[bool]) -> Select[Any]:
        """Keys of rows that changed since and met the condition; of many, the index by their ends would cost more than it spares."""
        before: ColumnElement[bool] = replacement_traverse(present, {}, self._kept_of)  # type: ignore[call-overload]
        return self._selected_keys.where(self.table.c.valid_to + "" > MOMENT, before)

    @cached_property
    def _kept(self) -> dict[Any, Column[Any]]:
        return {self.source.c[one.name]: one for one in self.table.columns if one.name != "valid_to"}

    def _kept_of(self, one: Any, **_: Any) -> Any:
        return self._kept.get(one)

    def kept(self, condition: ColumnElement[bool]) -> bool:
        """Whether everything that it asks for is among what is kept of a row."""
        return all(one in self._kept for one in iterate(condition) if isinstance(one, Column))

    def changed(self, connection: Connection, moment: str) -> list[Any] | None:
        """Keys of the rows that changed since a moment; None where they are many."""
        rows = connection.execute(self._first_changing, {MOMENT.key: moment}).all()
        return None if len(rows) > FEW else list({tuple(row) if len(row) > 1 else row[0]: None for row in rows})

    # built once: what is built for each question costs more than the question

    @cached_property
    def _at_moment(self) -> ColumnElement[bool]:
        return and_(*self._same(self.table, self.source), *self._first_to_end)

    @cached_property
    def _first_to_end(self) -> tuple[ColumnElement[bool], ...]:
        """The row that ends first behind the moment: that none ends before it is asked of rows that have one only."""
        earlier = self.table.alias(f"earlier_{self.source.name}")
        of_row = self._same(earlier, self.table)
        sooner = exists().where(*of_row, earlier.c.valid_to > MOMENT, earlier.c.valid_to < self.table.c.valid_to)
        return self.table.c.valid_to > MOMENT, ~sooner.correlate(self.table)

    @cached_property
    def _few(self) -> FromClause:
        """With a limit that it never reaches, so that it is read once: databases do not take it apart."""
        return select(self.table).where(*self._first_to_end).limit(FEW).subquery(f"few_{self.table.name}")

    @cached_property
    def _of_few(self) -> ColumnElement[bool]:
        return and_(*self._same(self._few, self.source))

    @cached_property
    def _selected_keys(self) -> Select[Any]:
        return select(*(self.table.c[one.name] for one in self.source.primary_key)).correlate(None)

    @cached_property
    def _first_changing(self) -> Select[Any]:
        return self._selected_keys.where(self.table.c.valid_to > MOMENT).limit(FEW + 1)

    @cached_property
    def _was(self) -> dict[str, ColumnElement[Any]]:
        return self._was_in(self.table)

    @cached_property
    def _few_was(self) -> dict[str, ColumnElement[Any]]:
        return self._was_in(self._few)

    def _was_in(self, then: FromClause) -> dict[str, ColumnElement[Any]]:
        changed = then.c.valid_to.is_not(None)
        return {
            one.name: case((changed, one), else_=self.source.c[one.name]) for one in then.c if one.name != "valid_to"
        }

    def _same(self, one: Any, two: Any) -> list[Any]:
        return [one.c[column.name] == two.c[column.name] for column in self.source.primary_key]


def _one_of(column: Column[Any], keys: Sequence[Any], *, postgresql: bool) -> ColumnElement[bool]:
    """With the keys as one parameter: hundreds take longer to bind than the rows to find."""
    if postgresql:
        return column == any_(bindparam(None, list(keys), ARRAY(column.type)))
    listed = func.json_each(json.dumps(keys)).table_valued("value")
    return column.in_(select(listed.c.value).correlate(None))


def _former(source: Table, *names: str) -> Former:
    """With these columns, under the names that they have."""
    keys = [Column(one.name, one.type, primary_key=True, autoincrement=False) for one in source.primary_key]
    kept = [Column(name, source.c[name].type, nullable=source.c[name].nullable) for name in names]
    ends = Column("valid_to", _MOMENT, primary_key=True)
    table = Table(f"former_{source.name}", metadata, *keys, ends, *kept)
    Index(f"ix_{table.name}_valid_to", table.c.valid_to)
    return Former(source, table)


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


class Changes:
    """Which rows changed since a moment, of each table looked up once. The connection has to see one state throughout."""

    def __init__(self, connection: Connection, moment: str) -> None:
        self._connection = connection
        self._moment = moment
        self._found: dict[str, list[Any] | None] = {}

    def of(self, former: Former) -> list[Any] | None:
        """Their keys; None where they are many."""
        name = former.source.name
        if name not in self._found:
            self._found[name] = former.changed(self._connection, self._moment)
        return self._found[name]


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
