"""The commands of major lines: the notice that an owner gives, the retirement of a line, and the waiver of one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.clock import stamp
from troth.commands.algorithms import existing, require_for
from troth.commands.bus import Handler, Transaction
from troth.commands.excusing import Excusing
from troth.commands.formats import Payload
from troth.commands.waiving import asked, check_that_it_helps, waivable
from troth.errors import NotFound, Refused
from troth.registry import catalog, lines, waivers
from troth.registry.waivers import Subject
from troth.versions.lifecycles.lines import (
    KEPT,
    Line,
    Notice,
    Retirement,
    judge_retirement,
    lines_of,
    superseded,
)
from troth.versions.waivers import Considered

_MINUTE = 60


#: Writes down what was counted of calls; whether the registry took it.
Flush = Callable[[], Awaitable[bool]]


def line_handlers(excusing: Excusing, usage_days: int, flush: Flush) -> dict[str, Handler]:
    """The commands of lines by their names. Calls are counted for `usage_days`."""
    return {
        "set_line_notice": SetLineNotice(usage_days),
        "retire_line": RetireLine(excusing, flush),
        "request_line_waiver": RequestLineWaiver(flush),
    }


def deprecate_superseded(transaction: Transaction, algorithm: catalog.AlgorithmRow) -> list[str]:
    """Deprecates the lines below the highest public one, where the owner gives a notice. The lines, as text."""
    connection = transaction.connection
    notice = lines.notice_of(connection, algorithm.id)
    if notice.days is None:
        return []
    found = superseded(catalog.history_of(connection, algorithm.id), lines.recorded(connection, algorithm.id))
    after = stamp(datetime.fromisoformat(transaction.now) + timedelta(days=notice.days))
    for major in found:
        lines.deprecate(connection, algorithm.id, major, transaction.now, after)
    return [str(major) for major in found]


class SetLineNotice:
    """Keeps the notice. Lines that a public major superseded without one are deprecated at this moment."""

    def __init__(self, usage_days: int) -> None:
        self._usage_days = usage_days

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require_for("set_line_notice", connection, actor, payload["algorithm"])

    async def prepare(self, actor: Actor, payload: Payload) -> None:
        return None

    def handle(self, transaction: Transaction, payload: Payload, prepared: None) -> dict[str, Any]:
        connection = transaction.connection
        algorithm = existing(connection, payload["algorithm"])
        catalog.lock_algorithm(connection, algorithm.id)
        known = lines.notice_of(connection, algorithm.id)
        notice = Notice(payload.get("days", known.days), payload.get("quiet_days", known.quiet_days))
        self._check_counted(notice, payload)
        lines.set_notice(connection, algorithm.id, notice, transaction.actor.id, transaction.now)
        deprecated = deprecate_superseded(transaction, algorithm)
        transaction.changed_algorithms.add(algorithm.id)
        return {
            "algorithm": algorithm.subject,
            "days": notice.days,
            "quiet_days": notice.quiet_days,
            "deprecated": deprecated,
        }

    def _check_counted(self, notice: Notice, payload: Payload) -> None:
        """Raises Refused for more quiet days than this server could answer for."""
        if "quiet_days" in payload and notice.quiet_days > self._usage_days:
            raise Refused(
                f"nobody could tell who called a line in the last {notice.quiet_days} days",
                why=f"this server keeps counts of calls for {self._usage_days} days (usage_days)",
                repair=f"set at most {self._usage_days}, or ask the operator to keep them longer",
                asked=notice.quiet_days,
                found=self._usage_days,
            )


class RetireLine:
    """Retires a line, unless its callers still need it: then it takes a waiver of ALG-11 for exactly that."""

    def __init__(self, excusing: Excusing, flush: Flush) -> None:
        self._excusing = excusing
        self._flush = flush

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require_for("retire_line", connection, actor, payload["algorithm"])

    async def prepare(self, actor: Actor, payload: Payload) -> None:
        await self._flush()

    def handle(self, transaction: Transaction, payload: Payload, prepared: None) -> dict[str, Any]:
        connection, moment = transaction.connection, transaction.now
        algorithm = existing(connection, payload["algorithm"])
        catalog.lock_algorithm(connection, algorithm.id)
        line, stop = _line(connection, algorithm, payload), payload.get("stop_floating", False)
        digest = retirement_digest(algorithm, payload)
        held = self._excusing.waivers(connection, algorithm.id, digest, str(line.major), moment)
        holding = [one for one in held if _is_for_line(one) and one.excuses(KEPT, line.major)]
        found = _judged(transaction, algorithm, line, stop=stop, waived=bool(holding))
        if found.objections:
            raise found.refusal()
        lines.retire(connection, algorithm.id, line.major, stopped=stop, actor_id=transaction.actor.id, now=moment)
        waivers.use(connection, [one.waiver.id for one in holding] if found.waived else [], moment)
        transaction.changed_algorithms.add(algorithm.id)
        return {
            "algorithm": algorithm.subject,
            "line": str(line.major),
            "retired_at": moment,
            "verdict": found.as_dict(),
        }


class RequestLineWaiver:
    """Keeps the question whether a line may be retired in spite of its callers."""

    def __init__(self, flush: Flush) -> None:
        self._flush = flush

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require_for("request_line_waiver", connection, actor, payload["algorithm"])

    async def prepare(self, actor: Actor, payload: Payload) -> None:
        await self._flush()

    def handle(self, transaction: Transaction, payload: Payload, prepared: None) -> dict[str, Any]:
        connection = transaction.connection
        clauses = waivable("line", payload["clauses"])
        algorithm = existing(connection, payload["algorithm"])
        line, stop = _line(connection, algorithm, payload), payload.get("stop_floating", False)
        without = _judged(transaction, algorithm, line, stop=stop, waived=False)
        by = _judged(transaction, algorithm, line, stop=stop, waived=True)
        left = {one.clause or "the notice": one.text for one in by.objections}
        check_that_it_helps("line", clauses, without.as_dict(), left)
        subject = Subject("line", algorithm.id, algorithm.subject, algorithm.owner_id)
        digest = retirement_digest(algorithm, payload)
        return asked(transaction, subject, str(line.major), digest, clauses, payload, without.as_dict())


def retirement_digest(algorithm: catalog.AlgorithmRow, payload: Payload) -> str:
    """What a waiver of a retirement is for: this line of this algorithm, and whether its floating references stop."""
    said = {"algorithm": algorithm.id, "line": payload["line"], "stop_floating": payload.get("stop_floating", False)}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _is_for_line(one: Considered) -> bool:
    return one.waiver.kind == "line"


def _line(connection: Connection, algorithm: catalog.AlgorithmRow, payload: Payload) -> Line:
    """The line that is spoken of. Raises NotFound where the algorithm has no such public line."""
    history, told = catalog.history_of(connection, algorithm.id), lines.recorded(connection, algorithm.id)
    found = lines_of(history, told)
    if line := found.get(payload["line"]):
        return line
    raise NotFound(
        f"{algorithm.subject} has no public line {payload['line']}",
        why=f"its public lines are {', '.join(map(str, found)) or 'none'}",
        repair=f"troth line list {algorithm.subject} shows them",
        asked=payload["line"],
    )


def _judged(
    transaction: Transaction, algorithm: catalog.AlgorithmRow, line: Line, *, stop: bool, waived: bool
) -> Retirement:
    connection, moment = transaction.connection, transaction.now
    notice = lines.notice_of(connection, algorithm.id)
    since = datetime.fromisoformat(moment) - timedelta(days=notice.quiet_days)
    minute = int(since.timestamp()) // _MINUTE
    uses = lines.uses_of(connection, algorithm.owner_id, algorithm.owner, algorithm.name, line.major, minute)
    return judge_retirement(algorithm.subject, line, notice, uses, moment=moment, stop=stop, waived=waived)
