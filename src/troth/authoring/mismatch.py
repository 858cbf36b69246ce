"""What a caller hears whose input is not what the algorithm's types say."""

from __future__ import annotations

import json
from typing import Any

_LONGEST = 60


class InputError(Exception):
    """An input of another type: where, what was expected and what came."""

    error_type = "InputError"

    def __init__(self, words: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(words)
        self.words = words
        self._inner_first = list(reversed(path))

    def within(self, key: str | int) -> InputError:
        """The same, seen from the object or array that holds the place under `key`."""
        self._inner_first.append(key)
        return self

    @property
    def pointer(self) -> str:
        """The place as a JSON pointer (RFC 6901); empty for the whole input."""
        keys = (str(key).replace("~", "~0").replace("/", "~1") for key in reversed(self._inner_first))
        return "".join(f"/{key}" for key in keys)

    def __str__(self) -> str:
        place = f"the input at {self.pointer}" if self._inner_first else "the input"
        return f"{place}: {self.words}"


def mismatch(expected: str, value: Any) -> InputError:
    """The error of a value that is not what was expected."""
    return InputError(f"expected {expected}, got {shown(value)}")


def shown(value: Any) -> str:
    """A value of the input in a few words, as its sender would call it."""
    if isinstance(value, dict):
        return f"an object with {len(value)} keys"
    if isinstance(value, list):
        return f"an array of {len(value)}"
    if isinstance(value, bytes):
        return "binary data"
    # cut before it is written: an input can be long
    text = json.dumps(value[:_LONGEST] if isinstance(value, str) else value, ensure_ascii=False, default=repr)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
