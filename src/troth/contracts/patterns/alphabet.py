"""The characters that texts are made of: Unicode scalar values, numbered without the gap of the surrogates.

Sets of characters are sorted, disjoint ranges of such numbers. No table has a row per character.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from troth.contracts.patterns.limits import Undecidable

#: Sorted, disjoint, not touching, both ends inside.
Ranges = tuple[tuple[int, int], ...]

_FIRST_SURROGATE, _LAST_SURROGATE = 0xD800, 0xDFFF
_GAP = _LAST_SURROGATE - _FIRST_SURROGATE + 1
LAST = 0x10FFFF - _GAP


def number_of(code_point: int) -> int:
    """The number of a character. Raises Undecidable for a lone surrogate, which no text of Unicode has."""
    if code_point < _FIRST_SURROGATE:
        return code_point
    if code_point <= _LAST_SURROGATE:
        raise Undecidable("a surrogate that stands alone is no character")
    return code_point - _GAP


def character(number: int) -> str:
    """The character with that number."""
    return chr(number if number < _FIRST_SURROGATE else number + _GAP)


def numbers_of(text: str) -> tuple[int, ...]:
    """The numbers of a text's characters. Raises Undecidable for a lone surrogate."""
    if text.isascii():
        return tuple(text.encode())
    return tuple([number_of(ord(char)) for char in text])


def united(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The set of all characters that are in one of `ranges`, which may overlap."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if found and low <= found[-1][1] + 1:
            if high > found[-1][1]:
                found[-1] = (found[-1][0], high)
        else:
            found.append((low, high))
    return tuple(found)


def others(ranges: Ranges) -> Ranges:
    """The set of all characters that are not in `ranges`."""
    return tuple(_gaps(ranges))


def _gaps(ranges: Ranges) -> Iterator[tuple[int, int]]:
    start = 0
    for low, high in ranges:
        if start < low:
            yield start, low - 1
        start = high + 1
    if start <= LAST:
        yield start, LAST


def _of(*code_points: int | tuple[int, int]) -> Ranges:
    pairs = [(point, point) if isinstance(point, int) else point for point in code_points]
    return united((number_of(low), number_of(high)) for low, high in pairs)


ANY: Ranges = ((0, LAST),)
#: `\d`, ECMA-262 22.2.2.9: ASCII only.
DIGITS = _of((0x30, 0x39))
#: `\w` without the flag i, ECMA-262 22.2.2.7.3: ASCII only.
WORD = _of((0x30, 0x39), (0x41, 0x5A), 0x5F, (0x61, 0x7A))
#: ECMA-262 12.3, LineTerminator.
LINE_ENDS = _of(0x0A, 0x0D, 0x2028, 0x2029)
#: `\s`, ECMA-262 12.2 and 12.3: WhiteSpace with the general category Zs, and LineTerminator.
SPACE = _of((0x09, 0x0D), 0x20, 0xA0, 0x1680, (0x2000, 0x200A), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF)

#: Whom a witness shows rather than another, best first.
_READABLE = (
    _of((0x61, 0x7A)),
    _of((0x30, 0x39)),
    _of((0x41, 0x5A)),
    _of((0x21, 0x7E)),
    _of(0x20),
    _of(0x0A),
    _of(0x09),
    _of((0xC0, 0x24F)),
    _of((0x391, 0x3A9), (0x3B1, 0x3C9)),
    _of((0xA1, 0x2FF)),
    _of((0x4E00, 0x9FFF)),
    _of((0x1F600, 0x1F64F)),
    _of((0xA0, 0x10FFFF)),
    _of((0, 0x10FFFF)),
)


def readable(low: int, high: int) -> tuple[int, int]:
    """How badly a reader sees the best character from `low` to `high` (0 is best), and that character's number."""
    for rank, ranges in enumerate(_READABLE):
        for first, last in ranges:
            if first <= high and low <= last:
                return rank, max(first, low)
    return len(_READABLE), low
