"""From the JSON form of a query to a checked one.

`["and", ["=", "owner", "util"], [">=", "version", "0.2.0"]]`, or `["extract", ["owner", ["function", "count"]], EXPRESSION,
["group_by", "owner"]]`; null is a query without conditions. What is wrong raises Malformed with what was probably meant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from troth.errors import Malformed
from troth.queries.language import bounds, values
from troth.queries.language.fields import COMPARISONS, FUNCTIONS, OPERATORS, Field, Kind, Shape
from troth.queries.language.hints import unknown, wrong
from troth.queries.language.patterns import check_pattern
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

SELECT = "select_"


def read_query(document: Any, shape: Shape, shapes: Mapping[str, Shape]) -> Query:
    """The query that the document says of an entity; its subqueries may be of all `shapes`. Raises Malformed."""
    return _Reader(shapes).query(document, shape, 1)


class _Reader:
    """Reads one query, within `bounds`."""

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self._shapes = shapes
        self._parts = 0
        self._queries = 0

    def query(self, document: Any, shape: Shape, depth: int) -> Query:
        self._queries += 1
        if self._queries > bounds.MOST_QUERIES:
            raise wrong("the query has too many subqueries", f"it has at most {bounds.MOST_QUERIES - 1}")
        if document is None:
            return Query(shape)
        if isinstance(document, list) and document and document[0] == "extract":
            return self._extracted(document[1:], shape, depth)
        return Query(shape, self._expression(document, shape, depth))

    def _extracted(self, operands: list[Any], shape: Shape, depth: int) -> Query:
        if not 1 <= len(operands) <= 3:
            raise wrong(
                "extract has too few or too many parts", 'it is ["extract", FIELDS, EXPRESSION, ["group_by", FIELD]]'
            )
        listed, *rest = operands
        grouping = rest.pop() if rest and _is_grouping(rest[-1]) else None
        if len(rest) > 1:
            raise wrong("extract has more than one expression", "join them with and")
        where = self._expression(rest[0], shape, depth) if rest and rest[0] is not None else None
        extract = tuple(self._column(one, shape) for one in _several(listed, "extract"))
        group_by = tuple(self._field(one, shape) for one in grouping[1:]) if grouping else ()
        if grouping is not None and not group_by:
            raise wrong("group_by names no field", "rows are grouped by the values of fields")
        found = Query(shape, where, extract, group_by)
        _check_grouping(found)
        return found

    def _column(self, one: Any, shape: Shape) -> Field | Applied:
        if not isinstance(one, list):
            return self._field(one, shape)
        self._spend(1)
        if not 2 <= len(one) <= 3 or one[0] != "function":
            raise wrong(f"{str(one)[:60]} extracts nothing", 'it is a field, or ["function", "count"]')
        function = FUNCTIONS.get(one[1]) if isinstance(one[1], str) else None
        if function is None:
            raise unknown("the function", one[1], FUNCTIONS)
        if len(one) == 2:
            if function.name != "count":
                raise wrong(f"{function.name} needs a field", "only count does without one")
            return Applied("count", None)
        field = self._field(one[2], shape)
        if field.kind not in function.kinds:
            raise wrong(f"there is no {function.name} of {field.name}", f"it is of the kind {field.kind}")
        return Applied(function.name, field)

    def _expression(self, document: Any, shape: Shape, depth: int) -> Expression:
        if depth > bounds.DEEPEST:
            raise wrong("the query nests too deep", f"expressions are nested at most {bounds.DEEPEST} times",
                        "write and and or with many operands")  # fmt: skip
        if not isinstance(document, list) or not document or not isinstance(document[0], str):
            raise wrong(f"{str(document)[:60]!r} is no expression", "it is a list that begins with an operator",
                        'write ["=", "owner", "util"]')  # fmt: skip
        self._spend(1)
        operator, *operands = document
        read = _JOINING.get(operator)
        if read is not None:
            return read(self, operator, operands, shape, depth)
        if operator in COMPARISONS:
            return self._comparison(operator, operands, shape)
        raise unknown("the operator", operator, [*OPERATORS, *_JOINING])

    def _joined(self, operator: str, operands: list[Any], shape: Shape, depth: int) -> Expression:
        if not operands:
            raise wrong(f"{operator} joins nothing", "it has at least one operand")
        read = tuple(self._expression(one, shape, depth + 1) for one in operands)
        return read[0] if len(read) == 1 else Joined(operator, read)

    def _not(self, operator: str, operands: list[Any], shape: Shape, depth: int) -> Expression:
        _check_count(operator, operands, 1)
        return Not(self._expression(operands[0], shape, depth + 1))

    def _null(self, operator: str, operands: list[Any], shape: Shape, depth: int) -> Expression:
        _check_count(operator, operands, 2)
        if not isinstance(operands[1], bool):
            raise wrong("null? asks for true or false", "true finds rows without a value")
        return Null(self._field(operands[0], shape), operands[1])

    def _comparison(self, operator: str, operands: list[Any], shape: Shape) -> Expression:
        _check_count(operator, operands, 2)
        field = self._field(operands[0], shape)
        _check_operator(operator, field)
        self._spend(1)
        value = values.typed(field, operator, operands[1])
        if operator == "~":
            check_pattern(value)
        return Comparison(operator, field, value)

    def _in(self, operator: str, operands: list[Any], shape: Shape, depth: int) -> Expression:
        _check_count(operator, operands, 2)
        fields = tuple(self._field(one, shape) for one in _several(operands[0], "in"))
        for field in fields:
            _check_operator(operator, field)
        source = operands[1]
        if isinstance(source, list) and len(source) == 2 and source[0] == "array" and isinstance(source[1], list):
            return Among(fields, self._array(fields, source[1]))
        if isinstance(source, list) and len(source) in (3, 4) and source[0] == "extract":
            return Found(fields, self._subquery(fields, source, depth))
        raise wrong(f"in cannot look into {str(source)[:60]}", "it looks into an array, or into what a subquery extracts",
                    'write ["array", ["a", "b"]] or ["extract", "owner", ["select_accounts", EXPRESSION]]')  # fmt: skip

    def _array(self, fields: Sequence[Field], rows: list[Any]) -> tuple[tuple[Any, ...], ...]:
        if len(rows) > bounds.MOST_VALUES:
            raise wrong("the array is too long", f"it has at most {bounds.MOST_VALUES} values")
        self._spend(len(rows))
        found = []
        for row in rows:
            parts = [row] if len(fields) == 1 else row
            if not isinstance(parts, list) or len(parts) != len(fields):
                raise wrong(f"{str(row)[:60]} does not fit", f"each row of the array has {len(fields)} values")
            found.append(tuple(values.typed(field, "in", one) for field, one in zip(fields, parts, strict=True)))
        return tuple(found)

    def _subquery(self, fields: Sequence[Field], source: list[Any], depth: int) -> Query:
        listed, select, *grouping = source[1:]
        if not isinstance(select, list) or not 1 <= len(select) <= 2 or not isinstance(select[0], str):
            raise wrong(f"{str(select)[:60]} is no subquery", 'it is ["select_ENTITY", EXPRESSION]')
        shape = self._selected(select[0])
        inner = ["extract", listed, select[1] if len(select) == 2 else None, *grouping]
        found = self.query(inner, shape, depth + 1)
        kinds = [_kind_of(one) for one in found.extract]
        if kinds != [field.kind for field in fields]:
            raise wrong(
                f"in compares {', '.join(field.kind for field in fields)} with {', '.join(kinds)}",
                "a subquery extracts as many fields as are compared, each of the same kind",
            )
        return found

    def _selected(self, name: str) -> Shape:
        known = {SELECT + entity.replace("-", "_"): shape for entity, shape in self._shapes.items()}
        if name in known:
            return known[name]
        raise unknown("the subquery", name, known)

    def _field(self, name: Any, shape: Shape) -> Field:
        self._spend(1)
        found = shape.fields.get(name) if isinstance(name, str) else None
        if found is None:
            raise unknown(f"the field of {shape.name}", name, shape.fields)
        return found

    def _spend(self, parts: int) -> None:
        self._parts += parts
        if self._parts > bounds.MOST_PARTS:
            raise wrong("the query is too large", f"it has at most {bounds.MOST_PARTS} operators, names and values")


_JOINING: dict[str, Callable[..., Expression]] = {
    "and": _Reader._joined,
    "or": _Reader._joined,
    "not": _Reader._not,
    "null?": _Reader._null,
    "in": _Reader._in,
}


def read_order(document: Any, query: Query) -> tuple[tuple[Field | Applied, bool], ...]:
    """(what is ordered by, whether it descends) of `order_by`: names, or pairs of a name and `asc` or `desc`.

    Of rows that are groups, names are those of the answer: fields, and functions like `count` or `max_version`.
    """
    known: dict[str, Field | Applied] = dict(query.shape.fields)
    if query.grouped:
        known = {one.name: one for one in query.extract}
    found = []
    for one in _several(document, "order_by"):
        name, direction = one if isinstance(one, list) and len(one) == 2 else (one, "asc")
        target = known.get(name) if isinstance(name, str) else None
        if target is None:
            raise unknown("what is ordered by,", name, known)
        if isinstance(target, Field) and target.kind is Kind.DOCUMENT:
            raise wrong(f"rows have no order by {target.name}", f"it is of the kind {target.kind}")
        if direction not in ("asc", "desc"):
            raise unknown("the direction", direction, ("asc", "desc"))
        found.append((target, direction == "desc"))
    if len(found) > bounds.MOST_ORDERS:
        raise wrong("order_by names too many fields", f"it has at most {bounds.MOST_ORDERS}")
    return tuple(found)


def _is_grouping(document: Any) -> bool:
    return isinstance(document, list) and bool(document) and document[0] == "group_by"


def _several(document: Any, what: str) -> list[Any]:
    """A list of names, or one name; `["function", ...]` is one."""
    if isinstance(document, str) or (isinstance(document, list) and document[:1] == ["function"]):
        return [document]
    if isinstance(document, list) and document:
        return document
    raise wrong(f"{what} names nothing", "it takes a field or a list of fields")


def _kind_of(one: Field | Applied) -> Kind:
    if isinstance(one, Field):
        return one.kind
    if one.function == "count" or one.field is None:
        return Kind.INTEGER
    return Kind.NUMBER if one.function == "avg" else one.field.kind


def _check_count(operator: str, operands: list[Any], count: int) -> None:
    if len(operands) != count:
        raise wrong(f"{operator} has {count} operands", f"here it has {len(operands)}")


def _check_operator(operator: str, field: Field) -> None:
    if field.kind in OPERATORS[operator].kinds:
        return
    fitting = [row.name for row in OPERATORS.values() if field.kind in row.kinds]
    raise Malformed(
        f"{operator} is not for {field.name}",
        why=f"it is of the kind {field.kind}, which has {', '.join(fitting)}",
        repair="use one of them",
        asked=operator,
    )


def _check_grouping(query: Query) -> None:
    if not query.grouped:
        return
    for one in query.extract:
        if isinstance(one, Field) and one not in query.group_by:
            raise wrong(
                f"{one.name} is extracted beside groups and is not what they are made by",
                "a group has one value only in the fields of group_by",
                f"add {one.name} to group_by, or extract a function of it",
            )
    for one in query.group_by:
        if one.kind is Kind.DOCUMENT:
            raise wrong(f"rows are not grouped by {one.name}", f"it is of the kind {one.kind}")
    names = [one.name for one in query.extract]
    if len(set(names)) != len(names):
        raise wrong("extract names something twice", "each column of an answer has a name of its own")
