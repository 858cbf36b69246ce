"""Gaps are named in forms that a decision is checked by, and judging knows no others."""

from __future__ import annotations

from itertools import product

import pytest

from troth.errors import Malformed, NotFound
from troth.versions.lifecycles.gaps import check_gap
from troth.versions.lifecycles.judging import judge
from troth.versions.lifecycles.states import State
from troth.versions.lifecycles.subject import Api, Asked, Move, Standing
from troth.versions.releases.numbers import ReleaseNumber
from troth.versions.verdict import Outcome

RELEASES = [ReleaseNumber.parse(text) for text in ("5.1.0", "6.0.0", "6.2.0", "7.0.0-rc.1", "6.2.1", "8.0.0")]
SINCE, LATER = ReleaseNumber.of(5, 2, 0), ReleaseNumber.of(9, 0, 0)


@pytest.mark.clause("PDB-04")
def test_whatever_judging_asks_about_can_be_decided() -> None:
    told = set()
    for move, state, extended, dropped in product(Move, State, (None, LATER), (False, True)):
        api = Api({1: Standing(1, state, SINCE, extended, dropped), 2: Standing(2, State.EXPERIMENTAL)}, newest=SINCE)
        for number, release, back in product((1, 3, 5), RELEASES, State):
            verdict = judge(Asked(move, number, release, state=back, reason="r", until=LATER), api)
            for about in {one.about for one in verdict.objections if one.about}:
                told.add(about)
                asking = verdict.outcome is Outcome.NOT_REGULATED
                check_gap(about, api.versions if asking else {*api.versions, number})
    assert {"v3 beside v2", "number v5", "v1 again", "change v1 in 5.1.0", "create v3 in 5.1.0"} <= told
    assert {"v1 before 9.0.0", "v1 deprecated to current", "v1 deprecated to retired in 6.2.0"} <= told


@pytest.mark.clause("PDB-04")
@pytest.mark.parametrize("about", ["bananas", "", "v1", "v2 beside", "v2 Beside v1", "create v1 in 5", "number v01"])
def test_what_is_never_asked_is_not_decided(about: str) -> None:
    with pytest.raises(Malformed) as caught:
        check_gap(about, {1})
    assert "vN beside vM; number vN; vN again; create vN in X.Y.Z" in caught.value.why


@pytest.mark.parametrize("about", ["v6 beside v5", "v2 again", "change v2 in 5.1.0", "v3 beside v1, v2"])
def test_versions_that_were_never_made_are_not_decided_about(about: str) -> None:
    with pytest.raises(NotFound):
        check_gap(about, {1})
