"""How a worker reads and writes JSON: with orjson where the version's environment has it, and always to the same effect.

Standard library only. What orjson would do otherwise than `json` is found out and left to `json`: integers beyond 64 bits
(it reads them as floats), numbers that are not finite (it writes null), keys that are no text, and text that is no Unicode.
Of a key that comes twice, both take the last.
"""

from __future__ import annotations

import importlib
import json
import math
import re
import sys
from collections.abc import Callable
from enum import Enum
from importlib.machinery import PathFinder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

#: What may be an integer beyond 64 bits.
_LONG_NUMBER = re.compile(rb"[0-9]{19}").search


class Codec:
    """Two functions: from UTF-8 to a value, raising ValueError or RecursionError; and from a value to UTF-8, raising
    TypeError, ValueError or RecursionError."""

    def __init__(self, name: str, decode: Callable[[bytearray], Any], encode: Callable[[Any], bytes]) -> None:
        self.name = name
        self.decode = decode
        self.encode = encode


def codec_of(site: list[str]) -> Codec:
    """The fastest codec of an environment, given the folders of its libraries."""
    if not site or PathFinder.find_spec("orjson", site) is None:
        return STANDARD
    try:
        return _with_orjson(importlib.import_module("orjson"))
    except Exception:  # a library of that name that is not what it should be
        return STANDARD


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _other(value: Any) -> Any:
    """What orjson knows beyond JSON's own types."""
    if isinstance(value, Enum):
        return value.value
    if "uuid" in sys.modules and isinstance(value, sys.modules["uuid"].UUID):  # not imported for its own sake
        return str(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


# made once: json.loads and json.dumps with options make a new decoder or encoder each time
_decode_text = json.JSONDecoder(parse_constant=_refuse_constant).decode
_encode_text = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_other).encode


def _decode(body: bytearray) -> Any:
    return _decode_text(body.decode("utf-8"))


def _encode(value: Any) -> bytes:
    return _encode_text(value).encode()


STANDARD = Codec("json", _decode, _encode)


def _with_orjson(orjson: Any) -> Codec:
    loads, dumps = orjson.loads, orjson.dumps
    options = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS

    def decode(body: bytearray) -> Any:
        if _LONG_NUMBER(body) is None:
            try:
                return loads(body)
            except ValueError:
                pass  # json finds the words for it, or takes it all the same
        return _decode(body)

    def encode(value: Any) -> bytes:
        try:
            found: bytes = dumps(value, None, options)
        except TypeError:
            return _encode(value)
        return _encode(value) if b"null" in found and not _is_finite(value) else found

    return Codec("orjson", decode, encode)


def _is_finite(value: Any) -> bool:
    """Whether no number in a value is infinite or none."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if type(one) is float:
            if not math.isfinite(one):
                return False
        elif type(one) is dict:
            waiting += one.values()
        elif isinstance(one, Enum):
            waiting.append(one.value)
        elif type(one) in (list, tuple):
            waiting += one
    return True
