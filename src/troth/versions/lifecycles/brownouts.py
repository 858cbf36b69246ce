"""The rules of brownouts, a row each: of which versions they are planned, how long before, and how long they last.

The policy knows of no brownouts. These rows keep them from being what it forbids: a version that is gone before its X release.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from troth.errors import Refused
from troth.versions.clauses import clause
from troth.versions.lifecycles.states import State
from troth.versions.lifecycles.table import version_name

#: A brownout shows who still uses a version; a longer one would be its retirement.
LONGEST: Final = timedelta(hours=24)
#: Days from the announcement to the brownout that an operator can ask for at most.
LONGEST_NOTICE: Final = 366


@dataclass(frozen=True, slots=True)
class Planned:
    """A brownout that somebody asks for: of which version, when, and when it is announced. `state` is None without the version."""

    number: int
    state: State | None
    begins: datetime
    ends: datetime
    now: datetime
    notice: timedelta

    @property
    def name(self) -> str:
        return version_name(self.number)


@dataclass(frozen=True, slots=True)
class Objection:
    """Why it is not planned, and what would repair that."""

    text: str
    why: str
    repair: str


@dataclass(frozen=True, slots=True)
class BrownoutRule:
    """One row. The handler objects, or does not."""

    id: str
    clause: str
    purpose: str
    handler: Callable[[Planned], Objection | None]

    def as_dict(self) -> dict[str, Any]:
        """The row as JSON."""
        return {"id": self.id, "clause": self.clause, "purpose": self.purpose}


def check_brownout(subject: str, planned: Planned) -> None:
    """Raises Refused, by the first row that objects."""
    for row in RULES:
        if (found := row.handler(planned)) is not None:
            raise Refused(
                f"{subject} {planned.name} {found.text}",
                why=f"{found.why}; {row.clause}: {clause(row.clause).sentence}",
                repair=found.repair,
                clauses=[row.clause],
                asked=f"{_written(planned.begins)}/{_written(planned.ends)}",
            )


def _deprecated(planned: Planned) -> Objection | None:
    if planned.state is State.DEPRECATED:
        return None
    state = planned.state or "not there"
    why = f"it is {state}, and what is not deprecated will not be gone"
    return Objection("cannot be browned out", why, "deprecate it first")


def _announced(planned: Planned) -> Objection | None:
    # a request takes a moment to get here
    if planned.begins >= planned.now + planned.notice - timedelta(seconds=1):
        return None
    if planned.begins < planned.now:
        text, why = f"cannot be browned out from {_written(planned.begins)} on", "that is past"
    else:
        text = f"would be browned out {_words(planned.begins - planned.now)} after its announcement"
        why = f"callers have {_words(planned.notice)} of notice, as the operator set it (brownout_notice_days)"
    least = planned.now + planned.notice + timedelta(minutes=1)
    return Objection(text, why, f"let it begin at {_written(least.replace(second=0))} at the earliest")


def _short(planned: Planned) -> Objection | None:
    length = planned.ends - planned.begins
    if length <= LONGEST:
        return None
    why = "it shows who still uses the version; one that lasts longer than a day would be the retirement"
    return Objection(f"cannot be browned out for {_words(length)}", why, "plan shorter ones")


def _words(span: timedelta) -> str:
    if span < timedelta(hours=1):
        return f"{int(span.total_seconds() // 60)} minutes"
    if span < timedelta(days=2):
        return f"{int(span.total_seconds() // 3600)} hours"
    return f"{span.days} days"


def _written(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


RULES: Final = (
    BrownoutRule("deprecated", "PDB-34", "Only a deprecated version is browned out.", _deprecated),
    BrownoutRule(
        "announced", "PDB-34", "Callers hear of it days before, so that they can leave the version.", _announced
    ),
    BrownoutRule("short", "PDB-37", "It is over within a day, because a version is retired in X only.", _short),
)
