"""Tolerances of examples: what counts as the same answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.contracts.document import Contract, examples_in
from troth.contracts.examples import agrees
from troth.contracts.replays import Replay, Reply, behaviour, differences, own, promised
from troth.errors import MalformedSource
from troth.versions.numbers import Bump

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("tolerance", "declared", "answer", "same"),
    [
        ("exact", 1, 1.0, True),
        ("exact", 1, True, False),
        ("exact", {"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ("exact", [1, 2], [2, 1], False),
        ({"absolute": 0.1}, [1.0, "a"], [1.05, "a"], True),
        ({"absolute": 0.1}, [1.0], [1.2], False),
        ({"relative": 0.01}, {"p": 100}, {"p": 100.9}, True),
        ({"relative": 0.01}, {"p": 100}, {"p": 102}, False),
        ({"relative": 0.5}, True, 1, False),
        ({"relative": 0.5}, [1], [1, 1], False),
        ("unordered", [1, [2, 3]], [[3, 2], 1.0], True),
        ("unordered", [1, 1, 2], [1, 2, 2], False),
        ("rank", {"a": 0.9, "b": 0.1}, {"a": 0.6, "b": 0.4}, True),
        ("rank", {"a": 0.9, "b": 0.1}, {"a": 0.4, "b": 0.6}, False),
        ("rank", [["a", 3], ["b", 1]], [["a", 9], ["b", 2]], True),
        ("rank", [["a", 3], ["b", 1]], [["b", 9], ["a", 2]], False),
        ("rank", [0.1, 0.9], [0.3, 0.5], True),
        ("schema", 1, 7, True),
        ("schema", 1, "7", False),
    ],
)
def test_answers_within_a_tolerance(tolerance: Any, declared: Any, answer: Any, same: bool) -> None:
    example = {"input": None, "output": declared, "tolerance": tolerance}
    assert agrees(example, answer, {"type": "integer"}) is same


@given(VALUES, st.sampled_from(["exact", "unordered", "rank", {"relative": 0.0}, {"absolute": 1}]))
def test_an_answer_agrees_with_itself(value: Any, tolerance: Any) -> None:
    assert agrees({"output": value, "tolerance": tolerance}, value)


@pytest.mark.parametrize(
    "tolerance", ['"near"', '{"relative": -1}', '{"relative": true}', '{"a": 1}', "{}", "1", "null"]
)
def test_what_is_no_tolerance_is_refused_with_the_file(tolerance: str) -> None:
    content = f'[{{"input": 1, "output": 1, "tolerance": {tolerance}}}]'.encode()
    with pytest.raises(MalformedSource, match=r"examples\.json") as caught:
        examples_in("examples.json", content)
    assert "a tolerance is exact" in caught.value.why


def test_what_was_never_true_is_relied_on_by_nobody() -> None:
    old = Contract(examples=({"input": 1, "output": 2},))
    (plan,) = promised(old)
    false_before = Replay(plan.example, 0, "followed", candidate=Reply(0.1, 3), followed=Reply(0.1, 9))
    assert differences([false_before], old, Contract()) == ()


def test_what_was_not_replayed_counts_as_a_break_and_says_so() -> None:
    old = Contract(examples=({"input": 1, "output": 2},))
    plan = promised(old)
    (found,) = differences(plan, old, Contract())
    assert (found.rule, found.undecided, found.least) == ("example-not-replayed", True, Bump.MAJOR)
    assert behaviour(plan, [found]) == "not checked"
    assert behaviour([], []) == "not checked"


@pytest.mark.parametrize(
    ("answer", "least"),
    [
        ({"a": [{"b": 1}]}, []),
        ({"a": [{"b": 1, "c": 2}], "d": 3}, [Bump.MINOR]),
        ({"a": [{"c": 1}]}, [Bump.MAJOR]),
        ({"a": [{"b": 1}, {"b": 1}]}, [Bump.MAJOR]),
    ],
)
def test_more_properties_are_a_minor_and_other_answers_a_major(answer: Any, least: list[Bump]) -> None:
    old = Contract(examples=({"input": 1, "output": {"a": [{"b": 1}]}},))
    (plan,) = promised(old)
    replayed = replace(plan, candidate=Reply(0.1, answer), followed=Reply(0.1, plan.example["output"]))
    assert [found.least for found in differences([replayed], old, Contract())] == least


def test_what_was_not_allowed_is_no_break() -> None:
    old = Contract(input={"type": "integer"}, examples=({"input": "a", "output": 1},))
    (plan,) = promised(old)
    (found,) = differences([replace(plan, candidate=Reply(0.1, 2), followed=Reply(0.1, 1))], old, Contract())
    assert (found.rule, found.least) == ("example-extended", Bump.MINOR)


def test_what_only_the_candidate_declares_is_its_own() -> None:
    old = Contract(examples=({"input": 1, "output": 2},))
    new = Contract(examples=({"input": 1, "output": 2}, {"input": 2, "output": 3}))
    (plan,) = own(new, promised(old))
    assert (plan.place, plan.whose) == (1, "candidate")


def test_another_answer_to_a_known_input_is_declared_by_the_candidate_only() -> None:
    """Where the former answer was never true, "behaviour checked" would else be said of one that nobody looked at."""
    old, new = (Contract(examples=({"input": 1, "output": answer},)) for answer in (5, 6))
    never_true, own_one = plan = [*promised(old), *own(new, promised(old))]
    assert [replay.whose for replay in plan] == ["followed", "candidate"]
    ran = [
        replace(never_true, candidate=Reply(0.1, 4), followed=Reply(0.1, 4)),
        replace(own_one, candidate=Reply(0.1, 4)),
    ]
    (found,) = differences(ran, old, new)
    assert found.words == "its own example is answered otherwise"
    assert behaviour(ran, [found]) == "differs"
