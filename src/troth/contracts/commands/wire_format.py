"""The wire format of one version of a command: a JSON Schema and a serialisation, checked at the door within bounds.

Schemas are their authors': patterns are matched by `troth.contracts.patterns`, never by backtracking, and every check is
counted in steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, Final

import msgspec

from troth.contracts.schema.answers import Bounds
from troth.contracts.schema.confirmation import Confirmation
from troth.contracts.schema.documents import Document
from troth.contracts.schema.drawing import Drawing
from troth.contracts.schema.evaluation import Evaluator
from troth.contracts.schema.pool import Pool
from troth.contracts.schema.steps import Exhausted, Steps
from troth.contracts.schema.texts import why_not_understood
from troth.contracts.wire import JSON
from troth.errors import MalformedPayload, MalformedSchema

MSGPACK: Final = "application/msgpack"
#: Names of the serialisations that there are, as media types and as people write them.
SERIALISATIONS: Final = {
    "json": JSON, JSON: JSON, "msgpack": MSGPACK, MSGPACK: MSGPACK, "application/x-msgpack": MSGPACK,
}  # fmt: skip
_BOUNDS: Final = Bounds(levels=60, nodes=20_000)
_STEPS: Final = 200_000
_DRAWING_STEPS: Final = 100_000
_DEEPEST: Final = 100


class WireFormat:
    """One format. Raises MalformedSchema for what is no schema, or none that can be checked in bounded time."""

    def __init__(self, schema: Any, serialisation: str) -> None:
        self.schema = schema
        self.serialisation = SERIALISATIONS[serialisation]
        self._document = Document(schema, None, _BOUNDS)
        self._steps = Steps(_STEPS)
        self._evaluator = Evaluator(self._document, steps=self._steps)
        self._confirmation: Confirmation | None = None
        for pattern in _patterns(schema):
            if why := why_not_understood(pattern):
                raise MalformedSchema(
                    f"the pattern {pattern[:80]!r} cannot be checked at the door",
                    why=why,
                    repair="mend it; back references, and what is too large for a check in bounded time, have no place in it",
                )

    def decode(self, payload: bytes, serialisation: str) -> Any:
        """The value of a payload as it was sent. Raises MalformedPayload, also for another serialisation (PDB-46)."""
        if serialisation != self.serialisation:
            raise MalformedPayload(
                f"the payload came as {serialisation}",
                why=f"the wire format of this version is {self.serialisation}, and a serialisation is a part of it",
                repair=f"send Content-Type: {self.serialisation}",
                clauses=["PDB-46"],
            )
        return decoded(payload, serialisation)

    def fault(self, value: Any) -> tuple[str, str] | None:
        """(JSON Pointer, words) of why a value does not fit; None where it does."""
        self._steps.left = _STEPS
        try:
            said = self._evaluator.valid(value)
        except (Exhausted, RecursionError):
            return "", "it takes too long to check"
        if said is None:
            return "", "it cannot be checked"
        return None if said else self._found(value)

    def drawn(self, count: int, seed: int) -> list[Any]:
        """At most so many different payloads of this format; from one seed always the same."""
        steps = Steps(_DRAWING_STEPS)
        drawing = Drawing(self._document, Pool([self.schema], steps), Random(seed), steps)  # noqa: S311  the same everywhere
        found: dict[bytes, Any] = {}
        try:
            for _ in range(count * 20):
                value = drawing.instance()
                if _depth(value) <= _DEEPEST and self.fault(value) is None:
                    found.setdefault(msgspec.json.encode(value, order="deterministic"), value)
                if len(found) == count:
                    break
        except (Exhausted, RecursionError, msgspec.EncodeError, OverflowError):
            pass
        return list(found.values())

    def _found(self, value: Any) -> tuple[str, str]:
        if self._confirmation is None:
            self._confirmation = Confirmation(self._document, formats=False)
        return self._confirmation.fault(value) or ("", "it is not valid under the schema")


def decoded(payload: bytes, serialisation: str) -> Any:
    """A JSON value from bytes. Raises MalformedPayload."""
    kind = "JSON" if serialisation == JSON else "MessagePack"
    try:
        value = msgspec.json.decode(payload) if serialisation == JSON else msgspec.msgpack.decode(payload)
        if serialisation != JSON:
            msgspec.json.decode(msgspec.json.encode(_plain(value, 0)))
        return value
    except (msgspec.DecodeError, msgspec.EncodeError, UnicodeError, RecursionError, TypeError, ValueError) as error:
        raise MalformedPayload(
            f"the payload is not {kind}",
            why=str(error)[:300],
            repair="send the payload as the Content-Type says; MessagePack may hold what JSON has",
        ) from None


def _plain(value: Any, depth: int) -> Any:
    """The value, if JSON has such values: no binary, no dates, no names that are not text. Raises TypeError."""
    if depth > _DEEPEST:
        raise RecursionError("it is nested too deeply")
    if isinstance(value, dict):
        if not all(isinstance(name, str) for name in value):
            raise TypeError("a name in it is not text")
        for inner in value.values():
            _plain(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _plain(inner, depth + 1)
    elif not isinstance(value, str | int | float | bool | None):
        raise TypeError(f"it holds {type(value).__name__}, which JSON does not have")
    elif isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        raise TypeError("it holds a number that is not finite")
    return value


def _depth(value: Any, above: int = 0) -> int:
    if above > _DEEPEST or not isinstance(value, dict | list):
        return above
    inside = value.values() if isinstance(value, dict) else value
    return max((_depth(inner, above + 1) for inner in inside), default=above + 1)


def _patterns(schema: Any) -> Iterator[str]:
    waiting = [schema]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if isinstance(one.get("pattern"), str):
                yield one["pattern"]
            if isinstance(one.get("patternProperties"), dict):
                yield from one["patternProperties"]
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
