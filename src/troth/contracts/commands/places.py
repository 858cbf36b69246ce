"""Whether a payload of a schema can have a value at a place."""

from __future__ import annotations

from typing import Any


def impossible(schema: Any, steps: tuple[str, ...]) -> str:
    """Why no payload of a schema has a value there; empty where one may.

    Only what a schema says itself is read on the way, and not what it refers to: where it is not sure, a payload may.
    """
    place = ""
    for step in steps:
        if not isinstance(schema, dict):
            return _nothing(schema, place)
        kinds = schema.get("type")
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if isinstance(kinds, list) and not {"object", "array"} & set(kinds):
            return f"what is at {place or 'the top'} is {' or '.join(map(str, kinds))}, which has nothing inside"
        if not isinstance(kinds, list) or "array" in kinds:
            return ""
        properties = schema.get("properties", {})
        if step in properties:
            schema = properties[step]
        elif schema.get("additionalProperties") is False and not schema.get("patternProperties"):
            names = ", ".join(sorted(properties)) or "none"
            return f"the schema has no property {step!r} at {place or 'the top'}: it has {names}, and allows no other"
        else:
            return ""
        place += f"/{step}"
    return _nothing(schema, place)


def _nothing(schema: Any, place: str) -> str:
    return f"the schema allows nothing at {place or 'the top'}" if schema is False else ""
