"""The four states and the moves between them."""

from __future__ import annotations

from itertools import product

import pytest

from troth.versions.lifecycles.states import FIRST, State
from troth.versions.lifecycles.transitions import TRANSITIONS

LEGAL = {
    (State.EXPERIMENTAL, State.CURRENT),
    (State.CURRENT, State.DEPRECATED),
    (State.DEPRECATED, State.RETIRED),
}


@pytest.mark.parametrize(("before", "after"), list(product(State, State)))
def test_only_three_moves_are_legal(before: State, after: State) -> None:
    assert bool(TRANSITIONS[before, after].steps) == ((before, after) in LEGAL)


def test_a_new_version_begins_as_experimental() -> None:
    assert FIRST is State.EXPERIMENTAL
