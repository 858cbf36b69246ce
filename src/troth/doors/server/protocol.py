"""uvicorn's HTTP protocol with the pieces of one answer sent together.

uvicorn writes the head and the body of an answer apart. Nothing of its inside is relied on but that it writes to the
transport that it was given.
"""

from __future__ import annotations

import asyncio
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from troth.runtime.cork import CorkedTransport


class CorkedProtocol(HttpToolsProtocol):
    """HTTP/1.1 over a corked transport."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        corked = CorkedTransport(cast(asyncio.Transport, transport), self.loop)
        super().connection_made(cast(asyncio.Transport, corked))
