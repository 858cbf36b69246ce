"""Kinds of fields and the operators that each has: the table that queries are checked by, and described from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    #: RFC 3339; in UTC where it names no zone
    MOMENT = "moment"
    #: `major.minor.revision`, ordered by its numbers
    VERSION = "version"
    #: Semantic Versioning whole, ordered by precedence
    RELEASE = "release number"
    #: JSON, which is answered and not looked into
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Operator:
    """A row: how it is written, what it needs, and what it says."""

    name: str
    kinds: frozenset[Kind]
    means: str


_ORDERED = frozenset({Kind.TEXT, Kind.INTEGER, Kind.NUMBER, Kind.MOMENT, Kind.VERSION, Kind.RELEASE})
_COMPARED = _ORDERED | {Kind.BOOLEAN}
_LINES = frozenset({Kind.VERSION, Kind.RELEASE})

#: Every operator on a field. `and`, `or` and `not` join expressions.
OPERATORS: Mapping[str, Operator] = {
    row.name: row
    for row in (
        Operator("=", _COMPARED, "The field has this value."),
        Operator(">", _ORDERED, "The field is above this value; versions and moments by their order, not as text."),
        Operator(">=", _ORDERED, "The field has this value or is above it."),
        Operator("<", _ORDERED, "The field is below this value."),
        Operator("<=", _ORDERED, "The field has this value or is below it."),
        Operator("~", frozenset({Kind.TEXT}), "The regular expression is found in the field."),
        Operator("in", _COMPARED, "The field has one of these values: an array, or what a subquery finds."),
        Operator("null?", frozenset(Kind), "The field has no value (true), or has one (false)."),
        Operator("in-line", _LINES, "The version belongs to the line: 1.2 (or 1.2.*), or 1 (or 1.*)."),
        Operator("compatible-with", _LINES, "The version may stand for this one: the same major, and not below it."),
    )
}
COMPARISONS = ("=", ">", ">=", "<", "<=", "~", "in-line", "compatible-with")


@dataclass(frozen=True, slots=True)
class Function:
    """A function of an `extract`: of a field of these kinds, or of none where it counts rows."""

    name: str
    kinds: frozenset[Kind]
    means: str


FUNCTIONS: Mapping[str, Function] = {
    row.name: row
    for row in (
        Function("count", frozenset(Kind), "How many rows there are, or how many have a value in the field."),
        Function("min", _ORDERED - {Kind.RELEASE}, "The lowest value."),
        Function("max", _ORDERED - {Kind.RELEASE}, "The highest value."),
        Function("sum", frozenset({Kind.INTEGER, Kind.NUMBER}), "The sum of the values; of none it is null."),
        Function("avg", frozenset({Kind.INTEGER, Kind.NUMBER}), "The mean of the values; of none it is null."),
    )
}


@dataclass(frozen=True, slots=True)
class Field:
    """What a query can name of an entity."""

    name: str
    kind: Kind
    summary: str
    nullable: bool = False
    #: answered only where `extract` names it
    large: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """An entity as queries see it."""

    name: str
    fields: Mapping[str, Field]
