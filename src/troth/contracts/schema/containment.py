"""Is every instance of one schema an instance of another? Yes, no with a witness, or "cannot tell".

A is contained in B where nothing satisfies "A and not B". The proof looks for such an instance. Before a yes, a search over
many instances has to fail; a no is said only with an instance that a validator confirms.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from troth.contracts.schema import unevaluated  # noqa: F401  adds its keywords to the readers
from troth.contracts.schema.answers import ABSENT, Absent, Answer, Bounds, Containment, Dialect, Json
from troth.contracts.schema.assertions import Assertions
from troth.contracts.schema.confirmation import Confirmation
from troth.contracts.schema.documents import Document, malformed
from troth.contracts.schema.evaluation import Evaluator
from troth.contracts.schema.formulas import Formula, Formulas
from troth.contracts.schema.outcomes import UNKNOWN, Outcome, Status
from troth.contracts.schema.proof import Proof
from troth.contracts.schema.shrinking import shrunk
from troth.contracts.schema.steps import Exhausted, Steps

_FRAMES = 30_000


def contained(
    old: Json,
    new: Json,
    *,
    dialect: Dialect | None = None,
    search: bool = True,
    formats: bool = False,
    open_objects: bool = False,
    bounds: Bounds = Bounds(),
) -> Containment:
    """Whether every instance of `old` is an instance of `new`.

    `dialect` is that of a schema without `$schema` (otherwise 2020-12). `formats` makes `format` an assertion.
    `open_objects` is the tolerant reading of what is produced (note N11): properties that `new` does not know are no
    fault. Raises MalformedSchema.
    """
    with _deep_stack():
        try:
            pair = _Pair(old, new, dialect, formats, open_objects, bounds)
            return pair.judged(search)
        except RecursionError:
            raise malformed("", "the schemas are nested too deeply", "comparing is bounded") from None


class _Pair:
    """Two schemas under comparison."""

    def __init__(
        self, old: Json, new: Json, dialect: Dialect | None, formats: bool, opened: bool, bounds: Bounds
    ) -> None:
        self.old, self.new = Document(old, dialect, bounds), Document(new, dialect, bounds)
        self.formats, self.opened, self.bounds = formats, opened, bounds
        self.under_old = Evaluator(self.old, formats=formats)
        self.under_new = Evaluator(self.new, formats=formats, opened=opened)

    def judged(self, search: bool) -> Containment:
        """The answer."""
        outcome, trivial = self._proved()
        if outcome.value is not ABSENT:
            witness = self._confirmed(outcome.value)
            if witness is not ABSENT:
                return Containment(Answer.NO, witness)
        if outcome.status is Status.EMPTY:
            return Containment(Answer.YES)
        return Containment(Answer.CANNOT_TELL)

    def _proved(self) -> tuple[Outcome, bool]:
        """What the proof finds; and whether the schemas are the same to it."""
        formulas, steps = Formulas(), Steps(self.bounds.steps)
        formulas.expand = _expanded
        try:
            old = Assertions(self.old, formulas, steps, formats=self.formats, opened=False).root()
            new = Assertions(self.new, formulas, steps, formats=self.formats, opened=self.opened).root()
            if old is new:
                return Outcome(Status.EMPTY), True
            return Proof(formulas, steps).model(formulas.all_of((old, new.negation))), False
        except Exhausted:
            return UNKNOWN, False

    def _shows(self, instance: Json) -> bool:
        return self.under_old.valid(instance) and not self.under_new.valid(instance)

    def _confirmed(self, instance: Json) -> Json | Absent:
        """The smallest instance found from this one that a validator confirms; ABSENT if it does not even confirm this."""
        if not self._shows(instance):
            return ABSENT
        under_old = Confirmation(self.old, formats=self.formats)
        under_new = Confirmation(self.new, formats=self.formats)
        for witness in (shrunk(instance, self._shows), instance):
            if under_old.says(witness) is True and (under_new.says(witness) is False):
                return witness
        return ABSENT


def _expanded(reference: Formula) -> Formula:
    made, schema, opened = reference.arguments
    assert isinstance(made, Assertions)
    return made.expanded(schema, opened)


@contextmanager
def _deep_stack() -> Iterator[None]:
    """Room for schemas of some hundred levels; their depth is bounded before."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
