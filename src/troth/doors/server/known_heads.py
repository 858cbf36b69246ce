"""Heads of requests that were parsed before: a client that calls one version again and again sends the same bytes each time.

Equal bytes mean the same, so what the parser made of a head holds for the next one that differs in nothing but the digits of its
content-length. Only a whole request in one piece is recognised; for everything else there is the parser.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_END = b"\r\n\r\n"
#: bytes of a head that is remembered
_LARGEST = 4096
#: with digits and nothing else, as clients write it
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(?=[0-9]{1,7}\r\n)", re.IGNORECASE)
#: digits of a length, and what ends them
_DIGITS = 8


@dataclass(frozen=True, slots=True)
class KnownHead:
    """A head with a hole where the digits of its content-length stand."""

    before: bytes
    behind: bytes

    def body_of(self, request: bytes) -> bytes | None:
        """The body, where these bytes are one whole request with this head; None where they are anything else."""
        before, behind = self.before, self.behind
        start = len(before)
        end = request.find(b"\r", start, start + _DIGITS)
        if end < 0 or not request.startswith(before) or not request.startswith(behind, end):
            return None
        digits, body = request[start:end], end + len(behind)
        if not digits.isdigit() or len(request) - body != int(digits):
            return None
        return request[body:]


def known_head(request: bytes, size: int) -> KnownHead | None:
    """The head of what should be one whole request with a body of `size` bytes; None where it is not, or not simply written."""
    head = len(request) - size
    if not 0 < head <= _LARGEST or request.find(_END) != head - len(_END):
        return None
    length = _LENGTH.search(request, 0, head)
    if length is None:
        return None
    end = request.index(b"\r", length.end())
    if int(request[length.end() : end]) != size:
        return None
    return KnownHead(request[: length.end()], request[end:head])
