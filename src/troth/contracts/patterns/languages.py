"""Languages: sets of texts given by patterns, lengths and lists, and everything that is asked of them.

A language is kept as alternatives, each a conjunction of conditions and negated conditions (disjunctive normal form).
Whether one contains another is whether each alternative of the one and not the other is empty. A condition that stands
on both sides answers without any automaton; lengths are windows that need no states.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import merge
from itertools import islice

from troth.contracts.patterns import parsing
from troth.contracts.patterns.alphabet import numbers_of
from troth.contracts.patterns.automata import Automaton, ComplementAutomaton, TextsAutomaton, product
from troth.contracts.patterns.conditions import Condition, Lengths, Pattern, Texts, conditions_of
from troth.contracts.patterns.derivatives import PatternAutomaton
from troth.contracts.patterns.exploring import Exploration, Found, accepted
from troth.contracts.patterns.limits import LONGEST_PATTERN, MOST_ALTERNATIVES, Budget, Undecidable

_KEPT_PATTERNS = 256
_KEPT_SIZE = 2_000
_ANYTHING = Pattern(parsing.parse(""))


@dataclass(frozen=True, slots=True)
class Containment:
    """Whether every text of one language belongs to another; if not, a shortest text that does not.

    `witness` is None where there is none, and where it would have more than 100,000 characters.
    """

    contained: bool
    witness: str | None = None

    def __bool__(self) -> bool:
        return self.contained


#: All of them hold. Their order is the order in which they were asked for, so that every machine counts alike.
_Conjunction = tuple[Condition, ...]
#: From and up to how many characters; None is any number.
_Window = tuple[int, int | None]


@dataclass(frozen=True, slots=True)
class Language:
    """A set of texts. Every question raises Undecidable where its bounds do not suffice."""

    _alternatives: tuple[_Conjunction, ...]

    def matches(self, text: str, budget: Budget | None = None) -> bool:
        """Whether `text` belongs to the language. `budget` is what the question may cost, and is used up."""
        budget = budget or Budget()
        numbers_of(text)
        try:
            return any(all(_fulfils(text, one, budget) for one in conjunction) for conjunction in self._alternatives)
        finally:
            self._forget()

    def is_empty(self) -> bool:
        """Whether no text belongs to the language."""
        return self._found() is None

    def is_universal(self) -> bool:
        """Whether every text belongs to the language."""
        return self.complement().is_empty()

    def contained_in(self, other: Language) -> Containment:
        """Whether every text of this language belongs to `other`, with a witness if not.

        The witness is a shortest one, except where a part of the question was too hard and another part had one.
        """
        found = self.intersection(other.complement())._found()
        return Containment(True) if found is None else Containment(False, found.text)

    def shortest(self, budget: Budget | None = None) -> str | None:
        """A shortest text of the language; None if it has none."""
        found = self._found(budget)
        if found is not None and found.text is None:
            raise Undecidable("the shortest text is too long to be spelled")
        return None if found is None else found.text

    def examples(self, most: int, budget: Budget | None = None) -> tuple[str, ...]:
        """At most `most` texts of the language, shorter ones first, which go different ways through its automaton.

        They are fewer where the language has fewer, or where more cost too much.
        """
        budget = budget or Budget()
        found: dict[str, None] = {}
        merged = merge(*[_texts(conjunction, budget) for conjunction in self._alternatives], key=len)
        try:
            for text in islice(merged, most * max(1, len(self._alternatives))):
                found[text] = None
        except Undecidable:
            if not found:
                raise
        finally:
            self._forget()
        return tuple(islice(found, most))

    def intersection(self, *others: Language) -> Language:
        """The texts that belong to all."""
        language = self
        for other in others:
            pairs = [(one, two) for one in language._alternatives for two in other._alternatives]
            language = _of(_conjoined(one, two) for one, two in pairs)
        return language

    def union(self, *others: Language) -> Language:
        """The texts that belong to one of them."""
        return _of(one for language in (self, *others) for one in language._alternatives)

    def complement(self) -> Language:
        """The texts that do not belong to the language."""
        language = EVERYTHING
        for conjunction in self._alternatives:
            language = language.intersection(_of((one.negated(),) for one in conjunction))
        return language

    def _found(self, budget: Budget | None = None) -> Found | None:
        """A shortest text of all alternatives. An alternative that is too hard matters only if no other has a text."""
        try:
            return _shortest_of(self._alternatives, budget or Budget())
        finally:
            self._forget()

    def _forget(self) -> None:
        """Let go of automata that this question made large."""
        for conjunction in self._alternatives:
            for condition in conjunction:
                if isinstance(condition.subject, Pattern):
                    _kept(condition.subject).forget()


EVERYTHING = Language(((),))
NOTHING = Language(())


def language(pattern: str) -> Language:
    """The texts in which `pattern` is found, by ECMA-262 with the flag `u`: JSON Schema's `pattern`.

    Raises Undecidable for what is wrong, not regular, or not the same everywhere (see `parsing`).
    """
    if len(pattern) > LONGEST_PATTERN:
        raise Undecidable(f"the pattern has more than {LONGEST_PATTERN} characters")
    return _language(pattern)


@lru_cache(_KEPT_PATTERNS)
def _language(pattern: str) -> Language:
    conditions = conditions_of(parsing.parse(pattern))
    for condition in conditions:
        if isinstance(condition.subject, Pattern):
            _kept(condition.subject)  # says now what is not regular
    return Language((conditions,))


def lengths(minimum: int = 0, maximum: int | None = None) -> Language:
    """The texts of `minimum` to `maximum` characters (code points): JSON Schema's `minLength` and `maxLength`."""
    return Language(((Condition(Lengths(max(0, minimum), maximum)),),))


def literal(text: str) -> Language:
    """The language of one text."""
    return literals([text])


def literals(texts: Iterable[str]) -> Language:
    """The language of the texts that are listed. Raises Undecidable for a lone surrogate."""
    listed = sorted(set(texts), key=lambda text: (len(text), text))
    for text in listed:
        numbers_of(text)
    return Language(((Condition(Texts(tuple(listed))),),)) if listed else NOTHING


def _of(conjunctions: Iterable[_Conjunction | None]) -> Language:
    found = dict.fromkeys(one for one in conjunctions if one is not None)
    if len(found) > MOST_ALTERNATIVES:
        raise Undecidable(f"a combination of languages has more than {MOST_ALTERNATIVES} alternatives")
    return Language(tuple(found))


def _conjoined(one: _Conjunction, two: _Conjunction) -> _Conjunction | None:
    """All conditions of both; None where two contradict each other."""
    conditions = dict.fromkeys((*one, *two))
    if any(condition.negated() in conditions for condition in two):
        return None
    return tuple(conditions)


class _Kept:
    """The automaton of a pattern as far as it was needed. Nothing but time depends on what is kept."""

    def __init__(self, pattern: Pattern) -> None:
        self._expression = pattern.expression
        self.automaton = PatternAutomaton(self._expression)

    def forget(self) -> None:
        """Start anew where it has grown large."""
        if self.automaton.size() > _KEPT_SIZE:
            self.automaton = PatternAutomaton(self._expression)


@lru_cache(_KEPT_PATTERNS)
def _kept(pattern: Pattern) -> _Kept:
    return _Kept(pattern)


def _automaton(condition: Condition) -> Automaton:
    subject = condition.subject
    assert not isinstance(subject, Lengths)
    found: Automaton = _kept(subject).automaton if isinstance(subject, Pattern) else TextsAutomaton(subject.texts)
    return found if condition.wanted else ComplementAutomaton(found)


def _fulfils(text: str, condition: Condition, budget: Budget) -> bool:
    subject = condition.subject
    if isinstance(subject, Lengths):
        inside = subject.minimum <= len(text) and (subject.maximum is None or len(text) <= subject.maximum)
    elif isinstance(subject, Texts):
        inside = text in subject.texts
    else:
        inside = accepted(_kept(subject).automaton, text, budget)
    return inside == condition.wanted


def _shortest_of(alternatives: Sequence[_Conjunction], budget: Budget) -> Found | None:
    """A shortest text of all; alternatives that are hard are put off until the easy ones had their turn."""
    if len(alternatives) == 1:
        return _shortest(alternatives[0], budget)
    found: list[Found | None] = []
    hard: list[_Conjunction] = []
    for conjunction in alternatives:
        share = budget.share()
        steps, states = share.steps, share.states
        try:
            found.append(_shortest(conjunction, share))
        except Undecidable:
            hard.append(conjunction)
        budget.spend(steps - max(share.steps, 0), states - max(share.states, 0))
    try:
        for conjunction in hard:
            found.append(_shortest(conjunction, budget))
    except Undecidable:
        if not any(found):
            raise
    return min((one for one in found if one is not None), key=lambda one: one.length, default=None)


def _shortest(conjunction: _Conjunction, budget: Budget) -> Found | None:
    """A shortest text that fulfils all conditions; None if there is none."""
    listed = _listed(conjunction, budget)
    if listed is not None:
        return next((Found(len(text), text) for text in listed), None)
    windows = _windows(conjunction)
    if not windows:
        return None
    exploration = Exploration(_automaton_of(conjunction), budget, branching=True)
    found = exploration.shortest()
    if found is None or any(_inside(found.length, window) for window in windows):
        return found
    for low, high in windows:
        found = exploration.shortest(low, high)
        if found is not None:
            return found
    return None


def _texts(conjunction: _Conjunction, budget: Budget) -> Iterator[str]:
    listed = _listed(conjunction, budget)
    if listed is not None:
        yield from listed
        return
    exploration = Exploration(_automaton_of(conjunction), budget)
    for low, high in _windows(conjunction):
        yield from exploration.texts(low, high)


def _listed(conjunction: _Conjunction, budget: Budget) -> Iterator[str] | None:
    """The texts that fulfil all conditions, shortest first, where one of the conditions lists them."""
    for condition in conjunction:
        if isinstance(condition.subject, Texts) and condition.wanted:
            texts = condition.subject.texts
            return (text for text in texts if all(_fulfils(text, other, budget) for other in conjunction))
    return None


def _automaton_of(conjunction: _Conjunction) -> Automaton:
    """The automaton of all conditions but those on lengths."""
    automata = [_automaton(one) for one in conjunction if not isinstance(one.subject, Lengths)]
    return product(automata or [_kept(_ANYTHING).automaton])


def _windows(conjunction: _Conjunction) -> list[_Window]:
    """The lengths that the conditions leave, shortest first, without overlap."""
    windows: list[_Window] = [(0, None)]
    for condition in conjunction:
        if isinstance(condition.subject, Lengths):
            allowed = _allowed(condition.subject, condition.wanted)
            met = [_overlap(one, two) for one in windows for two in allowed]
            windows = [window for window in met if window is not None]
    return windows


def _allowed(subject: Lengths, wanted: bool) -> list[_Window]:
    if wanted:
        return [(subject.minimum, subject.maximum)]
    if subject.maximum is None:
        return [(0, subject.minimum - 1)]
    return [(0, subject.minimum - 1), (subject.maximum + 1, None)]


def _overlap(one: _Window, two: _Window) -> _Window | None:
    low = max(one[0], two[0])
    high = one[1] if two[1] is None else two[1] if one[1] is None else min(one[1], two[1])
    return None if high is not None and high < low else (low, high)


def _inside(length: int, window: _Window) -> bool:
    return window[0] <= length and (window[1] is None or length <= window[1])
