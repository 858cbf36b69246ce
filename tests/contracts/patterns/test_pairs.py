"""The table of labelled pairs."""

from __future__ import annotations

import pytest

from tests.contracts.patterns.pairs import CONTAINED, PAIRS, UNDECIDABLE, Label
from troth.contracts.patterns import Undecidable, language


@pytest.mark.parametrize(("one", "two", "label"), PAIRS)
def test_a_pair_is_judged_as_labelled(one: str, two: str, label: Label) -> None:
    if label is UNDECIDABLE:
        with pytest.raises(Undecidable) as raised:
            language(one).contained_in(language(two))
        assert raised.value.reason
        return
    answer = language(one).contained_in(language(two))
    assert answer.contained == bool(answer) == (label is CONTAINED), answer
    if isinstance(label, str):
        assert language(one).matches(label)
        assert not language(two).matches(label)
        assert answer.witness is not None
        assert len(answer.witness) == len(label)


def test_the_table_is_long_and_has_no_pair_twice() -> None:
    assert len(PAIRS) >= 120
    assert len({(one, two) for one, two, _ in PAIRS}) == len(PAIRS)
