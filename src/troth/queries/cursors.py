"""Places in an answer, handed out as signed texts that only the same query of the same caller can go on from."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from troth.errors import Malformed
from troth.queries.language.hints import wrong

_SEAL = 24
_LONGEST = 20_000


class Cursors:
    """Makes and reads them, with a key of the server's own."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"cursors of queries", "sha256")

    def write(self, question: Any, place: list[Any]) -> str:
        """A cursor behind the row with these values, for who asks the same question."""
        content = json.dumps(place, separators=(",", ":")).encode()
        return _packed(self._seal(question, content) + content)

    def read(self, question: Any, cursor: str) -> list[Any]:
        """The values of the last row. Raises Malformed for what was not handed out for this question."""
        try:
            if len(cursor) > _LONGEST or not cursor.isascii():
                raise ValueError
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except ValueError:
            raise _foreign() from None
        seal, content = raw[:_SEAL], raw[_SEAL:]
        if not hmac.compare_digest(seal, self._seal(question, content)):
            raise _foreign()
        found: list[Any] = json.loads(content)
        return found

    def _seal(self, question: Any, content: bytes) -> bytes:
        asked = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).digest()
        return hmac.digest(self._key, asked + content, "sha256")[:_SEAL]


def _packed(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _foreign() -> Malformed:
    return wrong(
        "the cursor is of another query",
        "a cursor goes on with the query, order, moment and caller that it was made for",
        "send the same query again without a cursor",
    )
