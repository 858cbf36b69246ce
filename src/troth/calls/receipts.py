"""What ran: kept for the last calls, so that a reply's request id can be turned into its whole receipt."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import asdict, dataclass
from typing import Any

from troth.calls.routing import Caller


@dataclass(frozen=True, slots=True)
class Receipt:
    """The facts of one call."""

    request: str
    caller: str
    algorithm: str
    reference: str
    version: str
    hash: str
    #: digest of the source manifest
    source: str
    #: digest of the environment
    environment: str
    interpreter: str
    #: version of troth's worker program
    worker: int
    #: level and layers of isolation that were proved
    isolation: dict[str, Any]
    #: whether the worker was a fork of a loaded process or loaded the version itself; None where there was none
    start: str | None
    outcome: str
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Receipts:
    """The newest receipts, up to a number; older ones are forgotten."""

    def __init__(self, capacity: int = 10_000) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[str, tuple[Any, ...]] = OrderedDict()

    def keep(self, *facts: Any) -> None:
        """Keeps the facts of one call, the request id first; they become a receipt when somebody asks."""
        self._kept[facts[0]] = facts
        if len(self._kept) > self._capacity:
            self._kept.popitem(last=False)

    def find(self, request: str) -> tuple[Any, ...] | None:
        """The facts kept under a request id."""
        return self._kept.get(request)


def may_read(caller: Caller, receipt_caller: str) -> bool:
    """A receipt is for whom made the call, and for administrators."""
    return caller.administrator or caller.name == receipt_caller
