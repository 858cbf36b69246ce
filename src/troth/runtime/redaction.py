"""Leaves secrets out of what people read of a version: what it prints, the words of its errors, logs.

A net for accidents, such as an exception that quotes a header. An algorithm that wants to give a secret away can change it so that
nothing recognises it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

#: Values that are shorter are left: they would be found everywhere.
SHORTEST = 4
INSTEAD = "[secret]"


class Redaction:
    """Of these values; of none it changes nothing."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        known = {value for value in values if len(value) >= SHORTEST}
        lines = {line.strip() for value in known for line in value.splitlines()}  # tracebacks show one line of several
        known |= {line for line in lines if len(line) >= 2 * SHORTEST}
        self._values = sorted(known, key=len, reverse=True)

    def text(self, words: str, *, cut: bool = False) -> str:
        """Words without the values; where they were `cut` off at either end, without their halves there."""
        for value in self._values:
            words = words.replace(value, INSTEAD)
        return self._trimmed(words) if cut else words

    def document(self, body: bytes) -> bytes:
        """An error as JSON, without the values in its texts; what is no JSON object comes back as it is."""
        if not self._values:
            return body
        try:
            found = json.loads(body)
            said = {name: self.text(value) if isinstance(value, str) else value for name, value in found.items()}
        except (ValueError, RecursionError, AttributeError):
            return body
        return json.dumps(said).encode()

    def _trimmed(self, words: str) -> str:
        for value in self._values:
            for size in range(len(value) - 1, SHORTEST - 1, -1):
                if words.endswith(value[:size]):
                    words = words[:-size] + INSTEAD
                if words.startswith(value[-size:]):
                    words = INSTEAD + words[size:]
        return words
