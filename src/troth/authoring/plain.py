"""Results as plain values, which JSON can carry."""

from __future__ import annotations

import binascii
import dataclasses
import sys
from enum import Enum
from typing import Any

_SCALARS = frozenset((str, int, float, bool, type(None)))


def plain(value: Any) -> Any:
    """A result without types of the author's: objects, arrays, text, numbers, true, false and null.

    Bytes stay what they are, and are base64 text inside anything else. What is not known stays as it is, for the encoder
    to name it.
    """
    return value if isinstance(value, bytes | bytearray | memoryview) else _inner(value)


def _inner(value: Any) -> Any:
    if type(value) in _SCALARS:
        return value
    if isinstance(value, Enum):
        return _inner(value.value)
    if isinstance(value, dict):
        return {_inner(key) if isinstance(key, Enum) else key: _inner(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [item if type(item) in _SCALARS else _inner(item) for item in value]
    if isinstance(value, set | frozenset):
        return _ordered([_inner(item) for item in value])
    if isinstance(value, bytes | bytearray | memoryview):
        return binascii.b2a_base64(value, newline=False).decode()
    return _of_object(value)


def _of_object(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _inner(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if hasattr(type(value), "model_dump"):
        return value.model_dump(mode="json")
    msgspec = sys.modules.get("msgspec")
    if msgspec is not None and isinstance(value, msgspec.Struct):
        return msgspec.to_builtins(value, str_keys=True)
    return value


def _ordered(items: list[Any]) -> list[Any]:
    """The items of a set, in an order that does not change from one process to the next."""
    try:
        return sorted(items)
    except TypeError:
        return sorted(items, key=repr)
