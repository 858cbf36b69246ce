"""The report of a day."""

from __future__ import annotations

from collections.abc import Iterable


def busiest(customers: Iterable[str], most: int = 10) -> list[str]:
    """The customers with most orders, busiest first."""
    counts: dict[str, int] = {}
    for customer in customers:
        counts[customer] = counts.get(customer, 0) + 1
    return sorted(counts, key=lambda customer: -counts[customer])[:most]
