"""Bounds in `Annotated`: objects of any library that have ge, gt, le, lt, min_length or max_length."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from troth.authoring.definitions import Definitions, Schema
from troth.authoring.mismatch import InputError, shown
from troth.authoring.shapes import Shape


@dataclass(frozen=True)
class Limit:
    """One kind of bound: in words, as a comparison, and its keyword in the schema of each type."""

    words: str
    holds: Callable[[Any, Any], bool]
    keywords: dict[str, str]
    of_length: bool = False


_LENGTHS = (str, bytes, list, tuple, set, frozenset, dict)
_LIMITS = {
    "ge": Limit("a number of at least", operator.ge, dict.fromkeys(("integer", "number"), "minimum")),
    "gt": Limit("a number above", operator.gt, dict.fromkeys(("integer", "number"), "exclusiveMinimum")),
    "le": Limit("a number of at most", operator.le, dict.fromkeys(("integer", "number"), "maximum")),
    "lt": Limit("a number below", operator.lt, dict.fromkeys(("integer", "number"), "exclusiveMaximum")),
    "min_length": Limit(
        "a length of at least",
        operator.ge,
        {"string": "minLength", "array": "minItems", "object": "minProperties"},
        of_length=True,
    ),
    "max_length": Limit(
        "a length of at most",
        operator.le,
        {"string": "maxLength", "array": "maxItems", "object": "maxProperties"},
        of_length=True,
    ),
}


class Bounded(Shape):
    """A type whose values keep within a bound."""

    def __init__(self, inner: Shape, limit: Limit, bound: float) -> None:
        self._inner = inner
        self._limit = limit
        self._bound = bound
        self.expected = inner.expected

    def convert(self, value: Any) -> Any:
        found = self._inner.convert(value)
        if not self._keeps(found):
            got = f"a length of {len(found)}" if self._limit.of_length else shown(value)
            raise InputError(f"expected {self._limit.words} {self._bound}, got {got}")
        return found

    def _keeps(self, value: Any) -> bool:
        """Whether the bound holds; it says nothing of other types, as in JSON Schema."""
        if self._limit.of_length:
            return not isinstance(value, _LENGTHS) or self._limit.holds(len(value), self._bound)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return not is_number or self._limit.holds(value, self._bound)

    def schema(self, definitions: Definitions) -> Schema:
        inner = self._inner.schema(definitions)
        if "contentEncoding" in inner:  # the length of base64 text is another one
            return inner
        words = [word for kind, word in self._limit.keywords.items() if inner.get("type", kind) == kind]
        keywords = dict.fromkeys(words, self._bound)
        return {"allOf": [inner], **keywords} if set(keywords) & set(inner) else {**inner, **keywords}


def bounded(inner: Shape, metadata: Sequence[Any]) -> Shape:
    """The type within every bound that the metadata states; metadata of other kinds is passed over."""
    for limit, bound in _limits(metadata):
        inner = Bounded(inner, limit, bound)
    return inner


def _limits(metadata: Iterable[Any]) -> Iterator[tuple[Limit, float]]:
    for item in metadata:
        for name, limit in _LIMITS.items():
            bound = getattr(item, name, None)
            if isinstance(bound, int | float) and not isinstance(bound, bool):
                yield limit, bound
        nested = getattr(item, "metadata", None)  # pydantic's Field() keeps its bounds in a list
        if isinstance(nested, list | tuple):
            yield from _limits(nested)
