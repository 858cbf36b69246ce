"""Rows made from a schema, so that migrations meet data: nulls, duplicates, empty and long texts where the schema takes them."""

from __future__ import annotations

import datetime
import decimal
import re
import uuid
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from troth.releases.proving.databases import BOOKKEEPING, Database, first_line

ROWS: Final = 24
#: A few rows are enough to fail on; the attempts are for constraints that refuse what is odd.
_ATTEMPTS: Final = 6
_TEXTS: Final = ("plain", "plain", "", "Zażółć gęślą jaźń", "O'Hara; -- \\", "long " * 40, "0", "null")
_WHOLE: Final = (1, 1, 0, 42, -1, 32_000)
_BROKEN: Final = ("1.5", "1.5", "0", "-2.25", "123.75")
_DAY: Final = datetime.date(2020, 2, 29)
_LISTED: Final = re.compile(r"(?:\"([^\"]+)\"|(\w+))(?:\)?::\w+)?\)*\s+IN\s*\(([^()]*)\)", re.IGNORECASE)
_ANY_OF: Final = re.compile(
    r"\(?(?:\"([^\"]+)\"|(\w+))\)?(?:::[\w ]+)?\)?\s*=\s*ANY\s*\(+ARRAY\[([^\]]*)\]", re.IGNORECASE
)


@dataclass(slots=True)
class Filled:
    """How many rows each table has got, and why others have none."""

    rows: dict[str, int] = field(default_factory=dict)
    empty: dict[str, str] = field(default_factory=dict)


def fill(database: Database) -> Filled:
    """Fills every empty table with rows that its constraints take, parents before children."""
    metadata = sa.MetaData()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what of a schema cannot be reflected is left to its defaults
        metadata.reflect(database.engine)
        tables = [table for table in metadata.sorted_tables if table.name not in BOOKKEEPING]
    found = Filled()
    with database.engine.connect() as connection:
        for table in tables:
            if connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one():
                continue
            _fill(connection, table, _listed_values(database.engine, table.name), found)
        connection.commit()
    return found


def _fill(connection: sa.Connection, table: sa.Table, listed: dict[str, list[str]], found: Filled) -> None:
    reason = ""
    for place in range(ROWS):
        for attempt in range(_ATTEMPTS):
            try:
                values = dict(_values(connection, table, listed, place, attempt))
                with connection.begin_nested():
                    connection.execute(table.insert().values(values))
                found.rows[table.name] = found.rows.get(table.name, 0) + 1
                break
            except (SQLAlchemyError, ValueError, TypeError, OverflowError) as error:
                reason = first_line(error)
        else:
            if not found.rows.get(table.name):
                break  # what takes none of the first will take none of the others
    if not found.rows.get(table.name):
        found.empty[table.name] = reason


def _values(
    connection: sa.Connection, table: sa.Table, listed: dict[str, list[str]], place: int, attempt: int
) -> Iterator[tuple[str, Any]]:
    unique = _unique(table)
    for column in table.columns:
        if column.computed is not None or column.identity is not None or table.autoincrement_column is column:
            continue
        if attempt >= 4 and (column.nullable or column.server_default is not None):
            continue
        if column.foreign_keys:
            yield column.name, _reference(connection, column, place)
        elif column.name in listed:
            choices = listed[column.name]
            yield column.name, _typed(column, choices[place % len(choices)])
        elif column.nullable and attempt == 0 and place % 4 == 3 and column.name not in unique:
            yield column.name, None
        else:
            yield column.name, _value(column.type, place, attempt, distinct=column.name in unique)


def _unique(table: sa.Table) -> set[str]:
    """The columns of which no value may be there twice, alone or with others."""
    found = {column.name for column in table.primary_key.columns}
    for one in table.constraints:
        if isinstance(one, sa.UniqueConstraint):
            found |= {column.name for column in one.columns}
    for index in table.indexes:
        if index.unique:
            found |= {column.name for column in index.columns}
    return found


def _reference(connection: sa.Connection, column: sa.Column[Any], place: int) -> Any:
    """A value of the column that is referred to; None where there is none yet."""
    target = next(iter(column.foreign_keys)).column
    query = sa.select(target).order_by(target).limit(ROWS)
    known = [row[0] for row in connection.execute(query)]
    if known and not (column.nullable and place % 5 == 4):
        return known[place % len(known)]
    if not column.nullable:
        raise ValueError(f"{target.table.name} has no row to refer to")
    return None


def _value(kind: sa.types.TypeEngine[Any], place: int, attempt: int, *, distinct: bool) -> Any:
    """A value of a type: the odd ones first, plain ones in later attempts, and each its own where it has to be `distinct`."""
    number = place + 1 + attempt * 1000
    plain = distinct or attempt > 0
    if isinstance(kind, sa.Enum):
        return kind.enums[place % len(kind.enums)]
    if isinstance(kind, sa.Boolean):
        return place % 2 == 0
    if isinstance(kind, sa.Integer):
        return number if plain else _WHOLE[place % len(_WHOLE)]
    if isinstance(kind, sa.Numeric | sa.Float):
        value = (
            decimal.Decimal(number % 10 if attempt > 2 else number)
            if plain
            else decimal.Decimal(_BROKEN[place % len(_BROKEN)])
        )
        return value if kind.asdecimal else float(value)
    if isinstance(kind, sa.DateTime):
        return datetime.datetime(2020, 2, 29, 23, 59, 59) + datetime.timedelta(hours=number)
    if isinstance(kind, sa.Date):
        return _DAY + datetime.timedelta(days=number)
    if isinstance(kind, sa.Time):
        return datetime.time(number % 24, number % 60)
    if isinstance(kind, sa.LargeBinary):
        return b"%d" % number if plain else (b"", b"\0\xff", b"bytes")[place % 3]
    if isinstance(kind, sa.JSON):
        return ({"number": number}, [], "text", None)[place % 4] if not plain else {"number": number}
    if isinstance(kind, sa.Uuid):
        return uuid.UUID(int=number)
    return _text(kind, place, number, plain=plain)


def _text(kind: sa.types.TypeEngine[Any], place: int, number: int, *, plain: bool) -> str:
    text = f"value {number}" if plain else _TEXTS[place % len(_TEXTS)]
    longest = getattr(kind, "length", None)
    return text if not isinstance(longest, int) or len(text) <= longest else (str(number) if plain else text)[:longest]


def _typed(column: sa.Column[Any], value: str) -> Any:
    return int(value) if isinstance(column.type, sa.Integer) else value


def _listed_values(engine: sa.Engine, table: str) -> dict[str, list[str]]:
    """The values that a check lists for a column, as in `status IN ('new', 'paid')`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        checks: Sequence[Any] = sa.inspect(engine).get_check_constraints(table)
    found: dict[str, list[str]] = {}
    for check in checks:
        said = str(check.get("sqltext") or "")
        for quoted, bare, values in [*_LISTED.findall(said), *_ANY_OF.findall(said)]:
            options = re.findall(r"'((?:[^']|'')*)'|(-?\d+)", values)
            found[quoted or bare] = [
                (text.replace("''", "'") if text or not digits else digits) for text, digits in options
            ]
    return {name: values for name, values in found.items() if values}
