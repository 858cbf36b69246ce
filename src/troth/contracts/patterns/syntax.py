"""What a pattern says, as a tree. The functions make its nodes and note what the compiling needs to know of each.

Capturing, names of groups and laziness are left out: they choose between matches and never change whether there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from troth.contracts.patterns.alphabet import Ranges
from troth.contracts.patterns.limits import DEEPEST_PATTERN, Undecidable
from troth.contracts.patterns.places import END


class Facts(NamedTuple):
    """What is known of an expression without matching it."""

    #: How many nodes lie below each other.
    depth: int = 0
    #: How many nodes there are.
    size: int = 1
    #: Whether a look-ahead or a look-behind is inside.
    looks: bool = False
    #: Whether it may match the empty text, looks left aside.
    empty: bool = False
    #: Whether it asks what stands before a place, or after it, but for the end of the text: ^ \\b \\B.
    placed: bool = False


_PLAIN = Facts()


@dataclass(frozen=True, slots=True)
class Characters:
    """One character of a set."""

    ranges: Ranges
    facts: Facts = _PLAIN


@dataclass(frozen=True, slots=True)
class Assertion:
    """No character, at those places that `places` has a bit for (see `terms`)."""

    places: int
    facts: Facts


@dataclass(frozen=True, slots=True)
class Concatenation:
    """One after the other. Without items it is the empty text."""

    items: tuple[Expression, ...]
    facts: Facts


@dataclass(frozen=True, slots=True)
class Alternation:
    """One of them."""

    options: tuple[Expression, ...]
    facts: Facts


@dataclass(frozen=True, slots=True)
class Repetition:
    """From `least` to `most` times; `most` None is any number."""

    body: Expression
    least: int
    most: int | None
    facts: Facts


@dataclass(frozen=True, slots=True)
class Lookahead:
    """No character, where `body` matches what follows, or where it does not."""

    body: Expression
    wanted: bool
    facts: Facts


@dataclass(frozen=True, slots=True)
class Lookbehind:
    """No character, where `body` matches what ends here, or where it does not."""

    body: Expression
    wanted: bool
    facts: Facts


Expression = Characters | Assertion | Concatenation | Alternation | Repetition | Lookahead | Lookbehind


def assertion(holds: int) -> Expression:
    """No character, at the places of `holds`."""
    return Assertion(holds, Facts(empty=True, placed=holds != END))


def concatenation(items: Sequence[Expression]) -> Expression:
    """All of `items`, one after the other."""
    if len(items) == 1:
        return items[0]
    return Concatenation(tuple(items), _above(items, empty=all(item.facts.empty for item in items)))


def alternation(options: Sequence[Expression]) -> Expression:
    """One of `options`."""
    if len(options) == 1:
        return options[0]
    return Alternation(tuple(options), _above(options, empty=any(option.facts.empty for option in options)))


def repetition(body: Expression, least: int, most: int | None) -> Expression:
    """`body` again and again. A repetition of a repetition is one, where that is exact."""
    if least == 1 and most == 1:
        return body
    if most == 0:
        return concatenation([])
    if isinstance(body, Repetition) and without_gaps(body.least, body.most, least, most):
        inner = None if most is None or body.most is None else body.most * most
        return repetition(body.body, body.least * least, inner)
    return Repetition(body, least, most, _above([body], empty=least == 0 or body.facts.empty))


def without_gaps(least: int, most: int | None, outer_least: int, outer_most: int | None) -> bool:
    """Whether every number between the extremes is a sum of as many numbers `least`..`most` as the outer loop turns."""
    if outer_least == outer_most:
        return True
    if most is None:
        return outer_least > 0 or least <= 1
    return most * outer_least + 1 >= least * (outer_least + 1)


def lookahead(body: Expression, wanted: bool) -> Expression:
    """Whether `body` follows."""
    return Lookahead(body, wanted, _above([body], empty=True, looks=True))


def lookbehind(body: Expression, wanted: bool) -> Expression:
    """Whether `body` ends here."""
    return Lookbehind(body, wanted, _above([body], empty=True, looks=True))


def _above(below: Sequence[Expression], empty: bool, looks: bool = False) -> Facts:
    """Raises Undecidable where the tree gets too deep; what walks it recurs."""
    depth = 1 + max((node.facts.depth for node in below), default=0)
    if depth > DEEPEST_PATTERN:
        raise Undecidable(f"the pattern nests more than {DEEPEST_PATTERN} levels")
    return Facts(
        depth,
        1 + sum(node.facts.size for node in below),
        looks or any(node.facts.looks for node in below),
        empty,
        any(node.facts.placed for node in below),
    )
