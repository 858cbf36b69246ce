"""orjson in a worker changes nothing but the speed: the same values, the same bytes, and the same refusals as `json`."""

from __future__ import annotations

import dataclasses
import enum
import json
import math
import uuid
from collections import OrderedDict, defaultdict, namedtuple
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.runtime.machine import Machine, ask
from troth.runtime.inside.codec import STANDARD, Codec, codec_of

FAST = codec_of([str(Path(orjson.__file__).parents[1])])


def test_the_fast_one_is_under_test() -> None:
    assert (FAST.name, STANDARD.name) == ("orjson", "json")
    assert codec_of([]) is STANDARD


def test_a_library_of_that_name_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    assert codec_of([str(tmp_path)]) is STANDARD


class _Colour(enum.Enum):
    RED = "red"
    BLUE = 2
    BAD = math.nan


class _Number(enum.IntEnum):
    ONE = 1


class _Word(enum.StrEnum):
    A = "a"


@dataclasses.dataclass
class _Point:
    x: int = 1


class _Text(str):
    pass


class _List(list[Any]):
    pass


class _Float(float):
    pass


class _Keys(dict[Any, Any]):
    pass


_Pair = namedtuple("_Pair", "a b")
_DEEP: list[Any] = []
for _ in range(300):
    _DEEP = [_DEEP]
_VERY_DEEP: list[Any] = []
for _ in range(100_000):
    _VERY_DEEP = [_VERY_DEEP]
_LOOP: list[Any] = []
_LOOP.append(_LOOP)

_VALUES = {
    "nothing": None, "truth": [True, False], "not a number": math.nan, "not a number inside": {"a": [None, math.nan]},
    "infinity": math.inf, "infinity inside": (1, [-math.inf]), "nothing and infinity": [None, [math.inf]],
    "infinity in an enum": _Colour.BAD, "infinity as a key": {math.inf: 1}, "the word null": ["null", math.nan],
    "64 bits": [2**63, 2**64 - 1, -(2**63)], "beyond 64 bits": [2**64, -(2**63) - 1, 10**30], "far beyond": 10**4000,
    "too far beyond": 10**5000, "floats": [0.1, 1e300, 5e-324, 1e16, 1e22, 123456789.123456789, -0.0, 1.0, 1e-7, 100000.0],
    "number keys": {1: "a", 2.5: "b"}, "other keys": {None: 1, True: 2, False: 3}, "tuple keys": {(1, 2): 3},
    "bytes keys": {b"a": 1}, "enum keys": {_Word.A: 1}, "keys that become equal": {1: "a", "1": "b"},
    "a half character": "\ud800", "a half character inside": ["a\udfffb"], "a half character as a key": {"\ud800": 1},
    "text": 'gr\u00fcn "\\/ \0\x1f\x7f \u2028\u2029 \U0001f642', "text of a subclass": _Text("sub"), "a list of a subclass": _List([1]),
    "a float of a subclass": [_Float(1.5)], "a float of a subclass that is none": [_Float("nan")], "a dict of a subclass": _Keys(a=1),
    "a dict of a subclass with numbers": [_Keys({1: 2})], "ordered": OrderedDict(b=1, a=2), "default": defaultdict(int, a=1),
    "uuid": [uuid.UUID(int=7)], "enum": [_Colour.RED, _Colour.BLUE], "number of an enum": [_Number.ONE], "word of an enum": _Word.A,
    "dataclass": _Point(), "a class of data": _Point, "named tuple": _Pair(1, [2]), "tuple": (1, (2,)), "empty": [{}, [], (), ""],
    "date": datetime(2026, 1, 1, tzinfo=UTC), "decimal": Decimal("1.5"), "fraction": Fraction(1, 2), "bytes": [b"a"],
    "set": {1}, "complex": 1j, "an object": object(), "a generator": [(n for n in "a")], "a range": range(3),
    "deep": _DEEP, "very deep": _VERY_DEEP, "a list in itself": _LOOP,
    "ellipsis": ..., "a function": len, "memory": memoryview(b"a"), "bytearray": [bytearray(b"a")],
}  # fmt: skip


def _written(codec: Codec, value: Any) -> bytes | type:
    try:
        return codec.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        return (
            TypeError
            if isinstance(error, TypeError)
            else ValueError
            if isinstance(error, ValueError)
            else RecursionError
        )


def _read(codec: Codec, body: bytes) -> Any:
    try:
        return codec.decode(bytearray(body))
    except (ValueError, RecursionError) as error:
        return type(error) if isinstance(error, RecursionError) else ValueError


@pytest.mark.parametrize("value", _VALUES.values(), ids=_VALUES)
def test_values_that_are_written(value: Any) -> None:
    standard = _written(STANDARD, value)
    fast = _written(FAST, value)
    if isinstance(standard, bytes):
        assert isinstance(fast, bytes)
        assert repr(json.loads(fast)) == repr(json.loads(standard))
        assert _without_floats(fast) == _without_floats(standard)
    else:
        assert fast is standard


def _without_floats(text: bytes) -> bytes:
    """Both libraries write the shortest digits of a float, but may put the point elsewhere."""
    found: bytes = json.dumps(json.loads(text, parse_float=lambda _: 0.5), ensure_ascii=False).encode(errors="replace")
    return found if any(mark in text for mark in (b".", b"e", b"E")) else text


_TEXTS = {
    "numbers": b"[0, -0, 1.5, 1e3, -1E-2, 0.1, 1e400, -1e400, 5e-324, 1e-400]", "64 bits": b"[18446744073709551615, -9223372036854775808]",
    "beyond 64 bits": b"[18446744073709551616, -9223372036854775809, 99999999999999999999999]",
    "beyond as a float": b"18446744073709551616.0", "many digits behind a point": b"0.12345678901234567890123456789",
    "far beyond": b"9" * 4000, "too far beyond": b"9" * 5000, "many zeros": b"1" + b"0" * 400 + b".0",
    "NaN": b"NaN", "infinity": b"[Infinity]", "less than infinity": b"-Infinity", "nan inside": b'{"a": NaN}', "null": b"null",
    "twice the same key": b'{"a": 1, "b": 2, "a": 3}', "an empty key": b'{"": 1}', "an escaped half": b'"\\ud800"',
    "an escaped pair": b'"\\ud83d\\ude42"', "a pair the wrong way": b'"\\ude42\\ud83d"', "a raw half": b'"\xed\xa0\x80"',
    "bad UTF-8": b'"\xff"', "an overlong form": b'"\xc0\xaf"', "a mark before": b"\xef\xbb\xbf1", "UTF-16": '"a"'.encode("utf-16"),
    "control characters": b'"a\nb"', "a null": b'"a\0b"', "an escaped null": b'"\\u0000"', "a tab": b'"\t"', "DEL": b'"\x7f"',
    "nothing": b"", "spaces": b"  ", "spaces around": b" \t\r\n1 ", "other spaces": b"\x0c1", "no-break space": "\u00a01".encode(),
    "two values": b"1 2", "a comma too many": b"[1,]", "a comma in an object": b'{"a":1,}', "one quote": b"'a'",
    "leading zero": b"01", "plus": b"+1", "a point first": b".5", "a point last": b"1.", "hexadecimal": b"0x10", "a comment": b"1 // one",
    "half a word": b"tru", "capitals": b"True", "an open list": b"[1", "an open text": b'"a', "a bad escape": b'"\\x"',
    "a short escape": b'"\\u12"', "signs in an escape": b'"\\u+123"', "a lone minus": b"-", "no exponent": b"1e", "a key that is none": b"{1: 2}",
    "deep": b"[" * 300 + b"]" * 300, "deeper": b"[" * 1100 + b"]" * 1100, "very deep": b"[" * 100_000 + b"]" * 100_000,
    "deep and open": b"[" * 100_000, "deep objects": b'{"a":' * 2000 + b"1" + b"}" * 2000,
}  # fmt: skip


@pytest.mark.parametrize("body", _TEXTS.values(), ids=_TEXTS)
def test_texts_that_are_read(body: bytes) -> None:
    assert repr(_read(FAST, body)) == repr(_read(STANDARD, body))


_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**63, 2**64, -(2**63) - 1, 10**25])
    | st.floats()
    | st.text()
    | st.characters(categories=["Cs"])
    | st.uuids()
    | st.binary(max_size=3)
    | st.sampled_from([_Colour.RED, _Number.ONE, _Word.A, _Point(), _Text("a"), _Float(2.5), Decimal(1)])
)
_KEYS = (
    st.text(max_size=5)
    | st.integers()
    | st.floats()
    | st.none()
    | st.booleans()
    | st.sampled_from([_Word.A, b"a", (1,)])
)
_TREES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=12,
)


@given(_TREES)
def test_any_value(value: Any) -> None:
    test_values_that_are_written(value)


@given(
    st.recursive(
        st.none() | st.integers() | st.floats() | st.text(),
        lambda i: st.lists(i) | st.dictionaries(st.text(), i),
        max_leaves=12,
    )
)
def test_any_text(value: Any) -> None:
    body = json.dumps(value).encode()
    assert repr(_read(FAST, body)) == repr(_read(STANDARD, body))


@given(st.text(alphabet='[]{}",:0123456789.eE+-\\u NaInfityulrsdbx\n\t\u00e9\ud800', max_size=20))
def test_any_line(line: str) -> None:
    body = line.encode(errors="surrogatepass")
    assert repr(_read(FAST, body)) == repr(_read(STANDARD, body))


def test_a_worker_uses_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    """From the environment of its version, and only then."""
    machine = Machine(tmp_path_factory.mktemp("codec"))
    site = machine.libraries(Path(orjson.__file__).parent)
    code = "import sys\ndef apply(input):\n    return ['orjson' in sys.modules, input]\n"
    given = {"big": 2**70, "small": 0.1, "keys": {"a": [None, "\u00e9"]}}
    assert machine.run(partial(ask, spec=machine.version(code, site=site), given=given)) == [True, given]
    assert machine.run(partial(ask, spec=machine.version(code), given=given)) == [False, given]
