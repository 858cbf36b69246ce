"""From annotations to shapes."""

from __future__ import annotations

import collections.abc
import dataclasses
import types
import typing
from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin

from troth.authoring.bounds import bounded
from troth.authoring.definitions import Definitions, Schema
from troth.authoring.mismatch import InputError
from troth.authoring.models import model_of
from troth.authoring.records import Member, Record
from troth.authoring.shapes import (
    BOOLEAN,
    INTEGER,
    NULL,
    NUMBER,
    STRING,
    Anything,
    Binary,
    Choice,
    Many,
    OneOf,
    Row,
    Shape,
    Table,
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_SIMPLE: dict[Any, Shape] = {
    None: NULL,
    type(None): NULL,
    bool: BOOLEAN,
    int: INTEGER,
    float: NUMBER,
    str: STRING,
    bytes: Binary(),
    object: Anything(),
}
_WITHOUT_PARTS = (str, int, float, bool, type(None))


class Unsupported(TypeError):
    """A type that cannot be read from JSON."""


def convert(value: Any, kind: Any) -> Any:
    """A value that was decoded from JSON, as the annotated type `kind`. Raises InputError, or Unsupported."""
    return convert_with(Reader().read(kind), value)


def convert_with(shape: Shape, value: Any) -> Any:
    """The converted value; an input that is too deep is the caller's mistake as well."""
    try:
        return shape.convert(value)
    except RecursionError:
        raise InputError("expected fewer levels of arrays and objects, got too many") from None


def schema_of(kind: Any, *, result: bool = False) -> Schema:
    """JSON Schema 2020-12 of an annotated type, as callers send it or, with `result`, as they get it.

    Raises Unsupported.
    """
    return document(Reader().read(kind), result=result)


def document(shape: Shape, *, result: bool = False) -> Schema:
    """A whole schema, with the types that it names."""
    definitions = Definitions(result=result)
    found = {"$schema": DIALECT, **shape.schema(definitions)}
    return {**found, "$defs": definitions.found} if definitions.found else found


def hints_of(thing: Any) -> dict[str, Any]:
    """The annotations of a function or class, those written as text included. Raises Unsupported."""
    try:
        return typing.get_type_hints(thing, include_extras=True)
    except Exception as error:  # an annotation can be any expression
        name = getattr(thing, "__name__", thing)
        raise Unsupported(f"the annotations of {name} cannot be read: {error}") from error


class Reader:
    """Reads annotations; types that it met before are not read again, so that they may contain themselves."""

    def __init__(self) -> None:
        self._known: dict[type, Shape] = {}

    def read(self, kind: Any) -> Shape:
        """The shape of a type. Raises Unsupported."""
        origin = get_origin(kind)
        if origin in _COMPOUND:
            return _COMPOUND[origin](self, get_args(kind))
        if kind is Any:
            return Anything()
        if origin is None and (kind is None or isinstance(kind, type)):
            return self._class(kind)
        alias = getattr(kind, "__supertype__", None) or getattr(kind, "__value__", None)  # NewType; `type X = ...`
        if alias is not None:
            return self.read(alias)
        raise _unsupported(kind)

    def item(self, kinds: tuple[Any, ...]) -> Shape:
        """The shape of what a container holds; a bare one holds anything."""
        return self.read(kinds[-1]) if kinds else Anything()

    def _class(self, kind: Any) -> Shape:
        if kind in _SIMPLE:
            return _SIMPLE[kind]
        if kind in _COMPOUND:
            return _COMPOUND[kind](self, (Any, ...) if kind is tuple else ())
        if kind not in self._known:
            self._read_named(kind)
        return self._known[kind]

    def _read_named(self, kind: Any) -> None:
        if issubclass(kind, Enum):
            self._known[kind] = _choice([(member.value, member) for member in kind], kind)
        elif model := model_of(kind):
            self._known[kind] = model
        elif dataclasses.is_dataclass(kind):
            self._read_record(_record_of_fields(kind), kind, self._fields)
        elif issubclass(kind, dict) and hasattr(kind, "__required_keys__"):
            self._read_record(Record(dict, kind), kind, self._keys)
        elif issubclass(kind, tuple) and hasattr(kind, "_fields"):
            self._read_row(kind)
        else:
            raise _unsupported(kind)

    def _read_record(self, record: Record, kind: Any, members: Callable[[Any], dict[str, Member]]) -> None:
        self._known[kind] = record
        record.give(members(kind))

    def _fields(self, kind: Any) -> dict[str, Member]:
        """The members of a dataclass. Those that `__init__` does not take are in results only."""
        hints = hints_of(kind)
        for name, hint in hints.items():
            if isinstance(hint, dataclasses.InitVar):
                raise Unsupported(f"{kind.__name__}.{name} is an InitVar, and a result could not show it")
        return {
            field.name: Member(self.read(hints[field.name]), required=_has_no_default(field), in_input=field.init)
            for field in dataclasses.fields(kind)
        }

    def _keys(self, kind: Any) -> dict[str, Member]:
        """The members of a TypedDict. Its own lists of keys do not know qualifiers in annotations that are text."""
        found = {}
        for name, hint in hints_of(kind).items():
            qualifier = get_origin(hint)
            required = qualifier is Required or (qualifier is not NotRequired and name in kind.__required_keys__)
            found[name] = Member(self.read(hint), required=required, always_in_result=required)
        return found

    def _read_row(self, kind: Any) -> None:
        """Reads a NamedTuple, which JSON has as an array."""
        row = Row(lambda values: kind(*values), kind)
        self._known[kind] = row
        hints = hints_of(kind)
        row.give(
            [self.read(hints.get(name, Any)) for name in kind._fields], len(kind._fields) - len(kind._field_defaults)
        )


def _record_of_fields(kind: Any) -> Record:
    return Record(lambda found: kind(**found), kind)


def _has_no_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _tuple(reader: Reader, kinds: tuple[Any, ...]) -> Shape:
    if len(kinds) == 2 and kinds[1] is ...:
        return Many(tuple, reader.read(kinds[0]))
    row = Row(tuple)
    row.give([reader.read(kind) for kind in kinds], len(kinds))
    return row


def _table(reader: Reader, kinds: tuple[Any, ...]) -> Shape:
    if kinds and kinds[0] not in (str, Any):
        raise Unsupported(f"the keys of a JSON object are strings, not {_named(kinds[0])}")
    return Table(reader.item(kinds))


def _literal(reader: Reader, values: tuple[Any, ...]) -> Shape:
    return _choice([(value.value if isinstance(value, Enum) else value, value) for value in values])


def _choice(members: list[tuple[Any, Any]], kind: type | None = None) -> Choice:
    for value, _ in members:
        if not isinstance(value, _WITHOUT_PARTS):
            raise Unsupported(f"{value!r} cannot be one of the values of {_named(kind or Literal)}")
    return Choice(members, kind)


def _unsupported(kind: Any) -> Unsupported:
    return Unsupported(f"{_named(kind)} is not a type that JSON can be read as")


def _named(kind: Any) -> str:
    return kind.__qualname__ if isinstance(kind, type) else str(kind)


def _list(reader: Reader, kinds: tuple[Any, ...]) -> Shape:
    return Many(list, reader.item(kinds))


def _union(reader: Reader, kinds: tuple[Any, ...]) -> Shape:
    return OneOf([reader.read(kind) for kind in kinds])


#: Types with parameters, each with what reads it; the bare ones of them get no parameters.
_COMPOUND: dict[Any, Callable[[Reader, tuple[Any, ...]], Shape]] = {
    list: _list,
    collections.abc.Sequence: _list,
    collections.abc.Iterable: _list,
    tuple: _tuple,
    set: lambda reader, kinds: Many(set, reader.item(kinds)),
    frozenset: lambda reader, kinds: Many(frozenset, reader.item(kinds)),
    dict: _table,
    collections.abc.Mapping: _table,
    Union: _union,
    types.UnionType: _union,
    Literal: _literal,
    Annotated: lambda reader, kinds: bounded(reader.read(kinds[0]), kinds[1:]),
    Required: lambda reader, kinds: reader.read(kinds[0]),
    NotRequired: lambda reader, kinds: reader.read(kinds[0]),
}
