"""Streams of queries are few, and one account never has all of them."""

from __future__ import annotations

import pytest

from troth.doors.native.stream_places import MOST, OF_ONE, StreamPlaces
from troth.errors import Overloaded


def test_one_account_leaves_places_to_others() -> None:
    places = StreamPlaces()
    for _ in range(OF_ONE):
        places.take("ada")
    with pytest.raises(Overloaded, match="to this account") as refused:
        places.take("ada")
    assert refused.value.status == 503
    assert "pages" in refused.value.repair
    for account in range(MOST - OF_ONE):
        places.take(f"other {account}")
    with pytest.raises(Overloaded) as full:
        places.take("sam")
    assert full.value.what == "too many answers are streamed"


def test_a_place_that_was_left_is_free_again() -> None:
    places = StreamPlaces()
    for _ in range(3 * MOST):
        places.take("ada")
        places.take("sam")
        places.leave("ada")
        places.leave("sam")
    places.take("ada")
