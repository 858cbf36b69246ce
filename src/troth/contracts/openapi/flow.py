"""Who sends what: of an operation the caller sends the request, of a callback or webhook the server does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from troth.contracts.openapi.schemas import Message

#: `input` is what others send to the server, `output` what the server sends to them.
Side = Literal["input", "output"]


@dataclass(frozen=True, slots=True)
class Flow:
    """One message and the side that it is on."""

    message: Message
    side: Side
    #: whether the body is XML, of which a schema says more than of others
    xml: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer."""

    request: Flow
    response: Flow


CALLED: Final = Exchange(Flow("request", "input"), Flow("response", "output"))
CALLING: Final = Exchange(Flow("request", "output"), Flow("response", "input"))
