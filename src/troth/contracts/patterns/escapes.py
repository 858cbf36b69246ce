"""What a backslash or a class in brackets stands for: ECMA-262 22.2.1, CharacterEscape and CharacterClass."""

from __future__ import annotations

import re

from troth.contracts.patterns import alphabet
from troth.contracts.patterns.alphabet import Ranges
from troth.contracts.patterns.limits import Undecidable

_CONTROLS = {"f": 0x0C, "n": 0x0A, "r": 0x0D, "t": 0x09, "v": 0x0B}
_SETS: dict[str, Ranges] = {
    "d": alphabet.DIGITS,
    "D": alphabet.others(alphabet.DIGITS),
    "w": alphabet.WORD,
    "W": alphabet.others(alphabet.WORD),
    "s": alphabet.SPACE,
    "S": alphabet.others(alphabet.SPACE),
}
_PAIR = re.compile(r"\\u([dD][89abAB][0-9A-Fa-f]{2})\\u([dD][c-fC-F][0-9A-Fa-f]{2})", re.ASCII)
_CODE = re.compile(
    r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{0*([0-9A-Fa-f]{1,6})\}|c([A-Za-z])|(0)(?![0-9]))", re.ASCII
)
_FOREIGN = {
    "p": "\\p depends on the edition of Unicode",
    "P": "\\P depends on the edition of Unicode",
    "k": "a back-reference is no regular expression",
}


class Reader:
    """A place in the text of a pattern."""

    __slots__ = ("at", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self.text)

    def peek(self, ahead: int = 0) -> str:
        """The character that comes, or the empty text."""
        return self.text[self.at + ahead : self.at + ahead + 1]

    def next(self) -> str:
        """The character that comes, which is then passed."""
        self.at += 1
        return self.text[self.at - 1]

    def take(self, expected: str) -> bool:
        """Whether `expected` comes; it is then passed."""
        if not self.text.startswith(expected, self.at):
            return False
        self.at += len(expected)
        return True


def escaped(reader: Reader) -> Ranges:
    """The characters that the escape at `reader` stands for. Raises Undecidable."""
    coded = _coded(reader)
    if coded is not None:
        return ((coded, coded),)
    char = reader.peek(1)
    if char in _SETS and char:
        reader.at += 2
        return _SETS[char]
    if char in _CONTROLS and char:
        reader.at += 2
        return ((_CONTROLS[char], _CONTROLS[char]),)
    if not char:
        raise Undecidable("the pattern ends in a backslash")
    if char.isascii() and char.isalnum():
        raise Undecidable(_FOREIGN.get(char, _foreign(char)))
    reader.at += 2
    number = alphabet.number_of(ord(char))
    return ((number, number),)


def _foreign(char: str) -> str:
    if char.isdigit():
        return "a back-reference is no regular expression"
    return f"\\{char} has no meaning, or not the same one everywhere"


def _coded(reader: Reader) -> int | None:
    """The number of a character that is given by its code."""
    pair = _PAIR.match(reader.text, reader.at)
    if pair is not None:
        reader.at = pair.end()
        high, low = int(pair[1], 16), int(pair[2], 16)
        return alphabet.number_of(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    found = _CODE.match(reader.text, reader.at)
    if found is None:
        return None
    reader.at = found.end()
    if found[4]:
        return ord(found[4]) % 32
    code = int(found[1] or found[2] or found[3] or "0", 16)
    if code > 0x10FFFF:
        raise Undecidable("there is no such code point")
    return alphabet.number_of(code)


def class_set(reader: Reader) -> Ranges:
    """The characters of the class in brackets at `reader`. Raises Undecidable."""
    reader.at += 1
    negated = reader.take("^")
    ranges: list[tuple[int, int]] = []
    if reader.peek() == "]" and "]" in reader.text[reader.at + 1 :]:
        raise Undecidable("a bracket that closes at once has different meanings in different dialects")
    while not reader.take("]"):
        ranges += _class_range(reader)
    united = alphabet.united(ranges)
    return alphabet.others(united) if negated else united


def _class_range(reader: Reader) -> Ranges:
    """One character, one set, or a range. A hyphen beside a set stands for itself."""
    first = _class_atom(reader)
    if reader.peek() != "-" or reader.peek(1) in ("]", ""):
        return first
    reader.at += 1
    last = _class_atom(reader)
    if len(first) > 1 or len(last) > 1 or first[0][0] != first[0][1] or last[0][0] != last[0][1]:
        return (*first, (0x2D, 0x2D), *last)
    if last[0][0] < first[0][0]:
        raise Undecidable("the range of a class is out of order")
    return ((first[0][0], last[0][0]),)


def _class_atom(reader: Reader) -> Ranges:
    if reader.at_end():
        raise Undecidable("a class is not closed")
    if reader.peek() != "\\":
        number = alphabet.number_of(ord(reader.next()))
        return ((number, number),)
    if reader.take("\\b"):
        return ((0x08, 0x08),)
    return escaped(reader)
