"""The states of major lines as properties of random histories, and what a retirement is refused for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.promises import histories
from tests.promises.test_properties import resolved, routed
from troth.calls.line_headers import headers_of_lines
from troth.versions.candidate import Candidate
from troth.versions.history import History, Published
from troth.versions.lifecycles.lines import (
    Line,
    Notice,
    Recorded,
    Use,
    judge_retirement,
    lines_of,
    superseded,
)
from troth.versions.lifecycles.states import State
from troth.versions.numbers import Number
from troth.versions.permissions import Permissions
from troth.versions.policy import judge, least_number
from troth.versions.verdict import Outcome

EARLY, NOW, LATE = (f"2026-0{month}-01T00:00:00.000000Z" for month in (1, 5, 9))
TOLD = Recorded(1, EARLY, EARLY)

records = st.lists(
    st.builds(
        Recorded, st.integers(0, 3), st.just(EARLY), st.sampled_from([EARLY, LATE]), st.sampled_from([None, NOW]), st.booleans()
    ),
    unique_by=lambda one: one.major,
)  # fmt: skip
majors = st.frozensets(st.integers(0, 3))


def line(state: State = State.DEPRECATED, told: Recorded | None = TOLD) -> Line:
    return Line(1, state, Number(1, 2, 3), Number(2, 0, 0), told)


@given(histories.wild_histories, records)
@settings(max_examples=200)
def test_every_public_line_has_one_state_and_the_highest_is_never_superseded(
    history: History, recorded: list[Recorded]
) -> None:
    found = lines_of(history, recorded)
    public = [one for one in history.versions if one.permissions.public and one.floats]
    assert set(found) == {one.number.major for one in public}
    known = {one.major: one for one in recorded}
    for major, one in found.items():
        assert one.newest == max(each.number for each in public if each.number.major == major)
        assert (one.state in (State.DEPRECATED, State.RETIRED)) == (major in known)
        assert (one.successor is None) == (major == max(found))
    left = superseded(history, recorded)
    assert left == [major for major in found if major != max(found) and major not in known]
    assert superseded(history, [*recorded, *(Recorded(major, NOW, LATE) for major in left)]) == []


@given(histories.wild_histories, records)
@settings(max_examples=200)
def test_only_what_was_announced_is_told_on_calls(history: History, recorded: list[Recorded]) -> None:
    lines = lines_of(history, recorded)
    told = headers_of_lines("util/echo", lines)
    assert set(told) == set(lines) & {one.major for one in recorded}
    for major, headers in told.items():
        assert b"sunset" not in headers.exact, "a complete number is never gone (ALG-13)"
        assert (b"sunset: " in headers.floating) == (lines[major].state is State.DEPRECATED)
        assert headers.floating.endswith(b"\r\n")
        assert headers.exact.count(b"\r\n") <= headers.floating.count(b"\r\n") == len(headers.floating.splitlines())


@pytest.mark.clause("ALG-13")
@given(histories.wild_histories, histories.references, st.booleans(), majors)
@settings(max_examples=200)
def test_what_is_stopped_keeps_its_complete_numbers(
    history: History, text: str, member: bool, stopped: frozenset[int]
) -> None:
    after = replace(history, retired=stopped, stopped=stopped)
    before, found = resolved(history, text, member=member), resolved(after, text, member=member)
    parts = text.removeprefix("util/echo/").removesuffix(".*").split(".")
    floats = len(parts) < 3 and parts[0].isdigit() and len(parts[0]) < 3 and text.count("/") == 2
    if floats and int(parts[0]) in stopped:
        assert found is None
    else:
        assert found == before


@given(histories.wild_histories, histories.references, st.booleans(), majors)
@settings(max_examples=200)
def test_the_routing_table_stops_what_the_resolver_stops(
    history: History, text: str, member: bool, stopped: frozenset[int]
) -> None:
    highest = max((one.number.major for one in history.versions if one.permissions.public and one.floats), default=None)
    after = replace(history, stopped=stopped - {highest})  # which is never deprecated
    assert routed(after, text, member=member) == resolved(after, text, member=member)


@given(histories.wild_histories, majors, histories.candidates)
@settings(max_examples=200)
def test_nothing_is_published_on_a_retired_line(
    history: History, retired: frozenset[int], candidate: Candidate
) -> None:
    after = replace(history, retired=retired)
    found = judge(candidate, after)
    if candidate.number.major in retired:
        assert found.outcome is Outcome.REFUSED
        assert "PDB-32" in found.clauses
    else:
        assert found.outcome is judge(candidate, history).outcome
    if found.outcome is not Outcome.ALLOWED and found.least is not None:
        assert found.least.major not in retired


def test_the_lowest_number_is_above_what_is_retired() -> None:
    public = Permissions("public")
    history = History((Published(Number(1, 0, 0), public, "a" * 40),), retired=frozenset([1]))
    assert least_number(Candidate(Number(1, 0, 1), public), history) == Number(2, 0, 0)


@pytest.mark.parametrize("state", [State.CURRENT, State.EXPERIMENTAL, State.RETIRED])
def test_only_a_deprecated_line_is_retired(state: State) -> None:
    told = replace(TOLD, retired_at=NOW) if state is State.RETIRED else None
    found = judge_retirement("util/echo", line(state, told), Notice(0), [], moment=NOW, waived=True)
    assert found.clauses == ["PDB-36"]


def test_the_notice_is_kept_whatever_is_waived() -> None:
    told = replace(TOLD, retires_after=LATE)
    found = judge_retirement("util/echo", line(told=told), Notice(0), [], moment=NOW, waived=True)
    assert [one.text for one in found.objections] == [f"callers have notice until {LATE}"]
    assert found.refusal().clauses == ()
    assert not judge_retirement("util/echo", line(told=told), Notice(0), [], moment=LATE).objections


@pytest.mark.clause("ALG-11")
@pytest.mark.parametrize("stop", [True, False])
@pytest.mark.parametrize("uses", [[], [Use("sam", 3)]])
def test_who_uses_a_line_keeps_it_unless_that_is_waived(stop: bool, uses: list[Use]) -> None:
    asked = {"moment": NOW, "stop": stop}
    found = judge_retirement("util/echo", line(), Notice(0), uses, **asked)  # type: ignore[arg-type]
    assert found.clauses == (["ALG-11"] if uses or stop else [])
    by = judge_retirement("util/echo", line(), Notice(0), uses, waived=True, **asked)  # type: ignore[arg-type]
    assert (by.objections, len(by.waived)) == ((), len(uses) + stop)
    assert "sam" not in str(by.as_dict()) + str(found.as_dict()), "names are for the owner"
