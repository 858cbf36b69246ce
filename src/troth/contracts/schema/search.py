"""The search for a counterexample: instances drawn from both schemas and changed a little, tried under both.

It knows nothing of the proof. The draws come from one fixed seed, so that every machine tries the same instances.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TypeAlias

from troth.contracts.schema.answers import Bounds, Json
from troth.contracts.schema.documents import Document
from troth.contracts.schema.drawing import Drawing
from troth.contracts.schema.mutation import mutated
from troth.contracts.schema.pool import Pool
from troth.contracts.schema.remembering import weight
from troth.contracts.schema.steps import Exhausted, Steps

_KEPT = 24
_Valid: TypeAlias = Callable[[Json], "bool | None"]


class Search:
    """One search. `tried` counts the instances."""

    def __init__(self, old: Document, new: Document, bounds: Bounds) -> None:
        self.tried = 0
        self.steps = Steps(bounds.search_steps)
        self._bounds = bounds
        self._chance = Random(bounds.seed)  # noqa: S311  nothing is secret, and every machine has to draw the same
        self._old, self._new = old, new
        self._valid: list[Json] = []

    def counterexamples(self, under_old: _Valid, under_new: _Valid) -> list[Json]:
        """The first instance that is valid under the old schema only, if there is one among those tried.

        What the schemas themselves cost is counted by who made them with the `steps` of this search; it ends with those.
        """
        try:
            pool = Pool((self._old.root, self._new.root), self.steps)
            drawings = [Drawing(document, pool, self._chance, self.steps) for document in (self._old, self._new)]
            while self.tried < self._bounds.instances:
                instance = self._next(drawings, pool)
                self.tried += 1
                if under_old(instance):
                    if under_new(instance) is False:
                        return [instance]
                    self._keep(instance)
        except Exhausted:
            pass
        return []

    def _keep(self, instance: Json) -> None:
        if len(self._valid) < _KEPT:
            self._valid.append(instance)
        else:
            self._valid[self._chance.randrange(_KEPT)] = instance

    def _next(self, drawings: list[Drawing], pool: Pool) -> Json:
        """Of four instances one is drawn from each schema, and two are changed from valid ones."""
        turn = self.tried % 4
        if turn < 2:
            return drawings[turn].instance()
        some = self._valid or [drawings[0].instance()]
        chosen = some[self._chance.randrange(len(some))]
        self.steps.take(1 + weight(chosen) // 8)
        return mutated(chosen, pool, self._chance)
