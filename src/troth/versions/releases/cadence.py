"""How often a product is released, and what is due (PLX-14). It warns, and refuses nothing."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final

from troth.versions.releases.evidence import Fact, Kind
from troth.versions.releases.rules import FEATURES

#: two weeks to a month
EARLIEST_DAYS: Final = 14
LATEST_DAYS: Final = 31
_MADE: Final = frozenset({Kind.NOTED_FIX})


@dataclass(frozen=True, slots=True)
class Cadence:
    """When a product was released last, how often it is, and when the next release would be usual."""

    last: date | None
    days: int | None
    #: the days that usually lie between two releases; None where there are not two
    usual: int | None
    earliest: date | None
    latest: date | None
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "last": self.last.isoformat() if self.last else None,
            "days": self.days,
            "usual_days": self.usual,
            "earliest": self.earliest.isoformat() if self.earliest else None,
            "latest": self.latest.isoformat() if self.latest else None,
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, slots=True)
class Planned:
    """A release that is announced for a day, and not there yet."""

    what: str
    due: date


def cadence(released: Iterable[date], planned: Sequence[Planned], today: date) -> Cadence:
    """The cadence of a product with releases on these days. A day that is still to come is a clock that is wrong."""
    days = sorted(released)
    warnings = [f"{one.what} was due on {one.due}" for one in planned if one.due < today]
    if not days:
        return Cadence(None, None, None, None, None, tuple(warnings))
    last = days[-1]
    since = (today - last).days
    if since < 0:
        warnings.append(f"the last release is of {last}, which is still to come: one of the clocks is wrong")
        since = 0
    elif since > LATEST_DAYS:
        warnings.append(f"{since} days lie behind the last release; two weeks to a month are usual (PLX-14)")
    between = [(later - earlier).days for earlier, later in pairwise(days)]
    usual = round(statistics.median(between)) if between else None
    window = last + timedelta(EARLIEST_DAYS), last + timedelta(LATEST_DAYS)
    return Cadence(last, since, usual, *window, tuple(warnings))


def suggested_occasion(facts: Iterable[Fact]) -> str:
    """The occasion that fits what waits (PLX-12 to PLX-14): `functionality`, `fix` or `scheduled`."""
    kinds = {fact.kind for fact in facts}
    if kinds & (FEATURES | {Kind.MAJOR_FUNCTIONALITY}):
        return "functionality"
    return "fix" if kinds & _MADE else "scheduled"
