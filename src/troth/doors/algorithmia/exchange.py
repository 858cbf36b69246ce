"""One call at the door: what was asked, which version answers, and the one reply that is sent."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from troth.calls.routing import Caller, Route
from troth.calls.within import Peer
from troth.doors.algorithmia import answers
from troth.doors.algorithmia.answers import Answer, CallError
from troth.doors.algorithmia.browsers import readable_lines
from troth.doors.authorization import Headers
from troth.errors import TrothError
from troth.observe.tracing import CallTrace, continuation
from troth.runtime.call import Call
from troth.runtime.engine import CallResult, Outcome, Ticket

if TYPE_CHECKING:
    from troth.doors.algorithmia.calls import CallDoor

Respond = Callable[[Answer], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What the query of a call asks for."""

    seconds: float
    stdout: bool = False
    #: `raw`, `void`, or nothing
    output: str = ""


class Asked(NamedTuple):
    """What the path of a call names: `reference` as it stands there, `subject` is its `owner/name`."""

    reference: str
    subject: str
    version: str


class Exchange:
    """A call from its head to its reply."""

    __slots__ = (
        "authorization", "caller", "counted_as", "door", "floats", "head", "options", "parent", "peer", "reference", "replied",
        "request_id", "respond", "route", "subject", "ticket", "trace", "traced", "version",
    )  # fmt: skip

    def __init__(
        self, door: CallDoor, request_id: str, asked: Asked, authorization: bytes, options: Options, respond: Respond
    ) -> None:
        self.door = door
        self.request_id = request_id
        self.reference, self.subject, self.version = asked
        self.authorization = authorization
        self.options = options
        self.respond = respond
        self.route: Route | None = None
        self.caller: Caller | None = None
        #: the call in which this one is made, if it is
        self.parent: Call | None = None
        #: who asks, where it may be an algorithm
        self.peer: Peer = None
        self.ticket: Ticket | None = None
        self.replied = False
        #: the key whose calls under way it is among
        self.counted_as = ""
        self.trace: CallTrace | None = None
        #: the caller's own trace, for calls of which this server writes none: traceparent and tracestate, a line each
        self.traced = ""
        #: the headers of the request, as far as a key's origin has to be looked for in them
        self.head: Headers = ()
        #: whether a production key called what a later publication can change (ALG-14, ALG-20)
        self.floats = False

    def settle(self, found: CallResult | TrothError) -> None:
        """Replies with what came of the call."""
        if isinstance(found, TrothError):
            self.refuse(answers.call_error(found))
        elif found.failed:
            self.refuse(self.failure(found), found)
        else:
            self.record(Outcome.OK, found)
            raw = self.options.output == "raw"
            self._reply(answers.success(found, self.request_id, raw=raw, lines=self.lines()))

    def settle_behind(self, found: CallResult | TrothError) -> None:
        """Keeps what came of a call that was replied to when it began; one that never began is refused."""
        if isinstance(found, TrothError) and not self.replied:
            self.refuse(answers.call_error(found))
            return
        if isinstance(found, TrothError):
            error: CallError | None = answers.call_error(found)
        else:
            error = self.failure(found) if found.failed else None
        result = None if isinstance(found, TrothError) else found
        self.record(error.outcome if error else Outcome.OK, result, error)
        if error is None and result is not None:
            answer = answers.success(result, self.request_id, raw=False)
        else:
            assert error is not None
            answer = answers.refusal(error, self.request_id, result, raw=False)
        self.door.results.finish(self.request_id, answer.body)

    def begun(self) -> None:
        """Replies that the call runs, unless it was refused already."""
        if not self.replied:
            assert self.caller is not None
            self.door.results.begin(self.request_id, self.caller.id, self.subject)
            self._reply(answers.begun(self.request_id, self.lines()))

    def refuse(self, error: CallError, result: CallResult | None = None) -> None:
        """Replies with an error."""
        self.record(error.outcome, result, error)
        raw = self.options.output == "raw"
        self._reply(answers.refusal(error, self.request_id, result, raw=raw, lines=self.lines()))

    def failure(self, result: CallResult) -> CallError:
        """The error of a call that failed, with its stack for those who may see the source."""
        assert self.route is not None
        return answers.failure(result, source_shown=self.route.source_open or self.sees_source())

    def continued(self) -> str:
        """What the algorithm is told of the trace that it is part of: traceparent and tracestate, a line each, or nothing."""
        if self.trace is None:
            return self.traced
        return continuation(self.trace.traceparent, self.trace.tracestate)

    def sees_source(self) -> bool:
        """Whether the caller may see what the algorithm prints: owners and members of organisations that own it."""
        return self.caller is not None and self.door.owns(self.caller, self.subject)

    def cancel(self) -> None:
        """The caller left. A call that is not waited for goes on."""
        if self.ticket is not None and not self.replied:
            self.replied = True
            self.ticket.cancel()
            self.record(Outcome.CANCELLED, None)

    def lines(self) -> bytes:
        """The receipt's header lines, where a version was found for a caller who may see it, and those for the key's pages."""
        if self.caller is None:
            return b""
        lines = readable_lines(self.head) if self.caller.limited and self.caller.scope.origin else b""
        if self.route is not None:
            lines += answers.receipt_lines(self.route, self.reference, self.request_id)
            if self.route.lines:
                lines += self.route.lines
        return lines + answers.floating_warning(self.subject, self.route) if self.floats and self.route else lines

    def record(self, outcome: Outcome, result: CallResult | None, error: CallError | None = None) -> None:
        """Counts the call, keeps the facts of its receipt and its error, and lets the next one of its key begin."""
        watch, route, caller = self.door.watch, self.route, self.caller
        seconds, place = (result.seconds, result.place) if result is not None else (0.0, None)
        if self.counted_as:
            watch.limits.leave(self.counted_as)
            self.counted_as = ""
        if self.door.sessions and self.parent is None:
            self.door.end_session(self.request_id)
        if route is not None and caller is not None:
            watch.usage.add(self.subject, route.version, caller.name, outcome, seconds)
            watch.records.keep(self.request_id, caller.name, self.reference, route, outcome, seconds, place)
            if error is not None and error.status == 200:  # what was too much says nothing of the algorithm
                watch.failures.keep(
                    self.request_id, caller.name, self.subject, route.version, error.message, error.error_type
                )
        if self.trace is not None and route is not None:  # strangers do not write into the operator's traces
            self._finish(self.trace, outcome, result)

    def _finish(self, trace: CallTrace, outcome: Outcome, result: CallResult | None) -> None:
        """Ends the trace of this call."""
        self.trace = None
        if result is not None:
            trace.ended = time.time_ns()
            trace.started = max(trace.queued, trace.ended - int(result.seconds * 1e9))
        version = self.route.version if self.route else ""
        assert self.door.watch.tracing is not None
        self.door.watch.tracing.finish(
            trace, outcome, reference=self.reference, version=version, request=self.request_id
        )

    def _reply(self, answer: Answer) -> None:
        if not self.replied:
            self.replied = True
            respond, self.respond, self.ticket = self.respond, _nobody, None  # rings are garbage to be found
            respond(answer)


def _nobody(answer: Answer) -> None:
    """The reply was sent."""
