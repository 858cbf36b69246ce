"""What a strict writer sends, and what a reader understands: one schema, from either end (PDB-13).

Who writes sends the properties that are described and no others, whatever an open object would allow. So an optional
property can be added to an open object. Who reads takes what the schema says.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Any, Final

from troth.contracts.openapi.schemas import HINTS, LEFT_OUT
from troth.contracts.openapi.text import escaped

_VALUES: Final = ("properties", "patternProperties")
_ELEMENTS: Final = ("items", "additionalProperties", "unevaluatedItems")
_BRANCHES: Final = ("anyOf", "oneOf")
_CONDITIONS: Final = ("if", "then", "else")


def understood(schema: Any) -> Any:
    """The schema as a reader takes it: properties that do not belong into the message may be anything."""
    if isinstance(schema, list):
        return [understood(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    told = {key: understood(value) for key, value in schema.items() if key != LEFT_OUT}
    if isinstance(schema.get(LEFT_OUT), list):
        told["properties"] = {**told["properties"], **dict.fromkeys(schema[LEFT_OUT], True)}
    return told


def sent(schema: Any, shared: Set[str] = frozenset()) -> Any:
    """The schema as a strict writer keeps it. `schema` is a document of its own, with what it refers to in `$defs`.

    Parts that are `shared` stay as a reader takes them.
    """
    if not isinstance(schema, dict):
        return schema
    return _Writer(schema.get("$defs", {}), shared).written(
        {key: value for key, value in schema.items() if key != "$defs"}
    )


class _Writer:
    """Makes closed forms of schemas. What is applied in place of a closed one stays open, but for what is inside."""

    def __init__(self, parts: dict[str, Any], shared: Set[str]) -> None:
        self._parts, self._shared = parts, shared
        self._made: dict[str, Any] = {}
        self._waiting: list[tuple[str, str, bool]] = []

    def written(self, schema: dict[str, Any]) -> Any:
        """A closed form with all that it needs."""
        found = self._value(schema)
        while self._waiting:
            name, reference, closed = self._waiting.pop()
            part = self._parts[reference]
            self._made[name] = self._value(part) if closed else self._member(part)
        if not self._parts:
            return found
        plain = {name: understood(part) for name, part in self._parts.items()}
        own = found if isinstance(found, dict) else {"allOf": [found]}
        return {**own, "$defs": {**plain, **self._made}}

    def _reference(self, reference: str, closed: bool) -> dict[str, Any]:
        plain = reference.removeprefix("#/$defs/").replace("~1", "/").replace("~0", "~")
        if plain in self._shared:
            return {"$ref": reference}
        name = f"{'closed' if closed else 'open'} {plain}"
        if name not in self._made:
            self._made[name] = True
            self._waiting.append((name, plain, closed))
        return {"$ref": f"#/$defs/{escaped(name)}"}

    def _value(self, schema: Any) -> Any:
        """The schema of a whole value."""
        if not isinstance(schema, dict):
            return schema
        if isinstance(schema.get("$ref"), str) and schema.keys() - HINTS == {"$ref"}:
            return self._reference(schema["$ref"], closed=True)
        result = self._inside(schema)
        in_place = [key for key in ("allOf", "$ref", "if", "then", "else", "dependentSchemas") if key in schema]
        branches = [key for key in _BRANCHES if isinstance(schema.get(key), list)]
        if "properties" not in schema and not in_place:
            return {**result, **{key: [self._value(one) for one in schema[key]] for key in branches}}
        if schema.get("additionalProperties", True) is True and "unevaluatedProperties" not in schema:
            if in_place or branches:
                result.pop("additionalProperties", None)
                closed = self._describes(schema, 0)
                return {**result, "unevaluatedProperties": False} if closed else result
            result["additionalProperties"] = False
        return result

    def _member(self, schema: Any) -> Any:
        """A schema that is one of several on the same value."""
        if not isinstance(schema, dict):
            return schema
        return self._inside(schema)

    def _inside(self, schema: dict[str, Any]) -> dict[str, Any]:
        result = {key: value for key, value in schema.items() if key != LEFT_OUT}
        for key in _VALUES:
            if isinstance(schema.get(key), dict):
                result[key] = {name: self._value(one) for name, one in schema[key].items()}
        for key in _ELEMENTS:
            if isinstance(schema.get(key), dict):
                result[key] = self._value(schema[key])
        if isinstance(schema.get("prefixItems"), list):
            result["prefixItems"] = [self._value(one) for one in schema["prefixItems"]]
        for key in ("allOf", *_BRANCHES):
            if isinstance(schema.get(key), list):
                result[key] = [self._member(one) for one in schema[key]]
        for key in _CONDITIONS:
            if key in schema:
                result[key] = understood(schema[key])
        if isinstance(schema.get("$ref"), str):
            result["$ref"] = self._reference(schema["$ref"], closed=False)["$ref"]
        if isinstance(schema.get(LEFT_OUT), list):
            result["properties"] = {**result["properties"], **dict.fromkeys(schema[LEFT_OUT], False)}
        return result

    def _describes(self, schema: Any, depth: int) -> bool:
        """Whether any property is described by a schema or what is applied in its place."""
        if not isinstance(schema, dict) or depth > 20:
            return False
        if schema.get("properties"):
            return True
        inner = [one for key in ("allOf", *_BRANCHES) if isinstance(schema.get(key), list) for one in schema[key]]
        if isinstance(schema.get("$ref"), str):
            inner.append(self._parts.get(schema["$ref"].removeprefix("#/$defs/").replace("~1", "/").replace("~0", "~")))
        return any(self._describes(one, depth + 1) for one in inner)
