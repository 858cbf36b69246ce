"""The short form of queries, written from the JSON form: what `troth.queries.language.text.parse` reads back."""

from __future__ import annotations

import json
from typing import Any


def write(document: Any) -> str:
    """The short form of a query in its JSON form, which has to be one that `reading.read_query` takes."""
    if document is None:
        return ""
    return _written_query(document, "") if document[0] == "extract" else _written(document)


def _written(document: list[Any]) -> str:
    operator, *operands = document
    if operator in ("and", "or"):
        parts = [_written(one) for one in operands]
        if len(parts) == 1:
            return parts[0]
        return f" {operator} ".join(_within(one, text, operator) for one, text in zip(operands, parts, strict=True))
    if operator == "not":
        text = _written(operands[0])
        return f"not ({text})" if _joins(operands[0]) else f"not {text}"
    if operator == "null?":
        return f"{operands[0]} is null" if operands[1] else f"{operands[0]} is not null"
    if operator == "in":
        return _written_in(*operands)
    return f"{operands[0]} {operator} {_literal(operands[1])}"


def _joins(document: list[Any]) -> str:
    """`and` or `or` where the expression needs brackets inside another."""
    while document[0] in ("and", "or") and len(document) == 2:
        document = document[1]
    return document[0] if document[0] in ("and", "or") else ""


def _within(document: list[Any], text: str, operator: str) -> str:
    joins = _joins(document)
    return f"({text})" if joins and not (operator == "or" and joins == "and") else text


def _written_in(fields: Any, source: list[Any]) -> str:
    if isinstance(fields, list) and len(fields) == 1:
        fields, rows = fields[0], source
    several = isinstance(fields, list)
    named = f"({', '.join(fields)})" if several else fields
    if source[0] == "extract":
        entity = source[2][0].removeprefix("select_").replace("_", "-")
        inner = ["extract", source[1], *source[2][1:], *source[3:]]
        return f"{named} in ({_written_query(inner, entity)})"
    rows = [f"({', '.join(map(_literal, row))})" if several else _literal(row) for row in source[1]]
    return f"{named} in ({', '.join(rows)})"


def _written_query(document: list[Any], entity: str) -> str:
    columns, *rest = document[1:]
    listed = columns if isinstance(columns, list) and columns[:1] != ["function"] else [columns]
    text = "select " + ", ".join(_written_column(one) for one in listed)
    if entity:
        text += f" from {entity}"
    grouping = rest.pop() if rest and rest[-1] and rest[-1][0] == "group_by" else None
    if rest and rest[0] is not None:
        text += f" where {_written(rest[0])}"
    return text + (f" group by {', '.join(grouping[1:])}" if grouping else "")


def _written_column(column: Any) -> str:
    return column if isinstance(column, str) else f"{column[1]}({', '.join(column[2:])})"


def _literal(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
