"""What the call door tells of each call, and asks before it: counts, records, limits and traces."""

from __future__ import annotations

from typing import Protocol

from troth.calls.failures import Failures
from troth.calls.limits import Limits
from troth.calls.records import Records
from troth.calls.usage import Usage
from troth.observe.tracing import Tracing


class Watch(Protocol):
    """The parts of the server that watch calls."""

    usage: Usage
    records: Records
    failures: Failures
    limits: Limits
    #: None where no traces are wanted
    tracing: Tracing | None
