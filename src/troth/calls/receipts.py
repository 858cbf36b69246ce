"""What ran in one call; `troth.calls.records` keeps what receipts are made from."""

from __future__ import annotations

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


def may_read(caller: Caller, receipt: dict[str, Any]) -> bool:
    """A receipt is for whom made the call, with a key that is for the algorithm, and for administrators."""
    own = caller.name == receipt["caller"] and caller.scope.sees(receipt["algorithm"])
    return caller.administrator or own
