"""Bodies that come packed by gzip (RFC 1952), at whichever door."""

from __future__ import annotations

import zlib

from troth.errors import Malformed, TooLarge

_GZIP = 31  # zlib's window bits for gzip
_MOST_MEMBERS = 100


def gunzipped(body: bytes, largest: int) -> bytes:
    """The body as it was before it was packed; members may follow each other.

    Raises Malformed for what is no gzip, is cut off, or has too many members, and TooLarge beyond `largest` bytes: no more than
    that is ever unpacked.
    """
    found, rest, members = b"", body, 0
    while rest:
        members += 1
        if members > _MOST_MEMBERS:  # each one costs a copy of what is behind it
            raise Malformed(f"the body has more than {_MOST_MEMBERS} members of gzip", repair="pack it as one")
        unpacker = zlib.decompressobj(_GZIP)
        try:
            found += unpacker.decompress(rest, max(largest + 1 - len(found), 1))
        except zlib.error:
            raise Malformed("the body is not gzip, as its Content-Encoding says") from None
        if len(found) > largest:
            raise TooLarge(
                f"the body is larger than {largest} bytes",
                why="unpacked, as it would be kept",
                repair="send a smaller one",
            )
        if not unpacker.eof:
            raise Malformed("the body is cut off: its gzip has no end")
        rest = unpacker.unused_data
    return found
