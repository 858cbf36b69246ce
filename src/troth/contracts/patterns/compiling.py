"""From the tree of a pattern to the term of all texts in which the pattern is found.

A look-ahead speaks of everything up to the end of the text. So what contains one is compiled together with what follows
it: `x(?=y)z` is `x`, then both `y` with anything behind it and `z` with what is behind that. A look-behind speaks of
everything from the start of the text, and is compiled where that is at hand, outside of groups.
"""

from __future__ import annotations

from troth.contracts.patterns import syntax
from troth.contracts.patterns.limits import Undecidable
from troth.contracts.patterns.syntax import Expression
from troth.contracts.patterns.terms import ALL, EMPTY, Term, Terms

_MOST_UNROLLED = 16


def searched(terms: Terms, expression: Expression) -> Term:
    """All texts that have a match of `expression` anywhere: JSON Schema's patterns are not anchored (core 6.4)."""
    if isinstance(expression, syntax.Alternation) and expression.facts.looks:
        return terms.union([searched(terms, option) for option in expression.options])
    items: list[Expression] = list(expression.items) if isinstance(expression, syntax.Concatenation) else [expression]
    before, start = ALL, 0
    for index, item in enumerate(items):
        if isinstance(item, syntax.Lookbehind):
            before = _looked_back(terms, _preceded(terms, before, items[start:index]), item)
            start = index + 1
    return terms.sequence(before, followed(terms, syntax.concatenation(items[start:]), ALL))


def _looked_back(terms: Terms, before: Term, item: syntax.Lookbehind) -> Term:
    """The beginnings of texts in `before` that `item` allows to end here."""
    found = _preceded(terms, ALL, [item.body])
    return terms.both([before, found if item.wanted else terms.complement(found)])


def _preceded(terms: Terms, before: Term, items: list[Expression]) -> Term:
    """The beginnings of texts that are one of `before`, then `items`."""
    if any(item.facts.looks for item in items):
        raise Undecidable("a look-behind follows, or holds, another look")
    return terms.sequence(before, _plain(terms, syntax.concatenation(items)))


def followed(terms: Terms, expression: Expression, tail: Term) -> Term:
    """`expression`, then `tail`, which reaches to the end of the text."""
    if not expression.facts.looks:
        return terms.sequence(_plain(terms, expression), tail)
    match expression:
        case syntax.Concatenation(items=items):
            for item in reversed(items):
                tail = followed(terms, item, tail)
            return tail
        case syntax.Alternation(options=options):
            return terms.union([followed(terms, option, tail) for option in options])
        case syntax.Lookahead(body=body, wanted=wanted):
            found = followed(terms, body, ALL)
            return terms.both([found if wanted else terms.complement(found), tail])
        case syntax.Repetition():
            return _repeated(terms, expression, tail)
    raise Undecidable("a look-behind stands inside a group")


def _repeated(terms: Terms, expression: syntax.Repetition, tail: Term) -> Term:
    """A repetition of something that looks ahead."""
    body, least, most = expression.body, expression.least, expression.most
    if not body.facts.empty and not body.facts.placed:
        return terms.iteration(body, least, most, tail)
    if most is None or most > _MOST_UNROLLED:
        raise Undecidable("a look-ahead is repeated that may stand alone")
    term = tail
    for turn in range(most, 0, -1):
        again = followed(terms, body, term)
        term = again if turn <= least else terms.union([tail, again])
    return term


def _plain(terms: Terms, expression: Expression) -> Term:
    """The term of what has no look-ahead inside."""
    match expression:
        case syntax.Characters(ranges=ranges):
            return terms.characters(ranges)
        case syntax.Assertion(places=holds):
            return terms.assertion(holds)
        case syntax.Concatenation(items=items):
            term = EMPTY
            for item in reversed(items):
                term = terms.sequence(_plain(terms, item), term)
            return term
        case syntax.Alternation(options=options):
            return terms.union([_plain(terms, option) for option in options])
        case syntax.Repetition(body=body, least=least, most=most):
            return terms.loop(_plain(terms, body), least, most)
    raise AssertionError(expression)
