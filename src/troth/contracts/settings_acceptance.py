"""Whether settings that a schema accepted are accepted still, by the containment of schemas.

What is told by name already is left out of the question: settings that came, that went, and those that have to be given now.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from troth.contracts.schema import Answer, Containment, contained
from troth.contracts.schema.texts import NotUnderstood, matcher
from troth.errors import MalformedSchema

_DEEPEST: Final = 40
#: Words that say nothing of a value, beside a reference.
_ANNOTATIONS: Final = frozenset({"title", "description", "default", "examples", "deprecated", "$comment"})


def accepted_still(old: dict[str, Any], new: dict[str, Any]) -> Containment:
    """Whether every configuration that `old` accepts is accepted by `new`, as far as it is not told by name."""
    try:
        return contained(*_Untold(old, new).pair(old, new, 0))
    except MalformedSchema as error:
        return Containment(Answer.CANNOT_TELL, words=f"{error.what}: {error.why}")


def inlined(root: Any, schema: Any) -> Any:
    """The schema itself, behind references into the same document that say nothing beside."""
    for _ in range(_DEEPEST):
        reference = schema.get("$ref") if isinstance(schema, dict) else None
        if not isinstance(reference, str) or not reference.startswith("#/") or set(schema) - _ANNOTATIONS != {"$ref"}:
            break
        found = root
        for step in reference[2:].split("/"):
            found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
        if not isinstance(found, dict | bool):
            break
        schema = found if isinstance(found, bool) else {**found, **_beside(schema)}
    return schema


def _beside(schema: dict[str, Any]) -> dict[str, Any]:
    return {"default": schema["default"]} if "default" in schema else {}


class _Untold:
    """Two schemas without what is told by name."""

    def __init__(self, old: Any, new: Any) -> None:
        self._roots = old, new

    def pair(self, old: Any, new: Any, depth: int) -> tuple[Any, Any]:
        """The same schemas, alike in the names that only one of them has, or that only the newer one requires."""
        was, now = (inlined(root, one) for root, one in zip(self._roots, (old, new), strict=True))
        before, after = _properties(was), _properties(now)
        if depth == 0:
            before, after = before or {}, after or {}
        if before is None or after is None or depth > _DEEPEST:
            return old, new
        left, right = dict(before), dict(after)
        needed = _required(was), _required(now)
        for name in before.keys() | after.keys():
            if name not in after:
                left[name] = False
                needed[0].discard(name)
            elif name not in before:
                if not _speaks_of(was, name):
                    right[name] = True
                needed[1].discard(name)
            else:
                left[name], right[name] = self.pair(before[name], after[name], depth + 1)
                self._requires(name, before[name], after[name], needed)
        return {**was, "properties": left, "required": sorted(needed[0])}, {
            **now,
            "properties": right,
            "required": sorted(needed[1]),
        }

    def _requires(self, name: str, old: Any, new: Any, needed: tuple[set[str], set[str]]) -> None:
        """What has a default need not be given; that something else has to be given is told by name."""
        was, now = (inlined(root, one) for root, one in zip(self._roots, (old, new), strict=True))
        told = name not in needed[0] and _properties(now) is None
        if isinstance(was, dict) and "default" in was:
            needed[0].discard(name)
        if told or (isinstance(now, dict) and "default" in now):
            needed[1].discard(name)


def _properties(schema: Any) -> Mapping[str, Any] | None:
    found = schema.get("properties") if isinstance(schema, dict) else None
    return found if isinstance(found, dict) else None


def _required(schema: dict[str, Any]) -> set[str]:
    found = schema.get("required")
    return {name for name in found if isinstance(name, str)} if isinstance(found, list) else set()


def _speaks_of(schema: dict[str, Any], name: str) -> bool:
    """Whether a schema says what a setting is like that it does not name."""
    if isinstance(schema.get("additionalProperties"), dict):
        return True
    patterns = schema.get("patternProperties")
    try:
        return isinstance(patterns, dict) and any(matcher(pattern)(name) for pattern in patterns)
    except NotUnderstood:
        return True
