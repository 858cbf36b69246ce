"""Questions about calls that were made: how many, by whom, how fast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection

from troth.access.roles import GRANTS, Actor, relations, require
from troth.errors import Malformed, MalformedReference
from troth.observe.latency import BOUNDS, quantile
from troth.registry.usage import UsageRow, UsageTotal, Wanted, owners_of, usage_of, usage_totals
from troth.versions import references

Period = Literal["minute", "hour", "day"]
#: Minutes in a period, and how far back a question goes that does not say from when.
_PERIODS: dict[Period, tuple[int, timedelta]] = {
    "minute": (1, timedelta(hours=1)),
    "hour": (60, timedelta(days=1)),
    "day": (1440, timedelta(days=30)),
}
LARGEST_ANSWER = 10_000


@dataclass(frozen=True, slots=True)
class UsageQuestion:
    """Which usage is asked for; empty texts leave it open. `since` and `until` are RFC 3339."""

    algorithm: str = ""
    version: str = ""
    caller: str = ""
    since: str = ""
    until: str = ""
    by: Period = "hour"
    limit: int = LARGEST_ANSWER


def usage(connection: Connection, asker: Actor, question: UsageQuestion, now: datetime) -> dict[str, Any]:
    """Calls by period, version, caller and outcome, oldest first, with a histogram of their latencies.

    Everybody sees their own calls, members of an owner those of its algorithms with who made them, administrators all.
    What was called in the last second or two may be missing. Raises Malformed and MalformedReference.
    """
    wanted = _wanted(question, now)
    everything = GRANTS["read_all_usage"] & relations(asker)
    belonging = asker.scope.manage  # other keys tell of the account's own calls only
    owners = None if everything else owners_of(connection, asker.id) if belonging else []
    rows = usage_of(connection, wanted, own=asker.name, owners=owners, most=question.limit + 1)
    return {
        "from": _text(wanted.since),
        "to": _text(wanted.until),
        "by": question.by,
        "bounds": BOUNDS,
        "rows": [_row(row) for row in rows[: question.limit]],
        "more": len(rows) > question.limit,
    }


def totals(
    connection: Connection,
    asker: Actor,
    since: datetime,
    until: datetime,
    columns: Sequence[str],
    *,
    caller: str = "",
    after: Sequence[str] = (),
    most: int,
) -> list[UsageTotal]:
    """What everybody called in a period, summed up by these columns, for administrators. Raises Forbidden."""
    require("read_all_usage", relations(asker), "")
    wanted = Wanted(_minute(since), _minute(until), 1, caller=caller)
    return usage_totals(connection, wanted, columns, after=after, most=most)


def _wanted(question: UsageQuestion, now: datetime) -> Wanted:
    minutes, back = _PERIODS[question.by]
    until = moment_of("to", question.until) if question.until else now + timedelta(minutes=1)
    since = moment_of("from", question.since) if question.since else until - back
    owner = name = ""
    if question.algorithm:
        reference = references.parse(question.algorithm)
        if reference.version:
            raise MalformedReference(
                f"{question.algorithm!r} names a version",
                repair=f"ask for {reference.subject}, and for the version apart",
            )
        owner, name = reference.owner, reference.name
    return Wanted(_minute(since), _minute(until), minutes, owner, name, question.version, question.caller)


def moment_of(name: str, text: str) -> datetime:
    """A moment in RFC 3339, UTC where it names no zone. Raises Malformed."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Malformed(
            f"{name} cannot be {text[:40]!r}", why="it is a moment in RFC 3339", repair="write 2026-11-25T13:00:00Z"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _minute(moment: datetime) -> int:
    return int(moment.timestamp() // 60)


def _text(minute: int) -> str:
    return datetime.fromtimestamp(minute * 60, UTC).strftime("%Y-%m-%dT%H:%MZ")


def _row(row: UsageRow) -> dict[str, Any]:
    series = row.series
    return {
        "at": _text(series.minute),
        "algorithm": f"{series.owner}/{series.name}",
        "version": series.version,
        "caller": series.caller,
        "outcome": series.outcome,
        "calls": row.calls,
        "seconds": round(row.seconds, 6),
        "p50": quantile(row.buckets, 0.5),
        "p99": quantile(row.buckets, 0.99),
        "latency": row.buckets,
    }
