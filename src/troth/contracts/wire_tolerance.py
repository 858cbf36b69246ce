"""What the tolerant setting of wire formats lets pass (note N10), undone, so that what is left can be compared strictly."""

from __future__ import annotations

import json
from typing import Any, Final

_DEEPEST: Final = 100


def undone(old: Any, new: Any) -> Any:
    """`new` without optional properties that were added, properties made optional, and added values of enums.

    What stands where more can mean less, in `not`, `if` and `oneOf` and in what these refer to, is left as it is.
    """
    return _Undoing(old, new).undone(old, new, 0)


#: Keywords by what they hold: schemas by their names, a list of schemas, one schema.
_NAMED: Final = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LISTED: Final = ("allOf", "anyOf", "prefixItems")
_SINGLE: Final = ("items", "additionalItems", "additionalProperties", "then", "else")
_TURNING: Final = frozenset(
    {"not", "if", "oneOf", "contains", "propertyNames", "dependencies", "unevaluatedProperties"}
)


class _Undoing:
    """The undoing in one pair of documents."""

    def __init__(self, old: Any, new: Any) -> None:
        self._older, self._newer = old, new
        self._kept: set[int] = set()
        self._keep(new, kept=False)

    def undone(self, old: Any, new: Any, depth: int) -> Any:
        """A schema with all inside."""
        old, new = _followed(old, self._older, new), _followed(new, self._newer, old)
        if depth > _DEEPEST or not isinstance(old, dict) or not isinstance(new, dict) or id(new) in self._kept:
            return new
        result = dict(new)
        for keyword in [word for word in new if word in old]:
            was, now = old[keyword], new[keyword]
            if keyword in _NAMED and isinstance(was, dict) and isinstance(now, dict):
                result[keyword] = {
                    name: self.undone(was[name], one, depth + 1) if name in was else one for name, one in now.items()
                }
            elif keyword in _LISTED or (keyword == "items" and isinstance(now, list)):
                result[keyword] = self._listed(was, now, depth)
            elif keyword in _SINGLE:
                result[keyword] = self.undone(was, now, depth + 1)
        _properties(old, result)
        _values(old, result)
        return result

    def _listed(self, old: Any, new: Any, depth: int) -> Any:
        if not isinstance(old, list) or not isinstance(new, list) or len(old) != len(new):
            return new
        return [self.undone(a, b, depth + 1) for a, b in zip(old, new, strict=True)]

    def _keep(self, value: Any, *, kept: bool) -> None:
        """Notes what stands where more can mean less. A property of such a name is taken for one: that keeps more."""
        waiting = [(value, kept)]
        while waiting:
            value, kept = waiting.pop()
            if isinstance(value, list):
                waiting += [(inner, kept) for inner in value]
            elif isinstance(value, dict) and not (kept and id(value) in self._kept):
                if kept:
                    self._kept.add(id(value))
                    waiting += [(self._target(value[word]), True) for word in ("$ref", "$dynamicRef") if word in value]
                waiting += [(inner, kept or word in _TURNING) for word, inner in value.items()]

    def _target(self, reference: Any) -> Any:
        """What a reference leads to; the whole document where that is not clear."""
        found = self._newer
        for step in str(reference).split("/")[1:] if str(reference).startswith("#/") else []:
            step = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and step.isdecimal() and int(step) < len(found):
                found = found[int(step)]
            else:
                found = found.get(step, self._newer) if isinstance(found, dict) else self._newer
        return found


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
