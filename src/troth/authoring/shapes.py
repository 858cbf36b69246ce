"""Types as callers see them: each can convert a value that was decoded from JSON, and describe what it takes as JSON Schema.

The two stand side by side so that they say the same: what converts is valid, and what is valid converts. JSON Schema cannot
say it of base64 text, nor of numbers beyond a float.
"""

from __future__ import annotations

import binascii
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from troth.authoring.definitions import Definitions, Schema
from troth.authoring.mismatch import InputError, mismatch, shown


class Shape(ABC):
    """One type."""

    #: what it takes, in words
    expected: str

    @abstractmethod
    def convert(self, value: Any) -> Any:
        """The value as the author's type. Raises InputError."""

    @abstractmethod
    def schema(self, definitions: Definitions) -> Schema:
        """What is taken, as JSON Schema; named types go to the definitions."""


class Anything(Shape):
    """Every value, as it came."""

    expected = "any value"

    def convert(self, value: Any) -> Any:
        return value

    def schema(self, definitions: Definitions) -> Schema:
        return {}


@dataclass(frozen=True)
class Scalar(Shape):
    """A value without parts; it is compared by its own type, because a bool is an int to Python and not to JSON."""

    expected: str
    type: str
    accepts: Callable[[Any], bool]
    make: Callable[[Any], Any]

    def convert(self, value: Any) -> Any:
        if not self.accepts(value):
            raise mismatch(self.expected, value)
        try:
            return self.make(value)
        except OverflowError:
            raise mismatch(f"{self.expected} that a float can hold", value) from None

    def schema(self, definitions: Definitions) -> Schema:
        return {"type": self.type}


def _is_whole(value: Any) -> bool:
    return type(value) is int or (type(value) is float and value.is_integer())


def _same(value: Any) -> Any:
    return value


NULL = Scalar("null", "null", lambda value: value is None, _same)
BOOLEAN = Scalar("true or false", "boolean", lambda value: type(value) is bool, _same)
INTEGER = Scalar("an integer", "integer", _is_whole, int)
NUMBER = Scalar("a number", "number", lambda value: type(value) is float or type(value) is int, float)
STRING = Scalar("a string", "string", lambda value: type(value) is str, _same)


class Binary(Shape):
    """Bytes: the body of a binary call, and base64 text inside JSON."""

    expected = "binary data, in JSON as base64"

    def convert(self, value: Any) -> Any:
        if isinstance(value, bytes):
            return value
        if not isinstance(value, str):
            raise mismatch(self.expected, value)
        try:
            return binascii.a2b_base64(value.encode("ascii"), strict_mode=True)
        except ValueError:
            raise mismatch(self.expected, value) from None

    def schema(self, definitions: Definitions) -> Schema:
        return {"type": "string", "contentEncoding": "base64"}


class Many(Shape):
    """An array of one type, as a list, a tuple or a set; the items of a set have to differ."""

    expected = "an array"

    def __init__(self, make: Callable[[Iterable[Any]], Any], item: Shape) -> None:
        self._make = make
        self._item = item
        self._different = make in (set, frozenset)

    def convert(self, value: Any) -> Any:
        if not isinstance(value, list):
            raise mismatch(self.expected, value)
        found = value if isinstance(self._item, Anything) else _converted(value, repeat(self._item))
        return self._collected(found) if self._different else self._make(found)

    def _collected(self, found: list[Any]) -> Any:
        try:
            collected = self._make(found)
        except TypeError:  # what has parts that can change cannot be in a set
            raise mismatch("an array of values without parts", found) from None
        if len(collected) < len(found):
            raise InputError("expected an array of different items, got one of them twice")
        return collected

    def schema(self, definitions: Definitions) -> Schema:
        item = self._item.schema(definitions)
        found = {"type": "array", **({"items": item} if item else {})}
        return {**found, "uniqueItems": True} if self._different else found


class Row(Shape):
    """An array with a type for each place: a tuple, or a NamedTuple by its name, whose last places may have defaults.

    The places are given later, because a type can contain itself.
    """

    def __init__(self, make: Callable[[list[Any]], Any], kind: type | None = None) -> None:
        self._make = make
        self._kind = kind
        self.expected = f"an array ({kind.__name__})" if kind else "an array"
        self.give([], 0)

    def give(self, places: Sequence[Shape], required: int) -> None:
        """Completes it; an input has at least the `required` first places."""
        self._places = places
        self._required = required
        most = len(places)
        self._counted = f"{self.expected} of {most}" if required == most else f"{self.expected} of {required} to {most}"

    def convert(self, value: Any) -> Any:
        if not isinstance(value, list) or not self._required <= len(value) <= len(self._places):
            raise mismatch(self._counted, value)
        return self._make(_converted(value, self._places))

    def schema(self, definitions: Definitions) -> Schema:
        if self._kind is None:
            return self._described(definitions)
        return definitions.reference(self._kind, lambda: self._described(definitions))

    def _described(self, definitions: Definitions) -> Schema:
        places = [place.schema(definitions) for place in self._places]
        least = len(places) if definitions.result else self._required
        return {
            "type": "array",
            **({"prefixItems": places} if places else {}),
            "minItems": least,
            "maxItems": len(places),
        }


def _converted(values: list[Any], shapes: Iterable[Shape]) -> list[Any]:
    """Each value as its shape has it; an error names the place in the array."""
    found: list[Any] = []
    for value, shape in zip(values, shapes, strict=False):
        try:
            found.append(shape.convert(value))
        except InputError as error:
            raise error.within(len(found)) from None
    return found


class Table(Shape):
    """An object whose keys are free and whose values are of one type."""

    expected = "an object"

    def __init__(self, item: Shape) -> None:
        self._item = item

    def convert(self, value: Any) -> Any:
        if not isinstance(value, dict):
            raise mismatch(self.expected, value)
        found = {}
        for key, item in value.items():
            try:
                found[key] = self._item.convert(item)
            except InputError as error:
                raise error.within(key) from None
        return found

    def schema(self, definitions: Definitions) -> Schema:
        item = self._item.schema(definitions)
        return {"type": "object", **({"additionalProperties": item} if item else {})}


class OneOf(Shape):
    """The first of several types that takes the value."""

    def __init__(self, members: Sequence[Shape]) -> None:
        self._members = members
        self.expected = " or ".join(dict.fromkeys(member.expected for member in members))
        others = [member for member in members if member is not NULL]
        # the one type beside null: its own error says more than "this or null"
        self._optional = others[0] if len(others) == 1 else None

    def convert(self, value: Any) -> Any:
        if self._optional is not None:
            return None if value is None else self._optional.convert(value)
        for member in self._members:
            try:
                return member.convert(value)
            except InputError:
                continue
        raise mismatch(self.expected, value)

    def schema(self, definitions: Definitions) -> Schema:
        return {"anyOf": [member.schema(definitions) for member in self._members]}


class Choice(Shape):
    """One of some values without parts, each with what the author's code gets for it: a Literal, or an Enum by its name."""

    def __init__(self, members: Sequence[tuple[Any, Any]], kind: type | None = None) -> None:
        self._members = {_comparable(value): member for value, member in reversed(members)}
        self._values = [value for value, _ in members]
        self._kind = kind
        self.expected = "one of " + ", ".join(shown(value) for value in self._values)

    def convert(self, value: Any) -> Any:
        try:
            return self._members[_comparable(value)]
        except (KeyError, TypeError):  # TypeError: an array or an object
            raise mismatch(self.expected, value) from None

    def schema(self, definitions: Definitions) -> Schema:
        described: Schema = {"enum": self._values}
        return definitions.reference(self._kind, lambda: described) if self._kind else described


def _comparable(value: Any) -> tuple[bool, Any]:
    """A key that tells true from 1, which are equal to Python and not to JSON."""
    return isinstance(value, bool), value
