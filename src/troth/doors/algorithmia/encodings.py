"""Bodies that come or go packed (RFC 9110, section 8.4): gzip both ways, and base64 as the platform's own listener took it."""

from __future__ import annotations

import base64
import binascii
import gzip

from troth.doors.gzip_bodies import gunzipped
from troth.errors import Malformed

#: answers from so many bytes on are packed for who takes that
_WORTH_IT = 1400


def unpacked(body: bytes, encoding: str, largest: int) -> bytes:
    """The body as it was before it was packed.

    Raises Malformed for an encoding that is not taken and for a body that is none of it, TooLarge beyond `largest` bytes,
    which a few kilobytes of gzip may be: no more than that is ever unpacked.
    """
    kind = encoding.strip().lower()
    if kind in ("", "identity"):
        return body
    if kind in ("gzip", "x-gzip"):
        return gunzipped(body, largest)
    if kind == "base64":
        try:
            return base64.b64decode(body, validate=True)
        except binascii.Error:
            raise Malformed("the body is not base64, as its Content-Encoding says") from None
    raise Malformed(f"the Content-Encoding {kind[:40]!r} is not taken", repair="send the body as it is, or by gzip")


def packed(content: bytes, accepted: str) -> tuple[bytes, dict[str, str]]:
    """The content of an answer for a client that accepts these encodings, and its headers."""
    headers = {"vary": "Accept-Encoding"}
    if len(content) < _WORTH_IT or not _takes_gzip(accepted):
        return content, headers
    return gzip.compress(content, compresslevel=5, mtime=0), {**headers, "content-encoding": "gzip"}


def _takes_gzip(accepted: str) -> bool:
    for one in accepted.lower().split(","):
        name, _, quality = one.partition(";")
        if name.strip() in ("gzip", "*"):
            return quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
