"""Hunting a counterexample to each "yes": more instances, drawn otherwise than the checker's own search draws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from random import Random
from typing import Any

from tests.soundness.pairs import pair
from troth.contracts.schema import Answer, Bounds, contained
from troth.contracts.schema.documents import Document
from troth.contracts.schema.drawing import Drawing
from troth.contracts.schema.evaluation import Evaluator
from troth.contracts.schema.mutation import mutated
from troth.contracts.schema.pool import Pool
from troth.errors import MalformedSchema

_SCALARS: tuple[Any, ...] = (None, True, False, 0, 1, 2, 3, -1, 0.5, 1.5, "", "a", "b", "ab", "c", "ba")
_INNER: tuple[Any, ...] = (None, 0, 1, 1.5, "a", "b", [], {})


def everything_small() -> list[Any]:
    """Every scalar of a list, every array of up to two of a few, and every object of up to two properties."""
    made = [*_SCALARS, [], {}]
    made += [[one] for one in _SCALARS] + [list(two) for two in product(_INNER, repeat=2)]
    made += [[one, one, other] for one, other in product((1, "a", None), repeat=2)]
    made += [{name: one} for name in ("a", "b", "ab", "zz") for one in _SCALARS]
    made += [
        {first: one, second: other}
        for first, second in (("a", "b"), ("a", "c"), ("ab", "b"))
        for one, other in product(_INNER, repeat=2)
    ]
    made += [{"a": 1, "b": one, "c": other} for one, other in product((1, "a", None), repeat=2)]
    return made


SMALL = everything_small()


@dataclass
class Tally:
    """What came of a row of pairs."""

    answers: Counter[str] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)
    refuted: list[int] = field(default_factory=list)
    instances: int = 0


def hunted(number: int, tally: Tally, *, search: bool, draws: int = 24) -> None:
    """Asks about one pair, and hunts a counterexample where the answer is yes.

    Every tenth pair is read with open objects (N11). Without the checker's own search the proof alone is put to the test, which is harder to pass.
    """
    old, new = pair(number)
    opened = number % 10 == 0
    try:
        said = contained(old, new, search=search, open_objects=opened)
    except MalformedSchema:
        tally.answers["malformed"] += 1
        return
    tally.answers[said.answer.value] += 1
    if said.answer is not Answer.YES:
        return
    tally.words[said.words] += 1
    documents = Document(old, None, Bounds()), Document(new, None, Bounds())
    under_old, under_new = Evaluator(documents[0]), Evaluator(documents[1], opened=opened)
    for instance in instances(documents, number, draws):
        tally.instances += 1
        if under_old.valid(instance) and under_new.valid(instance) is False:
            tally.refuted.append(number)
            return


def instances(documents: tuple[Document, Document], number: int, draws: int) -> Iterator[Any]:
    """Some of the small values, and instances drawn from both schemas, plain and changed up to twice."""
    chance = Random(number + 1)
    yield from chance.sample(SMALL, 90)
    pool = Pool([document.root for document in documents])
    drawings = [Drawing(document, pool, chance) for document in documents]
    for draw in range(draws):
        instance = drawings[draw % 2].instance()
        yield instance
        for _ in range(chance.randrange(3)):
            instance = mutated(instance, pool, chance)
            yield instance
