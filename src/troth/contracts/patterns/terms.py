"""Extended regular expressions as terms that are equal only if they are the same object.

A term is the set of the texts that may follow at a place, so that assertions are terms like others: an assertion holds
the empty text at some places (`places`). The empty text itself is the assertion that holds everywhere, and the empty set
is the one that holds nowhere. The makers keep terms in a normal form (associative, commutative, idempotent unions in
disjunctive normal form; concatenation to the right and over unions), which keeps the number of derivatives finite:
Brzozowski 1964; Antimirov 1996.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from math import prod
from operator import or_

from troth.contracts.patterns import alphabet, places
from troth.contracts.patterns.alphabet import Ranges
from troth.contracts.patterns.limits import MOST_STEPS, Undecidable
from troth.contracts.patterns.syntax import Expression, without_gaps


class Term:
    """`holds`: the places at which the empty text belongs to it. `sees`: what of places matters (see `places`)."""

    __slots__ = ("holds", "sees")

    def __init__(self, holds: int, sees: int) -> None:
        self.holds = holds
        self.sees = sees


class Assertion(Term):
    """The empty text at some places."""

    __slots__ = ()


class Characters(Term):
    """One character of a set, which is not empty."""

    __slots__ = ("ranges",)

    def __init__(self, ranges: Ranges) -> None:
        super().__init__(places.NOWHERE, 0)
        self.ranges = ranges


class Sequence(Term):
    """`head`, then `tail`. The head is no sequence and no union."""

    __slots__ = ("head", "tail")

    def __init__(self, head: Term, tail: Term) -> None:
        super().__init__(head.holds & tail.holds, head.sees | tail.sees)
        self.head = head
        self.tail = tail


class Loop(Term):
    """`body` from `least` to `most` times; None is any number."""

    __slots__ = ("body", "least", "most")

    def __init__(self, body: Term, least: int, most: int | None) -> None:
        super().__init__(places.EVERYWHERE if least == 0 else body.holds, body.sees)
        self.body = body
        self.least = least
        self.most = most


class Union(Term):
    """One of `members`, which are no unions."""

    __slots__ = ("members",)

    def __init__(self, members: frozenset[Term]) -> None:
        super().__init__(_together(members), _all_seen(members))
        self.members = members


class Both(Term):
    """What all of `members` have in common; they are neither unions nor intersections."""

    __slots__ = ("members",)

    def __init__(self, members: frozenset[Term]) -> None:
        holds = places.EVERYWHERE
        for member in members:
            holds &= member.holds
        super().__init__(holds, _all_seen(members))
        self.members = members


class Not(Term):
    """Everything but `body`, which is neither a union, an intersection nor a complement."""

    __slots__ = ("body",)

    def __init__(self, body: Term) -> None:
        super().__init__(places.EVERYWHERE & ~body.holds, body.sees)
        self.body = body


class Iteration(Term):
    """A repetition whose body looks ahead, up to the end of the text: `body` from `least` to `most` times, then `tail`.

    The body never matches the empty text, so each derivative unrolls it once more at most; and of all places it asks for
    the end of the text only.
    """

    __slots__ = ("body", "least", "most", "tail")

    def __init__(self, body: Expression, least: int, most: int | None, tail: Term) -> None:
        super().__init__(tail.holds if least == 0 else places.NOWHERE, tail.sees)
        self.body = body
        self.least = least
        self.most = most
        self.tail = tail


NONE: Term = Assertion(places.NOWHERE, 0)
EMPTY: Term = Assertion(places.EVERYWHERE, 0)
ANY: Term = Characters(alphabet.ANY)
ALL: Term = Loop(ANY, 0, None)


class Terms:
    """The makers of terms, which keep every term that they made. `work` counts their steps."""

    def __init__(self) -> None:
        self.work = 0
        self._known: dict[object, Term] = {
            ("assertion", places.NOWHERE): NONE,
            ("assertion", places.EVERYWHERE): EMPTY,
            ("characters", alphabet.ANY): ANY,
            ("loop", ANY, 0, None): ALL,
        }

    def __len__(self) -> int:
        return len(self._known)

    def assertion(self, holds: int) -> Term:
        """The empty text at the places of `holds`."""
        return self._one("assertion", holds) or self._keep(Assertion(holds, places.seen(holds)), "assertion", holds)

    def characters(self, ranges: Ranges) -> Term:
        """One character of `ranges`."""
        if not ranges:
            return NONE
        return self._one("characters", ranges) or self._keep(Characters(ranges), "characters", ranges)

    def sequence(self, head: Term, tail: Term) -> Term:
        """`head`, then `tail`."""
        spine: list[Term] = []
        while isinstance(head, Sequence):
            spine.append(head.head)
            head = head.tail
        self.work += 1 + len(spine)
        tail = self._after(head, tail)
        while spine:
            tail = self._after(spine.pop(), tail)
        return tail

    def _after(self, head: Term, tail: Term) -> Term:
        """A sequence whose head is no sequence."""
        if head is EMPTY or tail is NONE:
            return tail
        if head is NONE or tail is EMPTY:
            return head
        if isinstance(head, Union):
            return self.union([self.sequence(member, tail) for member in head.members])
        if tail is ALL and head.holds == places.EVERYWHERE:
            return ALL
        if head is ALL and tail.holds == places.EVERYWHERE:
            return ALL
        return self._merged(head, tail) or self._kept_sequence(head, tail)

    def _merged(self, head: Term, tail: Term) -> Term | None:
        """One term instead of two neighbours: assertions, and repetitions of the same."""
        if isinstance(head, Assertion):
            first, rest = _split(tail)
            if isinstance(first, Assertion):
                return self.sequence(self.assertion(head.holds & first.holds), rest)
            return None
        if isinstance(head, Loop) and tail is ALL and (head.most is None or head.most > head.least):
            return self.sequence(self.loop(head.body, head.least, head.least), ALL)
        return self._gathered(head, tail)

    def _gathered(self, head: Term, tail: Term) -> Term | None:
        """One loop instead of neighbours with the same body, if one of the first two is a loop."""
        body, least, most = _turns(head)
        looped, rest = isinstance(head, Loop), tail
        while rest is not EMPTY:
            first, behind = _split(rest)
            other, more, at_most = _turns(first)
            if other is not body or not (looped or isinstance(first, Loop)):
                break
            least, most = least + more, None if most is None or at_most is None else most + at_most
            looped, rest = True, behind
            self.work += 1
        return None if rest is tail else self.sequence(self.loop(body, least, most), rest)

    def _kept_sequence(self, head: Term, tail: Term) -> Term:
        return self._one("sequence", head, tail) or self._keep(Sequence(head, tail), "sequence", head, tail)

    def loop(self, body: Term, least: int, most: int | None) -> Term:
        """`body` from `least` to `most` times."""
        if most == 0 or body is EMPTY:
            return EMPTY
        if isinstance(body, Assertion):
            return EMPTY if least == 0 else body
        if least == 1 and most == 1:
            return body
        if isinstance(body, Loop) and without_gaps(body.least, body.most, least, most):
            inner = None if most is None or body.most is None else body.most * most
            return self.loop(body.body, body.least * least, inner)
        key = ("loop", body, least, most)
        return self._one(*key) or self._keep(Loop(body, least, most), *key)

    def union(self, terms: Iterable[Term]) -> Term:
        """One of `terms`."""
        members: set[Term] = set()
        for term in terms:
            if isinstance(term, Union):
                members |= term.members
                self.work += len(term.members)
            else:
                members.add(term)
        self.work += 1 + len(members)
        if ALL in members:
            return ALL
        if len(members) > 1:
            self._simplify(members)
        if len(members) < 2:
            return members.pop() if members else NONE
        key = frozenset(members)
        if any(isinstance(member, Not) and member.body in key for member in key):
            return ALL
        return self._one("union", key) or self._keep(Union(key), "union", key)

    def _simplify(self, members: set[Term]) -> None:
        """Join sets of characters and assertions, and drop what another member holds already."""
        sets = [member for member in members if isinstance(member, Characters)]
        if len(sets) > 1:
            members.difference_update(sets)
            members.add(self.characters(alphabet.united(pair for one in sets for pair in one.ranges)))
            self.work += sum(len(one.ranges) for one in sets)
        asserted = [member for member in members if isinstance(member, Assertion)]
        if asserted:
            members.difference_update(asserted)
            here, held = _together(asserted), _together(members)
            if here & ~held:
                members.add(self.assertion(here))
        self._absorb(members)

    def _absorb(self, members: set[Term]) -> None:
        """Drop intersections that are part of another member."""
        narrow = [member for member in members if isinstance(member, Both)]
        for member in narrow:
            self.work += len(narrow)
            if not members.isdisjoint(member.members) or any(other.members < member.members for other in narrow):
                members.discard(member)

    def both(self, terms: Iterable[Term]) -> Term:
        """What all of `terms` have in common."""
        factors = [term.members if isinstance(term, Union) else (term,) for term in terms]
        steps = len(factors) * prod(map(len, factors))  # does not depend on the order, which is not fixed
        if steps > MOST_STEPS:
            raise Undecidable(f"look-aheads take more than {MOST_STEPS} steps")
        self.work += steps
        options: set[frozenset[Term]] = {frozenset()}
        for factor in factors:
            choices = [_conjuncts(member) for member in factor]
            options = {option | choice for option in options for choice in choices}
        return self.union([self._kept_both(option) for option in options])

    def _kept_both(self, members: frozenset[Term]) -> Term:
        if NONE in members or any(isinstance(member, Not) and member.body in members for member in members):
            return NONE
        members = members - {ALL}
        if len(members) < 2:
            return next(iter(members), ALL)
        return self._one("both", members) or self._keep(Both(members), "both", members)

    def complement(self, term: Term) -> Term:
        """Everything but `term`."""
        if term is NONE:
            return ALL
        if term is ALL:
            return NONE
        if isinstance(term, Not):
            return term.body
        if isinstance(term, Union):
            return self.both([self.complement(member) for member in term.members])
        if isinstance(term, Both):
            return self.union([self.complement(member) for member in term.members])
        return self._one("not", term) or self._keep(Not(term), "not", term)

    def iteration(self, body: Expression, least: int, most: int | None, tail: Term) -> Term:
        """`body` from `least` to `most` times, then `tail` up to the end of the text."""
        if most == 0:
            return tail
        key = ("iteration", body, least, most, tail)
        return self._one(*key) or self._keep(Iteration(body, least, most, tail), *key)

    def _one(self, *key: object) -> Term | None:
        return self._known.get(key)

    def _keep(self, term: Term, *key: object) -> Term:
        return self._known.setdefault(key, term)


def _together(terms: Iterable[Term]) -> int:
    """The places at which one of `terms` holds the empty text."""
    return reduce(or_, (term.holds for term in terms), places.NOWHERE)


def _all_seen(terms: Iterable[Term]) -> int:
    return reduce(or_, (term.sees for term in terms), 0)


def _split(term: Term) -> tuple[Term, Term]:
    return (term.head, term.tail) if isinstance(term, Sequence) else (term, EMPTY)


def _turns(term: Term) -> tuple[Term, int, int | None]:
    return (term.body, term.least, term.most) if isinstance(term, Loop) else (term, 1, 1)


def _conjuncts(term: Term) -> frozenset[Term]:
    return term.members if isinstance(term, Both) else frozenset((term,))
