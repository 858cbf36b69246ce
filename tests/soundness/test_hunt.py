"""A few thousand drawn pairs: no "yes" is refuted, and the hunt is shown to find what there is to find."""

from __future__ import annotations

import pytest

from tests.soundness.hunting import Tally, hunted, instances
from tests.soundness.pairs import pair
from troth.contracts.schema import Answer, Bounds, contained
from troth.contracts.schema.confirmation import Confirmation
from troth.contracts.schema.documents import Document
from troth.contracts.schema.evaluation import Evaluator


@pytest.mark.parametrize("part", range(4))
def test_no_yes_is_refuted(part: int) -> None:
    tally = Tally()
    for number in range(part * 700, (part + 1) * 700):
        hunted(number, tally, search=False)
    assert tally.refuted == []
    assert tally.answers["cannot-tell"] <= 7
    assert tally.answers["malformed"] == 0
    assert tally.answers["yes"] > 300
    assert tally.answers["no"] > 150


def test_the_hunt_finds_counterexamples_where_there_are_some() -> None:
    """Or it would prove nothing. Most witnesses of a "no" are found without the proof."""
    refused = found = 0
    for number in range(10_000, 10_400):
        old, new = pair(number)
        if contained(old, new, search=False).answer is Answer.NO:
            documents = Document(old, None, Bounds()), Document(new, None, Bounds())
            under = [Evaluator(document) for document in documents]
            refused += 1
            found += any(under[0].valid(one) and not under[1].valid(one) for one in instances(documents, number, 24))
    assert refused > 100
    assert found > 0.85 * refused


def test_both_validators_agree() -> None:
    for number in range(20_000, 20_120):
        document = Document(pair(number)[1], None, Bounds())
        ours, others = Evaluator(document), Confirmation(document, formats=False)
        for instance in list(instances((document, document), number, 10))[::3]:
            assert ours.valid(instance) == others.says(instance), (document.root, instance)
