"""How often and how many at once: limits of each key, and of all together. Pure arithmetic; the time is passed in.

The rate is a token bucket, kept as one moment: when the bucket will be full again (the generic cell rate algorithm, ITU-T
I.371). A call moves it on by the share of one call, and is refused where that would be more than a burst ahead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

#: keys that are remembered before those without a trace of a call are forgotten
_MOST_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may be done. Zero is no limit, and of `burst` as many calls as in one second."""

    calls_per_second: float = 0.0
    burst: int = 0
    concurrent: int = 0
    concurrent_of_all: int = 0

    def share(self, processes: int) -> Allowance:
        """The part of each of so many processes that know nothing of each other's calls; numbers are rounded up."""
        return Allowance(
            self.calls_per_second / processes,
            -(-self.burst // processes),
            -(-self.concurrent // processes),
            -(-self.concurrent_of_all // processes),
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call is not begun, and after how many whole seconds it may be tried again."""

    retry_after: int
    words: str


class Limits:
    """Decides about each call before it begins. For every `admit` that gives None, one `leave` follows when the call ended."""

    def __init__(self, allowance: Allowance, most_keys: int = _MOST_KEYS) -> None:
        self._allowance = allowance
        rate = allowance.calls_per_second
        burst = allowance.burst or max(1, math.ceil(rate))
        self._interval = 1 / rate if rate else 0.0
        #: how far ahead the bucket may be before one more call; the tolerance forgives the rounding of sums
        self._ahead = self._interval * (burst - 1) + self._interval * 1e-6
        self._full_at: dict[str, float] = {}
        self._under_way: dict[str, int] = {}
        self._total = 0
        self._most_keys = most_keys
        self._sweep_at = most_keys
        self.active = bool(rate or allowance.concurrent or allowance.concurrent_of_all)
        self._words_of_rate = f"a key may make {rate:g} calls per second, and {burst} at once"

    @property
    def under_way(self) -> int:
        """Calls that were admitted and have not left."""
        return self._total

    def admit(self, key: str, now: float) -> Refusal | None:
        """Lets a call of this key begin at `now` (seconds of a clock that never goes back), or says why not.

        A refused call changes nothing.
        """
        if not self.active:
            return None
        allowed = self._allowance
        if allowed.concurrent_of_all and self._total >= allowed.concurrent_of_all:
            return Refusal(1, f"{allowed.concurrent_of_all} calls are under way, which is as many as this server takes")
        if allowed.concurrent and self._under_way.get(key, 0) >= allowed.concurrent:
            return Refusal(1, f"{allowed.concurrent} calls of this key are under way, which is as many as it may have")
        if self._interval:
            full_at = max(self._full_at.get(key, now), now)
            if full_at - now > self._ahead:
                return Refusal(math.ceil(full_at - now - self._ahead), self._words_of_rate)
            self._full_at[key] = full_at + self._interval
            if len(self._full_at) > self._sweep_at:
                self._sweep(now)
        if allowed.concurrent:
            self._under_way[key] = self._under_way.get(key, 0) + 1
        self._total += 1
        return None

    def leave(self, key: str) -> None:
        """Tells that an admitted call of this key ended, however it ended."""
        if not self.active:
            return
        self._total -= 1
        if self._allowance.concurrent:
            left = self._under_way[key] - 1
            if left:
                self._under_way[key] = left
            else:
                del self._under_way[key]

    def _sweep(self, now: float) -> None:
        """Forgets keys whose buckets are full: they are as good as new. Not before there are twice as many again."""
        self._full_at = {key: full_at for key, full_at in self._full_at.items() if full_at > now}
        self._sweep_at = max(self._most_keys, 2 * len(self._full_at))
