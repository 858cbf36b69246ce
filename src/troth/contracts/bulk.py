"""One line of `troth check --bulk`: a pair of documents of one kind, and what is answered to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from troth.contracts import schema_changes, wire
from troth.contracts.changes import Comparison, invalid
from troth.contracts.openapi import comparison as openapi
from troth.contracts.openapi.text import UnreadableDocument, value_of
from troth.contracts.python_api import comparison as python_api

KINDS: Final = ("schema", "openapi", "python", "wire")
_SERIALISATIONS: Final = ("old_serialisation", "new_serialisation")


def answered(kind: str, line: Any, *, tolerant: bool = False) -> dict[str, Any]:
    """The answer to one parsed line `{"id", "old", "new"}`, as `{"id", "verdict", "changes", "witness"}`.

    For schemas the line may say `"side"`: input (the default), output or contained. A line that is none of this is
    answered as `invalid` with a `fault`, and nothing is raised. `tolerant` is the other setting for wire formats (N10).
    """
    named = line.get("id") if isinstance(line, dict) else None
    return {"id": named, **compared(kind, line, tolerant=tolerant).as_dict()}


def compared(kind: str, line: Any, *, tolerant: bool = False) -> Comparison:
    """The comparison that a parsed line asks for."""
    if not isinstance(line, dict):
        return invalid("a line is a JSON object")
    missing = [name for name in ("old", "new") if name not in line]
    if missing:
        return invalid(f"{missing[0]} is missing")
    return _COMPARE[kind](line, tolerant)


def texts_read(kind: str, line: Mapping[str, Any]) -> Mapping[str, Any] | Comparison:
    """The same pair with values where files held texts of JSON or YAML; the answer where a text is neither."""
    if kind not in ("schema", "wire"):
        return line
    values = {}
    for name in ("old", "new"):
        try:
            values[name] = value_of(line[name])
        except UnreadableDocument as error:
            return invalid(f"{name}: {error}")
    return {**line, **values}


def _schema(line: Mapping[str, Any], tolerant: bool) -> Comparison:
    side = line.get("side", "input")
    if side not in schema_changes.SIDES:
        return invalid(f"side is one of {', '.join(schema_changes.SIDES)}")
    return schema_changes.compare(line["old"], line["new"], cast(schema_changes.Side, side))


def _openapi(line: Mapping[str, Any], tolerant: bool) -> Comparison:
    return openapi.compare(line["old"], line["new"])


def _python(line: Mapping[str, Any], tolerant: bool) -> Comparison:
    for name in ("old", "new"):
        if not _is_source(line[name]):
            return invalid(f"{name} is the text of a module, or an object of texts by their paths")
    return python_api.compare(line["old"], line["new"])


def _is_source(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, dict) and all(isinstance(text, str) for text in value.values()))


def _wire(line: Mapping[str, Any], tolerant: bool) -> Comparison:
    written = {name: line[name] for name in _SERIALISATIONS if isinstance(line.get(name), str)}
    return wire.compare(line["old"], line["new"], tolerant=tolerant, **written)


_COMPARE: Final[dict[str, Callable[[Mapping[str, Any], bool], Comparison]]] = {
    "schema": _schema,
    "openapi": _openapi,
    "python": _python,
    "wire": _wire,
}
