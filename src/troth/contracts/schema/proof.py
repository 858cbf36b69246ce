"""The proof: an instance of a formula, or that there is none.

A formula is narrowed to each type in turn. What remains is "and" and "or" of atoms of that type: the search asserts atoms
until an "or" is left, asks the rules of the type for an instance of the atoms so far, and splits an "or" that the instance
does not satisfy. So it ends at once where the atoms contradict each other, and where the instance satisfies all.

Schemas that refer to themselves lead back to a formula that is being asked about. Then there is no instance *there*: the
smallest instance of a formula does not contain another instance of it. Such an answer is kept only if it stands by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from troth.contracts.schema.answers import Json
from troth.contracts.schema.arrays import array_model
from troth.contracts.schema.formats import SAMPLES
from troth.contracts.schema.formulas import Formula, Formulas
from troth.contracts.schema.holding import PATTERN_STEPS, Holding
from troth.contracts.schema.numbers import number_model
from troth.contracts.schema.objects import object_model
from troth.contracts.schema.outcomes import EMPTY, UNKNOWN, Outcome, Sample, Status, found
from troth.contracts.schema.steps import Steps
from troth.contracts.schema.strings import string_model

_DEEPEST = 300
_MANY_OPTIONS = 6
_PATTERN_STEPS = 10  # what a pattern costs beside other atoms
_UNDECIDED_STEPS = 15_000  # what it costs to find out that patterns are too hard
_MANY_SPLITS = 60
_Facts = dict[int, Formula]


class Proof(Holding):
    """Looks for instances of formulas within a number of steps."""

    def __init__(self, formulas: Formulas, steps: Steps) -> None:
        super().__init__(formulas, steps)
        self._known: dict[int, Outcome] = {}
        self._open: dict[int, int] = {}
        self._splits = 0  # of the formula that is being asked about
        self._leant_on = _DEEPEST + 1  # the outermost open formula that the answer rests on

    def model(self, formula: Formula) -> Outcome:
        """An instance of `formula`, or that there is none. Raises Exhausted."""
        if formula is self.formulas.false:
            return EMPTY
        if formula.index in self._known:
            return self._known[formula.index]
        if formula.index in self._open:
            self._leant_on = min(self._leant_on, self._open[formula.index])
            return EMPTY
        if len(self._open) >= _DEEPEST:
            return UNKNOWN
        return self._asked(formula)

    def _asked(self, formula: Formula) -> Outcome:
        self.steps.take()
        depth, before, splits = len(self._open), self._leant_on, self._splits
        self._splits = 0
        self._open[formula.index] = depth
        self._leant_on = _DEEPEST + 1
        try:
            outcome = self._by_type(formula)
        finally:
            del self._open[formula.index]
            self._splits = splits
            alone = self._leant_on >= depth
            self._leant_on = min(before, self._leant_on if not alone else _DEEPEST + 1)
        if alone or outcome.status is Status.FOUND:
            self._known[formula.index] = outcome
        return outcome

    def _by_type(self, formula: Formula) -> Outcome:
        best = EMPTY
        for value in (None, False, True):
            said = self.holds(formula, value)
            if said:
                return found(value)
            best = Outcome(Status.UNKNOWN, value) if said is None else best
        for type_ in ("number", "string", "array", "object"):
            narrow = self.formulas.narrowed(formula, type_)
            if narrow is not self.formulas.false:
                outcome = self._split(type_, {}, [narrow], [])
                if outcome.status is Status.FOUND:
                    return outcome
                best = _better(best, outcome)
        return best

    def sample(self, formula: Formula, count: int) -> Sample:
        """Up to `count` different instances of `formula`."""
        values: list[Json] = []
        while len(values) < count:
            self.steps.take()
            others = self.formulas.one_of(values).negation
            outcome = self.model(self.formulas.all_of((formula, others)))
            if outcome.status is not Status.FOUND:
                return Sample(values, True if outcome.status is Status.EMPTY else None)
            values.append(outcome.value)
        return Sample(values, False)

    def _split(self, type_: str, facts: _Facts, news: Sequence[Formula], choices: list[Formula]) -> Outcome:
        """An instance of one type that satisfies the atoms `facts`, the formulas `news` and the "or"s `choices`."""
        self._splits += 1
        self.steps.take(1 + (len(facts) + len(choices)) // 8)
        facts = dict(facts)
        left = self._asserted(type_, facts, news, choices)
        if left is not None and self._splits > _MANY_SPLITS:
            left = self._probed(type_, facts, left)
        if left is None:
            return EMPTY
        outcome = self._of_atoms(type_, list(facts.values()))
        if outcome.status is Status.EMPTY or not left:
            return outcome
        choice = self._unsatisfied(left, outcome)
        if choice is None:
            return outcome
        rest = [other for other in left if other is not choice]
        best = EMPTY
        hopeless = self._hopeless(facts) if len(choice.arguments) > _MANY_OPTIONS and type_ == "object" else _never
        for option in choice.arguments:
            if not _denied(option, facts) and not hopeless(option):
                outcome = self._split(type_, facts, [option], rest)
                if outcome.status is Status.FOUND:
                    return outcome
                best = _better(best, outcome)
        return best

    def _asserted(
        self, type_: str, facts: _Facts, news: Sequence[Formula], choices: Sequence[Formula]
    ) -> list[Formula] | None:
        """Adds `news` to the atoms; gives the "or"s that stay open, or None where something is asserted and denied."""
        waiting, left = list(news), list(choices)
        while waiting:
            while waiting:
                formula = waiting.pop()
                if formula is self.formulas.false or formula.negation.index in facts:
                    return None
                if formula.kind == "and":
                    waiting += formula.arguments
                elif formula.kind == "or":
                    left.append(formula)
                elif formula.kind == "in" and not formula.positive and type_ in ("array", "object"):
                    waiting += [self._differs(type_, self.formulas.values[name]) for name in formula.arguments[0]]
                elif formula is not self.formulas.true:
                    facts[formula.index] = formula
            still = []
            self.steps.take(sum([len(choice.arguments) for choice in left]) >> 7)
            for choice in left:
                options = [option for option in choice.arguments if not _denied(option, facts)]
                if len(options) < 2:
                    waiting.append(options[0] if options else self.formulas.false)
                elif not any(option.index in facts for option in options):
                    still.append(choice)
            left = still
        return left

    def _probed(self, type_: str, facts: _Facts, choices: list[Formula]) -> list[Formula] | None:
        """What stays open after each option was tried for an evident contradiction: for "or"s that belong together."""
        for choice in choices:
            self.steps.take(1 + len(choices) // 8)
            options = [
                option
                for option in choice.arguments
                if not _denied(option, facts) and self._asserted(type_, dict(facts), [option], choices) is not None
            ]
            if len(options) < 2:
                left = self._asserted(type_, facts, options or [self.formulas.false], choices)
                return None if left is None else self._probed(type_, facts, left)
        return choices

    def _hopeless(self, facts: _Facts) -> Callable[[Formula], bool]:
        """Whether an option, that one named property fails a formula, contradicts what is said of that property.

        Wide objects have as many options as properties; this looks at one property and not at all of them.
        """
        named: dict[Hashable, list[Formula]] = {}
        every = [fact for fact in facts.values() if fact.kind == "every" and fact.positive]
        others = [fact for fact in every if not _is_list(fact.arguments[0])]
        for fact in every:
            if _is_list(fact.arguments[0]):
                for name in fact.arguments[0].arguments[0]:
                    named.setdefault(name, []).append(fact.arguments[1])

        def hopeless(option: Formula) -> bool:
            if option.kind != "every" or option.positive or not _is_list(option.arguments[0]):
                return False
            names, denied = option.arguments
            name = next(iter(names.arguments[0]))
            if len(names.arguments[0]) > 1 or not isinstance(name, str):
                return False
            said = [fact.arguments[1] for fact in others if self.holds(fact.arguments[0], name)]
            both = self.formulas.all_of([denied.negation, *named.get(name, ()), *said])
            return self.model(both).status is Status.EMPTY

        return hopeless

    def _differs(self, type_: str, value: Json) -> Formula:
        """A formula of arrays or of objects: the instance is not `value`."""
        make = self.formulas
        self.steps.take(len(value) // 8)
        if type_ == "array":
            parts = [make.atom("items", len(value)).negation, make.atom("items", len(value) + 1)]
            differing = [make.atom("each", place, place + 1, make.one_of([item])) for place, item in enumerate(value)]
        else:
            parts = [make.atom("properties", len(value) + 1), *(make.atom("has", name).negation for name in value)]
            differing = [make.atom("every", make.one_of([name]), make.one_of([inner])) for name, inner in value.items()]
        return make.any_of([*parts, *(atom.negation for atom in differing)])

    def _unsatisfied(self, choices: list[Formula], outcome: Outcome) -> Formula | None:
        """The "or" to split: one that the instance at hand does not satisfy, with few options."""
        if outcome.status is Status.FOUND:
            choices = [choice for choice in choices if not self.holds(choice, outcome.value)]
        return min(choices, key=lambda choice: len(choice.arguments), default=None)

    def _of_atoms(self, type_: str, facts: list[Formula]) -> Outcome:
        """An instance of one type that satisfies all of `facts`, atoms and their negations."""
        equal = [fact for fact in facts if fact.kind == "in" and fact.positive]
        if equal:
            return self._among(facts, [self.formulas.values[name] for name in equal[0].arguments[0]], EMPTY)
        doubtful = [fact for fact in facts if fact.kind == "opaque"]
        outcome = self._rules(type_, [fact for fact in facts if fact.kind != "opaque"])
        if not doubtful or outcome.status is Status.EMPTY:
            return outcome
        formats = [fact.arguments[1][1] for fact in doubtful if fact.arguments[1][0] == "format"]
        samples = [text for name in formats for text in SAMPLES.get(name, ())]
        first = [] if outcome.value is UNKNOWN.value else [outcome.value]
        return self._among(facts, [*first, *samples], outcome.weakened())

    def _rules(self, type_: str, facts: list[Formula]) -> Outcome:
        if type_ == "number":
            return number_model(self.steps, facts)
        if type_ == "string":
            patterns = sum([fact.kind == "matches" for fact in facts])
            self.steps.take(_PATTERN_STEPS * patterns * (patterns + 1) // 2)
            outcome, cost = string_model(facts)
            undecided = patterns and outcome.status is Status.UNKNOWN
            self.steps.take(_UNDECIDED_STEPS if undecided else cost // PATTERN_STEPS)
            return outcome
        return array_model(self, facts) if type_ == "array" else object_model(self, facts)

    def _among(self, facts: list[Formula], values: list[Json], otherwise: Outcome) -> Outcome:
        """The first of `values` that satisfies all of `facts`."""
        best = otherwise
        for value in values:
            said = [self.holds(fact, value) for fact in facts]
            if all(said):
                return found(value)
            if False not in said:
                best = Outcome(Status.UNKNOWN, value)
        return best


def _is_list(names: Formula) -> bool:
    return names.kind == "in" and names.positive


def _never(option: Formula) -> bool:
    return False


def _denied(option: Formula, facts: _Facts) -> bool:
    if option.kind == "and":
        return any(part.negation.index in facts for part in option.arguments)
    return option.negation.index in facts


def _better(best: Outcome, outcome: Outcome) -> Outcome:
    """The more telling of two outcomes without an instance."""
    if outcome.status is Status.EMPTY or (best.status is Status.UNKNOWN and outcome.value is UNKNOWN.value):
        return best
    return outcome
