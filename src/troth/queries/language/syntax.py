"""A query that was read: every field exists, every value has the type that its field compares with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from troth.queries.language.fields import Field, Shape


@dataclass(frozen=True, slots=True)
class Comparison:
    """An operator of `fields.COMPARISONS`; the value is typed (`values.typed`)."""

    operator: str
    field: Field
    value: Any


@dataclass(frozen=True, slots=True)
class Null:
    """Whether the field has no value."""

    field: Field
    wanted: bool


@dataclass(frozen=True, slots=True)
class Among:
    """Whether the fields together are one of these rows of values."""

    fields: tuple[Field, ...]
    values: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Whether the fields together are in a row that another query finds."""

    fields: tuple[Field, ...]
    query: Query


@dataclass(frozen=True, slots=True)
class Joined:
    """`and` or `or` of at least two."""

    operator: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not:
    operand: Expression


Expression = Comparison | Null | Among | Found | Joined | Not


@dataclass(frozen=True, slots=True)
class Applied:
    """A function of a field, or of the rows."""

    function: str
    field: Field | None

    @property
    def name(self) -> str:
        """What the answer calls it."""
        return f"{self.function}_{self.field.name}" if self.field else self.function


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of one entity. Nothing extracted is every field that is not large."""

    shape: Shape
    where: Expression | None = None
    extract: tuple[Field | Applied, ...] = ()
    group_by: tuple[Field, ...] = ()

    @property
    def grouped(self) -> bool:
        """Whether its rows are made of several rows of the entity."""
        return bool(self.group_by) or any(isinstance(one, Applied) for one in self.extract)
