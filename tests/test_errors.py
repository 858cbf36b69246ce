"""Errors tell the same on both sides of a connection, also to who sees a traceback only."""

from __future__ import annotations

import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.errors import BY_CODE, Refused, TrothError

_TEXTS = st.text(max_size=20)


@given(
    st.sampled_from(sorted(BY_CODE)),
    _TEXTS.filter(bool),
    _TEXTS,
    _TEXTS,
    st.lists(st.sampled_from(["ALG-05", "PDB-40"])),
)
def test_a_client_raises_what_the_server_raised(
    code: str, what: str, why: str, repair: str, clauses: list[str]
) -> None:
    raised = BY_CODE[code](what, why=why, repair=repair, clauses=clauses, least="2.0.0")
    again = TrothError.from_problem(raised.as_problem())
    assert (type(again), again.as_problem()) == (type(raised), raised.as_problem())
    assert again.__notes__ == raised.__notes__


def test_a_traceback_ends_with_the_reason_and_the_repair() -> None:
    refusal = Refused(
        "publishing 0.3.0 is refused", why="ALG-05 holds", repair="publish 1.0.0", clauses=("ALG-05", "ALG-07")
    )
    with pytest.raises(Refused) as raised:
        raise TrothError.from_problem(refusal.as_problem())
    printed = "".join(traceback.format_exception(raised.value)).splitlines()
    assert printed[-3:] == [
        "troth.errors.Refused: publishing 0.3.0 is refused",
        "  why: [ALG-07] ALG-05 holds",
        " help: publish 1.0.0",
    ]


def test_what_was_not_said_is_not_in_a_traceback() -> None:
    assert traceback.format_exception_only(Refused("no")) == ["troth.errors.Refused: no\n"]
