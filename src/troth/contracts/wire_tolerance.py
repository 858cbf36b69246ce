"""What the tolerant setting of wire formats lets pass (note N10), undone, so that what is left can be compared strictly."""

from __future__ import annotations

import json
from typing import Any, Final

_DEEPEST: Final = 100


def undone(old: Any, new: Any) -> Any:
    """`new` without optional properties that were added, properties made optional, and added values of enums."""
    return _undone(old, new, old, new, 0)


def _undone(old: Any, new: Any, older: Any, newer: Any, depth: int) -> Any:
    old, new = _followed(old, older, new), _followed(new, newer, old)
    if depth > _DEEPEST:
        return new
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [_undone(a, b, older, newer, depth + 1) for a, b in zip(old, new, strict=True)]
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    result = {
        key: _undone(old[key], value, older, newer, depth + 1) if key in old and key not in _VALUES else value
        for key, value in new.items()
    }
    _properties(old, result)
    _values(old, result)
    return result


#: Keywords whose values are no schemas.
_VALUES: Final = frozenset({"enum", "const", "default", "examples", "required", "type"})


def _followed(schema: Any, root: Any, other: Any) -> Any:
    """What a reference stands for, where the other side has the thing itself."""
    if not isinstance(schema, dict) or set(schema) != {"$ref"} or (isinstance(other, dict) and "$ref" in other):
        return schema
    found = root
    for step in str(schema["$ref"]).split("/")[1:]:
        found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else schema


def _properties(old: dict[str, Any], new: dict[str, Any]) -> None:
    before, after = old.get("properties", {}), new.get("properties")
    if not isinstance(after, dict) or not isinstance(before, dict):
        return
    was, now = (
        [str(one) for one in held] if isinstance(held, list) else []
        for held in (old.get("required"), new.get("required"))
    )
    new["properties"] = {name: one for name, one in after.items() if name in before or name in now}
    if required := sorted({*now, *(name for name in was if name in after)}):
        new["required"] = required


def _values(old: dict[str, Any], new: dict[str, Any]) -> None:
    before = old.get("enum", [old["const"]] if "const" in old else None)
    after = new.get("enum")
    if isinstance(before, list) and isinstance(after, list):
        was, now = {_key(one) for one in before}, {_key(one) for one in after}
        if was <= now:
            new["enum"] = [one for one in after if _key(one) in was]


def _key(value: Any) -> str:
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value, sort_keys=True)
