"""What a text may be asked to fulfil: to have a match of a pattern, to have some length, to be one of a list.

A pattern is taken apart where that is exact, because small conditions are cheap and often stand on both sides:

- `^(?=x)(?!y)z` is `^x`, not `^y`, and `^z`;
- `^a[bc]{2,40}d$` is `^a[bc]*d$`, and 4 to 42 characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from troth.contracts.patterns import syntax
from troth.contracts.patterns.places import END, START
from troth.contracts.patterns.syntax import Expression


class Pattern:
    """To have a match of `expression`. Equal where the trees are equal."""

    __slots__ = ("_hash", "expression")

    def __init__(self, expression: Expression) -> None:
        self.expression = expression
        self._hash = hash(expression)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pattern):
            return NotImplemented
        return self is other or (self._hash == other._hash and self.expression == other.expression)

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True, slots=True)
class Lengths:
    """To have from `minimum` to `maximum` characters; None is any number."""

    minimum: int
    maximum: int | None


@dataclass(frozen=True, slots=True)
class Texts:
    """To be one of `texts`, which are sorted, shortest first."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """What a text has to fulfil, or must not."""

    subject: Pattern | Lengths | Texts
    wanted: bool = True

    def negated(self) -> Condition:
        """The opposite."""
        return replace(self, wanted=not self.wanted)


def conditions_of(expression: Expression) -> tuple[Condition, ...]:
    """Conditions that hold together for exactly those texts in which `expression` is found."""
    items = expression.items if isinstance(expression, syntax.Concatenation) else (expression,)
    if not _asserts(items[:1], START):
        return (Condition(Pattern(expression)),)
    first, found = 1, []
    while first < len(items) and isinstance(ahead := items[first], syntax.Lookahead):
        found.append(Condition(Pattern(_anchored([ahead.body])), ahead.wanted))
        first += 1
    return tuple(dict.fromkeys((*found, *_counted(items[first:]))))


def _asserts(items: Sequence[Expression], holds: int) -> bool:
    return bool(items) and isinstance(items[0], syntax.Assertion) and items[0].places == holds


def _anchored(items: Sequence[Expression]) -> Expression:
    """A match at the start of the text. What is itself a concatenation becomes a part of the new one."""
    flat = items[0].items if len(items) == 1 and isinstance(items[0], syntax.Concatenation) else items
    return syntax.concatenation([syntax.assertion(START), *flat])


def _counted(items: Sequence[Expression]) -> tuple[Condition, ...]:
    """A match of `items` from the start of the text, with a repetition that is bounded told by the text's length."""
    loose = [index for index, item in enumerate(items[:-1]) if _fixed_length(item) is None]
    whole = Condition(Pattern(_anchored(items)))
    if not _asserts(items[-1:], END) or len(loose) != 1:
        return (whole,)
    item = items[loose[0]]
    if not isinstance(item, syntax.Repetition) or not isinstance(item.body, syntax.Characters):
        return (whole,)
    rest = sum(_fixed_length(other) or 0 for other in items[:-1] if other is not item)
    endless = [*items[: loose[0]], syntax.repetition(item.body, 0, None), *items[loose[0] + 1 :]]
    maximum = None if item.most is None else rest + item.most
    return Condition(Pattern(_anchored(endless))), Condition(Lengths(rest + item.least, maximum))


def _fixed_length(item: Expression) -> int | None:
    """How many characters every match has; None where they differ or are not known."""
    match item:
        case syntax.Characters():
            return 1
        case syntax.Assertion() | syntax.Lookahead() | syntax.Lookbehind():
            return 0
        case syntax.Concatenation(items=items):
            found = [_fixed_length(one) for one in items]
            return None if None in found else sum(one or 0 for one in found)
        case syntax.Alternation(options=options):
            lengths = {_fixed_length(option) for option in options}
            return lengths.pop() if len(lengths) == 1 else None
        case syntax.Repetition(body=body, least=least, most=most) if least == most:
            once = _fixed_length(body)
            return None if once is None else once * least
    return None
