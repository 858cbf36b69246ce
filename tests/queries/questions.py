"""Random queries that fit an entity, with values that its rows have and values that they do not."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.queries.small_registry import NOTES, NUMBERS, Known, moment
from troth.queries.entities import SHAPES
from troth.queries.language.fields import FUNCTIONS, OPERATORS, Field, Kind

PATTERNS = (
    "^ech",
    "o$",
    "^$",
    "[a-c_]",
    "e.h",
    "(a|e)c?",
    "^[^a-z]",
    "x{1,3}",
    "^(u|l)",
    "\\d",
    "ä",
    "\\.",
    "^e{0}c*h?o+",
)
LINES = ("0", "1", "1.*", "10", "1.0", "1.2.*", "2.10", "7")
_SUBJECTS = {"algorithms": "algorithm", "versions": "algorithm", "builds": "algorithm"}
JOINABLE = {
    "algorithms": ("algorithms", "versions", "builds"),
    "versions": ("algorithms", "versions", "builds"),
    "builds": ("algorithms", "versions", "builds"),
}


def expressions(known: Known, entity: str, *, past: bool = False, depth: int = 2) -> st.SearchStrategy[Any]:
    """Expressions on the fields of an entity."""
    fields = _fields(entity, past)
    leaf = st.one_of(*(_comparison(known, entity, field) for field in fields))
    if entity in JOINABLE and depth > 1:
        leaf = leaf | _subquery(known, entity, past)
    if depth == 0:
        return leaf
    inner = expressions(known, entity, past=past, depth=depth - 1)
    joined = st.builds(
        lambda word, parts: [word, *parts], st.sampled_from(("and", "or")), st.lists(inner, min_size=1, max_size=3)
    )
    return leaf | joined | inner.map(lambda one: ["not", one])


def _fields(entity: str, past: bool) -> list[Field]:
    return [one for one in SHAPES[entity].fields.values() if not one.large]


def _comparison(known: Known, entity: str, field: Field) -> st.SearchStrategy[Any]:
    names = [row.name for row in OPERATORS.values() if field.kind in row.kinds]
    values = _values(known, entity, field)

    def made(operator: str) -> st.SearchStrategy[Any]:
        if operator == "null?":
            return st.booleans().map(lambda wanted: [operator, field.name, wanted])
        if operator == "in":
            return st.lists(values, max_size=4).map(lambda rows: [operator, field.name, ["array", rows]])
        special = {"~": st.sampled_from(PATTERNS), "in-line": st.sampled_from(LINES)}
        return special.get(operator, values).map(lambda value: [operator, field.name, value])

    return st.sampled_from(names).flatmap(made)


def _values(known: Known, entity: str, field: Field) -> st.SearchStrategy[Any]:
    found = {row[field.name] for row in known.rows[entity] if isinstance(row.get(field.name), str | int | float)}
    listed = st.sampled_from(sorted(found, key=repr)) if found else st.nothing()
    others: dict[Kind, st.SearchStrategy[Any]] = {
        Kind.TEXT: st.sampled_from(NOTES)
        | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3),
        Kind.INTEGER: st.integers(-5, 5),
        Kind.NUMBER: st.sampled_from((0.0, 0.25, 0.3, 5)),
        Kind.BOOLEAN: st.booleans(),
        Kind.MOMENT: st.integers(-1, 60).map(moment),
        Kind.VERSION: st.sampled_from(("0.0.0", "1.0.3", "1.10.0", "2.0.0", "10.0.0")),
        Kind.RELEASE: st.sampled_from((*NUMBERS, "1.0.0-rc.1+build", "3.0.0")),
    }
    return listed | others[field.kind] if field.kind in others else st.nothing()


def _subquery(known: Known, entity: str, past: bool) -> st.SearchStrategy[Any]:
    def made(other: str) -> st.SearchStrategy[Any]:
        where = st.lists(expressions(known, other, past=past, depth=0), max_size=1)
        names = st.sampled_from(("algorithm", "owner", ["owner", "name"]))
        return st.builds(lambda name, inner: ["in", name, ["extract", name, [f"select_{other}", *inner]]], names, where)

    return st.sampled_from(JOINABLE[entity]).flatmap(made)


def groupings(known: Known, entity: str, *, past: bool = False) -> st.SearchStrategy[Any]:
    """Queries that extract functions, some by groups."""
    fields = [one for one in _fields(entity, past) if one.kind is not Kind.DOCUMENT]
    plain = [one for one in fields if one.kind is not Kind.RELEASE]
    calls = [["function", "count"]]
    calls += [["function", row.name, one.name] for row in FUNCTIONS.values() for one in fields if one.kind in row.kinds]
    by = st.lists(st.sampled_from([one.name for one in plain]), max_size=2, unique=True)
    functions = st.lists(st.sampled_from(calls), min_size=1, max_size=3, unique_by=lambda call: "_".join(call[1:]))
    where = st.none() | expressions(known, entity, past=past, depth=1)
    return st.builds(
        lambda names, listed, inner: ["extract", [*names, *listed], inner, *([["group_by", *names]] if names else [])],
        by, functions, where,
    )  # fmt: skip
