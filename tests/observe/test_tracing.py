"""Traces as an OTLP receiver gets them over HTTP, and no traces at all where none are wanted."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.observe.receiver import Receiver, attributes, receiving
from troth.errors import MalformedSetting
from troth.observe.tracing import CallTrace, Tracing

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CALLERS = f"00-{TRACE}-{SPAN}-01"


def tracing(receiver: Receiver, ratio: float = 1.0) -> Tracing:
    found = Tracing.open(receiver.address, ratio)
    assert found is not None
    return found


def call(trace: CallTrace | None) -> CallTrace:
    """A call that waited and ran."""
    assert trace is not None
    trace.queued = trace.received + 1_000
    trace.started = trace.received + 2_000
    trace.ended = trace.received + 5_000
    return trace


def test_a_call_has_spans_for_door_queue_and_worker() -> None:
    with receiving() as receiver:
        sender = tracing(receiver)
        trace = call(sender.begin(CALLERS, "vendor=1"))
        sender.finish(trace, "ok", reference="ada/echo/1.0.0", version="1.0.0", request="req-1")
        sender.close()
    door, queue, worker = (receiver.named(name) for name in ("POST /v1/algo", "queue", "worker"))
    assert {span.trace_id.hex() for span in (door, queue, worker)} == {TRACE}
    assert door.parent_span_id.hex() == SPAN
    assert queue.parent_span_id == worker.parent_span_id == door.span_id
    begin = trace.received
    assert [(span.start_time_unix_nano - begin, span.end_time_unix_nano - begin) for span in (queue, worker)] == [
        (1_000, 2_000),
        (2_000, 5_000),
    ]
    assert (door.start_time_unix_nano, door.end_time_unix_nano) == (begin, trace.answered)
    assert attributes(door) == {
        "http.request.method": "POST",
        "troth.outcome": "ok",
        "troth.reference": "ada/echo/1.0.0",
        "troth.version": "1.0.0",
        "troth.request": "req-1",
    }
    assert receiver.paths == {"/v1/traces"}
    assert receiver.resources[0]["service.name"] == "troth"
    assert trace.traceparent == f"00-{TRACE}-{worker.span_id.hex()}-01"
    assert trace.tracestate == "vendor=1"


def test_a_caller_without_a_trace_begins_one() -> None:
    with receiving() as receiver:
        sender = tracing(receiver)
        first, second = call(sender.begin("")), call(sender.begin(""))
        for trace in (first, second):
            sender.finish(trace, "timeout")
        sender.close()
    doors = [span for span in receiver.spans if span.name == "POST /v1/algo"]
    assert {span.trace_id.hex() for span in doors} == {f"{trace.trace_id:032x}" for trace in (first, second)}
    assert len({span.trace_id for span in doors}) == 2
    assert {span.parent_span_id for span in doors} == {b""}
    assert [(span.status.code, span.status.message) for span in doors] == [(2, "timeout")] * 2


def test_a_call_that_never_ran_has_no_worker() -> None:
    with receiving() as receiver:
        sender = tracing(receiver)
        trace = sender.begin("")
        assert trace is not None
        trace.queued = trace.received
        sender.finish(trace, "queue_deadline")
        sender.close()
    assert sorted(span.name for span in receiver.spans) == ["POST /v1/algo", "queue"]
    assert receiver.named("queue").end_time_unix_nano == trace.answered


def test_the_caller_decides_whether_a_call_is_traced() -> None:
    with receiving() as receiver:
        sender = tracing(receiver, ratio=0.0)
        assert sender.begin(f"00-{TRACE}-{SPAN}-00") is None
        assert sender.begin("") is None
        assert sender.begin(CALLERS) is not None
        sender.close()


@pytest.mark.parametrize(
    "header",
    ["nonsense", f"ff-{TRACE}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01", "00-é-é-01"],
)
def test_a_header_that_is_none_is_left_out(header: str) -> None:
    with receiving() as receiver:
        sender = tracing(receiver)
        trace = sender.begin(header, "a=b")
        assert trace is not None
        assert trace.parent is None
        assert trace.trace_id != int(TRACE, 16)
        sender.close()


def test_a_receiver_that_is_away_does_not_hold_up_the_end() -> None:
    with receiving() as receiver:
        address = receiver.address
    sender = Tracing.open(address, 1.0)
    assert sender is not None
    sender.finish(call(sender.begin("")), "ok")
    sender.close()


@pytest.mark.parametrize("address", ["127.0.0.1:4318", "ftp://host", "http://"])
def test_addresses_that_cannot_be(address: str) -> None:
    with pytest.raises(MalformedSetting):
        Tracing.open(address, 1.0)


@pytest.mark.parametrize("ratio", [-0.1, 1.1])
def test_ratios_that_cannot_be(ratio: float) -> None:
    with pytest.raises(MalformedSetting):
        Tracing.open("http://127.0.0.1:4318", ratio)


def test_without_the_setting_nothing_is_imported() -> None:
    code = (
        "import sys, troth.doors.server.application\n"
        "from troth.observe.tracing import Tracing\n"
        "assert Tracing.open('', 1.0) is None\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_the_libraries_the_setting_is_refused() -> None:
    code = (
        "import sys\n"
        "sys.modules['opentelemetry.sdk'] = None\n"
        "from troth.errors import MalformedSetting\n"
        "from troth.observe.tracing import Tracing\n"
        "try: Tracing.open('http://127.0.0.1:4318', 1.0)\n"
        "except MalformedSetting as error: assert error.repair == 'install troth[telemetry]'\n"
        "else: raise AssertionError\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
