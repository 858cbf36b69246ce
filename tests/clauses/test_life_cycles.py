"""The moves of API versions, judged: the whole table of states, kinds of releases and starting points, and each rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.errors import MalformedNumber, Refused
from troth.versions.clauses import policy
from troth.versions.lifecycles.brownouts import LONGEST, Planned, check_brownout
from troth.versions.lifecycles.judging import judge, moved
from troth.versions.lifecycles.numbers import parsed
from troth.versions.lifecycles.rules import overdue, retires_in
from troth.versions.lifecycles.states import State
from troth.versions.lifecycles.subject import Api, Asked, ContractChange, Decided, Move, Standing, Weight
from troth.versions.lifecycles.transitions import TRANSITIONS
from troth.versions.lifecycles.verdict import MoveVerdict
from troth.versions.releases.numbers import ReleaseNumber, Step
from troth.versions.verdict import Outcome
from troth.versions.waivers import WAIVABLE, Considered, Waiver

E, C, D, R = State.EXPERIMENTAL, State.CURRENT, State.DEPRECATED, State.RETIRED
KINDS = {"X": "8.0.0", "Y": "7.4.0", "Z": "7.3.3"}
BREAK = ContractChange(Weight.BREAK, "the field name is gone", ("PDB-24",))
ADDITION = ContractChange(Weight.ADDITION, "the field mail is new", ("PDB-14",))
UNDECIDED = ContractChange(Weight.UNDECIDED, "nothing was proved of the pattern")
FIX = ContractChange(Weight.FIX, "the wrong order is mended")

allowed, refused, open_ = Outcome.ALLOWED, Outcome.REFUSED, Outcome.NOT_REGULATED
#: (before, after) to what is said in X, in Y and in Z, with the clause that decides.
TABLE: dict[tuple[State, State], tuple[tuple[Outcome, str], ...]] = {
    (E, E): ((refused, "PDB-11"),) * 3,
    (E, C): ((allowed, "PDB-11"), (allowed, "PDB-11"), (refused, "PDB-19")),
    (E, D): ((open_, "PDB-04"),) * 3,
    (E, R): ((refused, "PDB-36"),) * 3,
    (C, E): ((open_, "PDB-04"),) * 3,
    (C, C): ((refused, "PDB-11"),) * 3,
    (C, D): ((allowed, "PDB-11"), (allowed, "PDB-11"), (refused, "PDB-05")),
    (C, R): ((refused, "PDB-36"),) * 3,
    (D, E): ((open_, "PDB-04"),) * 3,
    (D, C): ((open_, "PDB-04"),) * 3,
    (D, D): ((refused, "PDB-11"),) * 3,
    (D, R): ((allowed, "PDB-37"), (refused, "PDB-37"), (refused, "PDB-37")),
    (R, E): ((open_, "PDB-04"),) * 3,
    (R, C): ((open_, "PDB-04"),) * 3,
    (R, D): ((open_, "PDB-04"),) * 3,
    (R, R): ((refused, "PDB-11"),) * 3,
}


def number(text: str) -> ReleaseNumber:
    return ReleaseNumber.parse(text)


def api(**states: State) -> Api:
    """An API whose versions are in these states since 6.1.0."""
    found = {int(name[1:]): Standing(int(name[1:]), state, number("6.1.0")) for name, state in states.items()}
    return Api(found)


def asked(move: Move, version: str, release: str, **more: object) -> Asked:
    return Asked(move, parsed(version), number(release), **more)  # type: ignore[arg-type]


def leads_to(after: State, release: str) -> Asked:
    """The move that would bring v4 into a state."""
    named = {C: Move.GRADUATE, D: Move.DEPRECATE, R: Move.RETIRE}
    return asked(named.get(after, Move.RETURN), "v4", release, state=after)


def said(verdict: MoveVerdict) -> tuple[Outcome, str]:
    return verdict.outcome, verdict.clauses[0]


@pytest.mark.clause("PDB-11")
@pytest.mark.clause("PDB-19")
@pytest.mark.clause("PDB-36")
@pytest.mark.clause("PDB-37")
@pytest.mark.parametrize(("before", "after", "kind"), list(product(State, State, KINDS)))
def test_the_whole_table_of_moves(before: State, after: State, kind: str) -> None:
    found = judge(leads_to(after, KINDS[kind]), api(v4=before))
    assert said(found) == TABLE[before, after]["XYZ".index(kind)]
    assert found.judged
    if found.outcome is open_:
        assert "v4" in found.questions[0].question
        assert found.questions[0].question.endswith((".", "?"))


@pytest.mark.clause("PDB-03")
@pytest.mark.parametrize(("before", "after", "kind"), list(product(State, State, KINDS)))
@pytest.mark.parametrize("reached", [False, True])
def test_the_whole_table_before_and_behind_the_starting_point(
    before: State, after: State, kind: str, reached: bool
) -> None:
    others = {"v5": E} if reached else {}
    subject = replace(api(v4=before, **others), starting_point=5)
    found = judge(leads_to(after, KINDS[kind]), subject)
    expected = TABLE[before, after]["XYZ".index(kind)] if reached else (allowed, "PDB-03")
    assert said(found) == expected
    assert found.judged is reached
    assert found.effects[4] is after


def test_the_table_has_sixteen_rows() -> None:
    assert set(TRANSITIONS) == set(product(State, State)) == set(TABLE)


@pytest.mark.clause("PDB-03")
def test_the_first_governed_graduation_deprecates_the_former_current() -> None:
    subject = replace(api(v3=C), starting_point=4)
    assert not judge(asked(Move.RETIRE, "v3", "7.4.0"), subject).judged
    created = judge(asked(Move.CREATE, "v4", "7.4.0"), subject)
    assert created.judged
    assert created.outcome is allowed
    subject = moved(subject, created)
    stays = judge(asked(Move.GRADUATE, "v4", "7.5.0", former=C), subject)
    assert said(stays) == (refused, "PDB-31")
    subject = moved(subject, judge(asked(Move.GRADUATE, "v4", "7.5.0"), subject))
    assert {name: one.state for name, one in subject.versions.items()} == {3: D, 4: C}
    assert said(judge(asked(Move.RETIRE, "v3", "7.6.0"), subject)) == (refused, "PDB-37")


@pytest.mark.clause("PDB-20")
@pytest.mark.clause("PDB-23")
@pytest.mark.parametrize(("kind", "outcome"), [("X", allowed), ("Y", allowed), ("Z", refused)])
def test_a_new_version_is_experimental_and_comes_in_y_or_x(kind: str, outcome: Outcome) -> None:
    found = judge(asked(Move.CREATE, "v5", KINDS[kind]), api(v3=R, v4=C))
    assert found.outcome is outcome
    assert found.effects == {5: E}
    assert "PDB-23" in found.clauses
    assert outcome is allowed or "PDB-19" in found.clauses


@pytest.mark.clause("PDB-20")
@pytest.mark.parametrize("state", [C, D, R])
def test_a_new_version_begins_in_no_other_state(state: State) -> None:
    assert said(judge(asked(Move.CREATE, "v5", "7.4.0", state=state), api(v4=C))) == (refused, "PDB-20")


@pytest.mark.clause("PDB-20")
@pytest.mark.parametrize("move", [Move.GRADUATE, Move.DEPRECATE, Move.RETIRE, Move.DROP, Move.CHANGE, Move.EXTEND])
def test_what_was_never_made_goes_nowhere(move: Move) -> None:
    assert said(judge(asked(move, "v5", "8.0.0"), api(v4=C))) == (refused, "PDB-20")


@pytest.mark.clause("PDB-23")
def test_the_release_that_makes_a_version_serves_the_others_as_they_were() -> None:
    subject = api(v3=D, v4=C)
    gone = judge(asked(Move.CREATE, "v5", "7.4.0", disturbed={3: "not served"}), subject)
    assert said(gone) == (refused, "PDB-23")
    assert "v3 (not served)" in gone.objections[0].text
    broken = judge(asked(Move.CREATE, "v5", "7.4.0", disturbed={4: "broken"}), subject)
    assert said(broken) == (refused, "PDB-23")
    due = judge(asked(Move.CREATE, "v5", "8.0.0", disturbed={3: "not served"}), subject)
    assert due.outcome is allowed, "v3 is to be gone in 8.0.0 (note N13)"


@pytest.mark.clause("PDB-04")
def test_what_nobody_wrote_is_a_question() -> None:
    second = judge(asked(Move.CREATE, "v6", "7.4.0"), api(v4=C, v5=E))
    assert said(second) == (open_, "PDB-04")
    assert second.questions[0].question == "May v6 be experimental beside v5?"
    skipped = judge(asked(Move.CREATE, "v7", "7.4.0"), api(v4=C))
    assert said(skipped) == (open_, "PDB-04")
    older = judge(asked(Move.GRADUATE, "v5", "7.4.0"), replace(api(v4=C, v5=E), newest=number("8.0.0")))
    assert said(older) == (open_, "PDB-04")


@pytest.mark.clause("PDB-04")
@pytest.mark.parametrize("may", [True, False])
def test_a_decision_answers_the_question_from_then_on(may: bool) -> None:
    subject = api(v4=C, v5=E)
    question = judge(asked(Move.CREATE, "v6", "7.4.0"), subject).questions[0]
    decided = replace(subject, decisions=(Decided(question.about, may, "two teams work on it"),))
    found = judge(asked(Move.CREATE, "v6", "7.4.0"), decided)
    assert found.outcome is (allowed if may else refused)
    told = found.decided[0] if may else found.objections[0].text
    assert "two teams work on it" in told
    assert judge(asked(Move.CREATE, "v6", "7.3.1"), decided).outcome is refused, "what is written stays written"


@pytest.mark.clause("PDB-37")
def test_an_explicit_decision_lets_a_version_go_early() -> None:
    subject = api(v3=D, v4=C)
    early = judge(asked(Move.RETIRE, "v3", "7.4.0"), subject)
    decided = replace(subject, decisions=(Decided(early.objections[0].about, True, "CVE-2026-1 cannot be mended"),))
    assert judge(asked(Move.RETIRE, "v3", "7.4.0"), decided).outcome is allowed
    assert judge(asked(Move.RETIRE, "v3", "7.5.0"), decided).outcome is refused


@pytest.mark.clause("PDB-31")
@pytest.mark.parametrize("former", [C, R, E])
def test_graduating_deprecates_what_was_current(former: State) -> None:
    subject = api(v4=C, v5=E)
    assert judge(asked(Move.GRADUATE, "v5", "7.4.0"), subject).effects == {5: C, 4: D}
    found = judge(asked(Move.GRADUATE, "v5", "7.4.0", former=former), subject)
    assert said(found) == (refused, "PDB-31")


@pytest.mark.clause("PDB-35")
def test_what_is_deprecated_is_gone_at_the_next_x_boundary() -> None:
    subject = Api({3: Standing(3, D, number("7.3.2")), 4: Standing(4, C, number("7.3.2"))})
    assert str(retires_in(subject.versions[3])) == "8.0.0"
    assert [one.name for one in overdue(subject, number("8.0.0"), number("7.9.0"))] == ["v3"]
    assert overdue(subject, number("7.9.0"), number("7.3.2")) == []
    assert "v3 is to be gone in 8.0.0" in judge(asked(Move.CREATE, "v5", "8.0.0"), subject).warnings[0]
    late = Api({3: Standing(3, D, number("8.0.0"))})
    assert str(retires_in(late.versions[3])) == "9.0.0", "deprecated in N.0.0, it has until (N+1).0.0 (note N15)"
    assert overdue(late, number("8.0.0"), number("7.9.0")) == []
    assert said(judge(asked(Move.RETIRE, "v3", "8.0.0"), late)) == (refused, "PDB-35")
    assert judge(asked(Move.RETIRE, "v3", "9.0.0"), late).outcome is allowed


@pytest.mark.clause("PDB-35")
@pytest.mark.parametrize(
    ("former", "release", "served"),
    [
        ("7.3.2", "8.1.0", False),
        ("7.3.2", "8.0.1", False),
        ("7.3.2", "9.2.1", False),
        (None, "8.0.0", False),
        ("8.0.0", "8.1.0", True),
        ("7.3.2", "7.4.0", True),
        (None, "8.1.0", True),
    ],
)
def test_x_rises_too_where_a_number_leaves_the_x_release_out(former: str | None, release: str, served: bool) -> None:
    deprecated = Standing(3, D, number("7.3.2"))
    subject = Api({3: deprecated, 4: Standing(4, C, number("7.3.2"))})
    found = overdue(subject, number(release), number(former) if former else None)
    assert found == ([] if served else [deprecated])
    extended = Api({3: replace(deprecated, extended=number("10.0.0"))})
    assert overdue(extended, number(release), number(former) if former else None) == []


@pytest.mark.clause("PDB-35")
def test_an_extension_is_a_decision_with_a_reason_and_an_x_release() -> None:
    subject = api(v3=D, v4=C)
    wanted = asked(Move.EXTEND, "v3", "7.4.0", until=number("9.0.0"), reason="the bank moves in spring")
    for wrong, clause in (
        (replace(wanted, reason=" "), "PDB-35"),
        (replace(wanted, until=None), "PDB-35"),
        (replace(wanted, until=number("7.0.0")), "PDB-35"),
        (replace(wanted, until=number("8.1.0")), "PDB-37"),
        (replace(wanted, number=4), "PDB-35"),
    ):
        assert said(judge(wrong, subject)) == (refused, clause)
    subject = moved(subject, judge(wanted, subject))
    assert overdue(subject, number("8.0.0"), None) == []
    assert [one.name for one in overdue(subject, number("9.0.0"), None)] == ["v3"]
    assert said(judge(asked(Move.RETIRE, "v3", "8.0.0"), subject)) == (open_, "PDB-04")


@pytest.mark.clause("PDB-36")
@pytest.mark.clause("PDB-29")
def test_only_what_is_experimental_may_be_dropped() -> None:
    subject = api(v3=D, v4=C, v5=E)
    assert judge(asked(Move.DROP, "v5", "7.4.0"), subject).outcome is allowed
    assert said(judge(asked(Move.DROP, "v5", "7.3.3"), subject)) == (refused, "PDB-29")
    for name in ("v3", "v4"):
        assert said(judge(asked(Move.DROP, name, "8.0.0"), subject)) == (refused, "PDB-36")
    after = moved(subject, judge(asked(Move.DROP, "v5", "7.4.0"), subject))
    assert after.live(E) == []
    assert said(judge(asked(Move.CREATE, "v5", "7.5.0"), after)) == (open_, "PDB-04")
    assert judge(asked(Move.CREATE, "v6", "7.5.0"), after).outcome is allowed


@pytest.mark.clause("PDB-41")
@pytest.mark.parametrize("move", Move)
def test_an_endpoint_has_no_state_and_no_version_of_its_own(move: Move) -> None:
    found = judge(asked(move, "v4", "8.0.0", operation="GET /v4/nodes"), api(v4=C))
    assert said(found) == (refused, "PDB-41")
    assert "GET /v4/nodes" in found.objections[0].text


CHANGES = [
    (C, BREAK, "X", refused, "PDB-21"),
    (C, BREAK, "Y", refused, "PDB-21"),
    (C, BREAK, "Z", refused, "PDB-21"),
    (C, UNDECIDED, "X", refused, "PDB-21"),
    (C, ADDITION, "X", allowed, "PDB-13"),
    (C, ADDITION, "Y", allowed, "PDB-13"),
    (C, ADDITION, "Z", refused, "PDB-19"),
    (C, FIX, "Z", allowed, "PDB-32"),
    (E, BREAK, "X", allowed, "PDB-27"),
    (E, BREAK, "Y", allowed, "PDB-27"),
    (E, BREAK, "Z", refused, "PDB-29"),
    (E, ADDITION, "Y", allowed, "PDB-22"),
    (E, ADDITION, "Z", refused, "PDB-19"),
    (E, FIX, "Z", allowed, "PDB-32"),
    *[(D, change, kind, refused, "PDB-30") for change in (BREAK, ADDITION, FIX) for kind in KINDS],
    *[(R, change, kind, refused, "PDB-38") for change in (BREAK, ADDITION, FIX) for kind in KINDS],
]


@pytest.mark.clause("PDB-13")
@pytest.mark.clause("PDB-19")
@pytest.mark.clause("PDB-21")
@pytest.mark.clause("PDB-22")
@pytest.mark.clause("PDB-24")
@pytest.mark.clause("PDB-27")
@pytest.mark.clause("PDB-29")
@pytest.mark.clause("PDB-30")
@pytest.mark.clause("PDB-32")
@pytest.mark.parametrize(("state", "change", "kind", "outcome", "clause"), CHANGES)
def test_what_may_change_in_each_state(
    state: State, change: ContractChange, kind: str, outcome: Outcome, clause: str
) -> None:
    found = judge(asked(Move.CHANGE, "v4", KINDS[kind], changes=(change,)), api(v4=state))
    assert said(found) == (outcome, clause)
    assert found.effects == {}
    if state is D:
        assert "PDB-32" in found.clauses
    if (state, change) == (C, BREAK):
        assert "PDB-24" in found.clauses


@pytest.mark.clause("PDB-33")
@pytest.mark.parametrize("change", [BREAK, ADDITION, FIX])
@pytest.mark.parametrize("kind", KINDS)
def test_a_deprecated_version_takes_declared_security_fixes(change: ContractChange, kind: str) -> None:
    subject = api(v3=D, v4=C)
    fix = asked(Move.SECURITY_FIX, "v3", KINDS[kind], changes=(change,), reference="CVE-2026-1")
    assert said(judge(fix, subject)) == (allowed, "PDB-33")
    assert said(judge(replace(fix, reference=" "), subject)) == (refused, "PDB-33")
    elsewhere = judge(replace(fix, number=4), subject)
    assert elsewhere.outcome is judge(replace(fix, number=4, move=Move.CHANGE), subject).outcome


def waived(version: str, release: str) -> tuple[Considered, ...]:
    """A waiver of everything, for this version in this release."""
    texts = dict.fromkeys(
        ("id", "hash", "reason", "requested_by", "approved_by", "approved_at", "expires_at", "key"), ""
    )
    every = tuple(policy().clauses)
    return (Considered(Waiver(subject="ada/nodes", number=f"{version}/{release}", clauses=every, kind="api", **texts)),)


@pytest.mark.clause("PDB-19")
@pytest.mark.clause("PDB-21")
@pytest.mark.clause("PDB-29")
@pytest.mark.clause("PDB-30")
@pytest.mark.parametrize(("state", "change", "kind", "outcome", "clause"), CHANGES)
def test_a_waiver_excuses_comparisons_and_nothing_of_what_goes(
    state: State, change: ContractChange, kind: str, outcome: Outcome, clause: str
) -> None:
    release = KINDS[kind]
    held = asked(Move.CHANGE, "v4", release, changes=(change,), waivers=waived("v4", release))
    found = judge(held, api(v4=state))
    assert found.outcome is (refused if clause in ("PDB-30", "PDB-38") else allowed)
    excused = [clause] if outcome is refused and state in (C, E) else []
    assert [one.clause for one in found.waived] == excused
    assert set(excused) <= set(WAIVABLE["api"])
    assert len(found.used) == len(excused)
    other = replace(held, waivers=waived("v5", release))
    assert judge(other, api(v4=state)).outcome is outcome


def test_no_waiver_moves_a_state() -> None:
    for before, after, kind in product((E, C, D, R), (E, C, D, R), KINDS):
        move = leads_to(after, KINDS[kind])
        held = replace(move, waivers=waived("v4", KINDS[kind]))
        assert judge(held, api(v4=before)).outcome is judge(move, api(v4=before)).outcome


@pytest.mark.clause("PDB-28")
def test_who_breaks_an_experimental_version_is_reminded_of_its_users() -> None:
    silent = judge(asked(Move.CHANGE, "v4", "7.4.0", changes=(BREAK,)), api(v4=E))
    assert silent.outcome is allowed
    assert "PDB-28" in silent.warnings[0]
    told = judge(asked(Move.CHANGE, "v4", "7.4.0", changes=(BREAK,), note="names have gone"), api(v4=E))
    assert told.warnings == ()


def test_what_nobody_describes_is_said_not_to_be_regulated() -> None:
    found = judge(asked(Move.CHANGE, "v4", "7.4.0", changes=(ADDITION,), undescribed=("query operators",)), api(v4=C))
    assert "query operators are not regulated" in found.warnings[0]


@pytest.mark.clause("PDB-10")
@pytest.mark.parametrize(
    ("text", "repair"),
    [("4", "write v4"), ("v04", "write v4"), ("V4", "write v4"), ("/v4", "write v4"), ("v0", "write it like v4"),
     ("latest", "write it like v4"), ("v4.1", "write it like v4"), ("4.0.0", "write it like v4"), ("v\u0664", "write it like v4"),
     ("", "write it like v4")],
)  # fmt: skip
def test_names_of_versions_are_v_and_a_number(text: str, repair: str) -> None:
    with pytest.raises(MalformedNumber) as caught:
        parsed(text)
    assert caught.value.repair == repair
    assert "PDB-10" in caught.value.clauses


@pytest.mark.clause("PDB-02")
@pytest.mark.parametrize("text", ["4.0.0", "v4.1"])
def test_numbers_of_software_are_no_versions_of_an_api(text: str) -> None:
    with pytest.raises(MalformedNumber) as caught:
        parsed(text)
    assert caught.value.clauses[0] == "PDB-02"
    with pytest.raises(MalformedNumber):
        ReleaseNumber.parse("v4")


@pytest.mark.clause("PDB-10")
@given(st.lists(st.integers(1, 999), min_size=2, unique=True))
def test_versions_are_ordered_as_numbers(numbers: list[int]) -> None:
    assert [f"v{one}" for one in sorted(numbers)] == sorted((f"v{one}" for one in numbers), key=parsed)


@pytest.mark.clause("PDB-10")
def test_the_version_behind_v10_is_v11() -> None:
    assert judge(asked(Move.CREATE, "v11", "7.4.0"), api(v9=D, v10=C)).outcome is allowed
    assert said(judge(asked(Move.CREATE, "v10", "7.4.0"), api(v8=D, v9=C))) == (allowed, "PDB-20")


@given(st.lists(st.tuples(st.sampled_from(list(Move)), st.integers(1, 4), st.sampled_from(list(Step))), max_size=25))
def test_no_life_has_two_current_versions_or_retires_without_notice(
    moves: list[tuple[Move, int, Step]],
) -> None:
    subject, release = Api(), number("1.0.0")
    for move, version, step in moves:
        release = release.raised(step)
        found = judge(Asked(move, version, release, until=None, reason="so"), subject)
        if found.outcome is not allowed:
            continue
        before, subject = subject, moved(subject, found)
        assert len(subject.live(C)) <= 1
        for one in subject.live(R):
            was = before.versions[one.number]
            assert was.state is R or (was.state is D and was.since is not None and was.since.major < release.major)


@pytest.mark.clause("PDB-34")
@given(
    st.sampled_from([*State, None]),
    st.integers(-10, 3000),
    st.integers(1, 3000),
    st.integers(0, 10),
)
def test_a_brownout_is_short_announced_and_of_what_is_deprecated(
    state: State | None, minutes: int, length: int, notice: int
) -> None:
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    begins, lasts = now + timedelta(minutes=minutes), timedelta(minutes=length)
    planned = Planned(4, state, begins, begins + lasts, now, timedelta(days=notice))
    legal = state is D and minutes >= notice * 24 * 60 and lasts <= LONGEST
    try:
        check_brownout("ada/shop", planned)
    except Refused as error:
        assert not legal
        assert error.clauses == (("PDB-37",) if state is D and minutes >= notice * 24 * 60 else ("PDB-34",))
        assert error.repair
    else:
        assert legal
