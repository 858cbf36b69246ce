"""Limits of keys hold in whatever order calls come and go, and refuse nobody who keeps to them."""

from __future__ import annotations

import math
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from troth.calls.limits import Allowance, Limits

_RATES = st.floats(0.01, 10_000)
_BURSTS = st.integers(1, 50)
_GAPS = st.lists(st.floats(0, 5), max_size=40)


@given(_RATES, _BURSTS, _GAPS)
def test_no_stretch_of_time_has_more_calls_than_its_share(rate: float, burst: int, gaps: list[float]) -> None:
    limits, now, admitted = Limits(Allowance(rate, burst)), 1000.0, []
    for gap in gaps:
        now += gap / rate
        if limits.admit("key", now) is None:
            admitted.append(now)
    for first, begin in enumerate(admitted):
        for last in range(first, len(admitted)):
            assert last - first + 1 <= burst + (admitted[last] - begin) * rate * (1 + 1e-9) + 1e-3


@given(_RATES, _BURSTS, st.integers(1, 300))
def test_who_keeps_to_the_rate_is_never_refused(rate: float, burst: int, calls: int) -> None:
    limits = Limits(Allowance(rate, burst))
    assert all(limits.admit("key", 1000 + number / rate) is None for number in range(calls))


@given(_RATES, _BURSTS)
def test_a_burst_is_admitted_at_once_and_no_call_more(rate: float, burst: int) -> None:
    limits = Limits(Allowance(rate, burst))
    assert [limits.admit("key", 5.0) is None for _ in range(burst + 3)] == [True] * burst + [False] * 3
    assert limits.admit("other", 5.0) is None


@given(_RATES, _BURSTS, _GAPS)
def test_after_the_time_that_is_named_the_call_is_admitted(rate: float, burst: int, gaps: list[float]) -> None:
    limits, now = Limits(Allowance(rate, burst)), 1000.0
    for gap in gaps:
        now += gap / rate
        refusal = limits.admit("key", now)
        if refusal is not None:
            assert refusal.retry_after >= 1
            now += refusal.retry_after
            assert limits.admit("key", now) is None


@given(st.floats(0.01, 100))
def test_without_a_burst_one_second_s_calls_come_at_once(rate: float) -> None:
    limits = Limits(Allowance(rate))
    assert sum(limits.admit("key", 1.0) is None for _ in range(110)) == max(1, math.ceil(rate))


@given(st.lists(st.tuples(st.integers(0, 100), st.floats(0, 1)), max_size=100))
def test_keys_are_forgotten_and_limits_hold_all_the_same(calls: list[tuple[int, float]]) -> None:
    """A table that is swept often decides as one that never is."""
    often, never = Limits(Allowance(2, 2), most_keys=3), Limits(Allowance(2, 2), most_keys=10**6)
    now, busiest = 0.0, 0
    for key, gap in calls:
        now += gap
        assert (often.admit(str(key), now) is None) == (never.admit(str(key), now) is None)
        busiest = max(busiest, sum(at > now for at in never._full_at.values()))
        assert len(often._full_at) <= max(3, 2 * busiest)


@given(_RATES, st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.integers(1, 8))
def test_shares_make_up_the_whole(rate: float, burst: int, concurrent: int, of_all: int, processes: int) -> None:
    """No limit vanishes and none is made: zero stays zero, and what is rounded up is less than one for each process."""
    share = Allowance(rate, burst, concurrent, of_all).share(processes)
    assert math.isclose(share.calls_per_second * processes, rate)
    for part, whole in ((share.burst, burst), (share.concurrent, concurrent), (share.concurrent_of_all, of_all)):
        assert whole <= part * processes < whole + processes


def test_without_limits_nothing_is_refused_or_remembered() -> None:
    limits = Limits(Allowance())
    assert all(limits.admit("key", 0.0) is None for _ in range(1000))
    limits.leave("key")
    assert (limits.under_way, limits._full_at, limits._under_way) == (0, {}, {})


def test_a_call_refused_for_another_reason_costs_no_token() -> None:
    limits = Limits(Allowance(1, 2, concurrent=1))
    assert limits.admit("key", 0.0) is None
    assert all(limits.admit("key", 0.0) is not None for _ in range(10))
    limits.leave("key")
    assert limits.admit("key", 0.0) is None


class Concurrency(RuleBasedStateMachine):
    """Calls of three keys come and go; a model counts them."""

    def __init__(self) -> None:
        super().__init__()
        self.limits = Limits(Allowance(concurrent=3, concurrent_of_all=7))
        self.model: Counter[str] = Counter()

    @rule(key=st.sampled_from("abc"))
    def comes(self, key: str) -> None:
        free = self.model[key] < 3 and self.model.total() < 7
        assert (self.limits.admit(key, 0.0) is None) == free
        self.model[key] += free

    @precondition(lambda self: self.model.total())
    @rule(data=st.data())
    def goes(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.elements())))
        self.limits.leave(key)
        self.model[key] -= 1

    @invariant()
    def counts_agree(self) -> None:
        assert self.limits.under_way == self.model.total()


TestConcurrency = Concurrency.TestCase
