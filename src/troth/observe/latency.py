"""Latencies as counts in fixed buckets, so that they add up over minutes, versions and servers."""

from __future__ import annotations

from collections.abc import Sequence

#: Upper bounds of the buckets in seconds, three in each decade; one more bucket holds what is slower.
BOUNDS: tuple[float, ...] = tuple(float(f"{digit}e{power}") for power in range(-5, 4) for digit in (1, 2, 5))
BUCKETS = len(BOUNDS) + 1


def quantile(counts: Sequence[int], share: float) -> float | None:
    """Seconds within which `share` (0 to 1) of the calls ended, as well as the buckets tell; None without a call.

    Within a bucket calls count as evenly spread. What is slower than the last bound counts as the last bound.
    """
    total = sum(counts)
    if not total:
        return None
    wanted, passed = share * total, 0
    for index, count in enumerate(counts):
        if count and passed + count >= wanted:
            low = BOUNDS[index - 1] if index else 0.0
            high = BOUNDS[index] if index < len(BOUNDS) else low
            return low + (high - low) * (wanted - passed) / count
        passed += count
    raise AssertionError("the counts do not add up")
