"""Is every instance of one schema an instance of another? Yes, no with a witness, or "cannot tell".

A is contained in B where nothing satisfies "A and not B". The proof looks for such an instance. Before a yes, a search over
many instances has to fail; a no is said only with an instance that a validator confirms.
"""

from __future__ import annotations

import sys
from collections.abc import Hashable
from dataclasses import replace
from threading import Lock

from troth.contracts.schema import unevaluated  # noqa: F401  adds its keywords to the readers
from troth.contracts.schema.answers import ABSENT, Absent, Answer, Bounds, Containment, Dialect, Difference, Json
from troth.contracts.schema.assertions import Assertions
from troth.contracts.schema.confirmation import Confirmation
from troth.contracts.schema.differences import Explanation
from troth.contracts.schema.documents import Document, malformed
from troth.contracts.schema.evaluation import Evaluator
from troth.contracts.schema.formulas import Formula, Formulas
from troth.contracts.schema.outcomes import EMPTY, UNKNOWN, Outcome, Status
from troth.contracts.schema.proof import Proof
from troth.contracts.schema.search import Search
from troth.contracts.schema.shrinking import shrunk
from troth.contracts.schema.steps import Exhausted, Steps

_FRAMES = 30_000
#: Steps of the validation that a witness is made smaller by.
_SHRINKING_STEPS = 100_000
_THE_SAME = "the schemas assert the same"
_PROVED = "no instance of the old schema fails the new one"
_NOTHING = "the old schema has no instance at all"
_FAILS = "the witness is valid under the old schema and not under the new one"
_NOT_UNDERSTOOD = "something that differs is not understood"
_TOO_MUCH = "the schemas take more steps than are spent on them"


def contained(
    old: Json,
    new: Json,
    *,
    dialect: Dialect | None = None,
    search: bool = True,
    formats: bool = False,
    open_objects: bool = False,
    explained: bool = True,
    bounds: Bounds = Bounds(),
) -> Containment:
    """Whether every instance of `old` is an instance of `new`.

    `dialect` is that of a schema without `$schema` (otherwise 2020-12). `formats` makes `format` an assertion.
    `open_objects` is the tolerant reading of what is produced (note N11): properties that `new` does not know are no
    fault. `explained` is whether the differences are told with a no. Raises MalformedSchema.
    """
    with _DEEP_STACK:
        try:
            pair = _Pair(old, new, dialect, formats, open_objects, bounds)
            return replace(pair.judged(search, explained), steps=pair.spent())
        except RecursionError:
            raise malformed("", "the schemas are nested too deeply", "comparing is bounded") from None


def same_meaning(
    old: Json, new: Json, *, dialect: Dialect | None = None, search: bool = True, bounds: Bounds = Bounds()
) -> Containment:
    """Whether two schemas accept the same instances, as wire formats must (PDB-45).

    The witness of a NO is valid under one of them only; its `differences` are those of the direction that failed, named as
    `old` and `new` are there, and `words` says which that is. Raises MalformedSchema.
    """
    there = contained(old, new, dialect=dialect, search=search, bounds=bounds)
    if there.answer is Answer.NO:
        return there
    back = contained(new, old, dialect=dialect, search=search, bounds=bounds)
    searched = there.searched + back.searched
    if back.answer is Answer.YES:
        return replace(there, searched=searched)
    turned = tuple(_turned(difference) for difference in back.differences)
    words = f"seen from the new schema: {back.words}"
    if back.answer is Answer.NO or there.answer is Answer.YES:
        return replace(back, differences=turned, searched=searched, words=words)
    return replace(there, differences=there.differences + turned, searched=searched)


def _turned(difference: Difference) -> Difference:
    return replace(
        difference,
        old_pointer=difference.new_pointer,
        new_pointer=difference.old_pointer,
        old=difference.new,
        new=difference.old,
        words=f"the other way: {difference.words}",
    )


class _Pair:
    """Two schemas under comparison."""

    def __init__(
        self, old: Json, new: Json, dialect: Dialect | None, formats: bool, opened: bool, bounds: Bounds
    ) -> None:
        self._proofs: list[tuple[Steps, int]] = []
        self._searches: list[tuple[Steps, int]] = []
        numbers: dict[Hashable, int] = {}
        self.old, self.new = (Document(one, dialect, bounds, numbers) for one in (old, new))
        self.formats, self.opened, self.bounds = formats, opened, bounds
        self.under_old = Evaluator(self.old, formats=formats)
        self.under_new = Evaluator(self.new, formats=formats, opened=opened)

    def spent(self) -> int:
        """The steps that were taken, those of the validation counted as tenths."""
        proved = sum(most - max(0, steps.left) for steps, most in self._proofs)
        return proved + sum(most - max(0, steps.left) for steps, most in self._searches) // 10

    def judged(self, search: bool, explained: bool) -> Containment:
        """The answer: what the proof says, unless the search knows better."""
        outcome, words = self._proved()
        tried, refuted = 0, outcome.status is Status.FOUND
        witness = ABSENT if outcome.value is ABSENT else self._confirmed(outcome.value)
        if witness is ABSENT and search and words != _THE_SAME:
            hunt = Search(self.old, self.new, self.bounds)
            self._spend(hunt.steps)
            for instance in hunt.counterexamples(self.under_old.valid, self.under_new.valid):
                witness, refuted = self._confirmed(instance), True
            tried = hunt.tried
        if witness is not ABSENT:
            return Containment(Answer.NO, witness, self._differences() if explained else (), tried, _FAILS)
        if outcome.status is Status.EMPTY and not refuted:
            return Containment(Answer.YES, searched=tried, words=words)
        return Containment(Answer.CANNOT_TELL, ABSENT, self._differences() if explained else (), tried, words)

    def _proved(self) -> tuple[Outcome, str]:
        """What the proof finds, in words too."""
        if not self.opened and self.old.same_as(self.new):
            return EMPTY, _THE_SAME
        try:
            old, new, proof = self._begun()
            left, right = old.root(), new.root()
            if left is right:
                return EMPTY, _THE_SAME
            outcome = proof.model(proof.formulas.all_of((left, right.negation)))
            if outcome.status is not Status.EMPTY:
                return outcome, _NOT_UNDERSTOOD
            nothing = proof.model(left).status is Status.EMPTY
            return outcome, _NOTHING if nothing else _PROVED
        except Exhausted:
            return UNKNOWN, _TOO_MUCH

    def _begun(self) -> tuple[Assertions, Assertions, Proof]:
        steps = Steps(self.bounds.steps + 4 * (self.old.size + self.new.size))
        self._proofs.append((steps, steps.left))
        formulas = Formulas(steps)
        formulas.expand = _expanded
        old = Assertions(self.old, formulas, steps, formats=self.formats, opened=False)
        new = Assertions(self.new, formulas, steps, formats=self.formats, opened=self.opened)
        return old, new, Proof(formulas, steps)

    def _differences(self) -> tuple[Difference, ...]:
        return Explanation(*self._begun()).differences()

    def _spend(self, steps: Steps) -> None:
        """From now on validation takes these steps."""
        self._searches.append((steps, steps.left))
        self.under_old.memory.steps = self.under_new.memory.steps = steps

    def _shows(self, instance: Json) -> bool:
        return self.under_old.valid(instance) is True and self.under_new.valid(instance) is False

    def _confirmed(self, instance: Json) -> Json | Absent:
        """The smallest instance found from this one that a validator confirms; ABSENT if it does not even confirm this."""
        self._spend(Steps(_SHRINKING_STEPS))
        try:
            if not self._shows(instance):
                return ABSENT
        except Exhausted:
            return ABSENT
        under_old = Confirmation(self.old, formats=self.formats)
        under_new = Confirmation(self.new, formats=self.formats)
        for witness in (shrunk(instance, self._shows), instance):
            # jsonschema knows nothing of the tolerant reading, so there our own validation is the only one
            refused = under_new.says(witness) is False
            if under_old.says(witness) is True and (refused or self.opened):
                return witness
        return ABSENT


def _expanded(reference: Formula) -> Formula:
    made, schema, opened = reference.arguments
    assert isinstance(made, Assertions)
    return made.expanded(schema, opened)


class _DeepStack:
    """Room for schemas of some hundred levels, whose depth is bounded before; taken back when no thread needs it."""

    def __init__(self) -> None:
        self._lock, self._inside, self._before = Lock(), 0, 0

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._before = sys.getrecursionlimit()
                sys.setrecursionlimit(max(self._before, _FRAMES))
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                sys.setrecursionlimit(self._before)


_DEEP_STACK = _DeepStack()
