"""A call as those who take its insights see it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from troth.calls.routing import Caller, Route
from troth.calls.within import Within
from troth.runtime.call import Call
from troth.runtime.engine import CallRequest


@dataclass
class _Origin:
    request_id: str
    authorization: bytes = b""
    head: Iterable[tuple[bytes, bytes]] = ()
    caller: Caller | None = None
    route: Route | None = None
    parent: Call | None = None
    subject: str = "owner/name"


def within(request: str) -> Within:
    """A call of this request id that runs."""
    caller = Caller("id", "owner", False)
    return Within(Call(CallRequest(1, b"", 1), lambda found: None, None), _Origin(request), caller, caller)
