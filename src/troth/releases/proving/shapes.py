"""The shape of a database: tables, columns, keys, constraints and views, and how two of them differ."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from troth.releases.proving.databases import BOOKKEEPING, Database

Shape = Mapping[str, Mapping[str, Any]]


def shape(database: Database) -> Shape:
    """What each table and view consists of, by name; the order of columns counts for nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # indexes on expressions are told by the database's own text
        seen = sa.inspect(database.engine)
        found: dict[str, dict[str, Any]] = {}
        for name in seen.get_table_names():
            if name not in BOOKKEEPING:
                found[name] = dict(_table(seen, name))
        for name in seen.get_view_names():
            found[name] = {"view": _spaced(seen.get_view_definition(name) or "")}
    return found


def _table(seen: sa.Inspector, name: str) -> Iterator[tuple[str, Any]]:
    key = seen.get_pk_constraint(name)["constrained_columns"]
    yield "the primary key", key
    for column in seen.get_columns(name):
        facts = (str(column["type"]), bool(column["nullable"]), _spaced(str(column["default"])))
        yield f"the column {column['name']}", facts
    for one in seen.get_foreign_keys(name):
        columns = ", ".join(one["constrained_columns"])
        yield (
            f"the foreign key of {columns}",
            (one["referred_table"], one["referred_columns"], sorted(one.get("options", {}).items())),
        )
    for unique in seen.get_unique_constraints(name):
        yield f"the unique constraint on {', '.join(unique['column_names'])}", True
    for index in seen.get_indexes(name):
        columns = ", ".join(str(column) for column in index["column_names"])
        yield f"the index on {columns}", bool(index["unique"])
    for check in seen.get_check_constraints(name):
        yield f"the check {_spaced(check['sqltext'])}", True


def _spaced(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().rstrip(";")


def differences(upgraded: Shape, fresh: Shape) -> Iterator[str]:
    """How an upgraded database differs from one that was made anew, in words."""
    for name in sorted(upgraded.keys() | fresh.keys()):
        if name not in fresh:
            yield f"{name} is left over"
        elif name not in upgraded:
            yield f"{name} is missing"
        else:
            one, other = upgraded[name], fresh[name]
            for part in sorted(one.keys() | other.keys()):
                if one.get(part) != other.get(part):
                    state = "is left over" if part not in other else "is missing" if part not in one else "is another"
                    yield f"{part} of {name} {state}"
