"""A checked query as SQL, the same rows in the same order on SQLite and PostgreSQL.

Texts are compared byte by byte. A comparison with what has no value is false, and `not` of it is true.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Double,
    Select,
    String,
    Text,
    and_,
    case,
    cast,
    collate,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    tuple_,
)
from sqlalchemy.sql.elements import Grouping

from troth.access.roles import relations, require
from troth.access.scopes import require_scope
from troth.errors import Malformed
from troth.queries.entities import ENTITIES
from troth.queries.entities.rows import Column, Entity, Expressions, Sight, account_called, first
from troth.queries.language.fields import Field, Kind
from troth.queries.language.hints import wrong
from troth.queries.language.patterns import posix
from troth.queries.language.syntax import (
    Among,
    Applied,
    Comparison,
    Expression,
    Found,
    Joined,
    Not,
    Null,
    Query,
)
from troth.queries.language.values import Line
from troth.registry.former_rows import MOMENT
from troth.versions.releases.ordering import order_key, parts_key

#: the function that SQLite is given for `~`
MATCHES = "troth_matches"
_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Output:
    """A column of the answer: its name, what is read for it, and what that is made into."""

    name: str
    expressions: Expressions
    made: Callable[[Sequence[Any]], Any]


@dataclass(frozen=True, slots=True)
class Key:
    """What rows are ordered by; NULL never occurs (`Selecting.keys`)."""

    expression: ColumnElement[Any]
    descends: bool


def require_entity(entity: Entity, sight: Sight) -> None:
    """Raises Forbidden where the caller, or its key, may not ask about the entity at all."""
    require_scope(entity.need, sight.actor.scope)
    if entity.grant:
        require(entity.grant, relations(sight.actor), "")


class Selecting:
    """Makes the SQL of one query for one caller. Raises Forbidden where it may not ask."""

    def __init__(self, query: Query, sight: Sight, *, postgresql: bool) -> None:
        self._query = query
        self._entity = ENTITIES[query.shape.name]
        self._sight = sight
        self._postgresql = postgresql
        self._parts: dict[str, Expressions] = {}
        #: what has to stand beside the rows to know what they were
        self._former = {self._entity.former} if self._entity.former and sight.differs(self._entity.former) else set()
        #: what holds of every row, said in a form that an index answers
        self._bounds: list[ColumnElement[bool]] = []
        require_entity(self._entity, sight)

    @property
    def parameters(self) -> dict[str, str]:
        """What its SQL is executed with."""
        return {} if self._sight.moment is None else {MOMENT.key: self._sight.moment}

    def outputs(self) -> list[Output]:
        """The columns of the answer."""
        extract: Sequence[Field | Applied] = self._query.extract
        if not extract:
            extract = [one.field for one in self._entity.columns if not one.field.large and self._known(one)]
        return [self._output(one) for one in extract]

    def rows(self, expressions: Sequence[ColumnElement[Any]]) -> Select[Any]:
        """A select of these expressions from the rows that the query finds and the caller may know of."""
        conditions = self._conditions()
        groups = [part for field in self._query.group_by for part in self._compared(field)]
        source = self._entity.source  # last, for every field that is named may need a table beside it
        for former in sorted(self._former, key=lambda one: one.source.name):
            source = former.joined(source, self._sight.changed(former))
        found = select(*expressions).select_from(source).where(*conditions)
        return found.group_by(*groups) if groups else found

    def keys(self, order_by: Sequence[tuple[Field | Applied, bool]]) -> list[Key]:
        """What the rows are ordered by, up to what names one row; of groups by all that they are made by."""
        found = [key for one, descends in order_by for key in self._keys_of(one, descends)]
        if self._query.grouped:
            rest = [one for one in self._query.group_by if one not in [field for field, _ in order_by]]
            return found + [key for one in rest for key in self._keys_of(one, False)]
        if order_by:
            self._begin_at_moment(order_by[0][0])
        return found + [Key(self._bytes(expression), descends) for expression, descends in self._entity.order]

    def _begin_at_moment(self, first: Field | Applied) -> None:
        """No row has a moment behind the one that is asked about: what comes in the order of one begins there."""
        moment = self._sight.moment
        if moment is not None and isinstance(first, Field) and first.kind is Kind.MOMENT and not first.nullable:
            self._bounds = [self._compared(first)[0] <= self._values(first, moment)[0]]

    def _conditions(self) -> list[ColumnElement[bool]]:
        where = [self._condition(self._query.where, False)] if self._query.where is not None else []
        return [*where, *self._bounds, self._entity.existed(self._sight), self._entity.visible(self._sight)]

    def _output(self, one: Field | Applied) -> Output:
        if isinstance(one, Applied):
            return self._applied(one)
        column = self._column(one)
        expressions = column.answered(self._sight)
        if self._query.group_by:  # rows that are equal in what is compared are one group
            expressions = (
                tuple(func.min(part) for part in expressions) if column.shown is not None else self._compared(one)
            )
        return Output(one.name, expressions, column.made)

    def _applied(self, one: Applied) -> Output:
        if one.field is None:
            return Output(one.name, (func.count(),), first)
        column = self._column(one.field)
        parts = self._compared(one.field)
        if one.function == "count":
            return Output(one.name, (func.count(parts[0]),), first)
        if one.function in ("sum", "avg"):
            return Output(one.name, (self._summed(one.function, one.field, parts[0]),), first)
        function = func.min if one.function == "min" else func.max
        if one.field.kind is Kind.VERSION:
            return Output(one.name, (function(self._padded(parts)),), _unpadded)
        return Output(one.name, (function(self._bytes(parts[0])),), column.made)

    def _summed(self, function: str, field: Field, part: ColumnElement[Any]) -> ColumnElement[Any]:
        if function == "avg":
            return func.avg(cast(part, Double))
        return cast(func.sum(part), BigInteger if field.kind is Kind.INTEGER else Double)

    def _keys_of(self, one: Field | Applied, descends: bool) -> list[Key]:
        """Each part; before what may have no value whether it has one, so that no value comes first."""
        if isinstance(one, Applied):
            expressions: Expressions = self._applied(one).expressions
            nullable = one.function != "count"
        else:
            expressions, nullable = self._compared(one), one.nullable
            if one.kind is Kind.MOMENT:  # which every collation orders alike, and whose indexes have none of their own
                return [*self._absent_first(expressions[0], nullable, descends), Key(expressions[0], descends)]
            if one.kind is Kind.BOOLEAN:  # which databases do not order alike
                expressions = (case((expressions[0], 1), else_=0),)
        found = self._absent_first(expressions[0], nullable, descends)
        return found + [Key(self._bytes(part), descends) for part in expressions]

    @staticmethod
    def _absent_first(part: ColumnElement[Any], nullable: bool, descends: bool) -> list[Key]:
        return [Key(case((part.is_(None), 0), else_=1), descends)] if nullable else []

    def _compared(self, field: Field) -> Expressions:
        """What a field is compared by: one and the same wherever it stands, which grouping needs."""
        if field.name not in self._parts:
            self._parts[field.name] = self._column(field).compared(self._sight)
        return self._parts[field.name]

    def _known(self, column: Column) -> bool:
        """Whether what it was at the moment is known."""
        if self._sight.moment is None or column.former is None:
            return True
        return self._sight.moment >= self._sight.beginnings.get(column.former.source.name, "")

    def _column(self, field: Field) -> Column:
        column = self._entity.by_name[field.name]
        if self._sight.moment is not None and column.former is not None:
            if not self._known(column):
                raise not_known(field, self._sight.beginnings[column.former.source.name])
            if self._sight.differs(column.former):
                self._former.add(column.former)
        return column

    def _condition(self, node: Expression, negated: bool) -> ColumnElement[bool]:
        if isinstance(node, Joined):
            join = and_ if node.operator == "and" else or_
            return join(*(self._condition(one, negated) for one in node.operands))
        if isinstance(node, Not):
            return not_(self._condition(node.operand, True))
        if isinstance(node, Null):
            part = self._compared(node.field)[0]
            return part.is_(None) if node.wanted else part.is_not(None)
        found = self._decided(node)
        fields = (node.field,) if isinstance(node, Comparison) else node.fields
        if not negated and not isinstance(node, Found):
            found = and_(*self._at_most(node), found)
        return func.coalesce(found, false()) if negated and any(one.nullable for one in fields) else found

    def _at_most(self, node: Comparison | Among) -> list[ColumnElement[bool]]:
        """Which rows can have met it at the moment, in a form that indexes answer; nothing where it is about what nothing changed."""
        fields = (node.field,) if isinstance(node, Comparison) else node.fields
        formers = {self._entity.by_name[one.name].former for one in fields}
        former = formers.pop()
        if former is None or formers or self._sight.moment is None:
            return []
        if isinstance(node, Comparison) and node.operator == "~":  # which asks besides who may know of the row now
            return []
        changed = self._sight.changed(former)
        if changed is None and fields[0].kind is Kind.BOOLEAN:  # half of the rows, which are many, are no saving
            return []
        now = Selecting(self._query, replace(self._sight, moment=None), postgresql=self._postgresql)
        present = now._decided(node)
        if changed == []:  # it is what it is now, but may be known only where it had come by then
            return [present] if any(not self._same(now, one) for one in fields) else []
        return [former.held_at_most(present, changed, postgresql=self._postgresql)] if former.kept(present) else []

    def _same(self, other: Selecting, field: Field) -> bool:
        """Whether both compare the field by the same."""
        return all(one.compare(two) for one, two in zip(self._compared(field), other._compared(field), strict=True))

    def _decided(self, node: Comparison | Among | Found) -> ColumnElement[bool]:
        if isinstance(node, Comparison):
            return self._comparison(node)
        parts = [part for one in node.fields for part in self._compared(one)]
        if isinstance(node, Among):
            rows = [
                tuple(value for field, one in zip(node.fields, row, strict=True) for value in self._values(field, one))
                for row in node.values
            ]
            return _among(parts, rows)
        return self._found(parts, node.query)

    def _found(self, parts: Sequence[ColumnElement[Any]], query: Query) -> ColumnElement[bool]:
        inner = Selecting(query, self._sight, postgresql=self._postgresql)
        wanted = inner.compared()
        found = inner.rows(wanted)
        if not query.grouped:
            found = found.where(*(one.is_not(None) for one in wanted))
        found = found.correlate(None)
        return tuple_(*parts).in_(found) if len(parts) > 1 else parts[0].in_(found)

    def compared(self) -> list[ColumnElement[Any]]:
        """What another query compares its fields with."""
        found: list[ColumnElement[Any]] = []
        for one in self._query.extract:
            found += self._applied(one).expressions if isinstance(one, Applied) else self._compared(one)
        return found

    def _comparison(self, node: Comparison) -> ColumnElement[bool]:
        column = self._column(node.field)
        parts = self._compared(node.field)
        if node.operator == "~":
            return self._matched(parts[0], node.value)
        if node.operator == "in-line":
            return _in_line(node.field, parts, node.value)
        if node.operator == "compatible-with":
            return self._compatible(node.field, parts, node.value)
        if node.operator == "=" and column.account_id is not None:
            return self._bytes(column.account_id) == account_called(str(node.value))
        if node.operator == "=" and column.equal is not None:
            return column.equal(self._sight, str(node.value))
        values = self._values(node.field, node.value)
        if len(parts) > 1:
            return _BY_OPERATOR[node.operator](tuple_(*parts), tuple_(*values))
        compared_as_text = node.operator != "=" and node.field.kind is not Kind.MOMENT
        return _BY_OPERATOR[node.operator](self._bytes(parts[0]) if compared_as_text else parts[0], values[0])

    def _values(self, field: Field, value: Any) -> tuple[Any, ...]:
        if field.kind is Kind.VERSION:
            return tuple(value)
        return (self._entity.by_name[field.name].given(value),)

    def _matched(self, part: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
        """Tried on rows only that the caller may know of: how long it takes tells nothing of others."""
        if self._postgresql:
            found: ColumnElement[bool] = part.op("~", return_type=Boolean())(posix(pattern))
        else:
            found = getattr(func, MATCHES)(literal(pattern), part, type_=Boolean())
        return case((self._entity.visible(self._sight), found), else_=false())

    def _compatible(self, field: Field, parts: Expressions, value: Any) -> ColumnElement[bool]:
        if field.kind is Kind.VERSION:
            return and_(parts[0] == value.major, tuple_(*parts) >= tuple_(*value))
        line = _in_line(field, parts, Line(value.major, None))
        return and_(line, self._bytes(parts[0]) >= order_key(value))

    def _bytes(self, part: ColumnElement[Any]) -> ColumnElement[Any]:
        """A text as it is ordered on both databases."""
        return collate(Grouping(part), "C") if self._postgresql and isinstance(part.type, String) else part

    def _padded(self, parts: Expressions) -> ColumnElement[Any]:
        """A version as a text whose order is that of its numbers."""
        if self._postgresql:
            padded = [func.lpad(cast(part, Text), _DIGITS, "0", type_=Text()) for part in parts]
        else:
            padded = [func.printf("%010d", part, type_=Text()) for part in parts]
        return self._bytes(case((parts[0].is_(None), null()), else_=padded[0] + padded[1] + padded[2]))


def not_known(field: Field, begins: str) -> Malformed:
    """The refusal of a field at a moment before its history."""
    return wrong(
        f"what {field.name} was before {begins} is not known",
        "what it was is kept since this registry was upgraded, and the journal does not tell all that was before",
        "leave it out, or ask about a later moment; the journal has the commands that changed it",
    )


_BY_OPERATOR: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "=": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def _among(parts: Sequence[ColumnElement[Any]], rows: Sequence[tuple[Any, ...]]) -> ColumnElement[bool]:
    if not rows:
        return false()
    if len(parts) == 1:
        return parts[0].in_([row[0] for row in rows])
    return tuple_(*parts).in_(rows)


def _in_line(field: Field, parts: Expressions, line: Line) -> ColumnElement[bool]:
    if field.kind is Kind.VERSION:
        found = parts[0] == line.major
        return found if line.minor is None else found & (parts[1] == line.minor)
    begins = parts_key(line.major) if line.minor is None else parts_key(line.major, line.minor)
    return func.substr(parts[0], 1, len(begins)) == begins


def _unpadded(values: Sequence[Any]) -> str | None:
    text = values[0]
    return (
        None if text is None else ".".join(str(int(text[at : at + _DIGITS])) for at in range(0, 3 * _DIGITS, _DIGITS))
    )
