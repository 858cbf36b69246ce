"""JSON values as JSON Schema sees them (2020-12 core, 4.2): 1 equals 1.0, true does not equal 1, keys have no order."""

from __future__ import annotations

import json
from collections.abc import Hashable
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from troth.contracts.schema.answers import Json

#: The names of the six types, in the order of how small their smallest value is.
TYPES = ("null", "boolean", "number", "string", "array", "object")


@lru_cache(maxsize=4096, typed=True)
def exact(number: int | float | Decimal) -> Fraction:
    """The number that the JSON text of `number` says; a float is the decimal that it prints as."""
    if isinstance(number, int):
        return Fraction(number)
    return Fraction(Decimal(repr(number)) if isinstance(number, float) else number)


def is_number(value: Json) -> bool:
    """Whether `value` is a JSON number; true and false are none."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def type_of(value: Json) -> str:
    """The one of TYPES that `value` is of."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, dict):
        return "object"
    return "array" if isinstance(value, list) else "number"


#: The Python types of the types of JSON whose values have one.
CLASSES: dict[str, type] = {"null": type(None), "boolean": bool, "string": str, "array": list, "object": dict}


def is_of(instance: Json, type_: str) -> bool:
    """Whether `instance` is of the type that `type` names; an integer is a number without a fraction (core, 4.2.3)."""
    if type_ == "number":
        return is_number(instance)
    if type_ == "integer":
        return is_number(instance) and exact(instance).denominator == 1
    return isinstance(instance, CLASSES[type_])


def key(value: Json) -> Hashable:
    """Something hashable that is equal for equal JSON values only."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, int):
        return value
    if isinstance(value, dict):
        return ("object", frozenset((name, key(inner)) for name, inner in value.items()))
    if isinstance(value, list):
        return ("array", *map(key, value))
    fraction = exact(value)
    return fraction.numerator if fraction.denominator == 1 else fraction


def plain(number: Fraction) -> Json:
    """The number as `json.dumps` can write it: an int, or the nearest float."""
    if number.denominator == 1:
        return number.numerator
    try:
        return float(number)
    except OverflowError:
        return int(number)


def size(value: Json) -> int:
    """How long the value is as JSON text; the order of witnesses."""
    return len(json.dumps(value, default=str, ensure_ascii=False))
