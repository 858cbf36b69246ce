"""The search for a counterexample: instances drawn from both schemas and changed a little, tried under both.

It knows nothing of the proof. The draws come from one fixed seed, so that every machine tries the same instances.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from troth.contracts.schema.answers import Bounds, Json
from troth.contracts.schema.documents import Document
from troth.contracts.schema.drawing import Drawing
from troth.contracts.schema.mutation import mutated
from troth.contracts.schema.pool import Pool

_KEPT = 24


class Search:
    """One search. `tried` counts the instances."""

    def __init__(self, old: Document, new: Document, bounds: Bounds) -> None:
        self.tried = 0
        self._bounds = bounds
        self._chance = Random(bounds.seed)  # noqa: S311  nothing is secret, and every machine has to draw the same
        self._pool = Pool((old.root, new.root))
        self._drawings = [Drawing(document, self._pool, self._chance) for document in (old, new)]
        self._valid: list[Json] = []

    def counterexamples(self, under_old: Callable[[Json], bool], under_new: Callable[[Json], bool]) -> list[Json]:
        """The first instance that is valid under the old schema only, if there is one among those tried."""
        while self.tried < self._bounds.instances:
            instance = self._next()
            self.tried += 1
            if under_old(instance):
                if not under_new(instance):
                    return [instance]
                self._keep(instance)
        return []

    def _keep(self, instance: Json) -> None:
        if len(self._valid) < _KEPT:
            self._valid.append(instance)
        else:
            self._valid[self._chance.randrange(_KEPT)] = instance

    def _next(self) -> Json:
        """Of four instances one is drawn from each schema, and two are changed from valid ones."""
        turn = self.tried % 4
        if turn < 2:
            return self._drawings[turn].instance()
        some = self._valid or [self._drawings[0].instance()]
        return mutated(some[self._chance.randrange(len(some))], self._pool, self._chance)
