"""Statements that every command asks: compiled once for each kind of database, and run without what SQLAlchemy does each time.

One such statement takes a tenth of the processor time that the same one takes through `Connection.execute`. Within the
writer's transactions rows that can wait go out together, and what was found once is not asked again (`together`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Dialect, Engine, Table, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.visitors import iterate

from troth.registry.bulk import ROWS, bulk_rows, bulk_text

_TOGETHER = "what the writer's transaction holds back and remembers"


@dataclass(frozen=True, slots=True)
class _Compiled:
    text: str
    #: the same for many rows at once, which are its only parameter, as JSON; None where the driver takes one by one
    bulk: str | None
    #: names of parameters that whoever runs it gives
    given: tuple[str, ...]
    #: parameters that the statement itself brings, such as a limit
    own: dict[str, Any]
    #: names of parameters in their order, or None where the driver takes them by name
    order: tuple[str, ...] | None
    binds: dict[str, Callable[[Any], Any]]
    columns: tuple[tuple[int, Callable[[Any], Any]], ...]

    def values(self, given: Mapping[str, Any]) -> Any:
        """The parameters as the driver takes them."""
        found = {**self.own, **given}
        for name, convert in self.binds.items():
            found[name] = convert(found[name])
        return found if self.order is None else [found[name] for name in self.order]


@dataclass(slots=True)
class _Together:
    """Of one transaction: rows that are still to be written, and rows that were found."""

    rows: dict[Prepared, dict[Any, Mapping[str, Any]]] = field(default_factory=dict)
    found: dict[tuple[Prepared, tuple[Any, ...]], tuple[Any, ...] | None] = field(default_factory=dict)
    #: why rows could not be written, which whoever made them be written may have caught as a fault of its own
    fault: Exception | None = None

    def wait(self, connection: Connection, statement: Prepared, given: Mapping[str, Any]) -> None:
        """Holds a row back until it is written with the others of its statement."""
        if statement not in self.rows:
            self.before_writing(connection, statement)
        rows = self.rows.setdefault(statement, {})
        rows[statement.place(given, len(rows))] = given
        self.forget(statement)

    def write(self, connection: Connection) -> None:
        """Writes what was held back, each statement's rows at once, in the order in which the statements came."""
        while self.rows:
            statement = next(iter(self.rows))
            try:
                statement.many(connection, list(self.rows.pop(statement).values()))
            except Exception as error:
                self.fault = error
                raise

    def before_reading(self, connection: Connection, reading: Prepared) -> None:
        """Writes what was held back where this statement could tell."""
        if any(one.told_by(reading) for one in self.rows):
            self.write(connection)

    def before_writing(self, connection: Connection, writing: Prepared) -> None:
        """Writes what was held back where this statement could change what becomes of it."""
        if any(one.precedes(writing) for one in self.rows):
            self.write(connection)

    def forget(self, changing: Prepared) -> None:
        """Forgets what was found and may now be something else."""
        for key in [key for key in self.found if changing.told_by(key[0])]:
            del self.found[key]


@contextmanager
def together(connection: Connection) -> Iterator[None]:
    """A transaction in which rows that can wait do so until they are read, or until the end of the block at the latest.

    Raises what kept a row from being written, also where somebody caught it.
    """
    held = connection.info[_TOGETHER] = _Together()
    try:
        yield
        if held.fault is not None:
            raise held.fault
        held.write(connection)
    finally:
        connection.info.pop(_TOGETHER, None)


def listen(engine: Engine) -> None:
    """Makes every other statement see what was held back before it; savepoints are such statements too."""

    @event.listens_for(engine, "before_cursor_execute")
    def _before(
        connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
    ) -> None:
        held: _Together | None = connection.info.get(_TOGETHER)
        if held is not None:
            held.write(connection)
            if context.compiled is None or not context.compiled.statement.is_select:
                held.found.clear()


class Prepared:
    """A statement of SQLAlchemy's with bound parameters, and no lists among them; of an insert, the columns that are given.

    Rows of a statement that `waits` can be written later in their transaction: nothing that is written meanwhile refers to
    them, but for statements that wait themselves and come behind.
    """

    def __init__(self, statement: Any, columns: Sequence[str] | None = None, *, waits: bool = False) -> None:
        self._statement = statement
        self._columns = columns
        self._waits = waits
        self._compiled: dict[str, _Compiled] = {}
        #: names of the tables that it reads or writes
        self.tables = frozenset(one.name for one in iterate(statement) if isinstance(one, Table))

    def told_by(self, other: Prepared) -> bool:
        """Whether the other one may find something else once this one was carried out."""
        return bool(self.tables & other.tables)

    def precedes(self, other: Prepared) -> bool:
        """Whether it has to be carried out before the other one writes."""
        return bool(self.tables & other.tables)

    def place(self, given: Mapping[str, Any], number: int) -> Any:
        """What tells a row that waits from others of this statement; `number` of them wait already."""
        return number

    def run(self, connection: Connection, given: Mapping[str, Any]) -> None:
        """Carries it out, at the end of the transaction at the latest. Raises SQLAlchemy's errors."""
        held: _Together | None = connection.info.get(_TOGETHER)
        if held is not None and self._waits:
            held.wait(connection, self, given)
            return
        self._before_writing(connection, held)
        compiled = self._of(connection)
        _execute(connection, compiled.text, "execute", compiled.values(given)).close()

    def many(self, connection: Connection, given: Sequence[Mapping[str, Any]]) -> None:
        """Carries it out with each of these; of an update, each changes other rows. Raises SQLAlchemy's errors."""
        self._before_writing(connection, connection.info.get(_TOGETHER))
        compiled = self._of(connection)
        if compiled.bulk is None:
            _execute(connection, compiled.text, "executemany", [compiled.values(one) for one in given]).close()
        else:
            for rows in bulk_rows(given, compiled.given):
                _execute(connection, compiled.bulk, "execute", {**compiled.own, ROWS: rows}).close()

    def first(self, connection: Connection, given: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The first row that it finds. Raises SQLAlchemy's errors."""
        held: _Together | None = connection.info.get(_TOGETHER)
        if held is None:
            return self._first(connection, given)
        key = self, tuple(given.values())
        if key not in held.found:
            held.before_reading(connection, self)
            held.found[key] = self._first(connection, given)
        return held.found[key]

    def _first(self, connection: Connection, given: Mapping[str, Any]) -> tuple[Any, ...] | None:
        compiled = self._of(connection)
        cursor = _execute(connection, compiled.text, "execute", compiled.values(given))
        found = cursor.fetchone()
        cursor.close()
        if found is None or not compiled.columns:
            return None if found is None else tuple(found)
        row = list(found)
        for place, convert in compiled.columns:
            row[place] = convert(row[place])
        return tuple(row)

    def _before_writing(self, connection: Connection, held: _Together | None) -> None:
        if held is not None:
            held.before_writing(connection, self)
            held.forget(self)

    def _of(self, connection: Connection) -> _Compiled:
        dialect = connection.dialect
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = _compile(self._statement, self._columns, dialect)
        return found


class Change(Prepared):
    """An update of one row, named by the parameter `row`, that waits; of several of the same row the last one is written.

    Meanwhile `found_by` finds the row as it will be, for who changes it says what that is, and nothing else that it finds is
    changed: so one transaction changes many rows, and the same row often, with one statement.
    """

    def __init__(self, statement: Any, *, row: str, found_by: Prepared) -> None:
        super().__init__(statement, waits=True)
        self._row = row
        self._found_by = found_by

    def told_by(self, other: Prepared) -> bool:
        return other is not self._found_by and super().told_by(other)

    def precedes(self, other: Prepared) -> bool:
        # what `found_by` found must not be forgotten as long as the change waits
        return bool((self.tables | self._found_by.tables) & other.tables)

    def place(self, given: Mapping[str, Any], number: int) -> Any:
        return given[self._row]

    def change(
        self, connection: Connection, given: Mapping[str, Any], named: Mapping[str, Any], row: tuple[Any, ...]
    ) -> None:
        """Carries it out; `row` is what `found_by` finds from now on where it is given `named`."""
        self.run(connection, given)
        held: _Together | None = connection.info.get(_TOGETHER)
        if held is not None:
            held.found[self._found_by, tuple(named.values())] = row


def _execute(connection: Connection, text: str, how: str, values: Any) -> Any:
    """The driver's cursor, after it did so."""
    if not connection.in_transaction():
        connection.begin()  # as `Connection.execute` would
    cursor = connection.connection.cursor()
    try:
        getattr(cursor, how)(text, values)
    except Exception as error:
        cursor.close()
        raise _told(error, text, connection.dialect) from error
    return cursor


def _compile(statement: Any, columns: Sequence[str] | None, dialect: Dialect) -> _Compiled:
    compiled = statement.compile(dialect=dialect, column_keys=columns)
    binds = {name: one.type.dialect_impl(dialect).bind_processor(dialect) for name, one in compiled.binds.items()}
    selected = statement.selected_columns if statement.is_select else ()
    made = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in selected]
    required = {name: one.type for name, one in compiled.binds.items() if one.required}
    return _Compiled(
        str(compiled),
        None if statement.is_select else bulk_text(str(compiled), required, dialect),
        tuple(required),
        {name: one.effective_value for name, one in compiled.binds.items() if not one.required},
        tuple(compiled.positiontup) if compiled.positional else None,
        {name: convert for name, convert in binds.items() if convert is not None},
        tuple((place, convert) for place, convert in enumerate(made) if convert is not None),
    )


def _told(error: Exception, text: str, dialect: Dialect) -> BaseException:
    """The driver's error as SQLAlchemy's, without parameters, which hold payloads."""
    driver = dialect.loaded_dbapi.Error
    if not isinstance(error, driver):
        return error
    return DBAPIError.instance(text, None, error, driver, hide_parameters=True, dialect=dialect)
