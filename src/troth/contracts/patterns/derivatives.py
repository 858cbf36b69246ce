"""The automaton of one pattern, made as far as questions ask for it.

A state is a term and what stands before the place. A transition is the derivative of the term: what may follow once a
character was read (Brzozowski 1964; for large alphabets Owens, Reppy and Turon 2009; with intersection, complement and
assertions on places Stanford, Veanes and Bjørner 2021, Moseley and others 2023).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from threading import Lock
from typing import Any, TypeVar

from troth.contracts.patterns import alphabet, compiling, places
from troth.contracts.patterns.limits import MOST_STEPS, Undecidable
from troth.contracts.patterns.pieces import Pieces, constant, gathered, mapped, split, zipped
from troth.contracts.patterns.syntax import Expression
from troth.contracts.patterns.terms import (
    ALL,
    EMPTY,
    NONE,
    Assertion,
    Both,
    Characters,
    Iteration,
    Loop,
    Not,
    Sequence,
    Term,
    Terms,
    Union,
)

U = TypeVar("U")

#: A term; where it asks for what stands before the place, a pair with that (see `places`).
State = Term | tuple[Term, int]

_IS_WORD = split(alphabet.WORD, True, False)
_NOTHING: Pieces[Term] = constant(NONE)
#: No derivative is this term.
_NEVER: Term = Assertion(places.NOWHERE, 0)


class PatternAutomaton:
    """The deterministic automaton of all texts in which a pattern is found. States are made when they are asked for."""

    def __init__(self, expression: Expression) -> None:
        self._terms = Terms()
        self._derived: dict[tuple[Term, int], Pieces[Term]] = {}
        self._moves: dict[State, Pieces[Any]] = {}
        self._lock = Lock()
        self._ceiling = 0
        self.start: State = (compiling.searched(self._terms, expression), places.AT_START)

    def size(self) -> int:
        """How many terms and transitions it keeps in memory."""
        return len(self._terms) + len(self._moves) + len(self._derived)

    def accepts(self, state: State) -> bool:
        """Whether the texts that lead to `state` belong to the language."""
        term, before = state if isinstance(state, tuple) else (state, places.AFTER_OTHER)
        return bool(term.holds & places.place(before, places.AT_END))

    def hopeless(self, state: State) -> bool:
        """Whether no text from `state` on belongs to the language, as far as is seen at once."""
        return state is NONE

    def certain(self, state: State) -> bool:
        """Whether every text from `state` on belongs to the language, as far as is seen at once."""
        return state is ALL

    def branches(self, state: State) -> Iterable[State]:
        """States that together stand for `state`: the partial derivatives of Antimirov."""
        term = state[0] if isinstance(state, tuple) else state
        if not isinstance(term, Union):
            return (state,)
        return term.members if not isinstance(state, tuple) else [(member, state[1]) for member in term.members]

    def moves(self, state: State) -> Pieces[Any]:
        """The state after each character. Raises Undecidable where a single transition takes too long."""
        known = self._moves.get(state)
        if known is None:
            with self._lock:
                self._ceiling = self._terms.work + MOST_STEPS
                known = self._moves[state] = self._new_moves(state)
        return known

    def _new_moves(self, state: State) -> Pieces[Any]:
        term, before = state if isinstance(state, tuple) else (state, places.AFTER_OTHER)
        if not term.sees & places.SEES_WORDS:
            return self._past(self._derive(term, places.place(before, places.BEFORE_OTHER)), before)
        word = self._past(self._derive(term, places.place(before, places.BEFORE_WORD)), before)
        other = self._past(self._derive(term, places.place(before, places.BEFORE_OTHER)), before)
        return mapped(zipped(zipped(word, other), _IS_WORD), _beside)

    def _past(self, found: Pieces[Term], before: int) -> Pieces[Term]:
        if before != places.AT_START:
            return found
        known: dict[Term, Term] = {}
        return self._changed(found, lambda term: self._past_start(term, known))

    def _past_start(self, term: Term, known: dict[Term, Term]) -> Term:
        """The same term where the start of the text lies behind, so that `^` holds nowhere."""
        spine: list[Term] = []
        while isinstance(term, Sequence) and term not in known and term.sees & places.SEES_START:
            spine.append(term)
            term = term.tail
        result = known.get(term) or (self._rebuilt(term, known) if term.sees & places.SEES_START else term)
        known[term] = result
        for above in reversed(spine):
            assert isinstance(above, Sequence)
            result = known[above] = self._terms.sequence(self._past_start(above.head, known), result)
        return result

    def _rebuilt(self, term: Term, known: dict[Term, Term]) -> Term:
        again = partial(self._past_start, known=known)
        match term:
            case Assertion(holds=holds):
                return self._terms.assertion(places.past_start(holds))
            case Loop(body=body, least=least, most=most):
                return self._terms.loop(again(body), least, most)
            case Union(members=members):
                return self._terms.union([again(member) for member in members])
            case Both(members=members):
                return self._terms.both([again(member) for member in members])
            case Not(body=body):
                return self._terms.complement(again(body))
            case Iteration(body=inside, least=least, most=most, tail=tail):
                return self._terms.iteration(inside, least, most, again(tail))
        return term

    def _derive(self, term: Term, place: int) -> Pieces[Term]:
        """The derivative of `term` at a place: what may follow, for each character."""
        key = (term, place)
        known = self._derived.get(key)
        if known is None:
            known = self._derived[key] = _DERIVATIVES[type(term)](self, term, place)
            if known.cost > MOST_STEPS or self._terms.work > self._ceiling:
                raise Undecidable(f"a transition takes more than {MOST_STEPS} steps")
        return known

    def _assertion(self, term: Assertion, place: int) -> Pieces[Term]:
        return _NOTHING

    def _characters(self, term: Characters, place: int) -> Pieces[Term]:
        return split(term.ranges, EMPTY, NONE)

    def _sequence(self, term: Sequence, place: int) -> Pieces[Term]:
        """The head's derivatives, and those of what follows as long as the heads may be empty here."""
        found: list[Pieces[Term]] = []
        rest: Term = term
        while isinstance(rest, Sequence):
            if not isinstance(rest.head, Assertion):
                found.append(self._then(rest.head, rest.tail, place))
            if not rest.head.holds & place:
                return self._united(found)
            rest = rest.tail
        found.append(self._derive(rest, place))
        return self._united(found)

    def _then(self, head: Term, tail: Term, place: int) -> Pieces[Term]:
        """The derivative of a head, then the tail; at once where the head is about single characters."""
        if isinstance(head, Characters):
            return split(head.ranges, tail, NONE)
        if isinstance(head, Loop) and isinstance(head.body, Characters):
            return split(head.body.ranges, self._terms.sequence(self._shorter(head, place), tail), NONE)
        return self._changed(self._derive(head, place), lambda found: self._terms.sequence(found, tail))

    def _loop(self, term: Loop, place: int) -> Pieces[Term]:
        return self._then(term.body, self._shorter(term, place), place)

    def _shorter(self, term: Loop, place: int) -> Term:
        """One turn less. Where the body may be empty, the missing turns can be made here without reading anything."""
        least = 0 if term.body.holds & place else max(term.least - 1, 0)
        return self._terms.loop(term.body, least, None if term.most is None else term.most - 1)

    def _union(self, term: Union, place: int) -> Pieces[Term]:
        return self._united([self._derive(member, place) for member in term.members])

    def _both(self, term: Both, place: int) -> Pieces[Term]:
        found = gathered([self._derive(member, place) for member in term.members], _NEVER)
        return self._changed(found, self._terms.both)

    def _not(self, term: Not, place: int) -> Pieces[Term]:
        return self._changed(self._derive(term.body, place), self._terms.complement)

    def _iteration(self, term: Iteration, place: int) -> Pieces[Term]:
        most = None if term.most is None else term.most - 1
        rest = self._terms.iteration(term.body, max(term.least - 1, 0), most, term.tail)
        before = self._terms.work
        once = compiling.followed(self._terms, term.body, rest)
        self._terms.work += term.body.facts.size
        unrolling = Pieces((0,), (NONE,), 1 + self._terms.work - before)
        found = [unrolling, self._derive(once, place)]
        if term.least == 0:
            found.append(self._derive(term.tail, place))
        return self._united(found)

    def _united(self, found: list[Pieces[Term]]) -> Pieces[Term]:
        found = [pieces for pieces in found if pieces is not _NOTHING] or [_NOTHING]
        if len(found) == 1:
            return found[0]
        return self._changed(gathered(found, NONE), self._terms.union)

    def _changed(self, found: Pieces[U], change: Callable[[U], Term]) -> Pieces[Term]:
        """`change` of every value, at the cost of the steps that the terms count."""
        before = self._terms.work
        changed = mapped(found, change)
        changed.cost += self._terms.work - before
        self._terms.work += len(found.starts)
        return changed


def _beside(found: tuple[tuple[Term, Term], bool]) -> State:
    (word, other), is_word = found
    term = word if is_word else other
    if not term.sees & places.SEES_WORDS:
        return term
    return term, places.AFTER_WORD if is_word else places.AFTER_OTHER


_DERIVATIVES: dict[type[Term], Callable[..., Pieces[Term]]] = {
    Assertion: PatternAutomaton._assertion,
    Characters: PatternAutomaton._characters,
    Sequence: PatternAutomaton._sequence,
    Loop: PatternAutomaton._loop,
    Union: PatternAutomaton._union,
    Both: PatternAutomaton._both,
    Not: PatternAutomaton._not,
    Iteration: PatternAutomaton._iteration,
}
