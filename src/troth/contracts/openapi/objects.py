"""The schema of an object laid flat: its properties, those of `allOf` included, and what is left beside them."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Any, Final

from troth.contracts.openapi.schemas import LEFT_OUT, Whole

_INNER: Final = ("items", "additionalProperties")
_MOST_MEMBERS: Final = 100
_LAID_OPEN: Final = frozenset({"properties", "required", "allOf", "$ref", LEFT_OUT})


@dataclass(frozen=True, slots=True)
class Flat:
    """Properties, those that have to be there, schemas of elements and of other properties, and whether it is closed."""

    properties: dict[str, Whole]
    required: frozenset[str]
    inner: dict[str, Whole]
    closed: bool
    others: tuple[dict[str, Any], ...]
    #: whether its parts hang together, so that none can be judged without the others
    entangled: bool

    def merged(self) -> dict[str, Any]:
        """What stands beside the properties, in one."""
        return {key: value for one in self.others for key, value in one.items()}

    def rest(self, without: Set[str]) -> list[dict[str, Any]]:
        """What was not laid open, for each schema that was. `without` names what is compared apart."""
        return [{key: value for key, value in one.items() if key not in without} for one in self.others]


def flat(whole: Whole) -> Flat | None:
    """The parts of an object's or a list's schema, or None for a schema of something else."""
    members = _members(whole)
    if members is None:
        return None
    properties: dict[str, Whole] = {}
    required: set[str] = set()
    inner: dict[str, Whole] = {}
    others = []
    for one in members:
        schema = one.schema
        left_out = schema.get(LEFT_OUT, ())
        for name, value in schema.get("properties", {}).items():
            found = one.inner(value, name in left_out)
            properties[name] = one.inner({"allOf": [properties[name].schema, value]}) if name in properties else found
        required |= set(map(str, schema.get("required", ())))
        for keyword in _INNER:
            if isinstance(schema.get(keyword), dict) and keyword not in inner and len(members) == 1:
                inner[keyword] = one.inner(schema[keyword])
        others.append({key: value for key, value in schema.items() if key not in _LAID_OPEN})
    closed = any(
        one.get("additionalProperties") is False or one.get("unevaluatedProperties") is False for one in others
    )
    if not properties and not inner:
        return None
    return Flat(
        properties,
        frozenset(required),
        inner,
        closed,
        tuple(others),
        any(map(_is_entangled, members)) or _is_split(members),
    )


def _members(whole: Whole) -> list[Whole] | None:
    """A schema and those of its `allOf`, references followed."""
    found: list[Whole] = []
    seen: set[str] = set()
    waiting = [whole]
    while waiting:
        current = waiting.pop(0).followed()
        if current.digest in seen:
            continue
        seen.add(current.digest)
        schema = current.schema
        if not isinstance(schema, dict) or len(found) > _MOST_MEMBERS or not _is_regular(schema):
            return None
        found.append(current)
        waiting += [current.inner(one) for one in schema.get("allOf", ())]
        if "$ref" in schema:
            waiting.append(current.inner({"$ref": schema["$ref"]}))
    return found


def _is_regular(schema: dict[str, Any]) -> bool:
    required = schema.get("required", [])
    return (
        isinstance(schema.get("properties", {}), dict)
        and isinstance(required, list)
        and isinstance(schema.get("allOf", []), list)
    )


def _is_entangled(whole: Whole) -> bool:
    """Whether keywords of one schema speak of what others leave over."""
    schema = whole.schema
    if any(keyword in schema for keyword in ("unevaluatedProperties", "unevaluatedItems", "$dynamicRef")):
        return True
    limited = schema.get("additionalProperties", True) is not True
    return ("patternProperties" in schema and limited) or ("prefixItems" in schema and "items" in schema)


def _is_split(members: list[Whole]) -> bool:
    """Whether one of several schemas on the same value refuses what the others describe."""
    return len(members) > 1 and any(one.schema.get("additionalProperties", True) is not True for one in members)
