"""Spans from the moments of a call. The only module that imports OpenTelemetry; `troth.observe.tracing` imports it on demand."""

from __future__ import annotations

import threading

from opentelemetry import trace as api
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from troth.observe.tracing import CallTrace

_SECONDS = 5.0


class SpanWriter:
    """Makes spans and sends them in batches to one OTLP receiver."""

    def __init__(self, address: str, version: str) -> None:
        resource = Resource.create({"service.name": "troth", "service.version": version})
        self._ids = _GivenIds()
        # whether a call is traced was decided when it began
        self._provider = TracerProvider(ALWAYS_ON, resource, shutdown_on_exit=False, id_generator=self._ids)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(address, timeout=_SECONDS)))
        self._tracer = self._provider.get_tracer("troth", version)
        self._headers = TraceContextTextMapPropagator()

    def parent(self, traceparent: str, tracestate: str) -> SpanContext | None:
        """The caller's span, as W3C Trace Context writes it; None where the header is not that."""
        found = self._headers.extract({"traceparent": traceparent, "tracestate": tracestate}, Context())
        context = api.get_current_span(found).get_span_context()
        return context if context.is_valid else None

    def write(self, trace: CallTrace) -> None:
        """Makes the spans of a finished call: the door's, and within it the queue's and the worker's."""
        around = (
            Context() if trace.parent is None else api.set_span_in_context(NonRecordingSpan(trace.parent), Context())
        )
        self._ids.next(trace.trace_id, trace.door)
        attributes = {f"troth.{name}": value for name, value in trace.facts.items()}
        door = self._tracer.start_span(
            "POST /v1/algo",
            around,
            SpanKind.SERVER,
            {"http.request.method": "POST", "troth.outcome": trace.outcome, **attributes},
            start_time=trace.received,
        )
        if trace.outcome != "ok":
            door.set_status(Status(StatusCode.ERROR, trace.outcome))
        inside = api.set_span_in_context(door, Context())
        if trace.queued:
            self._child("queue", trace, trace.queue, inside, trace.queued, trace.started)
        if trace.started:
            self._child("worker", trace, trace.worker, inside, trace.started, trace.ended)
        door.end(trace.answered)

    def close(self, seconds: float) -> None:
        """Sends what is left, and gives up after this time."""
        last = threading.Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        last.join(seconds)

    def _child(self, name: str, trace: CallTrace, identity: int, inside: Context, begin: int, end: int) -> None:
        self._ids.next(trace.trace_id, identity)
        self._tracer.start_span(name, inside, start_time=begin).end(end or trace.answered)


class _GivenIds(IdGenerator):
    """The identities that were made when a call began, because the algorithm was told one of them."""

    def __init__(self) -> None:
        self._trace = self._span = 1

    def next(self, trace: int, span: int) -> None:
        """What the next span has."""
        self._trace, self._span = trace, span

    def generate_trace_id(self) -> int:
        return self._trace

    def generate_span_id(self) -> int:
        return self._span
