"""From the text of a pattern to its tree: ECMA-262 22.2.1 with the flag `u`, which JSON Schema asks for (core 6.4).

Three kinds of text are told apart:

- what ECMA-262 with `u` accepts, taken as it says;
- what only its Annex B or other dialects accept, taken where all of them mean the same (`\\-` and `\\_` outside of a
  class, `{` and `]` that stand for themselves, `[\\w-.]`);
- what is an error, or has another meaning elsewhere (`{,3}`, `[]a]`, `(?i)`, `a++`, `\\Z`): Undecidable.

Nothing here recurs, so that nesting costs no stack.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from troth.contracts.patterns import alphabet, syntax
from troth.contracts.patterns.alphabet import Ranges
from troth.contracts.patterns.escapes import Reader, class_set, escaped
from troth.contracts.patterns.limits import LONGEST_PATTERN, MOST_LOOKS, Undecidable
from troth.contracts.patterns.places import BOUNDARY, END, INSIDE, START
from troth.contracts.patterns.syntax import Characters, Expression

_MOST_DIGITS = 9
_QUANTIFIER = re.compile(r"\{([0-9]+)(?:(,)([0-9]*))?\}|([*+?])", re.ASCII)
_ELSEWHERE_A_QUANTIFIER = re.compile(r"\{,[0-9]*\}", re.ASCII)
_NAME = re.compile(r"\(\?<([A-Za-z_$][A-Za-z0-9_$]*)>", re.ASCII)
_SIMPLE = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_LOOKS = {
    "(?=": (syntax.lookahead, True),
    "(?!": (syntax.lookahead, False),
    "(?<=": (syntax.lookbehind, True),
    "(?<!": (syntax.lookbehind, False),
}
_DOT = Characters(alphabet.others(alphabet.LINE_ENDS))


@dataclass(slots=True)
class _Group:
    """A group that is open: what to make of it, the options that are complete, and the items of the last one."""

    close: Callable[[Expression], Expression]
    repeatable: bool = True
    options: list[Expression] = field(default_factory=list)
    items: list[Expression] = field(default_factory=list)

    def closed(self) -> Expression:
        return self.close(syntax.alternation([*self.options, syntax.concatenation(self.items)]))


def parse(pattern: str) -> Expression:
    """The tree of `pattern`. Raises Undecidable for what is wrong, foreign or too large."""
    if len(pattern) > LONGEST_PATTERN:
        raise Undecidable(f"the pattern has more than {LONGEST_PATTERN} characters")
    return _Parser(Reader(pattern)).parsed()


class _Parser:
    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.groups = [_Group(lambda inside: inside)]
        self.names: set[str] = set()
        self.looks = 0

    def parsed(self) -> Expression:
        while not self.reader.at_end():
            step = _STEPS.get(self.reader.text[self.reader.at], _Parser._literal)
            step(self)
        if len(self.groups) > 1:
            raise Undecidable("a group is not closed")
        return self.groups[0].closed()

    def _add(self, item: Expression, repeatable: bool = True) -> None:
        """Add an item, with the quantifier that follows it."""
        found = _QUANTIFIER.match(self.reader.text, self.reader.at)
        if found is None:
            self.groups[-1].items.append(item)
            return
        if not repeatable:
            raise Undecidable("there is nothing that could be repeated")
        least, most = _bounds(found)
        self.reader.at = found.end()
        self.reader.take("?")  # a lazy quantifier prefers another match of the same text
        if self.reader.peek() in ("*", "+", "?") or _QUANTIFIER.match(self.reader.text, self.reader.at):
            raise Undecidable("a quantifier follows a quantifier")
        self.groups[-1].items.append(syntax.repetition(item, least, most))

    def _literal(self) -> None:
        self._add(_one(self.reader.next()))

    def _dot(self) -> None:
        self.reader.at += 1
        self._add(_DOT)

    def _assertion(self) -> None:
        self._add(syntax.assertion(START if self.reader.next() == "^" else END), repeatable=False)

    def _escape(self) -> None:
        if self.reader.take("\\b"):
            self._add(syntax.assertion(BOUNDARY), repeatable=False)
        elif self.reader.take("\\B"):
            self._add(syntax.assertion(INSIDE), repeatable=False)
        else:
            self._add(Characters(escaped(self.reader)))

    def _class(self) -> None:
        self._add(Characters(class_set(self.reader)))

    def _brace(self) -> None:
        if _QUANTIFIER.match(self.reader.text, self.reader.at):
            raise Undecidable("there is nothing that could be repeated")
        if _ELSEWHERE_A_QUANTIFIER.match(self.reader.text, self.reader.at):
            raise Undecidable("{,n} has different meanings in different dialects")
        self._literal()

    def _nothing_to_repeat(self) -> None:
        raise Undecidable("there is nothing that could be repeated")

    def _bar(self) -> None:
        self.reader.at += 1
        group = self.groups[-1]
        group.options.append(syntax.concatenation(group.items))
        group.items = []

    def _open(self) -> None:
        reader = self.reader
        looking = next((kind for kind in _LOOKS if reader.take(kind)), None)
        if looking is not None:
            self._open_look(*_LOOKS[looking])
        elif reader.take("(?:"):
            self.groups.append(_Group(lambda inside: inside))
        elif reader.peek(1) == "?":
            self._open_named()
        else:
            reader.at += 1
            self.groups.append(_Group(lambda inside: inside))

    def _open_look(self, make: Callable[[Expression, bool], Expression], wanted: bool) -> None:
        self.looks += 1
        if self.looks > MOST_LOOKS:
            raise Undecidable(f"the pattern looks ahead or behind more than {MOST_LOOKS} times")
        self.groups.append(_Group(lambda inside: make(inside, wanted), repeatable=False))

    def _open_named(self) -> None:
        found = _NAME.match(self.reader.text, self.reader.at)
        if found is None:
            raise Undecidable(f"the group {self.reader.text[self.reader.at :][:4]!r} is not one that is compared")
        if found[1] in self.names:
            raise Undecidable("two groups have one name")
        self.names.add(found[1])
        self.reader.at = found.end()
        self.groups.append(_Group(lambda inside: inside))

    def _close(self) -> None:
        self.reader.at += 1
        if len(self.groups) == 1:
            raise Undecidable("a group is closed that was not opened")
        group = self.groups.pop()
        self._add(group.closed(), group.repeatable)


_STEPS: dict[str, Callable[[_Parser], None]] = {
    ".": _Parser._dot,
    "^": _Parser._assertion,
    "$": _Parser._assertion,
    "\\": _Parser._escape,
    "[": _Parser._class,
    "{": _Parser._brace,
    "*": _Parser._nothing_to_repeat,
    "+": _Parser._nothing_to_repeat,
    "?": _Parser._nothing_to_repeat,
    "|": _Parser._bar,
    "(": _Parser._open,
    ")": _Parser._close,
}


def _one(char: str) -> Characters:
    number = alphabet.number_of(ord(char))
    return Characters(_single(number))


def _single(number: int) -> Ranges:
    return ((number, number),)


def _bounds(found: re.Match[str]) -> tuple[int, int | None]:
    if found[4]:
        return _SIMPLE[found[4]]
    if max(len(found[1]), len(found[3] or "")) > _MOST_DIGITS:
        raise Undecidable("a quantifier is too large")
    least = int(found[1])
    most = (int(found[3]) if found[3] else None) if found[2] else least
    if most is not None and most < least:
        raise Undecidable("a quantifier's bounds are out of order")
    return least, most
