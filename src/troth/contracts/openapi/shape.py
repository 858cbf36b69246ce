"""Whether the schemas of an OpenAPI document are schemas at all, wherever they stand and whether or not they are compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from troth.contracts.openapi.text import UnreadableDocument, escaped
from troth.contracts.schema import Dialect
from troth.contracts.schema.keywords import misshapen, subschemas

#: Keys of OpenAPI whose values are no part of the document itself.
_FOREIGN: Final = frozenset({"example", "examples", "default", "enum", "const", "value"})
#: Words of OpenAPI 3.0 whose form 2020-12 changed.
_CHANGED: Final = frozenset({"exclusiveMinimum", "exclusiveMaximum"})


def check_schemas(document: dict[str, Any], older: bool) -> None:
    """Raises UnreadableDocument with the place of the first schema that is none. `older` is OpenAPI 3.0."""
    seen: set[int] = set()
    waiting = list(_schemas(document))
    while waiting:
        schema, place = waiting.pop()
        if isinstance(schema, bool):
            continue
        if not isinstance(schema, dict):
            raise UnreadableDocument("a schema is an object", place)
        if id(schema) in seen:
            continue
        seen.add(id(schema))
        told = {key: value for key, value in schema.items() if not (older and key in _CHANGED)}
        fault = misshapen(told, Dialect.DRAFT_2020_12)
        if fault is not None:
            raise UnreadableDocument(fault[1], f"{place}/{fault[0]}")
        waiting += [(inner, f"{place}{step}") for _, inner, step in subschemas(told, Dialect.DRAFT_2020_12)]


def _schemas(document: dict[str, Any]) -> Iterator[tuple[Any, str]]:
    """The schemas that stand in other objects, each with its place."""
    seen: set[int] = set()
    waiting: list[tuple[Any, str]] = [(document, "")]
    while waiting:
        current, place = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(current, list):
            waiting += [(one, f"{place}/{index}") for index, one in enumerate(current) if isinstance(one, dict | list)]
            continue
        for key, one in current.items():
            here = f"{place}/{escaped(key)}"
            if key == "schema" and not place.endswith(("/headers", "/responses", "/callbacks", "/parameters")):
                yield one, here
            elif place == "/components" and key == "schemas" and isinstance(one, dict):
                yield from ((schema, f"{here}/{escaped(name)}") for name, schema in one.items())
            elif isinstance(one, dict | list) and key not in _FOREIGN and not key.startswith("x-"):
                waiting.append((one, here))
